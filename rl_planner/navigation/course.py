"""Where a command leads a robot: along it for one control period, and then to rest.

Poses are in the base frame of now: x, y (m), yaw (rad). The safety layer looks along these ways,
and a user sees them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.in_flight import Prospect
from rl_planner.navigation.kinematics import Limits, limit_velocity

Floats = NDArray[np.float64]
Velocity = Sequence[float]

SAMPLE_DISTANCE, SAMPLE_ANGLE = 0.02, 0.15  # between two poses that are looked at, at most (m, rad)
OFTEN = 0.1  # between two times that braking may begin at, at least (s)
TWICE = 2.0  # as fast as a robot can be: beyond that, where it comes to rest is not looked at
TOGETHER = 16  # poses that are looked at as one at first: S of a way is a multiple of it


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
        may brake at any time within that. Of the same poses S each of these ways follows another.
        """
        step = max(self._period, OFTEN)
        later = [min(step, excess - k * step) for k in range(math.ceil(excess / step - 1e-9))]
        stands = [(sec, *commands.T) for sec in (self._period, *later)]
        ways = []
        for prospect, is_steady in product(prospects, (True, False)):
            ways += self._ways(prospect, stands, is_steady)
        return np.concatenate(ways, axis=2)

    def shown(self, prospect: Prospect, command: Velocity) -> Any:
        """(S, 3) the way of one command, from the pose of now on, as `of`, of a steady base."""
        stands = [(self._period, *np.reshape(command, (2, 1)))]
        way = np.concatenate(self._ways(prospect, stands, True), axis=2)[:, 0].T
        return np.concatenate([np.zeros((1, 3)), way])

    def _ways(
        self, prospect: Prospect, stands: Sequence[tuple[float, Any, Any]], is_steady: bool
    ) -> list[Any]:
        """Pieces (3, C, ...) of a way: what is pending; then what stands, each with its braking."""
        alike = np.ones_like(stands[0][1])
        v, w = (velocity * alike for velocity in prospect.velocity)
        pose = np.zeros((3, len(alike)))
        pieces = []
        for sec, *command in prospect.pending:
            driven, v, w = self._stand(pose, v, w, command, sec, is_steady)
            pose = driven[..., -1]
            pieces.append(driven)
        for sec, *command in stands:
            driven, v, w = self._stand(pose, v, w, command, sec, is_steady)
            pose = driven[..., -1]
            pieces.append(driven)
            before = sum(piece.shape[2] for piece in pieces)
            pieces.append(self._to_rest(pose, v, w, -before % TOGETHER, is_steady))
        return pieces

    def _stand(
        self, pose: Any, v: Any, w: Any, command: Sequence[Any], sec: float, is_steady: bool
    ) -> tuple[Any, Any, Any]:
        """What is driven while a command stands for so long, and the velocities (C,) after it."""
        limits, (ahead, turn) = self._limits, command
        count = math.ceil(self._per_period * sec / self._period - 1e-9)
        after_v, after_w = limit_velocity(v, w, ahead, turn, limits, sec)
        if is_steady:
            middles = sec / count * (0.5 + np.arange(count))
            old_v, old_w, new_v, new_w = (np.reshape(each, (-1, 1)) for each in (v, w, ahead, turn))
            now_v, now_w = limit_velocity(old_v, old_w, new_v, new_w, limits, middles)
        else:
            now_v, now_w = (np.repeat(each[:, None], count, axis=1) for each in (after_v, after_w))
        return _driven(pose, now_v, now_w, sec / count), after_v, after_w

    def _to_rest(self, pose: Any, v: Any, w: Any, more: int, is_steady: bool) -> Any:
        """(3, C, S) how robots at velocities (C,) brake; S is so much `more` than a multiple."""
        limits, count = self._limits, self._per_period
        times_to_rest = abs(v) / limits.max_linear_accel, abs(w) / limits.max_angular_accel
        to_rest = min(max(map(np.max, times_to_rest)), self._longest)
        # Braking by steps shows in the next period.
        samples = count * math.ceil(to_rest / self._period + 1e-9)
        samples += (more - samples) % TOGETHER
        since = self._period / count * np.arange(samples)
        if not is_steady:
            since = self._period * (1.0 + np.arange(samples) // count)
        left_v = _braked(v, limits.max_linear_accel, since)
        left_w = _braked(w, limits.max_angular_accel, since)
        return _driven(pose, left_v, left_w, self._period / count)


def _samples_in(period: float, robot: RobotConfig) -> int:
    """Poses within a control period, so that what is between two of them does not matter."""
    fastest = max(robot.max_linear_vel, -robot.min_linear_vel)
    if robot.footprint_length > 0.0:
        fastest += robot.max_angular_vel * robot.radius  # of a corner
    return math.ceil(period * max(fastest / SAMPLE_DISTANCE, robot.max_angular_vel / SAMPLE_ANGLE))


def _braked(velocity: Any, deceleration: float, times: Any) -> Any:
    """(C, S) what is left of velocities (C,) after braking for so long (s)."""
    left = np.abs(velocity)[:, None] - deceleration * times
    return np.sign(velocity)[:, None] * np.maximum(left, 0.0)


def _driven(pose: Any, v: Any, w: Any, step: float) -> Any:
    """(3, C, S) where robots at poses (3, C) get to, exactly along arcs.

    Args:
        v, w: (C, S) velocities of one stretch of time after the other.
        step: how long each is (s).
    """
    turn = w * step
    yaw = pose[2][:, None] + np.cumsum(turn, axis=-1)
    chord, middle = v * step * np.sinc(turn / (2.0 * np.pi)), yaw - 0.5 * turn
    x = pose[0][:, None] + np.cumsum(chord * np.cos(middle), -1)
    y = pose[1][:, None] + np.cumsum(chord * np.sin(middle), -1)
    return np.stack([x, y, yaw])
