"""Earlier scans of many robots at once: what `ScanHistory` says, compiled with numba.

A test compares them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rl_planner.navigation.config import ObservationConfig
from rl_planner.simulation.compiled import F32, Doubles, Floats, Indices, inlined_exactly

ZERO, ONE = F32(0.0), F32(1.0)
TURN = 2.0 * math.pi


class Past(NamedTuple):
    """What N robots saw in the last `steps` control periods, 0 where nothing is to be kept."""

    nearest: Floats  # (N, steps, num_sectors)
    poses: Doubles  # (N, steps, 3)
    ages: Indices  # (N,) scans since each drive began
    cos: Doubles  # (num_sectors,) the middles of the sectors
    sin: Doubles

    @classmethod
    def of(cls, config: ObservationConfig, num_robots: int) -> Past:
        steps, sectors = config.history_steps, config.num_sectors
        middles = -math.pi + TURN / sectors * (np.arange(sectors) + 0.5)
        return cls(
            np.zeros((num_robots, steps, sectors), np.float32),
            np.zeros((num_robots, steps, 3)),
            np.zeros(num_robots, np.int64),
            np.cos(middles),
            np.sin(middles),
        )


@inlined_exactly
def _keep(past: Past, row: int, slot: int, now: Doubles, seen: Floats) -> None:
    for i in range(3):
        past.poses[row, slot, i] = now[row, i]
    for i in range(len(seen)):
        past.nearest[row, slot, i] = seen[i]


@inlined_exactly
def _see(past: Past, row: int, slot: int, now: Doubles, clip: F32, out: Floats, at: int) -> None:
    """The points of a slot as seen from now[row], into out[row, at:]."""
    nearest, poses, count = past.nearest, past.poses, len(past.cos)
    c, s = math.cos(now[row, 2]), math.sin(now[row, 2])
    dx, dy = poses[row, slot, 0] - now[row, 0], poses[row, slot, 1] - now[row, 1]
    ahead, aside = c * dx + s * dy, c * dy - s * dx
    turn = poses[row, slot, 2] - now[row, 2]
    cos, sin = math.cos(turn), math.sin(turn)
    for i in range(count):
        out[row, at + i] = ZERO
    for i in range(count):
        distance = nearest[row, slot, i]
        if distance < clip:
            x = ahead + distance * (cos * past.cos[i] - sin * past.sin[i])
            y = aside + distance * (sin * past.cos[i] + cos * past.sin[i])
            sector = min(int((math.atan2(y, x) + math.pi) / (TURN / count)), count - 1)
            closeness = F32(1.0 - math.sqrt(x * x + y * y) / clip)
            out[row, at + sector] = max(out[row, at + sector], closeness)


@inlined_exactly
def recall(past: Past, row: int, now: Doubles, seen: Floats, clip: F32, out: Floats) -> None:
    """Take in a robot's present scan, and write the earlier one as seen from now[row].

    Args:
        now: (N, 3) x, y, yaw in a frame that stays (m, rad).
        seen: (num_sectors,) each sector's nearest return, at most `clip` (m).
        out: (N, size) the observations, whose last part is written.
    """
    steps, age = past.nearest.shape[1], past.ages[row]
    slot = age % steps
    if age == 0:
        _keep(past, row, slot, now, seen)
    oldest = 0 if age < steps else slot
    _see(past, row, oldest, now, clip, out, out.shape[1] - len(seen))
    if age > 0:
        _keep(past, row, slot, now, seen)
    past.ages[row] = age + 1
