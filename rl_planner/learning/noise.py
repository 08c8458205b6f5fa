"""Exploration noise. Numpy only: the actor node uses it where no torch is installed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.learning.config import ExplorationConfig
from rl_planner.navigation.policy import ACTION_SIZE

Floats = NDArray[np.float32]


class ExplorationNoise:
    """Noise to add to the actions of N robots, sigma (w white + o ou), sigma its own per episode.

    The carried part is an Ornstein-Uhlenbeck process (Uhlenbeck & Ornstein 1930; used for
    exploration by Lillicrap et al. 2016), x' = (1 - theta) x + sqrt(1 - (1 - theta)^2) n with n
    normal: of variance 1 at every step, the first included, whatever theta is.

    Args:
        num_robots: N.
        config: scales and theta.
        rng: the only source of randomness.
    """

    def __init__(
        self, num_robots: int, config: ExplorationConfig, rng: np.random.Generator
    ) -> None:
        self._config, self._rng = config, rng
        self._sigma: Floats = np.empty((num_robots, 1), np.float32)
        self._carried: Floats = np.empty((num_robots, ACTION_SIZE), np.float32)
        self.restart(np.arange(num_robots))

    def restart(self, robots: NDArray[Any]) -> None:
        """Begin a new episode for the robots of a mask (N,) or a list of indices."""
        count = len(self._sigma[robots])
        low, high = self._config.sigma_min, self._config.sigma_max
        self._sigma[robots] = self._rng.uniform(low, high, (count, 1))
        self._carried[robots] = self._rng.standard_normal((count, ACTION_SIZE))

    def sample(self) -> Floats:
        """The noise of the next step, (N, 2)."""
        white, fresh = self._rng.standard_normal((2, *self._carried.shape), np.float32)
        noise, self._carried = next_noise(self._config, self._sigma, self._carried, white, fresh)
        return np.asarray(noise)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to go on with the very same noise."""
        return {
            'sigma': self._sigma.copy(),
            'carried': self._carried.copy(),
            'rng': self._rng.bit_generator.state,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`.

        Raises:
            ValueError: the state is of another number of robots.
        """
        sigma = np.asarray(state['sigma']).copy()
        if sigma.shape != self._sigma.shape:
            raise ValueError(f'num_robots must be {len(sigma)} as saved, got {len(self._sigma)}')
        self._sigma, self._carried = sigma, np.asarray(state['carried']).copy()
        self._rng.bit_generator.state = state['rng']


def next_noise(
    config: ExplorationConfig, sigma: Any, carried: Any, white: Any, fresh: Any
) -> tuple[Any, Any]:
    """The noise of a step, and the carried part of the next one.

    Args:
        sigma: (N, 1). carried: (N, 2). white, fresh: (N, 2) standard normal; arrays or tensors.
    """
    keep = 1.0 - config.ou_theta
    noise = config.white_noise * white + config.ou_noise * carried
    return sigma * noise, keep * carried + math.sqrt(1.0 - keep**2) * fresh
