"""What robots see, made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rl_planner.evaluation.planner import Perception
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import LidarConfig, RobotConfig

# Beam 90 looks ahead, 135 to the left, one each 2 degrees: 0.5 m/s, 1.5 rad/s, radius 0.17 m.
SMALL = Setting()
AHEAD, LEFT = 90, 135

# 2 m/s and a lidar that does not look back.
JACKAL = Setting(
    robot=RobotConfig(
        radius=0.27,
        footprint_length=0.43,
        footprint_width=0.31,
        max_linear_vel=2.0,
        min_linear_vel=-0.5,
        max_angular_vel=4.0,
        max_linear_accel=5.0,
        max_angular_accel=20.0,
    ),
    lidar=LidarConfig(
        num_beams=720, field_of_view=4.712, angle_min=-2.356, range_min=0.1, range_max=10.0
    ),
)


def perceive(
    setting: Setting,
    goal: tuple[float, float] = (3.0, 0.0),
    returns: dict[int, float] | None = None,
    velocity: tuple[float, float] = (0.0, 0.0),
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Perception:
    """One robot, driving as commanded, that sees nothing but `returns`, by beam (m)."""
    ranges = np.full((1, setting.lidar.num_beams), np.inf, np.float32)
    for beam, reading in (returns or {}).items():
        ranges[0, beam] = reading
    moving = np.array([velocity])
    return Perception(np.zeros(1, int), ranges, np.array([goal]), moving, moving, np.array([pose]))


def wall_ahead(setting: Setting, distance: float) -> dict[int, float]:
    """What it sees of an endless wall across its way, `distance` ahead of its lidar (m)."""
    lidar = setting.lidar
    angles = lidar.angle_min + lidar.angle_increment * np.arange(lidar.num_beams)
    facing = np.flatnonzero(np.abs(angles) < 0.45 * math.pi)
    return {int(beam): distance / math.cos(angles[beam]) for beam in facing}


def together(perceptions: Sequence[Perception]) -> Perception:
    """Many robots at once."""
    parts = [np.concatenate(part) for part in zip(*perceptions, strict=True)]
    return Perception(np.arange(len(perceptions)), *parts[1:])
