"""How a robot answers a command, from where it was: plain arithmetic on time series."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.geometry import wrap_angle

Floats = NDArray[np.float64]

SETTLED = 0.25  # the share of a time series, at its end, that is its final value


class StepResponse(NamedTuple):
    """Of a velocity that is commanded to change at time zero.

    Attributes:
        rise_63, rise_90: when so many percent of the change had come (s).
        overshoot: how far it went beyond, as a share of the change.
        gain: the change in the end as a share of the commanded one.
        lag: the delay of a robot that changes at once, and is as far behind in the end (s).
    """

    rise_63: float
    rise_90: float
    overshoot: float
    gain: float
    lag: float

    @classmethod
    def of(cls, values: Floats, period: float, before: float, command: float) -> StepResponse:
        """
        Args:
            values: (n,) of the velocity; values[k] is the mean over the period k after the command.
            before, command: the velocity till then, and the one that is asked for.

        Raises:
            ValueError: nothing is asked for, or nothing came of it.
        """
        if command == before:
            raise ValueError(f'command must differ from {before:g}, the velocity before')
        change = (np.asarray(values, np.float64) - before) / (command - before)
        gain = float(change[-max(round(SETTLED * len(change)), 1) :].mean())
        if not gain > 0.1:
            raise ValueError(f'the robot must follow its command, and does to {gain:.0%}')
        share = change / gain
        return cls(
            _reached(share, 0.63, period),
            _reached(share, 0.90, period),
            max(float(share.max()) - 1.0, 0.0),
            gain,
            float((1.0 - share).sum()) * period,
        )


def _reached(share: Floats, level: float, period: float) -> float:
    """When it first is there (s), between the ends of two periods."""
    index = int(np.argmax(share >= level))
    before = share[index - 1] if index else 0.0
    return float(period * (index + (level - before) / (share[index] - before)))


def body_velocities(poses: Floats, period: float) -> Floats:
    """(n - 1, 3) forward (m/s), left (m/s) and turning (rad/s), between poses (n, 3) x, y, yaw."""
    moves = np.diff(poses, axis=0)
    turns = wrap_angle(moves[:, 2])
    heading = poses[:-1, 2] + turns / 2.0  # of the chord
    c, s = np.cos(heading), np.sin(heading)
    forward = c * moves[:, 0] + s * moves[:, 1]
    left = c * moves[:, 1] - s * moves[:, 0]
    return np.column_stack([forward, left, turns]) / period
