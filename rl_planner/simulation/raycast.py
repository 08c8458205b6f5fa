"""The lidars of many robots at once: compiled with numba.

Rays are never marched. Seen from the lidar, 1 / range of a straight wall is linear in the beam's
direction (cos a, sin a), so the nearest return is a maximum, and every obstacle is one short loop
over beams, eight at a time in the processor's vector units. Obstacles turned away or out of range
are skipped before.

How these loops are written decides their speed. `sense` is one long function, and no array is made
in its loop over robots, not even a view: numba counts the references to each array that a larger
function takes, and that takes longer than casting an obstacle. A maximum is taken of
abs(inverse[i]), though that is never below zero: else LLVM makes a masked store of it, which takes
ten times as long on AMD.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.compiled import F32, Floats, Indices, compiled
from rl_planner.simulation.obstacles import Obstacles

LANES = 8  # float32 numbers in an AVX register

ZERO, ONE = F32(0.0), F32(1.0)


class Beams(NamedTuple):
    """A lidar, laid out for the kernel; angles in the base frame.

    Directions are padded to a multiple of LANES: a loop's odd rest takes longer than the loop.
    """

    cos: Floats  # (padded,)
    sin: Floats  # (padded,)
    first: F32  # direction of beam 0 (rad)
    per_radian: F32  # beams per radian; negative where the beams turn clockwise
    per_turn: F32  # beams in a full turn, whole or not
    mount_x: F32
    mount_y: F32
    range_min: F32
    range_max: F32

    @classmethod
    def of(cls, scan: ScanGeometry) -> Beams:
        angles = np.pad(scan.beam_angles(), (0, -scan.num_beams % LANES))
        turn = -1.0 if scan.mount_inverted else 1.0
        increment = turn * scan.angle_increment if scan.angle_increment else 2.0 * math.pi
        return cls(
            np.cos(angles).astype(F32),
            np.sin(angles).astype(F32),
            F32(angles[0]),
            F32(1.0 / increment),
            F32(2.0 * math.pi / abs(increment)),
            F32(scan.mount_x),
            F32(scan.mount_y),
            F32(scan.range_min),
            F32(scan.range_max),
        )


class Place(NamedTuple):
    """Where a lidar is in the world; (c, s) is the robot's heading."""

    c: F32
    s: F32
    lidar_x: F32
    lidar_y: F32


@compiled
def _find_visible(
    segments: Floats, world: int, count: int, place: Place, range_max: F32, crosses: Floats
) -> None:
    """For each segment p0 -> p0 + d, whether the lidar may see it.

    Args:
        crosses: (max_segments,) written: cross(p0, d) from the lidar, below zero in front of it;
            |cross| / |d| is the distance of its line. Zero where that is beyond range_max.
    """
    for i in range(count):
        x0, y0 = segments[world, 0, i], segments[world, 1, i]
        dx, dy = segments[world, 2, i] - x0, segments[world, 3, i] - y0
        squared = max(dx * dx + dy * dy, F32(1e-12))
        cross = (x0 - place.lidar_x) * dy - dx * (y0 - place.lidar_y)
        crosses[i] = cross if cross * cross <= range_max * range_max * squared else ZERO


@compiled
def _cast_segment(
    x0: F32, y0: F32, x1: F32, y1: F32, cos: Floats, sin: Floats, inverse: Floats
) -> None:
    """A wall from p0 to p1: 1/t = cross(u, d) / cross(p0, d) for directions u between p1 and p0."""
    dx, dy = x1 - x0, y1 - y0
    scale = ONE / (x0 * dy - dx * y0)
    p, q = dy * scale, -dx * scale
    for i in range(len(inverse)):
        c, s = cos[i], sin[i]
        past_p1, past_p0 = x1 * s - y1 * c, x0 * s - y0 * c
        value = p * c + q * s if min(past_p1, -past_p0) >= ZERO else ZERO
        inverse[i] = max(abs(inverse[i]), value)


@compiled
def _cast_circle(
    x: F32,
    y: F32,
    radius: F32,
    begin: int,
    end: int,
    cos: Floats,
    sin: Floats,
    inverse: Floats,
) -> None:
    """A disc at p, on some beams: 1/t = (u.p + sqrt(r^2 - cross(u, p)^2)) / (p.p - r^2)."""
    scale = ONE / (x * x + y * y - radius * radius)
    for i in range(begin, end):
        c, s = cos[i], sin[i]
        along, across = x * c + y * s, x * s - y * c
        depth = radius * radius - across * across
        value = (along + math.sqrt(max(depth, ZERO))) * scale
        inverse[i] = max(abs(inverse[i]), value if min(along, depth) >= ZERO else ZERO)


