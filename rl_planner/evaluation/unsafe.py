"""Planners that know no better: what the safety layer has to cope with, at the least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_planner.evaluation.planner import Floats, Perception
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import Config, parameter
from rl_planner.navigation.geometry import wrap_angle
from rl_planner.navigation.observation import ScanGeometry


@dataclass(frozen=True)
class RandomConfig(Config):
    """Parameters of `RandomPlanner`."""

    seed: int = parameter(0, 'seed of its commands', at_least=0)


class RandomPlanner:
    """Commands drawn from all that the robot can be asked for, a new one each period."""

    name = 'random'

    def __init__(self, setting: Setting, config: RandomConfig | None = None) -> None:
        self._seed = (config or RandomConfig()).seed
        robot = setting.robot
        self._low = np.array([robot.min_linear_vel, -robot.max_angular_vel])
        self._high = np.array([robot.max_linear_vel, robot.max_angular_vel])
        self.start(0)

    def start(self, num_robots: int) -> None:
        self._rng = np.random.default_rng(self._seed)

    def velocity_command(self, perception: Perception) -> Floats:
        return self._rng.uniform(self._low, self._high, (len(perception.robots), 2))


@dataclass(frozen=True)
class RammingConfig(Config):
    """Parameters of `RammingPlanner`."""

    turn_gain: float = parameter(4.0, 'turning rate per angle to its aim (1/s)', above=0.0)


class RammingPlanner:
    """Always full speed, at the nearest thing that the lidar sees."""

    name = 'ramming'

    def __init__(self, setting: Setting, config: RammingConfig | None = None) -> None:
        self._gain, self._robot = (config or RammingConfig()).turn_gain, setting.robot
        self._angles = wrap_angle(ScanGeometry.of(setting.lidar).beam_angles())

    def start(self, num_robots: int) -> None:
        pass

    def velocity_command(self, perception: Perception) -> Floats:
        aims = self._angles[np.argmin(perception.ranges, axis=1)]
        fastest = self._robot.max_angular_vel
        v = np.full(len(aims), self._robot.max_linear_vel)
        return np.stack([v, np.clip(self._gain * aims, -fastest, fastest)], axis=-1)
