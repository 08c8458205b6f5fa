"""Round obstacles as a lidar sees them: found and aimed at many at a time, then cast one by one."""

from __future__ import annotations

import math

import numpy as np

from rl_planner.simulation.beams import Beams, Place
from rl_planner.simulation.compiled import F32, LANES, Floats, inlined

ZERO, ONE = F32(0.0), F32(1.0)


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
def fill(inverse: Floats, value: F32) -> None:
    for i in range(LANES * (len(inverse) // LANES)):
        inverse[i] = value


@inlined
def turn_circles(
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
def find_discs(
    x: Floats, y: Floats, radius: Floats, count: int, range_max: F32, signs: Floats
) -> None:
    """For each disc, below zero where it is within range."""
    for i in range(LANES * ((count + LANES - 1) // LANES)):
        reach = range_max + radius[i]
        signs[i] = x[i] * x[i] + y[i] * y[i] - reach * reach


@inlined
def aim(
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
def cast_disc(
    x: F32, y: F32, radius: F32, first: F32, last: F32, beams: Beams, inverse: Floats
) -> None:
    """A disc within range, on the blocks of beams that meet it."""
    num_blocks = len(inverse) // LANES
    begin, end, wrapped = 0, num_blocks, 0
    if x * x + y * y <= radius * radius:
        fill(inverse, F32(1e9))  # the lidar is inside
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
