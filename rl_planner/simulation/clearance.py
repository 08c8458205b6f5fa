"""Where moving obstacles are, and how far robots are from all obstacles: compiled with numba.

Obstacles beyond a world's own are padding, which is far off: loops run over it (see LANES).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rl_planner.navigation.footprint import Footprint
from rl_planner.simulation.compiled import (
    F32,
    LANES,
    Doubles,
    Floats,
    Indices,
    compiled,
    inlined,
)
from rl_planner.simulation.obstacles import Obstacles

ZERO, ONE = F32(0.0), F32(1.0)


class Shape(NamedTuple):
    """A `Footprint` for the kernel (m)."""

    half_length: F32
    half_width: F32
    margin: F32

    @classmethod
    def of(cls, footprint: Footprint) -> Shape:
        return cls(*map(F32, footprint))


@compiled
def move(
    rows: Indices, times: Doubles, worlds: Indices, obstacles: Obstacles, moving: Floats
) -> None:
    """Write where the movers around the robots `rows` are into `moving` (N, max_movers, 3).

    As `world.mover_positions`, and the radius; `times` (N,) are seconds since each world began.
    """
    movers = obstacles.movers
    for row in rows:
        world = worlds[row]
        for i in range(obstacles.num_movers[world]):
            x, y = movers[world, 0, i], movers[world, 1, i]
            dx, dy = movers[world, 2, i] - x, movers[world, 3, i] - y
            length = max(math.sqrt(dx * dx + dy * dy), 1e-9)
            travelled = movers[world, 6, i] + movers[world, 5, i] * times[row]
            travelled -= math.floor(travelled / (2.0 * length)) * 2.0 * length
            share = (length - abs(travelled - length)) / length
            moving[row, i, 0] = F32(x + share * dx)
            moving[row, i, 1] = F32(y + share * dy)
            moving[row, i, 2] = movers[world, 4, i]


@inlined
def _measure_segments(
    segments: Floats, world: int, count: int, x: F32, y: F32, gaps: Floats
) -> int:
    """Write the distance of each segment from (x, y); how many have been written."""
    lanes = LANES * ((count + LANES - 1) // LANES)
    for i in range(lanes):
        x0, y0 = segments[world, 0, i], segments[world, 1, i]
        dx, dy = segments[world, 2, i] - x0, segments[world, 3, i] - y0
        squared = max(dx * dx + dy * dy, F32(1e-12))
        ex, ey = x - x0, y - y0
        share = min(max((ex * dx + ey * dy) / squared, ZERO), ONE)
        ex, ey = ex - share * dx, ey - share * dy
        gaps[i] = math.sqrt(ex * ex + ey * ey)
    return lanes


@inlined
def _point_clearance(x: F32, y: F32, a: F32, b: F32) -> F32:
    """As `footprint.point_clearance`, of the rectangle 2 a x 2 b."""
    beside_x, beside_y = abs(x) - a, abs(y) - b
    out_x, out_y = max(beside_x, ZERO), max(beside_y, ZERO)
    return F32(math.sqrt(out_x * out_x + out_y * out_y) + min(max(beside_x, beside_y), ZERO))


@inlined
def _measure_circles(
    circles: Floats,
    world: int,
    count: int,
    x: F32,
    y: F32,
    c: F32,
    s: F32,
    a: F32,
    b: F32,
    begin: int,
    gaps: Floats,
) -> int:
    """Write, from `begin` on, how far each circle is from the rectangle 2 a x 2 b; where it ends.

    The rectangle is at (x, y), heading (c, s).
    """
    lanes = LANES * ((count + LANES - 1) // LANES)
    for i in range(lanes):
        ox, oy = circles[world, 0, i] - x, circles[world, 1, i] - y
        ox, oy = c * ox + s * oy, c * oy - s * ox
        gaps[begin + i] = _point_clearance(ox, oy, a, b) - circles[world, 2, i]
    return begin + lanes


@inlined
def _least(gaps: Floats, lanes: int, folded: Floats) -> F32:
    """The least of gaps[:lanes], lane by lane in `folded` (LANES,): a plain minimum is not
    vectorised, and takes three times as long as all the distances.
    """
    for i in range(LANES):
        folded[i] = F32(1e6)
    for k in range(lanes // LANES):
        for i in range(LANES):
            folded[i] = min(folded[i], gaps[LANES * k + i])
    for i in range(8):
        folded[i] = min(folded[i], folded[i + 8])
    for i in range(4):
        folded[i] = min(folded[i], folded[i + 4])
    return min(min(folded[0], folded[1]), min(folded[2], folded[3]))


@compiled
def _corner_distance(x: F32, y: F32, x0: F32, y0: F32, dx: F32, dy: F32) -> F32:
    """From (x, y) to the nearest point of the segment at (x0, y0) along (dx, dy)."""
    squared = max(dx * dx + dy * dy, F32(1e-12))
    share = min(max(((x - x0) * dx + (y - y0) * dy) / squared, ZERO), ONE)
    ex, ey = x - x0 - share * dx, y - y0 - share * dy
    return F32(math.sqrt(ex * ex + ey * ey))


@compiled
def _segment_clearance(x0: F32, y0: F32, x1: F32, y1: F32, a: F32, b: F32) -> F32:
    """From the rectangle 2 a x 2 b to a segment of its frame; below zero the depth of the overlap.

    Two convex shapes are apart if and only if they are so along the normal of one of their sides
    (the separating axis theorem); where they are not, the least overlap is how far one must go.
    """
    dx, dy = x1 - x0, y1 - y0
    length = max(F32(math.sqrt(dx * dx + dy * dy)), F32(1e-6))
    along_x = max(min(x0, x1) - a, -max(x0, x1) - a)
    along_y = max(min(y0, y1) - b, -max(y0, y1) - b)
    across = (abs(x0 * dy - y0 * dx) - a * abs(dy) - b * abs(dx)) / length
    apart = max(max(along_x, along_y), across)
    if apart <= ZERO:
        return apart
    nearest = min(_point_clearance(x0, y0, a, b), _point_clearance(x1, y1, a, b))
    for corner in range(4):
        x = a if corner & 1 else -a
        y = b if corner & 2 else -b
        nearest = min(nearest, _corner_distance(x, y, x0, y0, dx, dy))
    return F32(nearest)


@compiled
def measure(
    rows: Indices,
    poses: Doubles,
    worlds: Indices,
    obstacles: Obstacles,
    moving: Floats,
    shape: Shape,
    clearances: Doubles,
) -> None:
    """How far the robots `rows` are from the nearest obstacle: below zero they touch it.

    Args:
        rows: (n,) which robots.
        poses: (N, 3) x, y, yaw in the world frame.
        worlds: (N,) which of the obstacles' worlds each robot is in.
        obstacles: the worlds; where their movers are, `moving` (N, max_movers, 3) tells.
        shape: of every robot.
        clearances: (N,) written (m).
    """
    segments, num_segments, circles, num_circles, _, num_movers = obstacles
    a, b, margin = shape
    reach = F32(math.sqrt(a * a + b * b))
    gaps = np.empty(segments.shape[2] + circles.shape[2], F32)
    folded = np.empty(LANES, F32)
    for row in rows:
        world, count = worlds[row], num_segments[worlds[row]]
        x, y, c, s = F32(poses[row, 0]), F32(poses[row, 1]), ONE, ZERO
        if reach > ZERO:  # else it is round: its heading does not matter
            c, s = F32(math.cos(poses[row, 2])), F32(math.sin(poses[row, 2]))
        lanes = _measure_segments(segments, world, count, x, y, gaps)
        lanes = _measure_circles(circles, world, num_circles[world], x, y, c, s, a, b, lanes, gaps)
        nearest = _least(gaps, lanes, folded)
        if reach > ZERO:
            for i in range(count):
                if gaps[i] <= nearest + reach:
                    ax, ay = segments[world, 0, i] - x, segments[world, 1, i] - y
                    bx, by = segments[world, 2, i] - x, segments[world, 3, i] - y
                    ax, ay = c * ax + s * ay, c * ay - s * ax
                    bx, by = c * bx + s * by, c * by - s * bx
                    nearest = min(nearest, _segment_clearance(ax, ay, bx, by, a, b))
        for i in range(num_movers[world]):
            ox, oy = moving[row, i, 0] - x, moving[row, i, 1] - y
            ox, oy = c * ox + s * oy, c * oy - s * ox
            nearest = min(nearest, _point_clearance(ox, oy, a, b) - moving[row, i, 2])
        clearances[row] = nearest - margin
