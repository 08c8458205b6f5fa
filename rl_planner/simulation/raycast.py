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

import math
from typing import NamedTuple

import numpy as np

from rl_planner.navigation.observation import ScanGeometry
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

FEW_BLOCKS = 4  # up to here, casting all beams takes less time than finding out which are meant

ZERO, ONE = F32(0.0), F32(1.0)


class Beams(NamedTuple):
    """A lidar, laid out for the kernel; angles in the base frame.

    Directions are padded to whole blocks of LANES.
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
    all_at_once: bool  # an obstacle is cast on every beam, not only on those that meet it

    @classmethod
    def of(cls, scan: ScanGeometry) -> Beams:
        angles = np.pad(scan.beam_angles(), (0, -scan.num_beams % LANES))
        turn = -1.0 if scan.mount_inverted else 1.0
        increment = turn * scan.angle_increment if scan.angle_increment else 2.0 * math.pi
        per_turn = 2.0 * math.pi / abs(increment)
        overlaps = scan.num_beams > per_turn + 0.5
        return cls(
            np.cos(angles).astype(F32),
            np.sin(angles).astype(F32),
            F32(angles[0]),
            F32(1.0 / increment),
            F32(per_turn),
            F32(scan.mount_x),
            F32(scan.mount_y),
            F32(scan.range_min),
            F32(scan.range_max),
            overlaps or len(angles) <= LANES * FEW_BLOCKS,
        )


class Place(NamedTuple):
    """Where a lidar is in the world; (c, s) is the robot's heading."""

    c: F32
    s: F32
    lidar_x: F32
    lidar_y: F32


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
def _find_circles(
    circles: Floats, world: int, count: int, place: Place, range_max: F32, signs: Floats
) -> None:
    """For each circle, below zero where it is within range (max_circles,)."""
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        dx, dy = circles[world, 0, i] - place.lidar_x, circles[world, 1, i] - place.lidar_y
        reach = range_max + circles[world, 2, i]
        signs[i] = dx * dx + dy * dy - reach * reach


@inlined
def _fill(inverse: Floats, value: F32) -> None:
    for i in range(LANES * (len(inverse) // LANES)):
        inverse[i] = value


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


@inlined
def _blocks_towards(
    angle: F32, half: F32, per_radian: F32, per_turn: F32, num_blocks: int
) -> tuple[np.uint64, np.uint64, np.uint64]:
    """The blocks of beams within `half` of `angle` (rad from the first beam): [a, b) and [0, c).

    Unsigned, for numba would check whether signed ones count from the end.
    """
    width = half * abs(per_radian)
    low = angle * per_radian - width
    while low < ZERO:
        low += per_turn
    while low >= per_turn:
        low -= per_turn
    high = low + width + width
    begin, end = int(low) // LANES, (int(high) + 1) // LANES + 1
    wrapped = (int(high - per_turn) + 1) // LANES + 1 if high >= per_turn - ONE else 0
    return (
        np.uint64(min(begin, num_blocks)),
        np.uint64(min(end, num_blocks)),
        np.uint64(min(wrapped, num_blocks)),
    )


@inlined
def _cast_circle(
    x: F32,
    y: F32,
    radius: F32,
    begin: np.uint64,
    end: np.uint64,
    cos: Floats,
    sin: Floats,
    inverse: Floats,
) -> None:
    """A disc at p, on some blocks: 1/t = (u.p + sqrt(r^2 - cross(u, p)^2)) / (p.p - r^2)."""
    lanes = np.uint64(LANES)
    scale = ONE / (x * x + y * y - radius * radius)
    for i in range(lanes * begin, lanes * end):
        c, s = cos[i], sin[i]
        along, across = x * c + y * s, x * s - y * c
        depth = radius * radius - across * across
        value = (along + math.sqrt(max(depth, ZERO))) * scale
        inverse[i] = max(abs(inverse[i]), value if min(along, depth) >= ZERO else ZERO)


@inlined
def _cast_disc(x: F32, y: F32, radius: F32, beams: Beams, inverse: Floats) -> None:
    """A disc within range, on the blocks of beams that meet it."""
    num_blocks = len(inverse) // LANES
    begin, end, wrapped = np.uint64(0), np.uint64(num_blocks), np.uint64(0)
    squared = x * x + y * y
    if squared <= radius * radius:
        _fill(inverse, F32(1e9))  # the lidar is inside
        return
    if not beams.all_at_once:
        # The half angle asin(r / |p|), rounded up where it is near a quarter turn.
        half = min(radius / F32(math.sqrt(squared - radius * radius)), F32(0.5 * math.pi))
        angle = _atan2(y, x) - beams.first
        begin, end, wrapped = _blocks_towards(
            angle, half, beams.per_radian, beams.per_turn, num_blocks
        )
    _cast_circle(x, y, radius, begin, end, beams.cos, beams.sin, inverse)
    if wrapped:
        _cast_circle(x, y, radius, np.uint64(0), wrapped, beams.cos, beams.sin, inverse)


@inlined
def _place(x: F32, y: F32, yaw: F32, mount_x: F32, mount_y: F32) -> Place:
    c, s = F32(math.cos(yaw)), F32(math.sin(yaw))
    lidar_x, lidar_y = x + c * mount_x - s * mount_y, y + s * mount_x + c * mount_y
    return Place(c, s, lidar_x, lidar_y)


@inlined
def _turned(x: F32, y: F32, place: Place) -> tuple[F32, F32]:
    """A point of the world as the lidar sees it, along the robot's axes."""
    x, y = x - place.lidar_x, y - place.lidar_y
    return place.c * x + place.s * y, place.c * y - place.s * x


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
    most = max(segments.shape[2], circles.shape[2])
    signs, found = np.empty(most, F32), np.empty(most + 1, np.int64)
    for row in rows:
        world = worlds[row]
        x, y, yaw = F32(poses[row, 0]), F32(poses[row, 1]), F32(poses[row, 2])
        place = _place(x, y, yaw, beams.mount_x, beams.mount_y)
        _fill(inverse, ZERO)
        _find_segments(segments, world, num_segments[world], place, beams.range_max, signs)
        for k in range(_gather(signs, num_segments[world], found)):
            i = found[k]
            x0, y0 = _turned(segments[world, 0, i], segments[world, 1, i], place)
            x1, y1 = _turned(segments[world, 2, i], segments[world, 3, i], place)
            _cast_segment(x0, y0, x1, y1, beams.cos, beams.sin, inverse)
        _find_circles(circles, world, num_circles[world], place, beams.range_max, signs)
        num_found = _gather(signs, num_circles[world], found)
        for k in range(num_found + num_movers[world]):
            if k < num_found:
                i = found[k]
                x, y, radius = circles[world, 0, i], circles[world, 1, i], circles[world, 2, i]
            else:
                i = k - num_found
                x, y, radius = moving[row, i, 0], moving[row, i, 1], moving[row, i, 2]
            x, y = _turned(x, y, place)
            reach = beams.range_max + radius
            if x * x + y * y < reach * reach:
                _cast_disc(x, y, radius, beams, inverse)
        _to_ranges(inverse, row, beams.range_min, beams.range_max, ranges)
