"""Any planner, with the robot's safety layer behind it."""

from __future__ import annotations

import numpy as np

from rl_planner.evaluation.planner import Floats, Perception, Planner
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.safety import Safety


class SafePlanner:
    """What the planner asks for goes through `navigation.safety`, as on a robot."""

    def __init__(self, planner: Planner, setting: Setting) -> None:
        self.name, self._planner = planner.name, planner
        scan = ScanGeometry.of(setting.lidar)
        self._safety = Safety(setting.safety, setting.robot, scan, setting.control_period)
        self._heeded: Floats = np.zeros((0, 2))

    def start(self, num_robots: int) -> None:
        self._planner.start(num_robots)
        self._heeded = np.zeros((num_robots, 2))

    def velocity_command(self, perception: Perception) -> Floats:
        robots = perception.robots
        told = perception._replace(previous_command=self._heeded[robots])
        asked = self._planner.velocity_command(told)
        none = np.zeros(len(asked))  # scans are new, and come once in a period
        safe, self._heeded[robots], _ = self._safety.check_all(
            perception.ranges,
            perception.velocity,
            perception.previous_command,
            asked,
            none,
            none,
        )
        return safe
