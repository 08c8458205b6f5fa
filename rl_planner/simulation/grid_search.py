"""Searches on grids of free cells: the region that hangs together, and the shortest paths in it."""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from rl_planner.simulation.compiled import compiled
from rl_planner.simulation.world import FloatArray

Cells = NDArray[np.int64]
Mask = NDArray[np.bool_]


@compiled
def main_region(free: Mask, inside: Mask) -> Cells:
    """The 4-connected region of `free` with the most cells of `inside`, as flat indices."""
    rows, columns = free.shape
    seen = ~free
    best: Cells = np.empty(0, np.int64)
    most = 0
    queue = np.empty(free.size, np.int64)
    for begin in range(free.size):
        if seen[begin // columns, begin % columns]:
            continue
        queue[0], head, tail, count = begin, 0, 1, 0
        seen[begin // columns, begin % columns] = True
        while head < tail:
            row, column = queue[head] // columns, queue[head] % columns
            head += 1
            count += inside[row, column]
            for r, c in (
                (row + 1, column),
                (row - 1, column),
                (row, column + 1),
                (row, column - 1),
            ):
                if 0 <= r < rows and 0 <= c < columns and not seen[r, c]:
                    seen[r, c] = True
                    queue[tail] = r * columns + c
                    tail += 1
        if count > most:
            best, most = queue[:tail].copy(), count
    return best


@compiled
def _distance(columns: int, cell: int, other: int) -> float:
    """Between the centres of two cells, in cells."""
    return math.hypot(cell // columns - other // columns, cell % columns - other % columns)


@compiled
def _sees(free: Mask, cell: int, other: int) -> bool:
    """Whether the straight line between two cells runs over free cells, looked at twice a cell."""
    columns = free.shape[1]
    row, column = cell // columns, cell % columns
    rows_on, columns_on = other // columns - row, other % columns - column
    steps = 2 * max(abs(rows_on), abs(columns_on), 1)
    for i in range(1, steps):
        share = i / steps
        if not free[round(row + share * rows_on), round(column + share * columns_on)]:
            return False
    return True


@compiled
def path_lengths(free: Mask, begin: int, end: int, any_angle: bool) -> FloatArray:
    """(cells,) length in cells of the shortest path to each cell; infinity where there is none, and
    where it is not known yet when `end` has been reached.

    With `any_angle` in straight lines of any direction: Theta* (Nash et al. 2007) without a
    heuristic, which is Dijkstra's algorithm, but a cell continues the straight line from its
    predecessor's predecessor where that one sees it. Without, in the grid's eight directions: up to
    8 % longer, and found several times as soon.
    """
    rows, columns = free.shape
    cost = np.full(free.size, np.inf)
    cost[begin] = 0.0
    via = np.full(free.size, begin)
    queue = [(0.0, begin)]
    while queue:
        so_far, cell = heapq.heappop(queue)
        if cell == end:
            break
        if so_far > cost[cell]:
            continue
        for step in range(9):
            r, c = cell // columns + step // 3 - 1, cell % columns + step % 3 - 1
            if 0 <= r < rows and 0 <= c < columns and free[r, c]:
                near = r * columns + c
                origin = via[cell] if any_angle and _sees(free, via[cell], near) else cell
                total = cost[origin] + _distance(columns, origin, near)
                if total < cost[near]:
                    cost[near], via[near] = total, origin
                    heapq.heappush(queue, (total, near))
    return cost
