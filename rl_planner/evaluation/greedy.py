"""Greedy go-to-goal with a stop: how many tasks take no planning at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.planner import Floats, Perception
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import Config, parameter
from rl_planner.navigation.observation import ScanGeometry


@dataclass(frozen=True)
class GreedyConfig(Config):
    """Parameters of `GreedyPlanner`."""

    turn_gain: float = parameter(2.0, 'turning rate per angle to the goal (1/s)', above=0.0)
    aimed_angle: float = parameter(
        0.5, 'it drives where the goal is less than this off its heading (rad)', above=0.0
    )
    margin: float = parameter(
        0.05, "beyond the robot's radius, ahead and beside (m)", at_least=0.0, at_most=1.0
    )


class GreedyPlanner:
    """Turns to the goal, drives straight at it, and stops before what is ahead: the yardstick.

    It never drives around anything, so it shows how many tasks take no planning at all.
    """

    name = 'greedy'

    def __init__(self, setting: Setting, config: GreedyConfig | None = None) -> None:
        self._config = config or GreedyConfig()
        self._robot, self._lidar = setting.robot, setting.lidar
        angles = ScanGeometry.of(self._lidar).beam_angles()
        self._directions = np.stack([np.cos(angles), np.sin(angles)])  # (2, num_beams)

    def start(self, num_robots: int) -> None:
        pass

    def velocity_command(self, perception: Perception) -> Floats:
        robot = self._robot
        bearing = np.arctan2(perception.goal[:, 1], perception.goal[:, 0])
        aim = np.maximum(1.0 - np.abs(bearing) / self._config.aimed_angle, 0.0)
        brakeable = np.sqrt(2.0 * robot.max_linear_accel * self._free_ahead(perception.ranges))
        v = np.minimum(aim * robot.max_linear_vel, brakeable)
        w = np.clip(self._config.turn_gain * bearing, -robot.max_angular_vel, robot.max_angular_vel)
        return np.stack([v, w], axis=-1).astype(np.float64)

    def _free_ahead(self, ranges: NDArray[np.float32]) -> Floats:
        """(N,) how far straight on each robot can drive till something is within the margin (m)."""
        lidar, keep = self._lidar, self._robot.radius + self._config.margin
        measured = (ranges >= lidar.range_min) & (ranges <= lidar.range_max)
        too_close = np.isneginf(ranges)
        seen = np.where(measured, ranges, np.float32(0.0))
        x = lidar.mount_x + seen * self._directions[0]
        y = lidar.mount_y + seen * self._directions[1]
        ahead = ((measured & (x > 1e-6)) | too_close) & (np.abs(y) < keep)
        # A disc that drives along x meets the point (x, y) after x - sqrt(keep^2 - y^2).
        touching = x - np.sqrt(np.maximum(keep**2 - y**2, 0.0))
        free = np.where(ahead, touching, np.inf).min(axis=1)
        return np.asarray(np.maximum(free, 0.0))
