"""What it costs to be near an obstacle: grids of cells inflated by the robot (Nav2's layer)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import Config, parameter

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PathCosts(Config):
    """Which way is the best one: short, and clear of obstacles. In the words of Nav2's costmap."""

    padding: float = parameter(
        0.06, 'a path keeps this beyond the inscribed radius (m)', at_least=0.0, at_most=1.0
    )
    inflation_radius: float = parameter(
        0.5, 'obstacles cost up to this beyond the inscribed radius (m)', at_least=0.0, at_most=2.0
    )
    cost_scaling_factor: float = parameter(
        5.0,
        'how fast the cost of an obstacle falls with its distance (1/m)',
        above=0.0,
        at_most=100.0,
    )
    cost_weight: float = parameter(
        4.0, 'cost next to an obstacle, added to 1 for the length', at_least=0.0, at_most=1000.0
    )
    unknown_cost: float = parameter(
        0.3,
        'cost of what has not been seen, added to 1 for the length',
        at_least=0.0,
        at_most=1000.0,
    )
    tolerance: float = parameter(
        0.5,
        'a goal out of reach is replaced by a place within this distance (m)',
        at_least=0.0,
        at_most=10.0,
    )

    def inflation(self, inscribed_radius: float, resolution: float) -> Inflation:
        """Of a robot of that radius (m), on a grid with cells of that size (m)."""
        clearance = inscribed_radius + self.padding
        farthest = inscribed_radius + self.inflation_radius
        return Inflation.of(
            clearance, farthest, self.cost_scaling_factor, self.cost_weight, resolution
        )


@dataclass(frozen=True)
class Inflation:
    """Multipliers of the length of a step by the squared distance to the nearest obstacle (cells).

    1 + weight * exp(-cost_scaling_factor * d), where d is how far the obstacle is beyond the
    clearance.

    Attributes:
        by_square: (reach^2 + 2,) the last one holds for all that is farther than `reach`.
        least_square: cells nearer to an obstacle than this are not to be entered.
        reach: obstacles farther away than this cost nothing (cells).
    """

    by_square: Floats
    least_square: int
    reach: int

    @classmethod
    def of(
        cls,
        clearance: float,
        inflation_radius: float,
        cost_scaling_factor: float,
        weight: float,
        resolution: float,
    ) -> Inflation:
        """All in m and 1/m."""
        reach = math.ceil(max(inflation_radius, clearance) / resolution)
        beyond = resolution * np.sqrt(np.arange(reach * reach + 2)) - clearance
        by_square = 1.0 + weight * np.exp(-cost_scaling_factor * beyond)
        by_square[-1] = 1.0
        # Of whole numbers, k < x^2 as k < ceil(x^2): cells at exactly the clearance are clear.
        return cls(by_square, math.ceil((clearance / resolution) ** 2 - 1e-9), reach)


def squared_distances(occupied: NDArray[np.bool_], reach: int) -> NDArray[np.int64]:
    """(rows, columns) from each cell to the nearest occupied one, squared (cells).

    Exact up to `reach`; reach^2 + 1 for all that is farther. In two passes: along rows, then over
    the rows (A. Rosenfeld, J. Pfaltz, "Distance functions on digital pictures", 1968).
    """
    rows, columns = occupied.shape
    farthest = reach * reach + 1
    at = np.arange(columns)
    before = np.maximum.accumulate(np.where(occupied, at, -farthest), axis=1)
    after = np.minimum.accumulate(np.where(occupied, at, columns + farthest)[:, ::-1], axis=1)[
        :, ::-1
    ]
    along = np.minimum(np.minimum(at - before, after - at), reach + 1)
    along_square = np.pad(along * along, ((reach, reach), (0, 0)), constant_values=farthest)
    nearest = np.full((rows, columns), farthest)
    for step in range(-reach, reach + 1):
        begin = reach + step
        np.minimum(nearest, along_square[begin : begin + rows] + step * step, out=nearest)
    return nearest
