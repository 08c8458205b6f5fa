from __future__ import annotations

import heapq
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.evaluation.grid_path import PathFinder
from rl_planner.evaluation.seen_map import FREE, OCCUPIED, UNKNOWN, SeenMap
from rl_planner.navigation.inflation import Inflation
from rl_planner.navigation.observation import ScanGeometry

SCAN = ScanGeometry(1, 0.0, 0.01, range_min=0.1, range_max=2.0)
FIRST = np.zeros(1, np.int64)
CELL = 0.1
SIDE = 20  # cells

Cell = tuple[int, int]  # row and column


def seen_as(grid: NDArray[np.int8]) -> SeenMap:
    """One robot's map, whose first cell begins at the origin."""
    seen = SeenMap(SCAN, 1, CELL, SIDE * CELL)
    seen.grids[0] = grid
    return seen


def finder_on(
    grid: NDArray[np.int8], clearance: float = CELL, weight: float = 0.0, unknown: float = 0.0
) -> PathFinder:
    inflation = Inflation.of(clearance, 0.4, 5.0, weight, CELL)
    return PathFinder(seen_as(grid), inflation, unknown, tolerance=0.5)


def floor() -> NDArray[np.int8]:
    return np.full((SIDE, SIDE), FREE)


def centre(cell: Cell) -> NDArray[np.float64]:
    return CELL * (np.array([[cell[1], cell[0]]]) + 0.5)


def plan(finder: PathFinder, start: Cell, goal: Cell) -> list[Cell]:
    """The cells of the path."""
    finder.plan(FIRST, centre(start), centre(goal))
    points = finder.paths[0, : finder.lengths[0]]
    return [(int(y / CELL), int(x / CELL)) for x, y in points]


def length(path: list[Cell]) -> float:
    return sum(math.dist(a, b) for a, b in itertools.pairwise(path))


def wall(rows: int) -> NDArray[np.int8]:
    """Across column 10, from row 0 on."""
    grid = floor()
    grid[:rows, 10] = OCCUPIED
    return grid


def test_a_free_way_is_straight() -> None:
    assert plan(finder_on(floor()), (5, 3), (5, 8)) == [(5, 3 + k) for k in range(6)]
    assert plan(finder_on(floor()), (5, 3), (5, 3)) == [(5, 3)]


def test_a_way_around_a_wall_is_as_short_as_can_be() -> None:
    """To the end of the wall at (15, 10) 5 straight and 5 diagonal steps, and as many from it."""
    path = plan(finder_on(wall(15)), (5, 5), (5, 15))
    assert length(path) == pytest.approx(10.0 + 10.0 * math.sqrt(2.0))
    assert (15, 10) in path


def test_a_way_keeps_its_clearance() -> None:
    """0.3 m: the way is three rows below the end of the wall, in row 14."""
    path = plan(finder_on(wall(15), clearance=3 * CELL), (5, 5), (5, 15))
    assert min(math.dist(cell, (14, 10)) for cell in path) == 3.0
    assert plan(finder_on(wall(18), clearance=3 * CELL), (5, 5), (5, 15)) == []


def test_clearance_is_worth_a_detour() -> None:
    """Along a wall: straight if that costs nothing, farther away if it does."""
    grid = floor()
    grid[4, :] = OCCUPIED
    assert {row for row, _ in plan(finder_on(grid), (6, 2), (6, 17))} == {6}
    assert max(row for row, _ in plan(finder_on(grid, weight=5.0), (6, 2), (6, 17))) > 7


def test_the_unknown_is_open_but_costs() -> None:
    """Three unknown rows: through them if it costs little, else by the known gap at column 19."""
    grid = floor()
    grid[8:11, :19] = UNKNOWN
    direct, around = plan(finder_on(grid), (5, 9), (13, 9)), finder_on(grid, unknown=20.0)
    assert length(direct) == 8.0
    assert all(grid[cell] == FREE for cell in plan(around, (5, 9), (13, 9)))


def test_a_goal_out_of_reach_has_no_way() -> None:
    assert plan(finder_on(wall(SIDE)), (5, 5), (5, 15)) == []


