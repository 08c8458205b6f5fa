"""Random worlds with a plan: rooms with doors, dead ends, and fields of clutter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rl_planner.simulation.random_world import WALL_THICKNESS, arena_walls
from rl_planner.simulation.world import FloatArray, World

DOOR_WIDTH = 0.9, 1.4  # m
SMALLEST_ROOM = 2.4  # m: a side shorter than twice that is not divided

CELL = 0.15  # m, of the clutter
CLUTTER_CELLS = 30  # in a row: 4.5 m
CLUTTER_RADIUS = 0.075  # m, of its pillars
RUN_UP = 5.0  # m, of free corridor before the clutter


def rooms(rng: np.random.Generator) -> World:
    """A house of 7 to 11 m: walls divide it again and again, each with a door; some furniture."""
    size = rng.uniform(7.0, 11.0, 2)
    walls: list[list[float]] = []
    right, top = size / 2.0
    _divide(rng, -right, -top, right, top, walls)
    pieces = rng.poisson(0.04 * float(size.prod()))
    places = rng.uniform(-size / 2.0, size / 2.0, (pieces, 2))
    return World(
        boxes=np.concatenate([arena_walls(*size), np.reshape(walls, (-1, 5))]),
        circles=np.column_stack([places, rng.uniform(0.1, 0.3, pieces)]),
        name='random rooms',
    )


def _divide(
    rng: np.random.Generator, x0: float, y0: float, x1: float, y1: float, walls: list[list[float]]
) -> None:
    """Divide a room across its longer side by a wall with a door, and both halves in turn."""
    across = x1 - x0 >= y1 - y0  # the wall runs along y
    low, high, side_low, side_high = (x0, x1, y0, y1) if across else (y0, y1, x0, x1)
    if high - low < 2.0 * SMALLEST_ROOM:
        return
    at = rng.uniform(low + SMALLEST_ROOM, high - SMALLEST_ROOM)
    width = rng.uniform(*DOOR_WIDTH)
    door = rng.uniform(side_low + 0.1, side_high - 0.1 - width)
    for begin, end in ((side_low, door), (door + width, side_high)):
        middle, length = 0.5 * (begin + end), end - begin
        walls.append(
            [at, middle, 0.0, WALL_THICKNESS, length]
            if across
            else [middle, at, 0.0, length, WALL_THICKNESS]
        )
    halves = (
        ((x0, y0, at, y1), (at, y0, x1, y1)) if across else ((x0, y0, x1, at), (x0, at, x1, y1))
    )
    for half in halves:
        _divide(rng, *half, walls)


def traps(rng: np.random.Generator) -> World:
    """An arena of 7 to 10 m with U-shaped dead ends, open towards anywhere, and a few pillars."""
    size = rng.uniform(7.0, 10.0, 2)
    dead_ends = [_dead_end(rng, size) for _ in range(rng.integers(3, 6))]
    pillars = rng.poisson(0.04 * float(size.prod()))
    places = rng.uniform(-size / 2.0, size / 2.0, (pillars, 2))
    return World(
        boxes=np.concatenate([arena_walls(*size), *dead_ends]),
        circles=np.column_stack([places, rng.uniform(0.1, 0.3, pillars)]),
        name='random traps',
    )


def _dead_end(rng: np.random.Generator, size: FloatArray) -> FloatArray:
    """(3, 5) the back and both sides of a U of 1.2 to 2.4 m across, 0.8 to 1.8 m deep."""
    width, depth = rng.uniform(1.2, 2.4), rng.uniform(0.8, 1.8)
    yaw, (x, y) = rng.uniform(-np.pi, np.pi), rng.uniform(-size / 2.0 + 1.0, size / 2.0 - 1.0)
    c, s = np.cos(yaw), np.sin(yaw)
    local = np.array([[-depth / 2.0, 0.0], [0.0, width / 2.0], [0.0, -width / 2.0]])
    extents = [
        [WALL_THICKNESS, width + WALL_THICKNESS],
        [depth, WALL_THICKNESS],
        [depth, WALL_THICKNESS],
    ]
    places = np.column_stack([x + local @ [c, -s], y + local @ [s, c]])
    return np.column_stack([places, np.full(3, yaw), extents])


def clutter(rng: np.random.Generator) -> World:
    """A corridor through a field of pillars, made as BARN's worlds are, into a hall.

    Cells are filled at random and smoothed by a cellular automaton (D. Perille et al.,
    "Benchmarking metric ground navigation", SSRR 2020); pillars stand on the edges of what is
    filled. The frame is BARN's too: the corridor is 4.5 m wide and leads along y, from x = -4.5 to
    0, and the clutter begins at y = 5.
    """
    filled = _smoothed(rng.random((CLUTTER_CELLS, CLUTTER_CELLS)) < rng.uniform(0.15, 0.32), rng)
    rows, columns = np.nonzero(filled & ~_surrounded(filled))
    x = CELL * (columns + 0.5) - CELL * CLUTTER_CELLS
    y = RUN_UP + CELL * (rows + 0.5)
    return World(
        boxes=np.array([*_corridor()]),
        circles=np.column_stack([x, y, np.full(len(x), CLUTTER_RADIUS)]),
        name='random clutter',
    )


def _corridor() -> Iterator[list[float]]:
    """Solid ground on both sides of the corridor, its end, and the walls of a hall beyond it."""
    width, length = CELL * CLUTTER_CELLS, RUN_UP + CELL * CLUTTER_CELLS
    middle, hall_width, hall_length = -width / 2.0, 7.0, 4.5
    yield [middle, 0.075, 0.0, width, CELL]
    yield [middle, length + hall_length, 0.0, hall_width, CELL]
    beside = (hall_width - width) / 2.0 + CELL
    for side in (-1.0, 1.0):
        ground = middle + side * (width / 2.0 - CELL + beside / 2.0)
        yield [ground, length / 2.0, 0.0, beside, length]
        wall = middle + side * hall_width / 2.0
        yield [wall, length + hall_length / 2.0, 0.0, CELL, hall_length]


def _smoothed(filled: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A few steps in which a cell is filled if enough of its neighbours are, emptied if few are."""
    for _ in range(rng.integers(2, 5)):
        neighbours = _neighbours(filled)
        filled = np.where(filled, neighbours >= 2, neighbours >= 4)
    return filled


def _surrounded(filled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(_neighbours(filled) == 8)


def _neighbours(filled: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(rows, columns) how many of each cell's eight neighbours are filled."""
    padded = np.pad(filled.astype(np.int64), 1)
    rows, columns = filled.shape
    around = sum(padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3))
    return np.asarray(around - filled)
