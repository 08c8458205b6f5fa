"""Scans of a lidar whose beams shift from turn to turn, on the beams of its first scan.

Some drivers (LD06, LD08 of TurtleBot3, LD19) count the beams of each turn anew, and measure their
angle by the speed of the motor. A policy's observation is laid out for beams that stay. A beam of
the first scan reads the nearer of the two beams beside it: what is there is not lost, and seems
wider by up to a beam.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.observation import ScanError

Ranges = NDArray[np.float32]

NO_RETURN = 1e-3  # no lidar measures less, whatever its driver says of range_min (m)
MOST_CHANGE = 0.25  # of the angle between two beams, as a share of it
MOST_GAP = math.radians(10.0)  # without a beam, where the first scan had some


class Beams(NamedTuple):
    """What a LaserScan says of its beams, in the order of `ros.cdr.read_scan` (rad, m)."""

    num_beams: float
    angle_min: float
    angle_increment: float
    range_min: float
    range_max: float


class Rescan:
    """Brings scans onto the beams of the first one.

    Args:
        first: of the first scan.
    """

    def __init__(self, first: tuple[float, ...]) -> None:
        self._first = Beams(*first)
        self._angles = _angles_of(self._first)

    def fit(self, beams: tuple[float, ...], ranges: Ranges) -> Ranges:
        """(num_beams,) readings of the first scan's beams, from a scan with `beams`.

        Raises:
            ScanError: they are another lidar's: the ranges that it measures, the angle between two
                beams, or the part of the circle that it sees differ.
        """
        if beams == self._first:
            return ranges
        now = Beams(*beams)
        wrong = ScanError(f'scan metadata must stay {tuple(self._first)}, got {beams}')
        step, before = now.angle_increment, self._first.angle_increment
        if now[3:] != self._first[3:] or not math.isfinite(now.angle_min) or now.num_beams < 2:
            raise wrong
        if not abs(step - before) <= MOST_CHANGE * abs(before):
            raise wrong
        low, high, low_far, high_far = _beside(self._angles, now)
        *_, below, above = _beside(_angles_of(now), self._first)
        if (low_far & high_far).any() or (below & above).any():
            raise wrong
        low, high = np.where(low_far, high, low), np.where(high_far, low, high)
        return np.asarray(self._nearer(ranges[low], ranges[high]), np.float32)

    def _nearer(self, one: Ranges, other: Ranges) -> Ranges:
        """The nearer measurement of two readings; one that is none does not hide the other."""
        low, high = self._first.range_min or NO_RETURN, self._first.range_max
        readings = np.stack([one, other])
        usable = ((readings >= low) & (readings <= high)) | np.isneginf(readings)
        nearest = np.where(usable, readings, np.inf).min(axis=0)
        return np.asarray(np.where(usable.any(axis=0), nearest, np.fmax(one, other)))


def _angles_of(beams: Beams) -> NDArray[np.float64]:
    """(num_beams,) where they point (rad)."""
    return np.asarray(beams.angle_min + beams.angle_increment * np.arange(int(beams.num_beams)))


def _beside(angles: NDArray[np.float64], beams: Beams) -> tuple[NDArray[Any], ...]:
    """(n,) each: the beams before and after `angles` (n,), and whether they are too far away.

    Beside the ends of less than a full turn, one of them is across the blind part.
    """
    step = beams.angle_increment
    at, turn = (angles - beams.angle_min) / step, 2.0 * math.pi / abs(step)
    low, high = _neighbours(at, turn, int(beams.num_beams))
    farthest = max(MOST_GAP / abs(step), 1.0)
    return low, high, _around(at - low, turn) > farthest, _around(at - high, turn) > farthest


def _neighbours(
    at: NDArray[Any], turn: float, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The beams before and after each place `at`, in beams; after the last one comes the first."""
    place = np.mod(at, turn)
    low = np.minimum(np.floor(place + 1e-6).astype(np.int64), count - 1)
    high = np.ceil(place - 1e-6).astype(np.int64)
    return low, np.where(high >= count, 0, high)


def _around(distance: NDArray[Any], turn: float) -> NDArray[Any]:
    """How far apart places on a circle are, in beams."""
    return np.asarray(np.abs(distance - turn * np.round(distance / turn)))