def test_a_goal_just_out_of_reach_has_a_way_near_it() -> None:
    """Cell 9 before the wall is 5 cells, 0.5 m, from the goal beyond it."""
    assert plan(finder_on(wall(SIDE)), (5, 5), (5, 14))[-1] == (5, 9)


def test_a_goal_beyond_the_map_is_approached() -> None:
    finder = finder_on(floor())
    finder.plan(FIRST, centre((5, 5)), np.array([[40.0, 0.55]]))
    np.testing.assert_allclose(finder.paths[0, finder.lengths[0] - 1], [1.95, 0.55])


def test_a_robot_too_near_to_an_obstacle_gets_away_from_it() -> None:
    path = plan(finder_on(wall(SIDE), clearance=3 * CELL), (5, 9), (5, 2))
    assert path == [(5, 9 - k) for k in range(8)]


def test_a_path_is_blocked_by_what_stands_in_the_rest_of_it() -> None:
    seen = seen_as(floor())
    finder = PathFinder(seen, Inflation.of(2 * CELL, 0.4, 5.0, 0.0, CELL), 0.0, tolerance=0.5)
    plan(finder, (5, 3), (5, 12))
    assert not finder.blocked(FIRST, np.zeros(1, np.int64))[0]
    seen.grids[0, 5, 8] = OCCUPIED
    assert finder.blocked(FIRST, np.zeros(1, np.int64))[0]
    assert finder.blocked(FIRST, np.full(1, 5))[0]
    assert not finder.blocked(FIRST, np.full(1, 6))[0]
    assert (5, 8) not in plan(finder, (5, 3), (5, 12))


CLEARANCE, WEIGHT, UNKNOWN_COST = 0.2, 3.0, 0.5


def naive_distances(grid: NDArray[np.int8]) -> NDArray[np.float64]:
    """From each cell to the nearest occupied one (cells)."""
    rows, columns = np.indices(grid.shape)
    distances = np.full(grid.shape, math.inf)
    for row, column in np.argwhere(grid == OCCUPIED):
        distances = np.minimum(distances, np.hypot(rows - row, columns - column))
    return distances


def naive_step(grid: NDArray[np.int8], distances: NDArray[np.float64], a: Cell, b: Cell) -> float:
    """Cost of a step between neighbours, in cells."""
    too_near = distances[b] < CLEARANCE / CELL - 1e-9
    if grid[b] == OCCUPIED or (too_near and distances[b] < distances[a]):
        return math.inf
    near = math.exp(-5.0 * (CELL * distances[b] - CLEARANCE)) if distances[b] <= 4.0 else 0.0
    return math.dist(a, b) * (1.0 + WEIGHT * near + UNKNOWN_COST * (grid[b] == UNKNOWN))


def dijkstra(grid: NDArray[np.int8], start: Cell, goal: Cell) -> float:
    """The least cost of a way, or infinity."""
    distances, best, queue = naive_distances(grid), {start: 0.0}, [(0.0, start)]
    while queue:
        cost, cell = heapq.heappop(queue)
        if cell == goal:
            return cost
        for row in range(max(cell[0] - 1, 0), min(cell[0] + 2, len(grid))):
            for column in range(max(cell[1] - 1, 0), min(cell[1] + 2, len(grid))):
                total = cost + naive_step(grid, distances, cell, (row, column))
                if total < best.get((row, column), math.inf):
                    best[row, column] = total
                    heapq.heappush(queue, (total, (row, column)))
    return math.inf


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.25))
@settings(max_examples=40, deadline=None)
def test_no_way_is_cheaper_than_that_of_a_star(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.choice(3, (SIDE, SIDE), p=[share, 0.3, 0.7 - share])
    grid = np.array([OCCUPIED, UNKNOWN, FREE])[kinds]
    start, goal = (tuple(cell) for cell in rng.integers(0, SIDE, (2, 2)).tolist())
    grid[start] = FREE
    path = plan(finder_on(grid, CLEARANCE, WEIGHT, UNKNOWN_COST), start, goal)
    least, distances = dijkstra(grid, start, goal), naive_distances(grid)
    reached = bool(path) and path[-1] == goal
    assert reached == math.isfinite(least)
    if reached:
        steps = itertools.pairwise(path)
        assert path[0] == start
        assert sum(naive_step(grid, distances, *step) for step in steps) == pytest.approx(least)
