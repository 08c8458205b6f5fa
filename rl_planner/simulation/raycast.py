"""The lidars of many robots at once: compiled with numba.

Rays are never marched. Seen from the lidar, 1 / range of a straight wall is linear in the beam's
direction (cos a, sin a), so the nearest return is a maximum, and every obstacle is one short loop
over beams, a vector register of them at a time. Obstacles turned away or out of range are sorted
out before, likewise many at a time.

How these loops are written decides their speed. They run over whole blocks of LANES beams or
obstacles, and no array is made in the loop over robots, not even a view, for numba counts the
references to each. A maximum is taken of abs(inverse[i]), though that is never below zero: else
LLVM makes a masked store of it, which takes ten times as long on AMD.
"""

from __future__ import annotations

import numpy as np

from rl_planner.simulation.beams import Beams, Place, place_lidar, turned
from rl_planner.simulation.compiled import (
    F32,
    LANES,
    Doubles,
    Floats,
    Indices,
    compiled,
    inlined,
)
from rl_planner.simulation.discs import aim, cast_disc, fill, find_discs, turn_circles
from rl_planner.simulation.obstacles import Obstacles

ZERO, ONE = F32(0.0), F32(1.0)


@inlined
def _find_segments(
    segments: Floats, world: int, count: int, place: Place, range_max: F32, signs: Floats
) -> None:
    """For each segment p0 -> p0 + d, below zero where the lidar may see it.

    Args:
        signs: (max_segments,) written: cross(p0, d) from the lidar, below zero in front of it;
            |cross| / |d| is the distance of its line. Zero where that is beyond range_max.
    """
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        x0, y0 = segments[world, 0, i], segments[world, 1, i]
        dx, dy = segments[world, 2, i] - x0, segments[world, 3, i] - y0
        squared = max(dx * dx + dy * dy, F32(1e-12))
        cross = (x0 - place.lidar_x) * dy - dx * (y0 - place.lidar_y)
        signs[i] = cross if cross * cross <= range_max * range_max * squared else ZERO


@inlined
def _gather(signs: Floats, count: int, found: Indices) -> int:
    """Write which of the first `count` signs are below zero; how many. `found` has one place more.

    Without a branch: which obstacles a robot sees, no processor can predict.
    """
    number = 0
    for i in range(count):
        found[number] = i
        number += signs[i] < ZERO
    return number


@inlined
def _cast_segment(
    x0: F32, y0: F32, x1: F32, y1: F32, cos: Floats, sin: Floats, inverse: Floats
) -> None:
    """A wall from p0 to p1: 1/t = cross(u, d) / cross(p0, d) for directions u between p1 and p0."""
    dx, dy = x1 - x0, y1 - y0
    scale = ONE / (x0 * dy - dx * y0)
    p, q = dy * scale, -dx * scale
    for i in range(LANES * (len(inverse) // LANES)):
        c, s = cos[i], sin[i]
        past_p1, past_p0 = x1 * s - y1 * c, x0 * s - y0 * c
        value = p * c + q * s if min(past_p1, -past_p0) >= ZERO else ZERO
        inverse[i] = max(abs(inverse[i]), value)


@inlined
def _to_ranges(inverse: Floats, row: int, range_min: F32, range_max: F32, ranges: Floats) -> None:
    """Ranges of 1 / range: inf is clear, -inf too close to measure (REP-117)."""
    least, most = ONE / range_max, ONE / max(range_min, F32(1e-9))
    for i in range(LANES * (len(inverse) // LANES)):
        reading = F32(np.inf) if inverse[i] < least else ONE / max(inverse[i], least)
        inverse[i] = F32(-np.inf) if inverse[i] > most else reading
    for i in range(ranges.shape[1]):
        ranges[row, i] = inverse[i]


@compiled
def sense(
    rows: Indices,
    poses: Doubles,
    worlds: Indices,
    obstacles: Obstacles,
    moving: Floats,
    beams: Beams,
    ranges: Floats,
) -> None:
    """Scan the worlds around the robots `rows`.

    Args:
        rows: (n,) which robots.
        poses: (N, 3) x, y, yaw in the world frame.
        worlds: (N,) which of the obstacles' worlds each robot is in.
        obstacles: the worlds; where their movers are, `moving` (N, max_movers, 3) tells.
        beams: the lidar.
        ranges: (N, num_beams) float32, written.
    """
    segments, num_segments, circles, num_circles, _, num_movers = obstacles
    inverse = np.empty(len(beams.cos), F32)
    discs = circles.shape[2] + LANES * (moving.shape[1] // LANES + 1)  # and movers
    xs, ys, radii = np.empty(discs, F32), np.empty(discs, F32), np.empty(discs, F32)
    firsts, lasts = np.empty(discs, F32), np.empty(discs, F32)
    most = max(segments.shape[2], discs)
    signs, found = np.empty(most, F32), np.empty(most + 1, np.int64)
    for row in rows:
        world = worlds[row]
        x, y, yaw = F32(poses[row, 0]), F32(poses[row, 1]), F32(poses[row, 2])
        place = place_lidar(x, y, yaw, beams.mount_x, beams.mount_y)
        fill(inverse, ZERO)
        _find_segments(segments, world, num_segments[world], place, beams.range_max, signs)
        for k in range(_gather(signs, num_segments[world], found)):
            i = found[k]
            x0, y0 = turned(segments[world, 0, i], segments[world, 1, i], place)
            x1, y1 = turned(segments[world, 2, i], segments[world, 3, i], place)
            _cast_segment(x0, y0, x1, y1, beams.cos, beams.sin, inverse)
        count = num_circles[world]
        turn_circles(circles, world, count, place, xs, ys, radii)
        for i in range(num_movers[world]):
            xs[count], ys[count] = turned(moving[row, i, 0], moving[row, i, 1], place)
            radii[count] = moving[row, i, 2]
            count += 1
        find_discs(xs, ys, radii, count, beams.range_max, signs)
        if not beams.all_at_once:
            aim(xs, ys, radii, count, beams, firsts, lasts)
        for k in range(_gather(signs, count, found)):
            i = found[k]
            cast_disc(xs[i], ys[i], radii[i], firsts[i], lasts[i], beams, inverse)
        _to_ranges(inverse, row, beams.range_min, beams.range_max, ranges)
