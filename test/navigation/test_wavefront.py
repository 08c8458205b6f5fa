from __future__ import annotations

import heapq
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.wavefront import CLOSED, Cell, Wavefront, way_out

Floats = NDArray[np.float64]


def steps_from(cell: Cell, shape: tuple[int, ...]) -> list[tuple[Cell, float]]:
    around = itertools.product((-1, 0, 1), repeat=2)
    near = [((cell[0] + r, cell[1] + c), math.hypot(r, c)) for r, c in around if r or c]
    return [(at, far) for at, far in near if 0 <= at[0] < shape[0] and 0 <= at[1] < shape[1]]


def dijkstra(multipliers: Floats, goal: Cell) -> Floats:
    """The textbook's algorithm, one cell at a time; what cannot be reached is infinitely far."""
    distances = np.full(multipliers.shape, np.inf)
    distances[goal] = 0.0
    queue = [(0.0, goal)]
    while queue:
        far, cell = heapq.heappop(queue)
        if far > distances[cell]:
            continue
        for near, length in steps_from(cell, multipliers.shape):
            total = far + length * 0.5 * (multipliers[cell] + multipliers[near])
            if multipliers[near] < CLOSED and total < distances[near]:
                distances[near] = total
                heapq.heappush(queue, (total, near))
    return distances


def test_on_a_free_floor_it_is_the_octile_distance() -> None:
    front = Wavefront(np.ones((20, 30)), (5, 5))
    assert front.distances[5, 25] == pytest.approx(20.0)
    assert front.distances[15, 15] == pytest.approx(10.0 * math.sqrt(2.0))
    assert front.distances[15, 25] == pytest.approx(10.0 * math.sqrt(2.0) + 10.0)


def test_a_way_around_a_wall_is_as_short_as_can_be() -> None:
    """To the end of the wall 5 straight and 5 diagonal steps, and as many from it."""
    floor = np.ones((20, 20))
    floor[:15, 10] = CLOSED
    front = Wavefront(floor, (5, 15))
    way = front.way((5, 5))
    assert (15, 10) in way
    assert (way[0], way[-1]) == ((5, 5), (5, 15))
    assert front.distances[5, 5] == pytest.approx(10.0 + 10.0 * math.sqrt(2.0))


def test_behind_a_wall_without_a_gap_there_is_no_way() -> None:
    floor = np.ones((20, 20))
    floor[:, 10] = CLOSED
    front = Wavefront(floor, (5, 15))
    assert front.way((5, 5)) == []
    assert front.distances[5, 5] == math.inf


def test_dear_cells_are_gone_around() -> None:
    floor = np.ones((9, 9))
    floor[1:8, 4] = 50.0
    way = Wavefront(floor, (4, 8)).way((4, 0))
    assert all(floor[cell] == 1.0 for cell in way)


def test_a_serpentine_is_followed_to_its_end() -> None:
    """Twenty walls, gaps at alternate ends: the way is as long as all the corridors together."""
    floor = np.ones((41, 30))
    for wall in range(1, 40, 2):
        floor[wall, 1:] = CLOSED
        if wall % 4 == 3:
            floor[wall] = np.roll(floor[wall], -1)
    way = Wavefront(floor, (0, 29)).way((40, 29))
    assert len(way) > 20 * 28
    assert all(floor[cell] == 1.0 for cell in way)


@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.integers(1, 25), st.floats(0.0, 0.5))
@settings(max_examples=60)
def test_it_is_dijkstras_algorithm(seed: int, rows: int, columns: int, closed: float) -> None:
    rng = np.random.default_rng(seed)
    multipliers = rng.uniform(1.0, 5.0, (rows, columns))
    multipliers[rng.random((rows, columns)) < closed] = CLOSED
    goal = rows // 2, columns // 2
    multipliers[goal] = 1.0
    front = Wavefront(multipliers, goal)
    expected = dijkstra(multipliers, goal)
    there = np.isfinite(expected)
    np.testing.assert_allclose(front.distances[there], expected[there], atol=0.05)
    assert (front.distances[~there] == math.inf).all()
    for cell in np.argwhere(multipliers < CLOSED)[::7].tolist():
        way = front.way((cell[0], cell[1]))
        assert bool(way) == there[tuple(cell)]
        costs = [
            0.5 * math.dist(a, b) * (multipliers[a] + multipliers[b])
            for a, b in itertools.pairwise(way)
        ]
        assert not way or sum(costs) == pytest.approx(expected[tuple(cell)], abs=0.05)


def test_a_way_that_costs_much_is_a_way() -> None:
    """2,000 cells of 1,001 each, beside closed ones that bring sums along rows to great numbers."""
    floor = np.full((3, 2000), CLOSED)
    floor[0] = floor[:, -1] = floor[2] = 1001.0
    front = Wavefront(floor, (2, 0))
    assert front.distances[0, 0] == pytest.approx(1001.0 * (1998 * 2 + 2 * math.sqrt(2.0)))
    assert len(front.way((0, 0))) == 2 * 1999 + 1


def mask(*rows: str) -> NDArray[np.bool_]:
    return np.array([[cell == '#' for cell in row] for row in rows])


def test_the_way_out_leads_around_walls_and_not_between_two_that_touch() -> None:
    walls = mask('..#..', '.#...', '.#...', '.#...', '.....')
    free = np.zeros(walls.shape, np.bool_)
    free[1, 3] = True
    # Over the corner it would be 3 steps.
    assert way_out(free, walls, (0, 0), 3.0) == []
    way = way_out(free, walls, (1, 0), 10.0)
    assert (way[0], way[-1]) == ((1, 0), (1, 3))
    assert (4, 1) in way
    assert not any(walls[cell] for cell in way)


def test_the_way_out_is_the_shortest_and_at_most_as_long_as_allowed() -> None:
    nothing = np.zeros((9, 9), np.bool_)
    free = nothing.copy()
    free[4, 7] = free[7, 7] = True
    assert way_out(free, nothing, (4, 4), 3.0) == [(4, 4), (4, 5), (4, 6), (4, 7)]
    assert way_out(free, nothing, (4, 4), 2.9) == []
    assert way_out(free, nothing, (7, 7), 0.0) == [(7, 7)]
