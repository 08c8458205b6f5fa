from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.learner import Learner
from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import PolicyMetadata
from rl_planner.navigation.task import Outcome

OBSERVATION = ObservationConfig(num_sectors=4)
OBS_SIZE = observation_size(OBSERVATION)
EPISODE_STEPS = 5


torch.set_num_threads(1)  # networks this small gain nothing from a second one


class AimingEnv:
    """A toy: the first number of the observation is the first action to take; the second is 0.

    The reward is 1 minus the squared error, and an episode is five steps long. It reaches the goal
    if the last error is small, collides if it is large, and is cut off otherwise.
    """

    def __init__(self, num_envs: int = 8) -> None:
        self.num_envs = num_envs
        self.seeds: list[int | None] = []
        self.options: list[dict[str, Any] | None] = []
        self.rates = {'near': 0.5, 'far': 0.5}
        self.on_step: Callable[[], None] = lambda: None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        self.seeds.append(seed)
        self.options.append(options)
        self._rng = np.random.default_rng(seed)
        self._ages = np.arange(self.num_envs) % EPISODE_STEPS
        self._obs = self._draw()
        return self._obs, {}

    def step(self, actions: NDArray[Any]) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        self.on_step()
        assert np.abs(actions).max() <= 1.0
        target = np.stack([self._obs[:, 0], np.zeros(self.num_envs)], axis=1)
        error = np.square(actions - target).sum(axis=1)
        self._ages += 1
        last = self._ages == EPISODE_STEPS
        outcome = np.where(last, np.select([error < 0.05, error > 0.5], [1, 2], 3), 0)
        final = self._draw()
        self._obs = np.where(last[:, None], self._draw(), final)
        self._ages[last] = 0
        truncated = outcome == Outcome.TIMEOUT
        infos = {'final_obs': final, 'outcome': outcome}
        return self._obs, 1.0 - error, last & ~truncated, truncated, infos

    def success_rates(self) -> dict[str, float]:
        return self.rates

    def _draw(self) -> NDArray[np.float32]:
        return self._rng.uniform(-0.8, 0.8, (self.num_envs, OBS_SIZE)).astype(np.float32)


@pytest.fixture
def env() -> AimingEnv:
    return AimingEnv()


@pytest.fixture
def metadata() -> PolicyMetadata:
    return PolicyMetadata.for_robot(RobotConfig(), OBSERVATION, 0.1, 'untrained')


@pytest.fixture
def small_config() -> LearningConfig:
    return LearningConfig(
        hidden_size=16,
        batch_size=32,
        replay_capacity=2000,
        warmup_transitions=40,
        updates_per_transition=0.25,
    )


@pytest.fixture
def make_learner(metadata: PolicyMetadata, small_config: LearningConfig) -> Callable[..., Learner]:
    def make(
        seed: int = 0, config: LearningConfig = small_config, device: torch.device | str = 'cpu'
    ) -> Learner:
        return Learner(metadata, config, device, seed)

    return make


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    return tmp_path / 'run'
