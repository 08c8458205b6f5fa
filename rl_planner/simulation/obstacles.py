"""Worlds as the compiled kernels read them: many worlds in one set of padded arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rl_planner.simulation.compiled import LANES, Floats, Indices
from rl_planner.simulation.world import FloatArray, World

FAR = 1e6  # m; where the padding is: kernels read it, and neither see nor touch it
NO_SEGMENT, NO_CIRCLE, NO_MOVER = (FAR,) * 4, (FAR, FAR, 0.0), (FAR,) * 4 + (0.0,) * 3


class Obstacles(NamedTuple):
    """Obstacles of several worlds, structures of arrays, padded to the world that has most.

    The last axis of segments and circles is a multiple of LANES.
    """

    segments: Floats  # (worlds, 4, max_segments) x0, y0, x1, y1
    num_segments: Indices  # (worlds,)
    circles: Floats  # (worlds, 3, max_circles) x, y, radius
    num_circles: Indices
    movers: Floats  # (worlds, 7, max_movers) as in World.movers
    num_movers: Indices


def pack_worlds(worlds: Sequence[World]) -> Obstacles:
    """All `worlds` in one `Obstacles`, world i at index i."""
    segments, num_segments = _pack([world.segments for world in worlds], NO_SEGMENT, LANES)
    circles, num_circles = _pack([world.circles for world in worlds], NO_CIRCLE, LANES)
    movers, num_movers = _pack([world.movers for world in worlds], NO_MOVER, 1)
    return Obstacles(segments, num_segments, circles, num_circles, movers, num_movers)


def replace_world(obstacles: Obstacles, index: int, world: World) -> Obstacles:
    """`obstacles` with another world at `index`: in place where it fits, in larger arrays else."""
    new = pack_worlds([world])
    obstacles.num_segments[index] = new.num_segments[0]
    obstacles.num_circles[index] = new.num_circles[0]
    obstacles.num_movers[index] = new.num_movers[0]
    return obstacles._replace(
        segments=_put(obstacles.segments, index, new.segments[0], NO_SEGMENT),
        circles=_put(obstacles.circles, index, new.circles[0], NO_CIRCLE),
        movers=_put(obstacles.movers, index, new.movers[0], NO_MOVER),
    )


def _put(packed: Floats, index: int, new: Floats, padding: Sequence[float]) -> Floats:
    """`packed` with `new` at the beginning of packed[index] and padding after it, grown if small"""
    if new.shape[1] > packed.shape[2]:
        larger = _padding(len(packed), padding, new.shape[1])
        larger[:, :, : packed.shape[2]] = packed
        packed = larger
    packed[index] = _padding(1, padding, packed.shape[2])[0]
    packed[index, :, : new.shape[1]] = new
    return packed


def _pack(
    rows: Sequence[FloatArray], padding: Sequence[float], multiple: int
) -> tuple[Floats, Indices]:
    """(worlds, fields, most rows or more) of the worlds' rows, and how many each has."""
    counts = np.array([len(part) for part in rows], dtype=np.int64)
    length = -(-max(int(counts.max()), 1) // multiple) * multiple
    packed = _padding(len(rows), padding, length)
    for index, part in enumerate(rows):
        packed[index, :, : len(part)] = part.T
    return packed, counts


def _padding(worlds: int, padding: Sequence[float], length: int) -> Floats:
    return np.tile(np.array(padding, np.float32)[None, :, None], (worlds, 1, length))
