"""Where a robot can be in a world, what it can reach from there, and how far that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from rl_planner.simulation.compiled import compiled
from rl_planner.simulation.grid_search import Cells, Mask, main_region, path_lengths
from rl_planner.simulation.world import FloatArray, World, WorldError

GOALS_PER_START = 4  # where goals must lie behind a detour, which is dear to find out


@compiled
def _squared_distance(x: float, y: float, segment: FloatArray) -> float:
    """From (x, y) to the nearest point of a segment x0, y0, x1, y1."""
    x0, y0 = segment[0], segment[1]
    dx, dy = segment[2] - x0, segment[3] - y0
    share = ((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-12)
    share = min(max(share, 0.0), 1.0)
    ex, ey = x - x0 - share * dx, y - y0 - share * dy
    return float(ex * ex + ey * ey)


@compiled
def _crossing(y: float, segment: FloatArray) -> tuple[int, float]:
    """(1, x) where a segment passes the height y upwards, (-1, x) downwards, (0, 0) elsewhere.

    Those to the right of a point add up to its winding number: how many solids it is in, as they
    are on the left of their segments. The two sides of a thin wall cancel.
    """
    x0, y0, x1, y1 = segment
    if (y0 <= y) == (y1 <= y):
        return 0, 0.0
    return 1 if y1 > y0 else -1, x0 + (y - y0) / (y1 - y0) * (x1 - x0)


@compiled
def _clearance_at(x: float, y: float, segments: FloatArray, circles: FloatArray) -> float:
    """Distance from (x, y) to the nearest obstacle; negative inside one."""
    squared, winding = np.inf, 0
    for segment in segments:
        squared = min(squared, _squared_distance(x, y, segment))
        sign, at = _crossing(y, segment)
        if at > x:
            winding += sign
    clearance = -math.sqrt(squared) if winding > 0 else math.sqrt(squared)
    for circle in circles:
        clearance = min(clearance, math.hypot(circle[0] - x, circle[1] - y) - circle[2])
    return clearance


@compiled
def _window(centres: FloatArray, low: float, high: float) -> tuple[int, int]:
    """[begin, end) of evenly spaced `centres` that holds all in [low, high]."""
    step = centres[1] - centres[0]
    begin, end = int((low - centres[0]) / step), int((high - centres[0]) / step) + 2
    return max(begin, 0), min(max(end, 0), len(centres))


@compiled
def free_cells(
    xs: FloatArray, ys: FloatArray, segments: FloatArray, circles: FloatArray, clearance: float
) -> Mask:
    """(rows, columns) whether `_clearance_at` each cell is at least `clearance`.

    Every obstacle looks only at the cells around it.
    """
    free = np.ones((len(ys), len(xs)), np.bool_)
    signs = np.zeros((len(ys), len(xs) + 1), np.int64)
    step = xs[1] - xs[0]
    for segment in segments:
        x0, y0, x1, y1 = segment
        for row in range(*_window(ys, min(y0, y1), max(y0, y1))):
            sign, at = _crossing(ys[row], segment)
            signs[row, min(max(math.ceil((at - xs[0]) / step), 0), len(xs))] += sign
        for row in range(*_window(ys, min(y0, y1) - clearance, max(y0, y1) + clearance)):
            for column in range(*_window(xs, min(x0, x1) - clearance, max(x0, x1) + clearance)):
                squared = _squared_distance(xs[column], ys[row], segment)
                free[row, column] &= squared >= clearance * clearance
    for x, y, radius in circles:
        reach = radius + clearance
        for row in range(*_window(ys, y - reach, y + reach)):
            for column in range(*_window(xs, x - reach, x + reach)):
                free[row, column] &= math.hypot(x - xs[column], y - ys[row]) >= reach
    for row in range(len(ys)):
        winding = 0
        for column in range(len(xs) - 1, -1, -1):
            winding += signs[row, column + 1]
            free[row, column] &= winding <= 0
    return free


def bounds_of(world: World, places: Sequence[tuple[float, float]]) -> FloatArray:
    """x_min, y_min, x_max, y_max of the world's obstacles and of those `places` that are finite.

    An empty world goes on for ever; 5 m around its origin are as good as any others.
    """
    if not (len(world.segments) or len(world.circles) or len(world.movers)):
        places = [*places, (-5.0, -5.0), (5.0, 5.0)]
    corners = np.array([world.bounds[:2], world.bounds[2:], *places])
    corners = corners[np.isfinite(corners).all(axis=1)]
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


class FreeSpace:
    """A grid over a world: the connected region in which a disc-shaped robot can drive.

    That is the one with the most space between the world's obstacles: inside an arena's walls, and
    not outside. Where no walls enclose it, it goes on around the outermost obstacles.

    Args:
        world: moving obstacles are left out: they give way in time.
        clearance: how far the robot's centre must stay from obstacles (m).
        resolution: cell size (m).
        places: (x, y) that the grid must hold, besides the obstacles (m).

    Raises:
        WorldError: no such cell is free.
    """

    def __init__(
        self,
        world: World,
        clearance: float,
        resolution: float = 0.1,
        places: Sequence[tuple[float, float]] = (),
    ) -> None:
        x_min, y_min, x_max, y_max = bounds_of(world, places)
        margin = 2.0 * clearance + resolution
        self.resolution = resolution
        self._name, self._clearance = world.name, clearance
        self._segments, self._circles = world.segments, world.circles
        self._xs = np.arange(x_min - margin, x_max + margin, resolution)
        self._ys = np.arange(y_min - margin, y_max + margin, resolution)
        self._free = free_cells(self._xs, self._ys, self._segments, self._circles, clearance)
        inside_x = (self._xs > x_min) & (self._xs < x_max)
        inside_y = (self._ys > y_min) & (self._ys < y_max)
        self.cells: Cells = main_region(self._free, inside_y[:, None] & inside_x)
        if not len(self.cells):
            raise WorldError(f'{world.name}: no place is {clearance:g} m clear of obstacles')

    def clearance_at(self, x: float, y: float) -> float:
        """Distance to the nearest still obstacle (m); negative inside one."""
        return float(_clearance_at(x, y, self._segments, self._circles))

    def points(self, cells: Cells) -> FloatArray:
        """(n, 2) the centres of cells (m)."""
        columns = len(self._xs)
        return np.stack([self._xs[cells % columns], self._ys[cells // columns]], axis=-1)

    def sample_pairs(
        self,
        rng: np.random.Generator,
        count: int,
        min_distance: float,
        min_detour: float = 1.0,
        may_start: Callable[[FloatArray], Mask] | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """(count, 2) starts and goals, connected, at least `min_distance` (m) apart.

        Args:
            min_detour: the shortest way is at least so many times as long as the straight line.
            may_start: which of (n, 2) places are fit to start from; all if not given.

        Raises:
            WorldError: there is no room for that.
        """
        starts: FloatArray = np.empty((0, 2))
        goals: FloatArray = np.empty((0, 2))
        for _ in range(20):
            cells = rng.choice(self.cells, (8 * count, 2))
            ends: FloatArray = self.points(cells.ravel()).reshape(-1, 2, 2)
            fit = np.hypot(*(ends[:, 1] - ends[:, 0]).T) >= min_distance
            if may_start is not None:
                fit &= may_start(ends[:, 0])
            ends = ends[fit]
            if min_detour > 1.0:
                few = ends[: -(-count // GOALS_PER_START), 0]
                ends = self._with_detours(rng, few, min_distance, min_detour)
            starts = np.concatenate([starts, ends[:, 0]])
            goals = np.concatenate([goals, ends[:, 1]])
            if len(starts) >= count:
                return starts[:count], goals[:count]
        raise WorldError(
            f'{self._name}: start and goal must be {min_distance:g} m apart, too little free space'
        )

    def _with_detours(
        self, rng: np.random.Generator, starts: FloatArray, min_distance: float, min_detour: float
    ) -> FloatArray:
        """(n, 2, 2) starts, with up to GOALS_PER_START goals each behind such a detour.

        The paths to all places take no longer to find than that to the farthest. They are those in
        the grid's eight directions.
        """
        pairs = []
        for start in starts:
            cells = rng.choice(self.cells, 64)
            straight = np.hypot(*(self.points(cells) - start).T)
            begin = self._cell((float(start[0]), float(start[1])), 'start')
            lengths = self.resolution * path_lengths(self._free, begin, -1, False)[cells]
            fit = (straight >= min_distance) & (lengths >= min_detour * straight)
            pairs += [(start, goal) for goal in self.points(cells[fit][:GOALS_PER_START])]
        return np.reshape(pairs, (-1, 2, 2))

    def path_length(self, start: tuple[float, float], goal: tuple[float, float]) -> float:
        """Length (m) of the shortest way for the robot, never less than the straight line.

        Raises:
            WorldError: start or goal is inside an obstacle, or the goal cannot be reached.
        """
        begin, end = self._cell(start, 'start'), self._cell(goal, 'goal')
        length = path_lengths(self._free, begin, end, True)[end]
        if not np.isfinite(length):
            raise WorldError(f'{self._name}: goal {goal} cannot be reached from {start}')
        return max(float(length) * self.resolution, math.dist(start, goal))

    def _cell(self, point: tuple[float, float], role: str) -> int:
        """The nearest free cell, at most two cells off: a point may lie in between."""
        if not np.isfinite(point).all():
            raise WorldError(f'{self._name}: {role} must be finite, got {point}')
        if self.clearance_at(*point) < 0.0:
            raise WorldError(f'{self._name}: {role} {point} is inside an obstacle')
        cells = np.flatnonzero(self._free)
        distances = np.hypot(*(self.points(cells) - point).T)
        nearest = int(np.argmin(distances))
        if distances[nearest] > 2.0 * self.resolution:
            raise WorldError(
                f'{self._name}: {role} {point} must be {self._clearance:g} m clear of obstacles'
            )
        return int(cells[nearest])
