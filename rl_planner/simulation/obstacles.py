"""Worlds as the compiled kernels read them: many worlds in one set of padded arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.simulation.compiled import Floats, Indices
from rl_planner.simulation.world import FloatArray, World


class Obstacles(NamedTuple):
    """Obstacles of several worlds, padded to the largest one, structure-of-arrays."""

    segments: Floats  # (worlds, 4, max_segments) x0, y0, x1, y1
    num_segments: Indices  # (worlds,)
    circles: Floats  # (worlds, max_circles, 3) x, y, radius
    num_circles: Indices
    movers: Floats  # (worlds, max_movers, 7) as in World.movers
    num_movers: Indices


def pack_worlds(worlds: Sequence[World]) -> Obstacles:
    """All `worlds` in one `Obstacles`, world i at index i."""
    segments, num_segments = _pad([world.segments for world in worlds])
    circles, num_circles = _pad([world.circles for world in worlds])
    movers, num_movers = _pad([world.movers for world in worlds])
    by_field = np.ascontiguousarray(segments.transpose(0, 2, 1))
    return Obstacles(by_field, num_segments, circles, num_circles, movers, num_movers)


def replace_world(obstacles: Obstacles, index: int, world: World) -> Obstacles:
    """`obstacles` with another world at `index`: in place where it fits, in larger arrays else."""
    new = pack_worlds([world])
    obstacles.num_segments[index] = new.num_segments[0]
    obstacles.num_circles[index] = new.num_circles[0]
    obstacles.num_movers[index] = new.num_movers[0]
    return obstacles._replace(
        segments=_put(obstacles.segments, index, new.segments[0]),
        circles=_put(obstacles.circles, index, new.circles[0]),
        movers=_put(obstacles.movers, index, new.movers[0]),
    )


def _put(rows: Floats, index: int, new: Floats) -> Floats:
    """`rows` with `new` at the beginning of rows[index], grown with zeros where too small."""
    extra = [max(n - m, 0) for n, m in zip(new.shape, rows.shape[1:], strict=True)]
    if any(extra):
        rows = np.pad(rows, [(0, 0), (0, extra[0]), (0, extra[1])])
    rows[index, : new.shape[0], : new.shape[1]] = new
    return rows


def _pad(rows: Sequence[FloatArray]) -> tuple[Floats, NDArray[np.int64]]:
    """(worlds, most rows, columns) float32 of the worlds' rows, and how many each has."""
    counts = np.array([len(part) for part in rows], dtype=np.int64)
    padded = np.zeros((len(rows), max(1, counts.max()), rows[0].shape[1]), dtype=np.float32)
    for index, part in enumerate(rows):
        padded[index, : len(part)] = part
    return padded, counts
