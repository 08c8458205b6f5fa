"""The robot's outline, and how far points are from it. Every function takes floats or arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rl_planner.navigation.config import RobotConfig


class Footprint(NamedTuple):
    """A rectangle around the base frame with every side moved out by `margin` (m).

    One shape for both kinds of robot: a rectangle has no margin, a disc no rectangle.
    """

    half_length: float
    half_width: float
    margin: float

    @classmethod
    def of(cls, robot: RobotConfig) -> Footprint:
        if robot.footprint_length == 0.0:
            return cls(0.0, 0.0, robot.radius)
        return cls(0.5 * robot.footprint_length, 0.5 * robot.footprint_width, 0.0)


def point_clearance(x: Any, y: Any, footprint: Footprint) -> Any:
    """How far a point of the base frame is from the robot's edge (m); below zero it is inside."""
    beside_x = np.abs(x) - footprint.half_length
    beside_y = np.abs(y) - footprint.half_width
    outside = np.hypot(np.maximum(beside_x, 0.0), np.maximum(beside_y, 0.0))
    return outside + np.minimum(np.maximum(beside_x, beside_y), 0.0) - footprint.margin


def back_of(footprint: Footprint) -> tuple[Any, Any]:
    """x, y (S,) along the outline's back, from the left to the right (m)."""
    count = 181
    around = np.linspace(0.5 * np.pi, 1.5 * np.pi, count)
    across = np.linspace(footprint.half_width, -footprint.half_width, count)
    x = -footprint.half_length + footprint.margin * np.cos(around)
    return x, across + footprint.margin * np.sin(around)
