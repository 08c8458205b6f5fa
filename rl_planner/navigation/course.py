"""Where a command leads a robot: along it for one control period, and then to rest.

Poses are in the base frame of now: x, y (m), yaw (rad). The safety layer looks along these ways,
and a user sees them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.kinematics import Limits, limit_velocity

Floats = NDArray[np.float64]
Velocity = Sequence[float]

SAMPLE_DISTANCE, SAMPLE_ANGLE = 0.02, 0.15  # between two poses that are looked at, at most (m, rad)


class Courses:
    """The ways of one robot.

    Args:
        period: time from one command to the next (s).
    """

    def __init__(self, robot: RobotConfig, period: float) -> None:
        self._limits, self._period = Limits.of(robot), period
        self._per_period = _samples_in(period, robot)
        # Periods until the fastest robot is at rest: braking shows in the next one.
        to_rest = (
            max(robot.max_linear_vel, -robot.min_linear_vel) / robot.max_linear_accel,
            robot.max_angular_vel / robot.max_angular_accel,
        )
        self._braking = self._per_period * math.ceil(max(to_rest) / period + 1e-9)

    def of(
        self,
        velocity: Velocity,
        previous: Velocity,
        commands: Floats,
        late: float,
        excess: float = 0.0,
    ) -> Any:
        """(3, C, S) x, y, yaw along the way of `commands` (C, 2), from here to rest.

        First the previous command goes on for `late` (s), then the new one has its period, then the
        robot brakes. How its velocity changes within a period is the base's own affair: by a step
        at the beginning, in the simulator, or steadily. The way is that of a base that speeds up at
        once, and brakes steadily; and, of the same poses again, that of one that brakes at once.
        Where a command may stand for `excess` (s) beyond its period, both ways of a robot that
        brakes only after that follow.
        """
        driven, v, w = self._driven(velocity, previous, commands, late)
        ways = self._to_rest(driven, v, w)
        if excess > 0.0:
            part, v, w = self._go_on(v, w, commands.T, excess)
            ways += self._to_rest([*driven, part], v, w)
        return np.concatenate(ways, axis=2)

    def _to_rest(self, driven: list[tuple[Any, Any, Any]], v: Any, w: Any) -> list[Any]:
        """Ways (3, C, S) of robots that brake after what they have driven: steadily, at once."""
        period, count = self._period, self._per_period
        steadily = period / count * np.arange(self._braking)
        at_once = period * (1.0 + np.arange(self._braking) // count)
        return [_way([*driven, self._brake(v, w, times)]) for times in (steadily, at_once)]

    def shown(self, velocity: Velocity, previous: Velocity, command: Velocity, late: float) -> Any:
        """(S, 3) the way of one command, from the pose of now on, as `of`, braking steadily."""
        driven, v, w = self._driven(velocity, previous, np.array([command], float), late)
        times = self._period / self._per_period * np.arange(self._braking)
        way = _way([*driven, self._brake(v, w, times)])[:, 0].T
        return np.concatenate([np.zeros((1, 3)), way])

    def _driven(
        self, velocity: Velocity, previous: Velocity, commands: Floats, late: float
    ) -> tuple[list[tuple[Any, Any, Any]], Any, Any]:
        """What is driven before braking begins, and the velocities (C,) that it begins at."""
        limits, period, count = self._limits, self._period, self._per_period
        v, w = velocity
        parts = []
        if late > 0.0:
            (ahead, turn, times), v, w = self._go_on(v, w, previous, late)
            all_alike = (len(commands), 1)
            parts.append((np.tile(ahead, all_alike), np.tile(turn, all_alike), times))
        v, w = limit_velocity(v, w, commands[:, 0], commands[:, 1], limits, period)
        parts.append(_constant(v, w, period / count, count, len(commands)))
        return parts, v, w

    def _go_on(
        self, v: Any, w: Any, command: Any, time: float
    ) -> tuple[tuple[Any, Any, Any], Any, Any]:
        """What is driven while a command stands for so long (s), and the velocities after it.

        Who gains speed is taken to have it at once, who loses some to lose it steadily.
        """
        limits = self._limits
        count = self._per_period * math.ceil(time / self._period)
        begins = time / count * np.arange(count)  # of the samples
        ahead, turn = command
        old_v, old_w, new_v, new_w = (np.reshape(each, (-1, 1)) for each in (v, w, ahead, turn))
        slowing = limit_velocity(old_v, old_w, new_v, new_w, limits, begins)
        v, w = limit_velocity(v, w, ahead, turn, limits, time)
        part = _faster(slowing[0], v), _faster(slowing[1], w), np.full(count, time / count)
        return part, v, w

    def _brake(self, v: Any, w: Any, times: NDArray[Any]) -> tuple[Any, Any, Any]:
        """Velocities (C, S) after braking for so long, as a part of a way."""
        limits, step = self._limits, self._period / self._per_period
        return (
            _braked(v, limits.max_linear_accel, times),
            _braked(w, limits.max_angular_accel, times),
            np.full(len(times), step),
        )


def _samples_in(period: float, robot: RobotConfig) -> int:
    """Poses within a control period, so that what is between two of them does not matter."""
    fastest = max(robot.max_linear_vel, -robot.min_linear_vel)
    return math.ceil(period * max(fastest / SAMPLE_DISTANCE, robot.max_angular_vel / SAMPLE_ANGLE))


def _constant(v: Any, w: Any, step: float, samples: int, count: int) -> tuple[Any, Any, Any]:
    """Velocities (count, samples) that stay, and the time (samples,) of each sample (s)."""
    ones = np.ones((count, samples))
    return ones * np.reshape(v, (-1, 1)), ones * np.reshape(w, (-1, 1)), np.full(samples, step)


def _faster(velocities: NDArray[Any], other: Any) -> NDArray[Any]:
    """Velocities (C, S), or the other ones (C,) where those are greater, whichever way."""
    other = np.reshape(other, (-1, 1))
    return np.where(np.abs(velocities) > np.abs(other), velocities, other)


def _braked(velocity: Any, deceleration: float, times: Any) -> Any:
    """(C, S) what is left of velocities (C,) after braking for so long (s)."""
    left = np.abs(velocity)[:, None] - deceleration * times
    return np.sign(velocity)[:, None] * np.maximum(left, 0.0)


def _way(parts: list[tuple[Any, Any, Any]]) -> Any:
    """(3, C, S) poses after each sample of parts driven one after the other, exactly along arcs."""
    v, w, step = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    turn = w * step
    yaw = np.cumsum(turn, axis=-1)
    chord, middle = v * step * np.sinc(turn / (2.0 * np.pi)), yaw - 0.5 * turn
    return np.stack(
        [np.cumsum(chord * np.cos(middle), -1), np.cumsum(chord * np.sin(middle), -1), yaw]
    )
