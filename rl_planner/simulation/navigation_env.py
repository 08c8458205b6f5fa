"""The environment as gymnasium makes it: from names and numbers, one robot or many."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import (
    Config,
    ConfigError,
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
)
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.environment import NavigationVectorEnv
from rl_planner.simulation.episodes import random_pool
from rl_planner.simulation.families import FAMILIES
from rl_planner.simulation.random_world import Purpose

Floats = NDArray[np.float32]
AnyConfig = TypeVar('AnyConfig', bound=Config)
Settings = Mapping[str, Any] | Config | None  # a configuration, its values by name, or defaults

NUM_WORLDS = 256  # made in a second; `rl_planner train` takes 1,024


def make_vector_env(
    num_envs: int = 1,
    *,
    families: Sequence[str] = ('static',),
    num_worlds: int = NUM_WORLDS,
    seed: int = 0,
    purpose: str = 'training',
    threads: int = 1,
    robot: Settings = None,
    lidar: Settings = None,
    task: Settings = None,
    observation: Settings = None,
    disturbance: Settings = None,
) -> NavigationVectorEnv:
    """A vector environment in random worlds of its own.

    Args:
        num_envs: robots.
        families: of worlds, in turn: names from `FAMILIES`. Which of them an episode is of, a
            curriculum chooses; in an evaluation each is as likely.
        num_worlds: how many; each takes some milliseconds to make and has 16 pairs of start and
            goal. Environments of the same worlds and robot share them.
        seed: of the worlds, and of the episodes until `reset` is given another.
        purpose: `training` or `evaluation`: no world serves both, whatever the seeds.
        threads: that step the robots.
        robot, lidar, task, observation, disturbance: where they differ from the defaults.

    Raises:
        ConfigError: an unknown family, purpose or parameter, or a value that breaks its rule.
    """
    purposes = [each.name.lower() for each in Purpose]
    if purpose not in purposes:
        raise ConfigError(f'purpose must be one of {", ".join(purposes)}, got {purpose!r}')
    if not families or (unknown := [name for name in families if name not in FAMILIES]):
        got = repr(unknown[0]) if families else 'none'
        raise ConfigError(f'families must be among {", ".join(FAMILIES)}, got {got}')
    if num_worlds < 1:
        raise ConfigError(f'num_worlds must be at least 1, got {num_worlds}')
    body = _config(RobotConfig, 'robot', robot)
    pool = _pool(Purpose[purpose.upper()], seed, num_worlds, body, tuple(families))
    if purpose == 'evaluation':  # all policies are to meet the same mixture of families
        pool = replace(pool, families=np.zeros_like(pool.families))
    return NavigationVectorEnv(
        num_envs,
        pool,
        body,
        _config(LidarConfig, 'lidar', lidar),
        _config(TaskConfig, 'task', task),
        _config(ObservationConfig, 'observation', observation),
        seed,
        threads,
        _config(DisturbanceConfig, 'disturbance', disturbance),
    )


# gymnasium makes the same environment many times over: one for each robot, and to try it out.
_pool = functools.lru_cache(maxsize=4)(random_pool)


def _config(kind: type[AnyConfig], group: str, values: Settings) -> AnyConfig:
    if isinstance(values, kind):
        return values
    given = {} if values is None else values
    return kind.from_mapping(given, group)  # type: ignore[arg-type]


class NavigationEnv(gymnasium.Env[Floats, Floats]):
    """One robot: a `NavigationVectorEnv` of one, whose docstring is the specification.

    `info['outcome']` is how the episode ended (`navigation.task.Outcome`) or that it is running,
    `info['is_success']` whether it ended at the goal. `reset(seed=...)` repeats the same episodes
    in the same order.

    Args:
        options: as `make_vector_env` takes them, bar `num_envs`.
    """

    metadata = {'render_modes': []}  # noqa: RUF012 - as gymnasium declares it

    def __init__(self, **options: Any) -> None:
        self._vector = make_vector_env(1, **options)
        self.observation_space = self._vector.single_observation_space
        self.action_space = self._vector.single_action_space
        self._begun: Floats | None = None  # first observation of the episode after an ended one

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Start a new episode."""
        super().reset(seed=seed)
        if self._begun is None or seed is not None:
            self._begun = self._vector.reset(seed=seed)[0][0]
        observation, self._begun = self._begun, None
        return observation, {}

    def step(self, action: Floats) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """One control period."""
        observations, rewards, terminated, truncated, infos = self._vector.step(action[None])
        ended = bool(terminated[0]), bool(truncated[0])
        self._begun = observations[0] if any(ended) else None
        outcome = int(infos['outcome'][0])
        info = {'outcome': outcome, 'is_success': outcome == Outcome.GOAL}
        return infos['final_obs'][0], float(rewards[0]), *ended, info
