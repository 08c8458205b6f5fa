"""An occupancy grid as ROS has it: which cells of a map are free, occupied or unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.geometry import to_robot_frame

Floats = NDArray[np.float64]
Cells = NDArray[np.int64]
Mask = NDArray[np.bool_]

OCCUPIED = 65  # from this probability on a cell is occupied (%): Nav2's map server
MOST_CELLS = 16_000_000  # 200 m x 200 m at 5 cm
FINEST, COARSEST = 0.001, 10.0  # cells (m)


class MapError(ValueError):
    """A map that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True)
class OccupancyMap:
    """A map in a frame of its own (m, rad).

    Attributes:
        cells: (rows, columns) probability of an obstacle in percent, -1 where nothing is known; y
            by row, x by column.
        resolution: cell size (m).
        origin: x, y, yaw of the corner of the first cell.

    Raises:
        MapError: it has no cells or too many, or its numbers make no sense.
    """

    cells: NDArray[np.int8]
    resolution: float
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if self.cells.ndim != 2 or not 0 < self.cells.size <= MOST_CELLS:
            raise MapError(f'a map must have 1 to {MOST_CELLS} cells, got {self.cells.shape}')
        if not FINEST <= self.resolution <= COARSEST:
            raise MapError(
                f'resolution of a map must be {FINEST:g} to {COARSEST:g} m, got {self.resolution}'
            )
        if not all(map(math.isfinite, self.origin)):
            raise MapError(f'origin of a map must be finite, got {self.origin}')

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.cells.shape
        return rows, columns

    @property
    def occupied(self) -> Mask:
        """(rows, columns)"""
        return np.asarray(self.cells >= OCCUPIED)

    @property
    def unknown(self) -> Mask:
        """(rows, columns)"""
        return np.asarray(self.cells < 0)

    def cells_at(self, points: Floats) -> tuple[Cells, Mask]:
        """Row and column (n, 2) of the cells of points (n, 2) (m), and which of them there are."""
        x, y, yaw = self.origin
        local = np.stack(to_robot_frame(x, y, yaw, points[:, 0], points[:, 1]), axis=-1)
        limit = max(self.shape)
        at = np.clip(np.floor(local[:, ::-1] / self.resolution), -1, limit).astype(np.int64)
        return at, np.asarray(((at >= 0) & (at < self.shape)).all(axis=1))

    def points(self, cells: Cells) -> Floats:
        """(n, 2) the centres (m) of cells, given by row and column (n, 2)."""
        x, y, yaw = self.origin
        along = self.resolution * (cells[:, ::-1] + 0.5)
        c, s = math.cos(yaw), math.sin(yaw)
        return np.asarray(along @ np.array([[c, s], [-s, c]]) + [x, y])
