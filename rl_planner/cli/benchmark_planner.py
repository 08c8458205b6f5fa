"""`rl_planner benchmark planner`: how long the global planner takes for a way."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import add_seed, progress_bar, table

if TYPE_CHECKING:
    from rl_planner.navigation.occupancy import OccupancyMap

TEXT = """\
Measure how long the global planner takes for a way across a map of 400 x 400 cells of 0.05 m.

Each time it begins with the map: distances to obstacles, then to the goal, then the way. The time
is that of the processor, of which it uses one core.
"""

SIDE, CELL = 400, 0.05
REPETITIONS = 20
CORNERS = (1.0, 1.0), (19.0, 19.0)  # m, start and goal


def add_options(parser: argparse.ArgumentParser) -> None:
    add_seed(parser)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, print, and return the medians and the longest times, by map."""
    import numpy as np

    rng = np.random.default_rng(options.seed)
    maps = {
        'empty': _empty(),
        '200 pillars': _pillars(rng),
        'serpentine of 10 corridors': _serpentine(),
    }
    figures = {}
    with progress_bar('planner', len(maps), options.quiet) as bar:
        for name, area in maps.items():
            figures[name] = _times(area)
            bar.update()
    cells = [
        [
            name,
            f'{each["length"]:.0f} m',
            f'{each["median_ms"]:.0f} ms',
            f'{each["most_ms"]:.0f} ms',
        ]
        for name, each in figures.items()
    ]
    print(table(('map', 'way', 'median', 'longest'), cells))
    return figures


def _times(area: OccupancyMap) -> dict[str, float]:
    import numpy as np

    from rl_planner.navigation.config import RobotConfig
    from rl_planner.navigation.global_planner import GlobalPlanner

    planner = GlobalPlanner(RobotConfig())
    way = planner.plan(area, *CORNERS)
    length = float(np.hypot(*np.diff(way, axis=0).T).sum())
    times = [_time(lambda: planner.plan(area, *CORNERS)) for _ in range(REPETITIONS)]
    return {'length': length, 'median_ms': float(np.median(times)), 'most_ms': max(times)}


def _time(call: Callable[[], object]) -> float:
    """Of the processor (ms): other programs do not count."""
    began = time.process_time()
    call()
    return 1000.0 * (time.process_time() - began)


def _empty() -> OccupancyMap:
    import numpy as np

    from rl_planner.navigation.occupancy import OccupancyMap

    return OccupancyMap(np.zeros((SIDE, SIDE), np.int8), CELL)


def _pillars(rng: Any) -> OccupancyMap:
    """Single cells, none of them near start and goal."""
    area = _empty()
    rows, columns = rng.integers(40, SIDE - 40, (2, 200))
    area.cells[rows, columns] = 100
    return area


def _serpentine() -> OccupancyMap:
    """Corridors along y of 2 m, each open at the other end than the one before."""
    area = _empty()
    for wall in range(1, 10):
        column = wall * SIDE // 10
        area.cells[:, column] = 100
        opening = slice(SIDE - 30, SIDE) if wall % 2 else slice(0, 30)
        area.cells[opening, column] = 0
    return area
