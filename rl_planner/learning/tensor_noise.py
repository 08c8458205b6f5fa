"""Exploration noise on the device where robots are simulated: the process of noise.py."""

from __future__ import annotations

import torch
from torch import Tensor

from rl_planner.learning.config import ExplorationConfig
from rl_planner.learning.noise import next_noise
from rl_planner.navigation.policy import ACTION_SIZE


class TensorNoise:
    """As `ExplorationNoise`, for N robots on a device, without a word to the host.

    It has no state to save: where a training is resumed every robot begins a new episode, and with
    it new noise.
    """

    def __init__(
        self, num_robots: int, config: ExplorationConfig, device: torch.device | str
    ) -> None:
        self._config, self._device = config, torch.device(device)
        self.generator = torch.Generator(self._device)
        self._sigma = torch.zeros(num_robots, 1, device=self._device)
        self._carried = torch.zeros(num_robots, ACTION_SIZE, device=self._device)

    def reset(self, seed: int) -> None:
        """Begin new episodes for all robots, with the noise that `seed` decides."""
        self.generator.manual_seed(seed)
        self.restart(torch.ones(len(self._sigma), dtype=torch.bool, device=self._device))

    def restart(self, chosen: Tensor) -> None:
        """Begin a new episode for the robots of a mask (N,)."""
        rows, low = chosen[:, None], self._config.sigma_min
        share = torch.rand(self._sigma.shape, generator=self.generator, device=self._device)
        sigma = low + (self._config.sigma_max - low) * share
        self._sigma = torch.where(rows, sigma, self._sigma)
        self._carried = torch.where(rows, self._normal(), self._carried)

    def sample(self) -> Tensor:
        """The noise of the next step, (N, 2)."""
        white, fresh = self._normal(), self._normal()
        noise, carried = next_noise(self._config, self._sigma, self._carried, white, fresh)
        self._carried = carried
        return torch.as_tensor(noise)

    def _normal(self) -> Tensor:
        size = self._carried.shape
        return torch.randn(size, generator=self.generator, device=self._device)
