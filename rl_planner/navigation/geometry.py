"""Angles and planar frames. Every function takes floats or arrays alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def wrap_angle(angle: Any) -> Any:
    """The same direction in [-pi, pi) (rad)."""
    return angle - 2.0 * np.pi * np.floor((angle + np.pi) / (2.0 * np.pi))


def to_robot_frame(x: Any, y: Any, yaw: Any, world_x: Any, world_y: Any) -> tuple[Any, Any]:
    """A point of the world as the robot at (x, y, yaw) sees it: p' = R(yaw)^T (p - (x, y))."""
    dx, dy = world_x - x, world_y - y
    c, s = np.cos(yaw), np.sin(yaw)
    return c * dx + s * dy, c * dy - s * dx


def to_world_frame(x: Any, y: Any, yaw: Any, robot_x: Any, robot_y: Any) -> tuple[Any, Any]:
    """A point as the robot at (x, y, yaw) sees it, in the world: p = (x, y) + R(yaw) p'."""
    c, s = np.cos(yaw), np.sin(yaw)
    return x + c * robot_x - s * robot_y, y + s * robot_x + c * robot_y


def yaw_from_quaternion(qx: float, qy: float, qz: float, qw: float) -> float:
    """Heading of a rotation (rad); roll and pitch are ignored."""
    return float(np.arctan2(2.0 * (qw * qz + qx * qy), 1.0 - 2.0 * (qy * qy + qz * qz)))


def is_rotation(quaternion: tuple[float, float, float, float]) -> bool:
    """Whether a quaternion is of length 1, but for what rounding leaves."""
    return abs(math.hypot(*quaternion) - 1.0) <= 0.01


def quaternion_from_yaw(yaw: float) -> tuple[float, float, float, float]:
    """(x, y, z, w) of a rotation about z."""
    return 0.0, 0.0, float(np.sin(yaw / 2.0)), float(np.cos(yaw / 2.0))
