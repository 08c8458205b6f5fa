"""How far every place around a robot is from what its lidar sees: what sampled ways are scored by.

A planner that tries hundreds of ways looks each of their points up here, which takes one load,
instead of measuring it against every return of the scan.

The squared distance of a cell is separable (Felzenszwalb and Huttenlocher, Distance Transforms of
Sampled Functions, 2012): D(x, y) = min over x' of (x - x')^2 + h(x', y)^2, where h is the distance
along y alone. Distances end at a reach of some ten cells, so the minimum over x' is taken term by
term, for many cells at once in the processor's vector units; their lower envelope would take more.
Returns count as the centres of their cells, and those outside the grid not at all.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.geometry import wrap_angle
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.compiled import F32, Floats, compiled

CELLS = 96  # along one side of a grid


class Body(NamedTuple):
    """A robot as equal discs along its x axis that cover it: each is one look-up.

    A rectangle takes as many as make them at most 3 % wider than it is; a disc is one.
    """

    offsets: Floats  # (num_discs,) x of their centres (m)
    radius: F32  # (m)

    @classmethod
    def of(cls, robot: RobotConfig) -> Body:
        length, width = robot.footprint_length, robot.footprint_width
        if length == 0.0:
            return cls(np.zeros(1, F32), F32(robot.radius))
        count = math.ceil(4.0 * length / width)  # hypot(1 / 4, 1) = 1.03
        centres = ((np.arange(count) + 0.5) / count - 0.5) * length
        return cls(centres.astype(F32), F32(0.5 * math.hypot(length / count, width)))


class Clearances(NamedTuple):
    """Squares of cells around n robots: cell (row of y, column of x) is at row * cells + column."""

    distances: Floats  # (n, cells * cells) from each cell's centre to the nearest return (m)
    cells: int
    half: F32  # from a robot to the border of its grid (m)
    per_metre: F32  # cells per metre
    body: Body


class _Scan(NamedTuple):
    """The lidar and the grid, for the kernel."""

    cos: Floats  # (num_beams,) directions in the base frame
    sin: Floats
    mount_x: F32
    mount_y: F32
    half: F32
    per_metre: F32
    reach: int  # distances end here (cells)


class ClearanceField:
    """Fills the grids of many robots from their scans.

    Args:
        half: from the robot to the border of its grid (m).
        clearance: beyond the robot's edge; more than this need not be told apart (m).
    """

    def __init__(
        self, robot: RobotConfig, scan: ScanGeometry, half: float, clearance: float
    ) -> None:
        self._geometry, self._body = scan, Body.of(robot)
        angles, per_metre = scan.beam_angles(), 0.5 * CELLS / half
        self._scan = _Scan(
            np.cos(angles).astype(F32),
            np.sin(angles).astype(F32),
            F32(scan.mount_x),
            F32(scan.mount_y),
            F32(half),
            F32(per_metre),
            math.ceil((float(self._body.radius) + clearance) * per_metre),
        )
        self._distances = np.empty((0, CELLS * CELLS), F32)
        self._along_y = np.empty(CELLS * (CELLS + 2 * self._scan.reach), F32)

    def fill(self, ranges: Floats) -> Clearances:
        """What n robots with scans (n, num_beams) have around them, until the next call.

        Readings mean what they mean to `ObservationEncoder`, but what is too close to measure
        (-inf) is taken to be at range_min, where it has a side to turn away from.
        """
        if len(ranges) > len(self._distances):
            self._distances = np.empty((len(ranges), CELLS * CELLS), F32)
        distances, geometry = self._distances[: len(ranges)], self._geometry
        # Not in the kernel: it is compiled for numbers that are no NaN.
        measured = (ranges >= geometry.range_min) & (ranges <= geometry.range_max)
        readings = np.where(measured, ranges, F32(np.inf))
        readings[np.isneginf(ranges)] = geometry.range_min
        _fill(readings, self._scan, self._along_y, distances)
        return Clearances(distances, CELLS, self._scan.half, self._scan.per_metre, self._body)


def looks_back(scan: ScanGeometry) -> bool:
    """Whether a beam looks straight back, or two are no farther from there than from each other."""
    off = np.abs(wrap_angle(scan.beam_angles() - math.pi))
    return bool(off.min() <= 0.5 * abs(scan.angle_increment) + 1e-6)


@compiled
def _mark(readings: Floats, row: int, scan: _Scan, along_y: Floats) -> None:
    """Zero where the scan has returns; elsewhere the reach."""
    stride, across = CELLS + 2 * scan.reach, F32(2.0) * scan.half
    along_y[:] = F32(scan.reach)
    for beam in range(readings.shape[1]):
        reading = readings[row, beam]
        if reading < F32(1e6):
            x = scan.mount_x + reading * scan.cos[beam] + scan.half
            y = scan.mount_y + reading * scan.sin[beam] + scan.half
            if min(x, y) >= F32(0.0) and max(x, y) < across:
                i = min(int(y * scan.per_metre), CELLS - 1)
                j = min(int(x * scan.per_metre), CELLS - 1)
                along_y[i * stride + scan.reach + j] = F32(0.0)


@compiled
def _sweep(along_y: Floats, reach: int) -> None:
    """From marks to squared distances along y (cells)."""
    stride = np.uint64(CELLS + 2 * reach)
    size, one = np.uint64(len(along_y)), F32(1.0)
    for row in range(1, CELLS):
        begin = np.uint64(row) * stride
        for i in range(begin, begin + stride):
            along_y[i] = min(abs(along_y[i]), along_y[i - stride] + one)
    for row in range(1, CELLS):
        begin = size - np.uint64(row + 1) * stride
        for i in range(begin, begin + stride):
            along_y[i] = min(abs(along_y[i]), along_y[i + stride] + one)
    for i in range(len(along_y)):
        along_y[i] *= along_y[i]


@compiled
def _spread(along_y: Floats, scan: _Scan, row: int, distances: Floats) -> None:
    """From squared distances along y to distances (m).

    Indices are unsigned: numba takes a signed one for a place that may count from the end. Of
    abs() see `raycast`.
    """
    cells, stride = np.uint64(CELLS), np.uint64(CELLS + 2 * scan.reach)
    zero, farthest = np.uint64(0), F32(scan.reach * scan.reach)
    resolution = F32(1.0) / scan.per_metre
    for line in range(CELLS):
        out, source = np.uint64(line) * cells, np.uint64(line) * stride
        for i in range(zero, cells):
            distances[row, out + i] = farthest
        for shift in range(2 * scan.reach + 1):
            squared = F32((shift - scan.reach) * (shift - scan.reach))
            begin = source + np.uint64(shift)
            for i in range(zero, cells):
                value = along_y[begin + i] + squared
                distances[row, out + i] = min(abs(distances[row, out + i]), value)
        for i in range(zero, cells):
            distances[row, out + i] = math.sqrt(distances[row, out + i]) * resolution


@compiled
def _fill(readings: Floats, scan: _Scan, along_y: Floats, distances: Floats) -> None:
    """Write the distances of every robot; `along_y` is to work in."""
    for row in range(len(readings)):
        _mark(readings, row, scan, along_y)
        _sweep(along_y, scan.reach)
        _spread(along_y, scan, row, distances)
