"""The obstacles of a planar world as solids of SDF, for whole worlds and for models alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rl_planner.simulation.world import World

OBSTACLE_HEIGHT = 0.5  # m: above any lidar plane of a small robot, low enough to look over
WALL_THICKNESS = 0.01  # m: through 1 mm a cylinder drives unhindered in ODE


class Shape(NamedTuple):
    """One solid that stands on the floor, `OBSTACLE_HEIGHT` high.

    Attributes:
        name: unique in its world.
        x: of its middle (m).
        y: of its middle (m).
        yaw: of its own x axis (rad).
        geometry: what stands in SDF's <geometry>.
    """

    name: str
    x: float
    y: float
    yaw: float
    geometry: str

    @property
    def pose(self) -> str:
        """SDF's six numbers of its middle."""
        return words(self.x, self.y, OBSTACLE_HEIGHT / 2.0, 0.0, 0.0, self.yaw)


def boxes(world: World) -> Iterator[Shape]:
    for number, (x, y, yaw, length, width) in enumerate(world.boxes):
        yield Shape(f'box_{number}', x, y, yaw, _box(length, width))


def circles(world: World) -> Iterator[Shape]:
    for number, (x, y, radius) in enumerate(world.circles):
        yield Shape(f'circle_{number}', x, y, 0.0, cylinder(radius))


def walls(world: World) -> Iterator[Shape]:
    """One-sided walls as boxes of `WALL_THICKNESS` on their solid side; SDF has no such walls."""
    for number, wall in enumerate(world.walls):
        along = wall[2:] - wall[:2]
        length = max(float(np.hypot(*along)), WALL_THICKNESS)
        left = np.array([-along[1], along[0]]) / length
        x, y = (wall[:2] + wall[2:]) / 2.0 + left * WALL_THICKNESS / 2.0
        yaw = np.arctan2(along[1], along[0])
        yield Shape(f'wall_{number}', x, y, yaw, _box(length, WALL_THICKNESS))


def cylinder(radius: float, height: float = OBSTACLE_HEIGHT) -> str:
    return f'<cylinder><radius>{words(radius)}</radius><length>{words(height)}</length></cylinder>'


def words(*numbers: float) -> str:
    """Numbers as text that reads back to the same numbers."""
    return ' '.join(repr(float(number)).removesuffix('.0') for number in numbers)


def _box(length: float, width: float) -> str:
    return f'<box><size>{words(length, width, OBSTACLE_HEIGHT)}</size></box>'
