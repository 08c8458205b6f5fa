"""Shortest ways on a map of what stands there: what a robot follows that has no Nav2.

Dijkstra's algorithm on cells inflated by the robot, in numpy alone. A way is kept as long as
nothing stands in it, the robot keeps to it and the map stays as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import RobotConfig, parameter
from rl_planner.navigation.inflation import PathCosts, squared_distances
from rl_planner.navigation.occupancy import OccupancyMap
from rl_planner.navigation.path import LONGEST
from rl_planner.navigation.wavefront import CLOSED, Cell, Wavefront, way_out

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Point = tuple[float, float]


class PlanningError(ValueError):
    """There is no way; the message says why."""


@dataclass(frozen=True)
class GlobalPlannerConfig(PathCosts):
    """What the ways of the global planner are like."""

    allow_unknown: bool = parameter(True, 'ways may lead through what nothing is known about')


class GlobalPlanner:
    """Plans ways for one robot."""

    def __init__(self, robot: RobotConfig, config: GlobalPlannerConfig | None = None) -> None:
        self._robot, self._config = robot, config or GlobalPlannerConfig()

    def plan(
        self, area: OccupancyMap, start: Point, goal: Point, seen: Mask | None = None
    ) -> Floats:
        """(M, 2) the way from start to goal (m), as points about a cell apart.

        A robot that stands closer to an obstacle than it should first gets out of there. A goal
        that is closer to one is replaced by the nearest place that is not, within `tolerance`.
        Neither crosses what is occupied: the far side of a thin wall may be nearer. What has been
        seen where the robot or the goal itself is does not keep them there, the map does.

        Args:
            seen: (rows, columns) cells that are occupied besides those of the map.

        Raises:
            PlanningError: start or goal is off the map or inside an obstacle of it, or there is no
                way, or it is longer than a path may be.
        """
        occupied = area.occupied if seen is None else area.occupied | seen
        multipliers = self._multipliers(area, occupied)
        free = multipliers < CLOSED
        near = self._robot.inscribed_radius + self._config.padding + 2.0 * area.resolution
        out = self._way_out(area, occupied, free, start, 'the robot', near)
        aside = self._way_out(area, occupied, free, goal, 'the goal', self._config.tolerance)
        way = Wavefront(multipliers, aside[-1]).way(out[-1])
        if not way:
            raise PlanningError(f'there is no way from {_text(start)} to the goal {_text(goal)}')
        points = area.points(np.array(out + way[1:]))
        if len(aside) == 1:  # a way ends at the place itself, not in the middle of its cell
            points[-1] = goal
        points = np.concatenate([[start], points[1:] if len(points) > 1 else points])
        length = float(np.hypot(*np.diff(points, axis=0).T).sum())
        if length > LONGEST:
            raise PlanningError(f'the way is {length:.0f} m long, allowed are {LONGEST:g} m')
        return points

    def is_blocked(self, area: OccupancyMap, path: Floats, seen: Mask) -> bool:
        """Whether cells that have been `seen` to be occupied stand in a path (M, 2) (m).

        Half the least clearance is enough: returns flicker between neighbouring cells.
        """
        cells, inside = area.cells_at(path)
        cells = cells[inside]
        if not len(cells) or not seen.any():
            return False
        clearance = 0.5 * (self._robot.inscribed_radius + self._config.padding)
        reach = math.ceil(clearance / area.resolution)
        top, left = np.maximum(cells.min(axis=0) - reach, 0)
        bottom, right = cells.max(axis=0) + reach + 1
        squares = squared_distances(seen[top:bottom, left:right], reach)
        near = squares[cells[:, 0] - top, cells[:, 1] - left]
        return bool((near * area.resolution**2 < clearance**2).any())

    def _way_out(
        self,
        area: OccupancyMap,
        occupied: Mask,
        free: Mask,
        place: Point,
        name: str,
        farthest: float,
    ) -> list[Cell]:
        """From the cell of a place to the nearest one where the robot can be (m).

        Raises:
            PlanningError: there is no such cell.
        """
        if not all(map(math.isfinite, place)):
            raise PlanningError(f'{name} must be at a finite place, got {place}')
        cells, inside = area.cells_at(np.array([place]))
        if not inside[0]:
            raise PlanningError(f'{name} {_text(place)} is off the map')
        row, column = cells[0].tolist()
        if area.occupied[row, column]:
            raise PlanningError(f'{name} {_text(place)} is inside an obstacle of the map')
        walls = area.occupied if occupied[row, column] else occupied
        way = way_out(free, walls, (row, column), farthest / area.resolution)
        if not way:
            what = 'an obstacle' if self._config.allow_unknown else 'an obstacle or the unknown'
            raise PlanningError(f'{name} {_text(place)} is too close to {what}')
        return way

    def _multipliers(self, area: OccupancyMap, occupied: Mask) -> Floats:
        """(rows, columns) of the length of a step; CLOSED where the robot cannot be."""
        inflation = self._config.inflation(self._robot.inscribed_radius, area.resolution)
        squares = squared_distances(occupied, inflation.reach)
        multipliers = inflation.by_square[squares]
        # Not less than a cell: no way leads between two obstacles that touch at their corners.
        multipliers[squares < max(inflation.least_square, 2)] = CLOSED
        unknown = area.unknown & ~occupied
        if self._config.allow_unknown:
            multipliers[unknown & (multipliers < CLOSED)] += self._config.unknown_cost
        else:
            multipliers[unknown] = CLOSED
        return multipliers


def _text(place: Point) -> str:
    return f'({place[0]:.2f}, {place[1]:.2f})'
