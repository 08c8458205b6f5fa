"""Any planner, with the robot's safety layer behind it."""

from __future__ import annotations

import numpy as np

from rl_planner.evaluation.planner import Floats, Perception, Planner
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.in_flight import InFlight
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.safety import Safety


class SafePlanner:
    """What the planner asks for goes through `navigation.safety`, as on a robot."""

    def __init__(self, planner: Planner, setting: Setting) -> None:
        self.name, self._planner = planner.name, planner
        scan = ScanGeometry.of(setting.lidar)
        self._period = setting.control_period
        self._safety = Safety(setting.safety, setting.robot, scan, self._period)
        self.start(0)

    def start(self, num_robots: int) -> None:
        self._planner.start(num_robots)
        self._heeded: Floats = np.zeros((num_robots, 2))
        self._was_changed = np.ones(num_robots, np.bool_)
        self._sent = InFlight(num_robots, self._safety.limits, self._safety.latencies)
        self._steps = np.zeros(num_robots, np.int64)

    def velocity_command(self, perception: Perception) -> Floats:
        robots = perception.robots
        told = perception._replace(previous_command=self._heeded[robots])
        asked = self._planner.velocity_command(told)
        now = self._period * self._steps[robots]  # scans are new, and come once in a period
        safe, self._heeded[robots], actions = self._safety.check_all(
            perception.ranges,
            self._sent.prospects(robots, perception.velocity, now, now, now),
            perception.previous_command,
            asked,
            np.zeros(len(asked)),
            self._was_changed[robots],
        )
        self._was_changed[robots] = list(map(bool, actions))
        self._sent.send(robots, now, safe)
        self._steps[robots] += 1
        return safe
