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
def rough_atan2(y: F32, x: F32) -> F32:
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
def _turn_circles(
    circles: Floats, world: int, count: int, place: Place, x: Floats, y: Floats, radius: Floats
) -> None:
    """Circles as the lidar sees them. One array in each loop: of more LLVM gives up telling that
    they do not overlap.
    """
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        dx, dy = circles[world, 0, i] - place.lidar_x, circles[world, 1, i] - place.lidar_y
        x[i] = place.c * dx + place.s * dy
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        dx, dy = circles[world, 0, i] - place.lidar_x, circles[world, 1, i] - place.lidar_y
        y[i] = place.c * dy - place.s * dx
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        radius[i] = circles[world, 2, i]


@inlined
def _find_discs(
    x: Floats, y: Floats, radius: Floats, count: int, range_max: F32, signs: Floats
) -> None:
    """For each disc, below zero where it is within range."""
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        reach = range_max + radius[i]
        signs[i] = x[i] * x[i] + y[i] * y[i] - reach * reach


@inlined
def _aim(
    x: Floats, y: Floats, radius: Floats, count: int, beams: Beams, first: Floats, last: Floats
) -> None:
    """The beams that meet each disc, as real numbers; `first` is within [0, per_turn).

    The half angle asin(r / |p|) is rounded up where it is near a quarter turn.
    """
    per_radian, per_turn = beams.per_radian, beams.per_turn
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        rest = max(x[i] * x[i] + y[i] * y[i] - radius[i] * radius[i], F32(1e-12))
        half = min(radius[i] / F32(math.sqrt(rest)), F32(0.5 * math.pi))
        last[i] = F32(2.0) * half * abs(per_radian)
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        low = (rough_atan2(y[i], x[i]) - beams.first) * per_radian - F32(0.5) * last[i]
        first[i] = low - per_turn * F32(math.floor(low / per_turn))
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        last[i] = first[i] + last[i]


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
    """A disc at p, on some blocks: 1/t = (u.p + sqrt(r^2 - cross(u, p)^2)) / (p.p - r^2).

    Unsigned, for numba would check whether signed ones count from the end.
    """
    lanes = np.uint64(LANES)
    scale = ONE / (x * x + y * y - radius * radius)
    for i in range(lanes * begin, lanes * end):
        c, s = cos[i], sin[i]
        along, across = x * c + y * s, x * s - y * c
        depth = radius * radius - across * across
        value = (along + math.sqrt(max(depth, ZERO))) * scale
        inverse[i] = max(abs(inverse[i]), value if min(along, depth) >= ZERO else ZERO)


@inlined
def _cast_disc(
    x: F32, y: F32, radius: F32, first: F32, last: F32, beams: Beams, inverse: Floats
) -> None:
    """A disc within range, on the blocks of beams that meet it."""
    num_blocks = len(inverse) // LANES
    begin, end, wrapped = 0, num_blocks, 0
    if x * x + y * y <= radius * radius:
        _fill(inverse, F32(1e9))  # the lidar is inside
        return
    if not beams.all_at_once:
        beyond = last - beams.per_turn  # the last beam that meets it at the scan's beginning
        begin = min(int(first) // LANES, num_blocks)
        end = min((int(last) + 1) // LANES + 1, num_blocks)
        wrapped = min((int(beyond) + 1) // LANES + 1, num_blocks) if beyond >= -ONE else 0
    cos, sin = beams.cos, beams.sin
    _cast_circle(x, y, radius, np.uint64(begin), np.uint64(end), cos, sin, inverse)
    if wrapped:
        _cast_circle(x, y, radius, np.uint64(0), np.uint64(wrapped), cos, sin, inverse)


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
        place = _place(x, y, yaw, beams.mount_x, beams.mount_y)
        _fill(inverse, ZERO)
        _find_segments(segments, world, num_segments[world], place, beams.range_max, signs)
        for k in range(_gather(signs, num_segments[world], found)):
            i = found[k]
            x0, y0 = _turned(segments[world, 0, i], segments[world, 1, i], place)
            x1, y1 = _turned(segments[world, 2, i], segments[world, 3, i], place)
            _cast_segment(x0, y0, x1, y1, beams.cos, beams.sin, inverse)
        count = num_circles[world]
        _turn_circles(circles, world, count, place, xs, ys, radii)
        for i in range(num_movers[world]):
            xs[count], ys[count] = _turned(moving[row, i, 0], moving[row, i, 1], place)
            radii[count] = moving[row, i, 2]
            count += 1
        _find_discs(xs, ys, radii, count, beams.range_max, signs)
        if not beams.all_at_once:
            _aim(xs, ys, radii, count, beams, firsts, lasts)
        for k in range(_gather(signs, count, found)):
            i = found[k]
            _cast_disc(xs[i], ys[i], radii[i], firsts[i], lasts[i], beams, inverse)
        _to_ranges(inverse, row, beams.range_min, beams.range_max, ranges)
