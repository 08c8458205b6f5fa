"""A critic: what an action is worth, and the slow copy of it that targets are made of."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from rl_planner.learning.adam import Adam
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.networks import MLP
from rl_planner.learning.replay import Batch
from rl_planner.navigation.policy import ACTION_SIZE


class Critic:
    """Q(s, a), its target network Q', and its optimiser.

    Args:
        obs_size: numbers in an observation.
        config: sizes and rates.
        generator: of the initial weights.
        device: where to compute.
    """

    def __init__(
        self,
        obs_size: int,
        config: LearningConfig,
        generator: torch.Generator,
        device: torch.device | str,
    ) -> None:
        hidden = [config.hidden_size] * config.hidden_layers
        self.network = MLP([obs_size + ACTION_SIZE, *hidden, 1], generator, device)
        self.target = self.network.copy()
        self.optimizer = Adam(self.network.parameters, config.critic_learning_rate)
        self._actions = slice(obs_size, obs_size + ACTION_SIZE)

    def target_value(self, next_obs: Tensor, next_action: Tensor) -> Tensor:
        """Q'(s, a), (B,)."""
        return self.target(torch.cat([next_obs, next_action], dim=1)).squeeze(1)

    def regress(self, batch: Batch, target: Tensor) -> dict[str, Tensor]:
        """One step of descent of the mean of (Q(s, a) - y)^2, y = `target` (B,)."""
        layers = self.network.forward(torch.cat([batch.obs, batch.action], dim=1))
        q = layers[-1].squeeze(1)
        metrics = {'critic_loss': functional.mse_loss(q, target), 'q_mean': q.mean()}
        error = (q - target).mul_(2.0 / len(q))
        self.network.backward(layers, error[:, None])
        self.optimizer.step()
        return metrics

    def value_and_slope(self, obs: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Q(s, a), (B,), and its gradient in the action, (B, ACTION_SIZE)."""
        layers = self.network.forward(torch.cat([obs, action], dim=1))
        q = layers[-1]
        slope = self.network.input_slope(layers, torch.ones_like(q), self._actions)
        return q.squeeze(1), slope

    def follow(self, tau: float) -> None:
        """Let the target network follow: theta' <- tau theta + (1 - tau) theta'."""
        self.target.follow(self.network, tau)

    def tensors(self) -> dict[str, Tensor]:
        """All that changes with learning: live, not copies."""
        return {'target': self.target.parameters, **self.optimizer.tensors()}
