"""SAC: soft actor-critic, with a temperature that adjusts itself.

T. Haarnoja et al., "Soft actor-critic algorithms and applications" (arXiv:1812.05905): an actor
that is paid for being random, with twin critics. The actor gives a mean m(s) and a scale sigma(s):

    u = m(s) + sigma(s) epsilon,   epsilon ~ N(0, 1),   a = tanh(u)
    log pi(a | s) = sum over action numbers of log N(u; m, sigma) - log(1 - a^2)

The critics regress on

    y = r_0 + gamma r_1 + ... + gamma^(k-1) r_(k-1)
        + gamma^k (min(Q'_1(s_k, a_k), Q'_2(s_k, a_k)) - alpha log pi(a_k | s_k)),   a_k ~ pi(s_k)

and actor and temperature alpha descend

    J(theta) = E[alpha log pi(a | s) - min(Q_1(s, a), Q_2(s, a))],   a ~ pi_theta(s)
    J(alpha) = E[-alpha (log pi(a | s) + H)]                         H: the entropy aimed at

Where we depart from the paper, and why:
* the robot drives by tanh(m(s)), in training with the same noise as with the other algorithms (see
  noise.py) instead of a ~ pi: a policy file holds the deterministic policy, and an actor node
  explores by that file alone. SAC is off-policy: it may learn from whatever drove.
* n-step returns, for the reasons in ddpg.py; of the entropy only that of the last state counts.
* log alpha descends -(log pi + H) without the factor alpha, as in the authors' code: wherever the
  temperature stands, it then moves by the same factor.
* tau, decaying learning rates, initial weights: as in ddpg.py.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from rl_planner.learning.adam import Adam
from rl_planner.learning.algorithm import Algorithm, saturation
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.replay import Batch
from rl_planner.navigation.policy import ACTION_SIZE

LOG_SIGMA_MIN, LOG_SIGMA_MAX = -20.0, 2.0  # as in the authors' code


class Sample(NamedTuple):
    """Actions drawn from the policy, and what their gradients are made of; all (B, ACTION_SIZE).

    Attributes:
        action: a.
        log_prob: (B,) log pi(a | s).
        spread: sigma epsilon, the derivative of u by log sigma.
        free: 1 where log sigma lies within its bounds, else 0.
    """

    action: Tensor
    log_prob: Tensor
    spread: Tensor
    free: Tensor


class SAC(Algorithm):
    """Soft actor-critic; arguments as of `Algorithm`."""

    def __init__(
        self, obs_size: int, config: LearningConfig, device: torch.device | str, seed: int
    ) -> None:
        super().__init__(obs_size, config, device, seed, outputs=2 * ACTION_SIZE, critics=2)
        self.log_temperature = torch.full((1,), math.log(config.initial_temperature), device=device)
        self.temperature_optimizer = Adam(self.log_temperature, config.temperature_learning_rate)

    def update(self, batch: Batch) -> dict[str, Tensor]:
        metrics = self._regress(batch)
        metrics |= self._improve_actor(batch.obs)
        for critic in self.critics:
            critic.follow(self.config.tau)
        return metrics

    def target(self, batch: Batch) -> Tensor:
        after = self.sample(self.actor(batch.next_obs))
        first, second = (each.target_value(batch.next_obs, after.action) for each in self.critics)
        worth = torch.minimum(first, second) - self.log_temperature.exp() * after.log_prob
        return batch.reward + batch.discount * worth

    def sample(self, outputs: Tensor) -> Sample:
        """Draw an action for each row of the actor's outputs, m and log sigma, (B, 4)."""
        mean, raw = outputs.chunk(2, dim=1)
        log_sigma = raw.clamp(LOG_SIGMA_MIN, LOG_SIGMA_MAX)
        epsilon = self._draw(len(outputs))
        spread = log_sigma.exp() * epsilon
        u = mean + spread
        normal = -0.5 * epsilon.square() - log_sigma - 0.5 * math.log(2.0 * math.pi)
        # log(1 - tanh(u)^2) = 2 (log 2 - u - log(1 + exp(-2 u))), also where tanh rounds to 1
        squashed = 2.0 * (math.log(2.0) - u - softplus(-2.0 * u))
        log_prob = (normal - squashed).sum(dim=1)
        return Sample(torch.tanh(u), log_prob, spread, (raw == log_sigma).float())

    def optimizers(self) -> list[Adam]:
        return [*super().optimizers(), self.temperature_optimizer]

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        return {**super().tensors(), 'temperature': self.temperature_optimizer.tensors()}

    def _improve_actor(self, obs: Tensor) -> dict[str, Tensor]:
        """One step of descent of J(theta), and one of J(alpha).

        With d log(1 - a^2)/du = -2 a and da/du = 1 - a^2,

            dJ/du = 2 alpha a - (1 - a^2) dQ/da,   dJ/dm = dJ/du,
            dJ/d(log sigma) = dJ/du sigma epsilon - alpha

        The penalty of distance from an anchor is one of m.
        """
        layers = self.actor.forward(obs)
        outputs = layers[-1]
        action, log_prob, spread, free = self.sample(outputs)
        temperature = self.log_temperature.exp()
        q, q_slope = self._least_value_and_slope(obs, action)
        of_u = 2.0 * temperature * action - (1.0 - action.square()) * q_slope
        mean_action = torch.tanh(outputs[:, :ACTION_SIZE])
        of_mean = of_u + self._slope_of_distance(obs, mean_action)
        slope = torch.cat([of_mean, (of_u * spread - temperature) * free], dim=1)
        self.actor.backward(layers, slope.div_(len(obs)))
        self.actor_optimizer.step()
        self._adjust_temperature(log_prob)
        return {
            'actor_loss': (temperature * log_prob - q).mean(),
            'saturation': saturation(outputs[:, :ACTION_SIZE]),
            'temperature': temperature.squeeze(0),
            'entropy': -log_prob.mean(),
        }

    def _least_value_and_slope(self, obs: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """min(Q_1, Q_2), (B,), and its gradient in the action, (B, ACTION_SIZE)."""
        (q1, slope1), (q2, slope2) = (each.value_and_slope(obs, action) for each in self.critics)
        return torch.minimum(q1, q2), torch.where((q1 < q2)[:, None], slope1, slope2)

    def _adjust_temperature(self, log_prob: Tensor) -> None:
        """Raise the temperature where the entropy, -log pi, is below its aim; else lower it."""
        self.log_temperature.grad = -(log_prob + self.config.target_entropy).mean(0, keepdim=True)
        self.temperature_optimizer.step()
