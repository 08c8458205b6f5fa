"""What gets a local planner out of a dead end: a detour to the freer side, then another try."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.planner import Floats, Perception
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.geometry import to_robot_frame, wrap_angle
from rl_planner.navigation.observation import ScanGeometry


class Recovery:
    """Gives every robot the goal it should drive to now: its own, or one of a detour.

    Planners that look no farther than their horizon come to rest before what is concave. A robot
    that has not come nearer to its goal for a while is given a place beside it, on the side where
    its scan is freer, so it turns there, drives, and then tries again. As long as that does not
    help detours become longer, two to one side, then two to the other.

    Nav2 likewise has a progress checker, and recoveries (spin, back up) that no controller knows.
    """

    PROGRESS = 0.2  # nearer to the goal than ever by this is progress (m)
    PATIENCE = 3.0  # without progress for this long a robot is stuck (s)
    DURATION = 3.0  # of the first detour (s)
    DISTANCE = 2.0  # from there to where a detour leads; the scan is no freer than this (m)
    ANGLE = 0.5 * math.pi  # from the goal to where a detour leads (rad)

    def __init__(self, setting: Setting) -> None:
        self._scan = ScanGeometry.of(setting.lidar)
        self._angles = self._scan.beam_angles()
        self._patience = round(self.PATIENCE / setting.control_period)
        self._duration = round(self.DURATION / setting.control_period)
        self.start(0)

    def start(self, num_robots: int) -> None:
        self._nearest = np.full(num_robots, np.inf)  # to the goal, when last it was progress (m)
        self._waited = np.zeros(num_robots, np.int64)  # control periods without progress
        self._left = np.zeros(num_robots, np.int64)  # control periods of the detour
        self._tries = np.zeros(num_robots, np.int64)  # detours without progress
        self._side = np.ones(num_robots)  # of the first of them: 1 left, -1 right
        self._targets = np.zeros((num_robots, 2))  # of detours, in the frame of odometry (m)

    def goals(self, perception: Perception) -> Floats:
        """(n, 2) where to drive now, in the robot frame (m)."""
        robots = perception.robots
        self._note_progress(robots, np.hypot(perception.goal[:, 0], perception.goal[:, 1]))
        stuck = self._waited[robots] > self._patience
        if stuck.any():
            self._begin(Perception._make(part[stuck] for part in perception))
        targets = to_robot_frame(*perception.pose.T, *self._targets[robots].T)
        on_detour = self._left[robots, None] > 0
        return np.where(on_detour, np.stack(targets, axis=-1), perception.goal)

    def _note_progress(self, robots: NDArray[np.int64], distances: Floats) -> None:
        """Count a control period of each robot; progress ends what it was about."""
        self._left[robots] = np.maximum(self._left[robots] - 1, 0)
        self._waited[robots] += self._left[robots] == 0
        nearer = distances < self._nearest[robots] - self.PROGRESS
        self._nearest[robots[nearer]] = distances[nearer]
        for counts in (self._waited, self._left, self._tries):
            counts[robots[nearer]] = 0

    def _begin(self, perception: Perception) -> None:
        """Send stuck robots on a detour."""
        robots = perception.robots
        bearing = np.arctan2(perception.goal[:, 1], perception.goal[:, 0])
        tries = self._tries[robots]
        freer = self._freer_side(perception.ranges, bearing)
        self._side[robots] = np.where(tries == 0, freer, self._side[robots])
        side = np.where(tries % 4 < 2, 1.0, -1.0) * self._side[robots]
        direction = perception.pose[:, 2] + bearing + side * self.ANGLE
        heading = np.stack([np.cos(direction), np.sin(direction)], axis=-1)
        self._targets[robots] = perception.pose[:, :2] + self.DISTANCE * heading
        self._left[robots] = self._duration * (2 + tries) // 2
        self._tries[robots] += 1
        self._waited[robots] = 0

    def _freer_side(self, ranges: NDArray[np.float32], bearing: Floats) -> Floats:
        """(n,) 1 where the quarter turn left of the goal's direction is freer, else -1."""
        measured = (ranges >= self._scan.range_min) & (ranges <= self._scan.range_max)
        free = np.where(measured, np.minimum(ranges, self.DISTANCE), self.DISTANCE)
        free[np.isneginf(ranges)] = 0.0
        beside = wrap_angle(self._angles - bearing[:, None])
        left = _mean(free, (beside > 0.0) & (beside < 0.5 * np.pi))
        right = _mean(free, (beside < 0.0) & (beside > -0.5 * np.pi))
        return np.where(left >= right, 1.0, -1.0)


def _mean(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """(n,) the mean of each row of `values` (n, k) where told; zero where that is nowhere."""
    total = np.where(where, values, 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(where.sum(axis=1), 1))
