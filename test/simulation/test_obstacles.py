"""Worlds packed for the kernels, and one of them replaced."""

from __future__ import annotations

import numpy as np
import pytest

from rl_planner.simulation.compiled import LANES
from rl_planner.simulation.obstacles import Obstacles, pack_worlds, replace_world
from rl_planner.simulation.world import World

SMALL = World(
    walls=np.array([[0, 1, 2, 3]]),
    circles=np.array([[4, 5, 0.5], [6, 7, 0.25]]),
)
LARGE = World(
    boxes=np.array([[0, 0, 0, 2, 4]]),
    walls=np.array([[8, 9, 10, 11]]),
    movers=np.array([[0, 0, 1, 1, 0.2, 0.3, 0.4]]),
)


def contents(obstacles: Obstacles, index: int) -> list[list[list[float]]]:
    """Segments, circles and movers of one packed world."""
    counts = obstacles.num_segments, obstacles.num_circles, obstacles.num_movers
    parts = obstacles.segments, obstacles.circles, obstacles.movers
    return [
        part[index, :, : count[index]].T.tolist() for part, count in zip(parts, counts, strict=True)
    ]


def expected(world: World) -> list[list[list[float]]]:
    parts = (world.segments, world.circles, world.movers)
    return [part.astype(np.float32).tolist() for part in parts]


def test_worlds_are_padded_to_the_largest() -> None:
    obstacles = pack_worlds([SMALL, LARGE])
    assert obstacles.segments.shape == (2, 4, LANES)
    assert obstacles.segments.dtype == np.float32
    assert obstacles.segments.flags.c_contiguous
    assert obstacles.num_segments.tolist() == [1, 5]
    assert obstacles.num_circles.tolist() == [2, 0]
    assert obstacles.num_movers.tolist() == [0, 1]
    assert contents(obstacles, 0) == expected(SMALL)
    assert contents(obstacles, 1) == expected(LARGE)
    assert contents(obstacles, 0)[0] == [[0, 1, 2, 3]]


def test_an_empty_world_has_nothing() -> None:
    assert contents(pack_worlds([World()]), 0) == [[], [], []]


@pytest.mark.parametrize('others', [[SMALL, SMALL], [LARGE, SMALL], [World(), World()]])
@pytest.mark.parametrize('new', [SMALL, LARGE, World()])
@pytest.mark.parametrize('index', [0, 1])
def test_a_replaced_world_leaves_the_other_one(others: list[World], new: World, index: int) -> None:
    obstacles = replace_world(pack_worlds(others), index, new)
    assert contents(obstacles, index) == expected(new)
    assert contents(obstacles, 1 - index) == expected(others[1 - index])
    assert all(array.flags.c_contiguous for array in obstacles)


def test_a_world_that_fits_is_replaced_in_place() -> None:
    obstacles = pack_worlds([LARGE, LARGE])
    replaced = replace_world(obstacles, 1, World())
    assert all(new is old for new, old in zip(replaced, obstacles, strict=True))
    assert contents(obstacles, 1) == [[], [], []]


def test_arrays_grow_only_once() -> None:
    obstacles = replace_world(pack_worlds([SMALL, SMALL]), 0, LARGE)
    assert obstacles.segments.shape == (2, 4, LANES)
    again = replace_world(obstacles, 1, LARGE)
    assert again.segments is obstacles.segments
    assert contents(again, 0) == contents(again, 1) == expected(LARGE)
