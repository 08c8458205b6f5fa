"""What robots have seen so far: an occupancy grid around each of them, built from its scans."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.compiled import compiled

Cells = NDArray[np.int8]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

UNKNOWN, FREE, OCCUPIED = np.int8(-1), np.int8(0), np.int8(8)


@compiled
def _pass_through(
    cells: Cells, x: float, y: float, along_x: float, along_y: float, length: float
) -> None:
    """Count a beam in every cell it passes through from (x, y) on, in cells from the grid's corner.

    From one border between cells to the next (Amanatides and Woo 1987).
    """
    column, row = math.floor(x), math.floor(y)
    step_x, step_y = 1 if along_x > 0.0 else -1, 1 if along_y > 0.0 else -1
    apart_x, apart_y = 1.0 / max(abs(along_x), 1e-12), 1.0 / max(abs(along_y), 1e-12)
    next_x = apart_x * (column + 1.0 - x if step_x > 0 else x - column)
    next_y = apart_y * (row + 1.0 - y if step_y > 0 else y - row)
    rows, columns = cells.shape
    while 0 <= row < rows and 0 <= column < columns:
        cells[row, column] = max(cells[row, column] - 1, 0)
        if min(next_x, next_y) >= length:
            return
        if next_x < next_y:
            column, next_x = column + step_x, next_x + apart_x
        else:
            row, next_y = row + step_y, next_y + apart_y


@compiled
def _draw_scans(
    robots: Indices,
    poses: Floats,
    reach: Floats,
    returned: NDArray[np.bool_],
    beams: Floats,
    mount: tuple[float, float],
    resolution: float,
    corners: Indices,
    grids: NDArray[np.int8],
) -> None:
    """Count the beams in what they pass through, then occupy where they end: the last word."""
    rows, columns = grids.shape[1:]
    for i, robot in enumerate(robots):
        c, s = math.cos(poses[i, 2]), math.sin(poses[i, 2])
        x = (poses[i, 0] + c * mount[0] - s * mount[1]) / resolution - corners[robot, 0]
        y = (poses[i, 1] + s * mount[0] + c * mount[1]) / resolution - corners[robot, 1]
        for returns in (False, True):
            for beam in range(reach.shape[1]):
                along_x = c * beams[0, beam] - s * beams[1, beam]
                along_y = s * beams[0, beam] + c * beams[1, beam]
                length = reach[i, beam] / resolution
                if not returns and length > 0.0:
                    _pass_through(grids[robot], x, y, along_x, along_y, length)
                elif returns and returned[i, beam]:
                    row, column = math.floor(y + length * along_y), math.floor(x + length * along_x)
                    if 0 <= row < rows and 0 <= column < columns:
                        grids[robot, row, column] = OCCUPIED


@compiled
def _collect_points(
    robots: Indices,
    poses: Floats,
    reach: Floats,
    returned: NDArray[np.bool_],
    beams: Floats,
    mount: tuple[float, float],
    sight: tuple[float, float],
    resolution: float,
    corners: Indices,
    grids: NDArray[np.int8],
    distances: tuple[float, float],
    points: Floats,
    counts: Indices,
) -> None:
    """See `SeenMap.obstacle_points`: returns within distances[0], and within distances[1] occupied
    cells in directions that are more than sight[1] off sight[0].
    """
    rows, columns = grids.shape[1:]
    around = math.ceil(distances[1] / resolution) if sight[1] < math.pi else 0
    for i, robot in enumerate(robots):
        count = 0
        for beam in range(reach.shape[1]):
            px = mount[0] + reach[i, beam] * beams[0, beam]
            py = mount[1] + reach[i, beam] * beams[1, beam]
            if returned[i, beam] and px * px + py * py < distances[0] * distances[0]:
                points[i, count, 0], points[i, count, 1] = px, py
                count += 1
        c, s = math.cos(poses[i, 2]), math.sin(poses[i, 2])
        middle_x = math.floor(poses[i, 0] / resolution) - corners[robot, 0]
        middle_y = math.floor(poses[i, 1] / resolution) - corners[robot, 1]
        for row in range(max(middle_y - around, 0), min(middle_y + around, rows)):
            for column in range(max(middle_x - around, 0), min(middle_x + around, columns)):
                if grids[robot, row, column] <= FREE:
                    continue
                dx = (column + corners[robot, 0] + 0.5) * resolution - poses[i, 0]
                dy = (row + corners[robot, 1] + 0.5) * resolution - poses[i, 1]
                px, py = c * dx + s * dy, c * dy - s * dx
                off = math.atan2(py - mount[1], px - mount[0]) - sight[0]
                off = abs(off - 2.0 * math.pi * math.floor(off / (2.0 * math.pi) + 0.5))
                if off > sight[1] and count < points.shape[1]:
                    points[i, count, 0], points[i, count, 1] = px, py
                    count += 1
        counts[i] = count


class SeenMap:
    """Occupancy grids of N robots, each in the frame of its odometry, moving along with it.

    A return occupies its cell; beams that pass through free it again: what was there has moved on.
    That takes several, for a beam that grazes a wall passes through cells that hold some of it. Of
    readings (REP-117), +inf frees as far as the lidar sees, -inf is a return at the least range,
    and NaN and values out of range say nothing.

    Args:
        scan: the beams of every scan.
        num_robots: N.
        resolution: cell size (m).
        size: side of each grid (m); what is left behind by more than that is forgotten.

    Attributes:
        grids: (N, side, side) UNKNOWN, FREE, or above it how many more beams must pass through the
            cell to free it, at most OCCUPIED; y by row and x by column.
        corners: (N, 2) x, y of each grid's first cell: cell k of the frame is the interval
            [k, k + 1) * resolution.
    """

    def __init__(self, scan: ScanGeometry, num_robots: int, resolution: float, size: float) -> None:
        self._scan, self.resolution = scan, resolution
        side = math.ceil(size / resolution)
        self.grids: Cells = np.full((num_robots, side, side), UNKNOWN)
        self.corners: Indices = np.zeros((num_robots, 2), np.int64)
        self._begun = np.zeros(num_robots, np.bool_)
        angles = scan.beam_angles()
        self._beams = np.stack([np.cos(angles), np.sin(angles)])
        self._mount = (float(scan.mount_x), float(scan.mount_y))
        seen = 0.5 * abs(scan.angle_increment) * (scan.num_beams + 1)
        self._sight = (float(0.5 * (angles[0] + angles[-1])), float(seen))

    def update(self, robots: Indices, poses: Floats, ranges: NDArray[np.float32]) -> None:
        """Add a scan (n, num_beams) of each of `robots` (n,), at odometry poses (n, 3)."""
        self._follow(robots, poses)
        reach, returned = self._readings(ranges)
        scene = (self._beams, self._mount, self.resolution, self.corners, self.grids)
        _draw_scans(robots, poses, reach, returned, *scene)

    def obstacle_points(
        self,
        robots: Indices,
        poses: Floats,
        ranges: NDArray[np.float32],
        distance: float,
        blind_distance: float,
    ) -> tuple[Floats, Indices]:
        """Obstacles near the robots, in the robots' frames: points (n, most, 2), counts (n,) (m).

        What the scan shows now, within `distance` of the base; and what the map remembers of where
        no beam looks, within `blind_distance`.
        """
        reach, returned = self._readings(ranges)
        cells = (2 * math.ceil(blind_distance / self.resolution) + 1) ** 2
        points = np.empty((len(robots), ranges.shape[1] + cells, 2))
        counts = np.empty(len(robots), np.int64)
        scene = (self._beams, self._mount, self._sight, self.resolution, self.corners, self.grids)
        limits = (distance, blind_distance)
        _collect_points(robots, poses, reach, returned, *scene, limits, points, counts)
        return points, counts

    def cells_of(self, robots: Indices, positions: Floats) -> Indices:
        """(n, 2) row and column of positions (n, 2); of the nearest cell if outside the grid."""
        cells = np.floor(positions / self.resolution).astype(np.int64) - self.corners[robots]
        return np.clip(cells[:, ::-1], 0, self.grids.shape[1] - 1)

    def _readings(self, ranges: NDArray[np.float32]) -> tuple[Floats, NDArray[np.bool_]]:
        """How far each beam tells of (m), and whether it ends in a return."""
        scan = self._scan
        measured = (ranges >= scan.range_min) & (ranges <= scan.range_max)
        too_close, clear = np.isneginf(ranges), np.isposinf(ranges)
        reach = np.select(
            [measured, too_close, clear], [ranges, scan.range_min, scan.range_max], 0.0
        )
        return reach.astype(np.float64), measured | too_close

    def _follow(self, robots: Indices, poses: Floats) -> None:
        """Move the grids that their robots are about to leave, and begin new ones."""
        side = self.grids.shape[1]
        corners = np.floor(poses[:, :2] / self.resolution).astype(np.int64) - side // 2
        far = np.abs(corners - self.corners[robots]).max(axis=1) > side // 4
        for index in np.flatnonzero(far | ~self._begun[robots]):
            robot = robots[index]
            if self._begun[robot]:
                self.grids[robot] = _moved(self.grids[robot], corners[index] - self.corners[robot])
            self.corners[robot], self._begun[robot] = corners[index], True


def _moved(grid: Cells, shift: Indices) -> Cells:
    """The grid that begins at the cell `shift` (x, y) of `grid`; what it gains is unknown."""
    side = len(grid)
    x, y = (np.clip(shift, -side, side) + side).tolist()
    return np.pad(grid, side, constant_values=UNKNOWN)[y : y + side, x : x + side]
