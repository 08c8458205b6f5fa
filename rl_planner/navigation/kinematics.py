"""The unicycle with limited velocity and acceleration.

Plain arithmetic on floats or arrays alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rl_planner.navigation.config import RobotConfig


class Limits(NamedTuple):
    """A robot's velocity limits (m/s, rad/s) and acceleration limits (m/s2, rad/s2)."""

    min_linear_vel: float
    max_linear_vel: float
    max_angular_vel: float
    max_linear_accel: float
    max_angular_accel: float

    @property
    def fastest(self) -> float:
        """Ahead or back (m/s)."""
        return max(self.max_linear_vel, -self.min_linear_vel)

    @classmethod
    def of(cls, robot: RobotConfig) -> Limits:
        return cls(*(float(getattr(robot, name)) for name in cls._fields))


def command_from_action(action: Any, limits: Limits) -> tuple[Any, Any]:
    """(v, w) that an action (..., 2) in [-1, 1] asks for; see `command_from_parts`.

    In double precision, as the simulator has it, whatever a policy computes in.
    """
    action = np.asarray(action, np.float64)
    return command_from_parts(action[..., 0], action[..., 1], limits)


def command_from_parts(forward: Any, turn: Any, limits: Limits) -> tuple[Any, Any]:
    """(v, w) of an action's two numbers in [-1, 1].

    -1 and 1 are the lowest and the highest linear velocity, and full turn right and left.
    """
    span = limits.max_linear_vel - limits.min_linear_vel
    return limits.min_linear_vel + 0.5 * (forward + 1.0) * span, turn * limits.max_angular_vel


def limit_velocity(
    v: Any, w: Any, command_v: Any, command_w: Any, limits: Limits, dt: Any
) -> tuple[Any, Any]:
    """The velocity that a robot moving at (v, w) reaches within `dt` (s) of a command."""
    max_dv, max_dw = limits.max_linear_accel * dt, limits.max_angular_accel * dt
    dv = np.minimum(np.maximum(command_v, limits.min_linear_vel), limits.max_linear_vel) - v
    dw = np.minimum(np.maximum(command_w, -limits.max_angular_vel), limits.max_angular_vel) - w
    return (
        v + np.minimum(np.maximum(dv, -max_dv), max_dv),
        w + np.minimum(np.maximum(dw, -max_dw), max_dw),
    )


def integrate(x: Any, y: Any, yaw: Any, v: Any, w: Any, dt: Any) -> tuple[Any, Any, Any]:
    """The pose after driving (v, w) for `dt` (s): exactly along the arc.

    The chord of an arc of length s that turns by a has length s sin(a/2) / (a/2) and points along
    yaw + a/2; sinc keeps a straight line (a = 0) exact.
    """
    turn = w * dt
    chord = v * dt * np.sinc(turn / (2.0 * np.pi))
    middle = yaw + 0.5 * turn
    return x + chord * np.cos(middle), y + chord * np.sin(middle), yaw + turn
