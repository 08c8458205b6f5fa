"""A planar world: what the lidar sees and the robot must not touch, cut at the lidar's height."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


class WorldError(ValueError):
    """A world that cannot be read or used; names the file or world, the element and the rule."""


def _rows(values: ArrayLike, columns: int, name: str) -> FloatArray:
    rows = np.asarray(values, dtype=np.float64).reshape(-1, columns)
    if not np.isfinite(rows).all():
        raise WorldError(f'{name} must be finite, got {rows[~np.isfinite(rows).all(axis=1)][0]}')
    return rows


@dataclass(frozen=True)
class World:
    """Obstacles of one world, in metres and radians, in its frame (REP-103: x forward, y left).

    Attributes:
        boxes: (B, 5) x, y, yaw, length (along its own x), width of solid rectangles.
        circles: (C, 3) x, y, radius of solid discs.
        walls: (W, 4) x0, y0, x1, y1: one-sided segments, solid on the left of p0 -> p1 and seen
            from the right, so the edges of a solid, taken counter-clockwise, are walls. What is
            neither box nor disc at the lidar's height (a plane, a tilted box) becomes walls.
        movers: (M, 7) x0, y0, x1, y1, radius, speed, offset: discs that go back and forth between
            p0 and p1 at a constant speed (m/s), having gone `offset` metres from p0 at time zero.
        name: for messages.
    """

    boxes: FloatArray = field(default_factory=lambda: np.empty((0, 5)))
    circles: FloatArray = field(default_factory=lambda: np.empty((0, 3)))
    walls: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    movers: FloatArray = field(default_factory=lambda: np.empty((0, 7)))
    name: str = 'world'

    def __post_init__(self) -> None:
        for attribute, columns in (('boxes', 5), ('circles', 3), ('walls', 4), ('movers', 7)):
            rows = _rows(getattr(self, attribute), columns, f'{self.name}: {attribute}')
            object.__setattr__(self, attribute, rows)
        sizes = (self.boxes[:, 3:], self.circles[:, 2:], self.movers[:, 4:5])
        if any((size <= 0.0).any() for size in sizes):
            raise WorldError(f'{self.name}: lengths, widths and radii must be above 0')

    def is_like(self, other: World) -> bool:
        """Whether the same stands and moves there, whatever the names."""
        names = ('boxes', 'circles', 'walls', 'movers')
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    @property
    def segments(self) -> FloatArray:
        """(4 B + W, 4) every one-sided segment: the boxes' edges, then the walls."""
        return np.concatenate([box_edges(self.boxes), self.walls])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """x_min, y_min, x_max, y_max of everything that stands or moves in the world."""
        ends = self.segments.reshape(-1, 2)
        discs = np.concatenate([self.circles, self.movers[:, [0, 1, 4]], self.movers[:, [2, 3, 4]]])
        low = np.concatenate([ends, discs[:, :2] - discs[:, 2:]])
        high = np.concatenate([ends, discs[:, :2] + discs[:, 2:]])
        if not len(low):
            return 0.0, 0.0, 0.0, 0.0
        return (*low.min(axis=0).tolist(), *high.max(axis=0).tolist())


def box_edges(boxes: FloatArray) -> FloatArray:
    """(4 B, 4) the edges of (B, 5) boxes, counter-clockwise, one box after the other."""
    signs = np.array([[1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0]])
    local = signs * boxes[:, None, 3:] / 2.0  # (B, 4, 2)
    c, s = np.cos(boxes[:, 2, None]), np.sin(boxes[:, 2, None])
    x = boxes[:, 0, None] + c * local[..., 0] - s * local[..., 1]
    y = boxes[:, 1, None] + s * local[..., 0] + c * local[..., 1]
    corners = np.stack([x, y], axis=-1)
    return np.concatenate([corners, np.roll(corners, -1, axis=1)], axis=-1).reshape(-1, 4)


def mover_positions(movers: FloatArray, time: float) -> FloatArray:
    """(M, 2) where (M, 7) movers are at `time` (s): a triangular wave along p0 -> p1."""
    path = movers[:, 2:4] - movers[:, 0:2]
    length = np.maximum(np.hypot(path[:, 0], path[:, 1]), 1e-9)
    travelled = np.mod(movers[:, 6] + movers[:, 5] * time, 2.0 * length)
    share = (length - np.abs(travelled - length)) / length
    return np.asarray(movers[:, 0:2] + share[:, None] * path)