@compiled
def _atan2(y: F32, x: F32) -> F32:
    """atan2 within 1e-5 rad (a minimax polynomial), several times sooner."""
    ax, ay = abs(x), abs(y)
    t = min(ax, ay) / max(ax, ay, F32(1e-30))
    s = t * t
    p = F32(-0.0117212) * s + F32(0.05265332)
    p = (p * s - F32(0.11643287)) * s + F32(0.19354346)
    a = ((p * s - F32(0.33262347)) * s + F32(0.99997726)) * t
    a = F32(0.5 * math.pi) - a if ay > ax else a
    a = F32(math.pi) - a if x < ZERO else a
    return -a if y < ZERO else a


@compiled
def _beams_towards(
    angle: F32, half: F32, per_radian: F32, per_turn: F32, num_beams: int
) -> tuple[np.uint64, np.uint64, np.uint64]:
    """The beams within `half` of `angle` (rad from the first), and a few more: [a, b) and [0, c).

    All of them where the scan overlaps itself. Unsigned, for numba would check whether signed ones
    count from the end.
    """
    if num_beams > per_turn + F32(0.5):
        return np.uint64(0), np.uint64(num_beams), np.uint64(0)
    width = half * abs(per_radian)
    low = angle * per_radian - width
    while low < ZERO:
        low += per_turn
    while low >= per_turn:
        low -= per_turn
    high = low + width + width
    begin, end = min(int(low), num_beams), min(int(high) + 2, num_beams)
    wrapped = min(max(int(high - per_turn) + 2, 0), num_beams)
    return np.uint64(begin), np.uint64(end), np.uint64(wrapped)


@compiled
def _place(x: F32, y: F32, yaw: F32, mount_x: F32, mount_y: F32) -> Place:
    c, s = F32(math.cos(yaw)), F32(math.sin(yaw))
    lidar_x, lidar_y = x + c * mount_x - s * mount_y, y + s * mount_x + c * mount_y
    return Place(c, s, lidar_x, lidar_y)


@compiled
def _turned(x: F32, y: F32, place: Place) -> tuple[F32, F32]:
    """A point of the world as the lidar sees it, along the robot's axes."""
    x, y = x - place.lidar_x, y - place.lidar_y
    return place.c * x + place.s * y, place.c * y - place.s * x


@compiled
def _to_ranges(inverse: Floats, row: int, range_min: F32, range_max: F32, ranges: Floats) -> None:
    """Ranges of 1 / range: inf is clear, -inf too close to measure (REP-117)."""
    least, most = ONE / range_max, ONE / max(range_min, F32(1e-9))
    for i in range(ranges.shape[1]):
        reading = F32(np.inf) if inverse[i] < least else ONE / max(inverse[i], least)
        ranges[row, i] = F32(-np.inf) if inverse[i] > most else reading


@compiled
def sense(
    rows: Indices,
    poses: NDArray[np.float64],
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
    cos, sin, first, per_radian, per_turn, mount_x, mount_y, range_min, range_max = beams
    segments, num_segments, circles, num_circles, _, num_movers = obstacles
    inverse = np.empty(len(cos), F32)
    crosses = np.empty(segments.shape[2], F32)
    visible = np.empty(segments.shape[2] + 1, np.int64)
    for row in rows:
        world, count = worlds[row], num_segments[worlds[row]]
        x, y, yaw = F32(poses[row, 0]), F32(poses[row, 1]), F32(poses[row, 2])
        place = _place(x, y, yaw, mount_x, mount_y)
        inverse[:] = ZERO
        _find_visible(segments, world, count, place, range_max, crosses)
        num_visible = 0
        for i in range(count):
            visible[num_visible] = i
            num_visible += crosses[i] < ZERO
        for k in range(num_visible):
            i = visible[k]
            x0, y0 = _turned(segments[world, 0, i], segments[world, 1, i], place)
            x1, y1 = _turned(segments[world, 2, i], segments[world, 3, i], place)
            _cast_segment(x0, y0, x1, y1, cos, sin, inverse)
        for i in range(num_circles[world] + num_movers[world]):
            if i < num_circles[world]:
                x, y, radius = circles[world, i, 0], circles[world, i, 1], circles[world, i, 2]
            else:
                m = i - num_circles[world]
                x, y, radius = moving[row, m, 0], moving[row, m, 1], moving[row, m, 2]
            x, y = _turned(x, y, place)
            squared = x * x + y * y
            if squared <= radius * radius:
                inverse[:] = F32(1e9)  # the lidar is inside
            elif squared < (range_max + radius) * (range_max + radius):
                # The half angle asin(r / |p|), rounded up where it is near a quarter turn.
                half = min(radius / math.sqrt(squared - radius * radius), F32(0.5 * math.pi))
                angle = _atan2(y, x) - first
                begin, end, wrapped = _beams_towards(
                    angle, half, per_radian, per_turn, ranges.shape[1]
                )
                _cast_circle(x, y, radius, begin, end, cos, sin, inverse)
                if wrapped:
                    _cast_circle(x, y, radius, np.uint64(0), wrapped, cos, sin, inverse)
        _to_ranges(inverse, row, range_min, range_max, ranges)
