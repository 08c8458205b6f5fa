"""Shortest ways over the seen map that keep clear of obstacles: A* on an inflated grid."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.seen_map import FREE, UNKNOWN, Cells, Floats, Indices, SeenMap
from rl_planner.navigation.inflation import Inflation
from rl_planner.simulation.compiled import compiled

Squares = NDArray[np.int32]

DIAGONAL = math.sqrt(2.0)
LONGEST = 1000  # cells of a path; what comes after is planned when the robot is nearer


class Search(NamedTuple):
    """What A* writes, one entry for each cell of a grid but for the heap, used anew each time."""

    squared: Squares  # (side, side) distance to the nearest obstacle (cells squared)
    cost: Floats  # least cost from the start so far
    via: Indices  # the cell before it on that way
    closed: NDArray[np.bool_]  # that cost is final
    keys: Floats  # the heap: least cost of a way to the goal through
    items: Indices  # this cell


class Costs(NamedTuple):
    """What a way costs: the length of a step (cells) times the multiplier of the cell it leads to.

    Attributes:
        by_square: multiplier by squared distance to the nearest obstacle (cells squared); the last
            one holds for all that is farther.
        unknown: added to the multiplier of a cell that no beam has passed.
        least_square: cells nearer to an obstacle than this are not to be entered.
    """

    by_square: Floats
    unknown: float
    least_square: int


@compiled
def _push(keys: Floats, items: Indices, size: int, key: float, item: int) -> None:
    """Add to a binary heap of `size` entries."""
    at = size
    while at > 0 and keys[(at - 1) // 2] > key:
        keys[at], items[at] = keys[(at - 1) // 2], items[(at - 1) // 2]
        at = (at - 1) // 2
    keys[at], items[at] = key, item


@compiled
def _pop(keys: Floats, items: Indices, size: int) -> int:
    """Take the entry with the least key off a binary heap of `size` entries."""
    least = items[0]
    key, item = keys[size - 1], items[size - 1]
    at = 0
    while True:
        below = 2 * at + 1
        if below + 1 < size and keys[below + 1] < keys[below]:
            below += 1
        if below >= size or keys[below] >= key:
            break
        keys[at], items[at] = keys[below], items[below]
        at = below
    keys[at], items[at] = key, item
    return int(least)


@compiled
def _inflate(cells: Cells, stamp: Squares, squared: Squares) -> None:
    """The squared distance of each cell to the nearest occupied one, as far as `stamp` reaches."""
    rows, columns = cells.shape
    reach = stamp.shape[0] // 2
    squared[:] = stamp[0, 0]
    for row in range(rows):
        for column in range(columns):
            if cells[row, column] <= FREE:
                continue
            begin, end = max(column - reach, 0), min(column + reach + 1, columns)
            for r in range(max(row - reach, 0), min(row + reach + 1, rows)):
                line, mark = squared[r], stamp[r - row + reach]
                for c in range(begin, end):
                    line[c] = min(line[c], mark[c - column + reach])


@compiled
def _octile(columns: int, cell: int, goal: int) -> float:
    """Length of the shortest way between two cells of an empty grid (cells)."""
    dy, dx = abs(cell // columns - goal // columns), abs(cell % columns - goal % columns)
    return max(dx, dy) + (DIAGONAL - 1.0) * min(dx, dy)


@compiled
def _search(
    cells: Cells, costs: Costs, start: int, goal: int, tolerance: float, search: Search
) -> int:
    """A* (Hart, Nilsson and Raphael 1968): where the way ends that `search.via` then tells; or -1.

    That is at the goal, or where it cannot be reached, at the nearest cell to it that can, if it is
    within `tolerance` (cells). A robot that stands too near to an obstacle may go through cells
    as near, as long as each is at least as clear as the one before.
    """
    rows, columns = cells.shape
    search.cost[:] = np.inf
    search.closed[:] = False
    search.cost[start], search.via[start] = 0.0, start
    search.keys[0], search.items[0] = 0.0, start
    size, end, off = 1, start, _octile(columns, start, goal)
    while size:
        cell = _pop(search.keys, search.items, size)
        size -= 1
        if search.closed[cell]:
            continue
        search.closed[cell] = True
        row, column = cell // columns, cell % columns
        if _octile(columns, cell, goal) < off:
            end, off = cell, _octile(columns, cell, goal)
        if cell == goal:
            return goal
        for step in range(9):
            r, c = row + step // 3 - 1, column + step % 3 - 1
            if not (0 <= r < rows and 0 <= c < columns) or cells[r, c] > FREE:
                continue
            near, square = r * columns + c, search.squared[r, c]
            if square < costs.least_square and square < search.squared[row, column]:
                continue
            multiplier = costs.by_square[square] + costs.unknown * (cells[r, c] == UNKNOWN)
            total = search.cost[cell] + multiplier * (DIAGONAL if step % 2 == 0 else 1.0)
            if total < search.cost[near]:
                search.cost[near], search.via[near] = total, cell
                _push(search.keys, search.items, size, total + _octile(columns, near, goal), near)
                size += 1
    return end if off <= tolerance else -1


@compiled
def _plan(
    robots: Indices,
    starts: Indices,
    goals: Indices,
    grids: NDArray[np.int8],
    corners: Indices,
    resolution: float,
    stamp: Squares,
    costs: Costs,
    tolerance: float,
    search: Search,
    paths: Floats,
    lengths: Indices,
) -> None:
    """Write the ways of `robots` from cell to cell (n,) into paths (N, LONGEST, 2) (m)."""
    columns = grids.shape[2]
    for i, robot in enumerate(robots):
        _inflate(grids[robot], stamp, search.squared)
        end = _search(grids[robot], costs, starts[i], goals[i], tolerance, search)
        lengths[robot] = 0
        if end < 0:
            continue
        steps, cell = 1, end
        while cell != starts[i]:
            steps, cell = steps + 1, search.via[cell]
        lengths[robot] = min(steps, paths.shape[1])
        cell = end
        for step in range(steps - 1, -1, -1):
            if step < paths.shape[1]:
                paths[robot, step, 0] = (cell % columns + corners[robot, 0] + 0.5) * resolution
                paths[robot, step, 1] = (cell // columns + corners[robot, 1] + 0.5) * resolution
            cell = search.via[cell]


@compiled
def _find_blocked(
    robots: Indices,
    grids: NDArray[np.int8],
    corners: Indices,
    resolution: float,
    least_square: int,
    paths: Floats,
    begins: Indices,
    lengths: Indices,
    blocked: NDArray[np.bool_],
) -> None:
    """Whether an occupied cell is nearer to the rest of the way than `least_square`."""
    rows, columns = grids.shape[1:]
    reach = math.ceil(math.sqrt(least_square))
    for i, robot in enumerate(robots):
        blocked[i] = False
        for step in range(begins[robot], lengths[robot]):
            x = math.floor(paths[robot, step, 0] / resolution) - corners[robot, 0]
            y = math.floor(paths[robot, step, 1] / resolution) - corners[robot, 1]
            for row in range(max(y - reach, 0), min(y + reach + 1, rows)):
                for column in range(max(x - reach, 0), min(x + reach + 1, columns)):
                    square = (row - y) * (row - y) + (column - x) * (column - x)
                    if square < least_square and grids[robot, row, column] > FREE:
                        blocked[i] = True


class PathFinder:
    """Plans ways for N robots over a `SeenMap` of theirs.

    Args:
        seen: the map.
        inflation: what it costs to be near an obstacle.
        unknown: cost of what has not been seen, added to that of the length.
        tolerance: a goal that cannot be reached is replaced by the nearest place that can, within
            this distance (m).

    Attributes:
        paths: (N, LONGEST, 2) in the frame of odometry, from the robot on (m).
        lengths: (N,) how many points each path has; 0: there is no way.
    """

    def __init__(
        self, seen: SeenMap, inflation: Inflation, unknown: float, tolerance: float
    ) -> None:
        self._seen, resolution, reach = seen, seen.resolution, inflation.reach
        count, side = seen.grids.shape[:2]
        axis = np.arange(-reach, reach + 1)
        farthest = len(inflation.by_square) - 1
        self._stamp = np.minimum(axis[:, None] ** 2 + axis**2, farthest).astype(np.int32)
        self._costs = Costs(inflation.by_square, float(unknown), inflation.least_square)
        self._tolerance = tolerance / resolution
        self._search = Search(
            np.empty((side, side), np.int32),
            np.empty(side * side),
            np.empty(side * side, np.int64),
            np.empty(side * side, np.bool_),
            np.empty(8 * side * side),
            np.empty(8 * side * side, np.int64),
        )
        self.paths: Floats = np.zeros((count, LONGEST, 2))
        self.lengths: Indices = np.zeros(count, np.int64)

    def plan(self, robots: Indices, positions: Floats, goals: Floats) -> None:
        """Plan anew for `robots` (n,) from positions to goals (n, 2) (m)."""
        seen, side = self._seen, self._seen.grids.shape[1]
        starts, ends = (seen.cells_of(robots, each) @ [side, 1] for each in (positions, goals))
        scene = (seen.grids, seen.corners, seen.resolution)
        way = (self._stamp, self._costs, self._tolerance, self._search, self.paths, self.lengths)
        _plan(robots, starts, ends, *scene, *way)

    def blocked(self, robots: Indices, begins: Indices) -> NDArray[np.bool_]:
        """(n,) whether something stands in the way of `robots` (n,) from point begins[robot] on.

        Half the least clearance is enough: returns flicker between neighbouring cells.
        """
        seen, blocked = self._seen, np.empty(len(robots), np.bool_)
        scene = (seen.grids, seen.corners, seen.resolution)
        square = max(self._costs.least_square // 4, 1)
        _find_blocked(robots, *scene, square, self.paths, begins, self.lengths, blocked)
        return blocked
