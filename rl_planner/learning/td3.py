"""TD3: twin delayed deep deterministic policy gradient.

S. Fujimoto, H. van Hoof, D. Meger, "Addressing function approximation error in actor-critic
methods", ICML 2018 (arXiv:1802.09477): DDPG (see ddpg.py) with three remedies against critics that
promise too much.

* Twin critics: both regress on the one target that the less hopeful of their targets gives.
* Target policy smoothing: nearby actions should be worth about the same, so the target asks for an
  action with noise:

    a~ = clip(mu'(s_k) + clip(epsilon, -c, c), -1, 1),   epsilon ~ N(0, sigma^2)
    y = r_0 + gamma r_1 + ... + gamma^(k-1) r_(k-1) + gamma^k min(Q'_1(s_k, a~), Q'_2(s_k, a~))

* Delay: the actor climbs E[Q_1(s, mu(s))], and all target networks follow, once in d updates of the
  critics.

Where we depart from the paper, and why: as DDPG does (n-step returns, the penalty on saturated
actor outputs, one decaying learning rate, exploration noise that varies), for its reasons. tau is
0.01 for 0.005: short trainings.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.ddpg import DDPG
from rl_planner.learning.replay import Batch


class TD3(DDPG):
    """Twin delayed DDPG; arguments as of `Algorithm`."""

    is_steady = False

    def __init__(
        self, obs_size: int, config: LearningConfig, device: torch.device | str, seed: int
    ) -> None:
        super().__init__(obs_size, config, device, seed, critics=2)
        self.updates = torch.zeros((), dtype=torch.int64)  # on the CPU: nothing waits for a GPU

    def update(self, batch: Batch) -> dict[str, Tensor]:
        metrics = self._regress(batch)
        self.updates += 1
        if self.updates % self.config.policy_delay == 0:
            metrics |= self._improve_actor(batch.obs)
            self._follow()
        return metrics

    def target(self, batch: Batch) -> Tensor:
        clip = self.config.target_noise_clip
        noise = (self.config.target_noise * self._draw(len(batch.reward))).clamp(-clip, clip)
        next_action = (torch.tanh(self.target_actor(batch.next_obs)) + noise).clamp(-1.0, 1.0)
        first, second = (each.target_value(batch.next_obs, next_action) for each in self.critics)
        return batch.reward + batch.discount * torch.minimum(first, second)

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        return {**super().tensors(), 'schedule': {'updates': self.updates}}
