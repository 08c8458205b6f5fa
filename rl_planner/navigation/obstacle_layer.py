"""What the lidar shows that is not in the map: an obstacle layer, as Nav2's costmaps have.

A return marks its cell, a beam that passes through a cell clears it again, as does the robot that
stands in it, and what has not been seen for a while is forgotten: it may have moved on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import Config, parameter
from rl_planner.navigation.inflation import squared_distances
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.occupancy import Mask, OccupancyMap

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ObstacleLayerConfig(Config):
    """How obstacles that are not in the map are remembered."""

    obstacle_max_range: float = parameter(
        2.5, 'returns beyond this distance mark nothing (m)', above=0.0, at_most=100.0
    )
    map_margin: float = parameter(
        0.15,
        'returns so near to an obstacle of the map are taken for it; it covers the errors of map '
        'and localisation (m)',
        at_least=0.0,
        at_most=2.0,
    )
    obstacle_memory: float = parameter(
        20.0, 'obstacles that have not been seen for so long are forgotten (s)', above=0.0
    )


class ObstacleLayer:
    """Cells of one map that scans have shown to be occupied.

    Args:
        inscribed_radius: so far around the robot is nothing but the robot (m).
    """

    def __init__(
        self,
        area: OccupancyMap,
        inscribed_radius: float,
        config: ObstacleLayerConfig | None = None,
    ) -> None:
        self._area, self._config = area, config or ObstacleLayerConfig()
        reach = math.ceil(self._config.map_margin / area.resolution)
        squares = squared_distances(area.occupied, reach)
        self._in_map = squares <= (self._config.map_margin / area.resolution) ** 2
        self._stamps = np.full(area.shape, -np.inf)  # when each cell was last marked (s)
        step = 0.5 * area.resolution
        side = step * np.arange(-(inscribed_radius // step), inscribed_radius // step + 1.0)
        square = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        self._footprint = square[np.hypot(*square.T) <= inscribed_radius]  # (n, 2) places (m)

    def update(
        self, pose: Floats, ranges: NDArray[np.float32], scan: ScanGeometry, stamp: float
    ) -> None:
        """Add a scan (num_beams,), taken at `pose` (3,) x, y, yaw in the frame of the map (m, rad).

        Of readings (REP-117), +inf clears as far as obstacles would be marked; NaN, -inf and values
        out of range say nothing.
        """
        measured = (ranges >= scan.range_min) & (ranges <= scan.range_max)
        farthest = min(self._config.obstacle_max_range, scan.range_max)
        readings = np.select([measured, np.isposinf(ranges)], [ranges, np.inf], 0.0)
        lengths: Floats = np.minimum(readings, farthest).astype(np.float64)
        self._clear(pose, lengths, scan)
        marking = measured & (ranges <= farthest)
        ends = self._places(pose, lengths[marking], scan, np.flatnonzero(marking))
        cells, inside = self._area.cells_at(ends)
        rows, columns = cells[inside].T
        new = ~self._in_map[rows, columns]
        self._stamps[rows[new], columns[new]] = stamp
        cells, inside = self._area.cells_at(pose[:2] + self._footprint)
        self._stamps[tuple(cells[inside].T)] = -np.inf

    def occupied(self, stamp: float) -> Mask:
        """(rows, columns) what is remembered at the time `stamp` (s)."""
        return np.asarray(np.abs(stamp - self._stamps) <= self._config.obstacle_memory)

    def _clear(self, pose: Floats, lengths: Floats, scan: ScanGeometry) -> None:
        """Forget what beams pass through, looked at twice a cell, short of their ends."""
        step = 0.5 * self._area.resolution
        farthest = float(lengths.max(initial=0.0))
        along: Floats = np.arange(scan.range_min + step, farthest, step, dtype=np.float64)
        beams, samples = np.nonzero(along < lengths[:, None] - 2.0 * self._area.resolution)
        cells, inside = self._area.cells_at(self._places(pose, along[samples], scan, beams))
        self._stamps[tuple(cells[inside].T)] = -np.inf

    def _places(
        self, pose: Floats, lengths: Floats, scan: ScanGeometry, beams: NDArray[np.int64]
    ) -> Floats:
        """(n, 2) the places of the map that are `lengths` (n,) along `beams` (n,) (m)."""
        x, y, yaw = pose.tolist()
        c, s = math.cos(yaw), math.sin(yaw)
        angles = yaw + scan.beam_angles()[beams]
        return np.stack(
            [
                x + c * scan.mount_x - s * scan.mount_y + lengths * np.cos(angles),
                y + s * scan.mount_x + c * scan.mount_y + lengths * np.sin(angles),
            ],
            axis=-1,
        )
