"""A trained policy as a planner."""

from __future__ import annotations

import numpy as np

from rl_planner.evaluation.planner import Floats, Perception
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.kinematics import Limits, command_from_action
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.observer import Observer
from rl_planner.navigation.policy import Policy


class LearnedPlanner:
    """A trained policy, without exploration.

    Raises:
        PolicyError: it was trained on another robot or control period.
    """

    def __init__(self, policy: Policy, setting: Setting, name: str = 'policy') -> None:
        policy.require(setting.robot, setting.control_period)
        self.name = name
        self._policy, self._setting = policy, setting
        self._limits = Limits.of(setting.robot)
        self.start(0)

    def start(self, num_robots: int) -> None:
        config, scan = self._policy.metadata.observation, ScanGeometry.of(self._setting.lidar)
        self._observer = Observer(config, self._setting.robot, scan, num_robots)
        self._observations = np.empty((num_robots, self._observer.size), np.float32)

    def velocity_command(self, perception: Perception) -> Floats:
        out = self._observations[: len(perception.robots)]
        self._observer.observe(
            perception.robots,
            perception.ranges,
            perception.goal,
            perception.velocity,
            perception.previous_command,
            perception.pose,
            out,
        )
        actions = self._policy.act(out)
        return np.stack(command_from_action(actions, self._limits), axis=-1).astype(np.float64)
