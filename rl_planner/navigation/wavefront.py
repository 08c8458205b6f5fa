"""Shortest ways on a grid to one goal from everywhere, in numpy alone: a robot needs no compiler.

Dijkstra's distances, found by sweeps over whole rows, downwards and upwards in turn, until none
gets shorter (Zhao, "A fast sweeping method for Eikonal equations", Math. Comp. 2005, on the graph
of eight neighbours). Within a row, the shortest way along it is a running minimum. Rows next to
which nothing has changed are left out.
"""

from __future__ import annotations

import heapq
import itertools
import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Cell = tuple[int, int]  # row and column

DIAGONAL = math.sqrt(2.0)
CLOSED = math.inf  # multiplier of a cell that is not to be entered
LESS = 1e-3  # what gets shorter by no more than this has not changed (cells)


class Wavefront:
    """Distances to one goal.

    Args:
        multipliers: (rows, columns) of the length of a step from cell to cell: half of it counts
            by that of the one, half by that of the other. At least 1, CLOSED what is not entered.
        goal: must not be closed.

    Attributes:
        distances: (rows, columns) the least cost of a way to the goal (cells); infinite where there
            is none.
    """

    def __init__(self, multipliers: Floats, goal: Cell) -> None:
        self._multipliers = multipliers
        is_open = np.isfinite(multipliers)
        # No way costs as much: it enters each cell once, and leaves it. What goes through a closed
        # cell costs more, and sums along rows stay finite.
        wall = 1.0 + DIAGONAL * float(multipliers.sum(where=is_open))
        self._sweep(np.where(is_open, multipliers, wall), goal)
        self.distances[(self.distances >= wall) | ~is_open] = np.inf

    def _sweep(self, multipliers: Floats, goal: Cell) -> None:
        """Find the distances; what is closed is dear here."""
        down = 0.5 * (multipliers[1:] + multipliers[:-1])
        right = 0.5 * DIAGONAL * (multipliers[1:, 1:] + multipliers[:-1, :-1])
        left = 0.5 * DIAGONAL * (multipliers[1:, :-1] + multipliers[:-1, 1:])
        across = 0.5 * (multipliers[:, 1:] + multipliers[:, :-1])
        self._along = np.pad(np.cumsum(across, axis=1), ((0, 0), (1, 0)))
        # More than all rounding, or sweeps would go on for ever.
        self._less = max(LESS, 8.0 * float(np.spacing(self._along[:, -1].max())))
        self.distances = np.full(multipliers.shape, np.inf)
        self.distances[goal] = 0.0
        self._spread(goal[0])
        rows = len(multipliers)
        # Which rows have changed since the one below, and the one above, has looked at them.
        below, above = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
        below[goal[0]] = above[goal[0]] = True
        while below[:-1].any() or above[1:].any():
            for row in range(rows - 1):
                if below[row] and self._pull(row + 1, row, down[row], right[row], left[row]):
                    below[row + 1] = above[row + 1] = True
                below[row] = False
            for row in range(rows - 1, 0, -1):
                weights = down[row - 1], left[row - 1], right[row - 1]
                if above[row] and self._pull(row - 1, row, *weights):
                    below[row - 1] = above[row - 1] = True
                above[row] = False

    def _pull(self, row: int, other: int, straight: Floats, right: Floats, left: Floats) -> bool:
        """Go from row `other` to its neighbour `row`, and along; whether that is shorter anywhere.

        Args:
            straight: (columns,) weights of the steps between them.
            right: (columns - 1,) of those that end one column farther right.
            left: (columns - 1,) of those that end one column farther left.
        """
        source, target = self.distances[other], self.distances[row]
        found = np.minimum(target, source + straight)
        np.minimum(found[1:], source[:-1] + right, out=found[1:])
        np.minimum(found[:-1], source[1:] + left, out=found[:-1])
        if not (found < target - self._less).any():
            return False
        self.distances[row] = found
        self._spread(row)
        return True

    def _spread(self, row: int) -> None:
        """Along a row: the least of d[k] + along[j] - along[k], k before j; and the mirror."""
        line, along = self.distances[row], self._along[row]
        np.minimum(line, along + np.minimum.accumulate(line - along), out=line)
        back = np.minimum.accumulate((line + along)[::-1])[::-1]
        np.minimum(line, back - along, out=line)

    def way(self, start: Cell) -> list[Cell]:
        """The cells of the shortest way from `start` to the goal; none where there is none."""
        if not math.isfinite(self.distances[start]):
            return []
        rows, columns = self.distances.shape
        way = [start]
        while self.distances[way[-1]] > 0.0:
            row, column = way[-1]
            options = [
                (self._through(way[-1], (r, c)), (r, c))
                for r in range(max(row - 1, 0), min(row + 2, rows))
                for c in range(max(column - 1, 0), min(column + 2, columns))
                if self.distances[r, c] < self.distances[row, column]
            ]
            way.append(min(options)[1])
        return way

    def _through(self, cell: Cell, near: Cell) -> float:
        """Cost of the way from `cell` that goes through its neighbour `near` (cells)."""
        length = DIAGONAL if cell[0] != near[0] and cell[1] != near[1] else 1.0
        weight = 0.5 * length * (self._multipliers[cell] + self._multipliers[near])
        return float(weight + self.distances[near])


def way_out(free: Mask, walls: Mask, start: Cell, farthest: float) -> list[Cell]:
    """The cells of the shortest way from `start` to a free cell; none where there is none.

    Dijkstra's algorithm, on few cells. Walls are not entered, nor passed between two that touch at
    their corners.

    Args:
        free, walls: (rows, columns)
        farthest: the way is no longer than this (cells).
    """
    rows, columns = walls.shape
    came_from: dict[Cell, Cell] = {}
    queue = [(0.0, start, start)]
    while queue:
        far, cell, before = heapq.heappop(queue)
        if cell in came_from:
            continue
        came_from[cell] = before
        if free[cell]:
            way = [cell]
            while way[-1] != start:
                way.append(came_from[way[-1]])
            return way[::-1]
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            row, column = near = cell[0] + down, cell[1] + right
            total = far + math.hypot(down, right)
            if total > farthest or not (0 <= row < rows and 0 <= column < columns):
                continue
            is_between = walls[row, cell[1]] and walls[cell[0], column]
            if not (walls[near] or is_between):
                heapq.heappush(queue, (total, near, cell))
    return []
