"""Where a command leads a robot: along it for one control period, and then to rest.

Poses are in the base frame of now: x, y (m), yaw (rad). The safety layer looks along these ways,
and a user sees them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.in_flight import Prospect
from rl_planner.navigation.kinematics import Limits, limit_velocity

Floats = NDArray[np.float64]
Velocity = Sequence[float]

SAMPLE_DISTANCE, SAMPLE_ANGLE = 0.02, 0.15  # between two poses that are looked at, at most (m, rad)
TWICE = 2.0  # as fast as a robot can be: beyond that, where it comes to rest is not looked at
TOGETHER = 16  # poses that are looked at as one at first: S of a way is a multiple of it


class _Part(NamedTuple):
    """Velocities v, w (C, samples) and the time of each sample (samples,) (s)."""

    v: Any
    w: Any
    sec: Any


class Courses:
    """The ways of one robot.

    Args:
        period: time from one command to the next (s).
    """

    def __init__(self, robot: RobotConfig, period: float) -> None:
        self._limits, self._period = Limits.of(robot), period
        self._per_period = _samples_in(period, robot)
        to_rest = (
            max(robot.max_linear_vel, -robot.min_linear_vel) / robot.max_linear_accel,
            robot.max_angular_vel / robot.max_angular_accel,
        )
        self._longest = TWICE * max(to_rest)

    def of(self, prospects: Sequence[Prospect], commands: Floats, excess: float = 0.0) -> Any:
        """(3, C, S) x, y, yaw along the ways of `commands` (C, 2), from here to rest.

        First what is pending is done, then the new command has its period, then the robot brakes.
        What is pending is one of the prospects. How its velocity changes is the base's own affair:
        steadily, as real ones do, or by a step whenever a command takes effect or a period begins,
        as in the simulator. Where a command may stand for `excess` (s) beyond its period, a robot
        may brake after that alone. Of the same poses S each of these ways follows another.
        """
        ways = []
        for prospect, is_steady in product(prospects, (True, False)):
            driven, v, w = self._driven(prospect, commands, is_steady)
            ways.append(self._to_rest(driven, v, w, is_steady))
            if excess > 0.0:
                part, v, w = self._stand(v, w, commands.T, excess, is_steady)
                ways.append(self._to_rest([*driven, part], v, w, is_steady))
        return np.concatenate(ways, axis=2)

    def shown(self, prospect: Prospect, command: Velocity) -> Any:
        """(S, 3) the way of one command, from the pose of now on, as `of`, of a steady base."""
        driven, v, w = self._driven(prospect, np.array([command], float), True)
        way = self._to_rest(driven, v, w, True)[:, 0].T
        return np.concatenate([np.zeros((1, 3)), way])

    def _driven(
        self, prospect: Prospect, commands: Floats, is_steady: bool
    ) -> tuple[list[_Part], Any, Any]:
        """What is driven before braking begins, and the velocities (C,) that it begins at."""
        v, w = np.array(prospect.velocity, float)[
            :, None
        ]  # all alike till the commands take effect
        parts = []
        for sec, *command in prospect.pending:
            part, v, w = self._stand(v, w, command, sec, is_steady)
            alike = (len(commands), len(part.sec))
            parts.append(
                _Part(np.broadcast_to(part.v, alike), np.broadcast_to(part.w, alike), part.sec)
            )
        part, v, w = self._stand(v, w, commands.T, self._period, is_steady)
        return [*parts, part], v, w

    def _stand(
        self, v: Any, w: Any, command: Any, sec: float, is_steady: bool
    ) -> tuple[_Part, Any, Any]:
        """What is driven while a command stands for so long, and the velocities after it."""
        limits, (ahead, turn) = self._limits, command
        count = math.ceil(self._per_period * sec / self._period - 1e-9)
        after = limit_velocity(v, w, ahead, turn, limits, sec)
        if is_steady:
            middles = sec / count * (0.5 + np.arange(count))
            old_v, old_w, new_v, new_w = (np.reshape(each, (-1, 1)) for each in (v, w, ahead, turn))
            velocities = limit_velocity(old_v, old_w, new_v, new_w, limits, middles)
        else:
            v, w = (np.repeat(each[:, None], count, axis=1) for each in after)
            velocities = v, w
        return _Part(*velocities, np.full(count, sec / count)), *after

    def _to_rest(self, driven: list[_Part], v: Any, w: Any, is_steady: bool) -> Any:
        """(3, C, S) ways of robots that brake, at velocities (C,), after what they have driven."""
        limits, count = self._limits, self._per_period
        times_to_rest = abs(v) / limits.max_linear_accel, abs(w) / limits.max_angular_accel
        to_rest = min(max(map(np.max, times_to_rest)), self._longest)
        # Braking by steps shows in the next period.
        periods = math.ceil(to_rest / self._period + 1e-9)
        braking = periods * count
        braking += -(braking + sum(len(part.sec) for part in driven)) % TOGETHER
        step = self._period / count
        since = step * np.arange(braking)
        if not is_steady:
            since = self._period * (1.0 + np.arange(braking) // count)
        return _way([*driven, self._brake(v, w, since)])

    def _brake(self, v: Any, w: Any, times: NDArray[Any]) -> _Part:
        """Velocities (C, S) after braking for so long, as a part of a way."""
        limits, step = self._limits, self._period / self._per_period
        return _Part(
            _braked(v, limits.max_linear_accel, times),
            _braked(w, limits.max_angular_accel, times),
            np.full(len(times), step),
        )


def _samples_in(period: float, robot: RobotConfig) -> int:
    """Poses within a control period, so that what is between two of them does not matter."""
    fastest = max(robot.max_linear_vel, -robot.min_linear_vel)
    return math.ceil(period * max(fastest / SAMPLE_DISTANCE, robot.max_angular_vel / SAMPLE_ANGLE))


def _braked(velocity: Any, deceleration: float, times: Any) -> Any:
    """(C, S) what is left of velocities (C,) after braking for so long (s)."""
    left = np.abs(velocity)[:, None] - deceleration * times
    return np.sign(velocity)[:, None] * np.maximum(left, 0.0)


def _way(parts: list[_Part]) -> Any:
    """(3, C, S) poses after each sample of parts driven one after the other, exactly along arcs."""
    v, w, step = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    turn = w * step
    yaw = np.cumsum(turn, axis=-1)
    chord, middle = v * step * np.sinc(turn / (2.0 * np.pi)), yaw - 0.5 * turn
    return np.stack(
        [np.cumsum(chord * np.cos(middle), -1), np.cumsum(chord * np.sin(middle), -1), yaw]
    )
