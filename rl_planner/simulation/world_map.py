"""The map of a world, as a robot would have been given it: its still obstacles on a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rl_planner.navigation.occupancy import OccupancyMap
from rl_planner.simulation.free_space import bounds_of, free_cells
from rl_planner.simulation.world import World

MARGIN = 1.0  # of free space around all that is on the map: room to drive around it (m)


def world_map(
    world: World, resolution: float = 0.05, places: Sequence[tuple[float, float]] = ()
) -> OccupancyMap:
    """An occupancy grid: free, or occupied where an obstacle is within half a cell of its centre.

    Args:
        resolution: cell size (m).
        places: (x, y) that it must hold, besides all that stands or moves in the world (m).
    """
    x_min, y_min, x_max, y_max = bounds_of(world, places)
    xs = np.arange(x_min - MARGIN, x_max + MARGIN, resolution) + 0.5 * resolution
    ys = np.arange(y_min - MARGIN, y_max + MARGIN, resolution) + 0.5 * resolution
    free = free_cells(xs, ys, world.segments, world.circles, 0.5 * resolution)
    cells = np.where(free, 0, 100).astype(np.int8)
    return OccupancyMap(cells, resolution, (float(x_min - MARGIN), float(y_min - MARGIN), 0.0))
