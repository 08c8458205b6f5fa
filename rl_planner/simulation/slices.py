"""Solids cut by a horizontal plane at the lidar's height: what remains is a planar `World`.

Poses are (4, 4) homogeneous transforms from the solid's own frame to the world frame; lengths in
metres. A solid that stands on the cutting plane is cut, one that hangs from it is not.
"""

from __future__ import annotations

import numpy as np

from rl_planner.simulation.world import FloatArray, World

UPRIGHT = 1.0 - 1e-6  # cosine: physics leaves tilts of microradians; 1 mm over 0.7 m is upright
CYLINDER_SIDES = 36
_CORNERS = np.array([[0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])


def is_vertical(direction: FloatArray) -> bool:
    """Whether a (3,) direction of any length points up or down."""
    return bool(abs(direction[2]) >= UPRIGHT * np.linalg.norm(direction))


def cut_box(pose: FloatArray, size: FloatArray, height: float) -> World:
    """A box of (3,) `size`: one of `boxes` where it is upright, else the walls of a polygon."""
    if not is_vertical(pose[:3, 2]):
        return _cut_prism(pose, size[:2] * _CORNERS, size[2], height)
    if not _spans(pose, size[2], height):
        return World()
    yaw = np.arctan2(pose[1, 0], pose[0, 0])
    return World(boxes=np.array([[pose[0, 3], pose[1, 3], yaw, size[0], size[1]]]))


def cut_cylinder(pose: FloatArray, radius: float, length: float, height: float) -> World:
    """A cylinder along z: a disc where it is upright, else a polygon that holds the exact slice.

    The polygon is cut from the regular prism around the cylinder: at most 0.4 % of the radius wide.
    """
    if not is_vertical(pose[:3, 2]):
        angles = 2.0 * np.pi * np.arange(CYLINDER_SIDES) / CYLINDER_SIDES
        outer = radius / np.cos(np.pi / CYLINDER_SIDES)
        base = outer * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return _cut_prism(pose, base, length, height)
    if not _spans(pose, length, height):
        return World()
    return World(circles=np.array([[pose[0, 3], pose[1, 3], radius]]))


def cut_sphere(pose: FloatArray, radius: float, height: float) -> World:
    """A sphere: the disc of radius sqrt(r^2 - d^2) at the distance d from its centre."""
    squared = radius**2 - (height - pose[2, 3]) ** 2
    if squared <= 0.0:
        return World()
    return World(circles=np.array([[pose[0, 3], pose[1, 3], np.sqrt(squared)]]))


def cut_plane(pose: FloatArray, normal: FloatArray, size: FloatArray, height: float) -> World:
    """A rectangle of (2,) `size` across (3,) `normal`: a wall seen from both sides, or nothing.

    The sides lie as in Gazebo's MeshManager::CreatePlane: y = n x (1, 0, 0), or n x (0, 1, 0) for n
    along x, and x = y x n. A vertical plane is then size[0] long and size[1] high.
    """
    normal = normal / np.linalg.norm(normal)
    side_y = np.cross(normal, [1.0, 0.0, 0.0])
    if np.linalg.norm(side_y) < 1e-6:
        side_y = np.cross(normal, [0.0, 1.0, 0.0])
    side_y = side_y / np.linalg.norm(side_y)
    sides = np.stack([np.cross(side_y, normal), side_y])
    corners = _to_world(pose, (size * _CORNERS) @ sides)
    ends = _crossings(corners, np.roll(corners, -1, axis=0), height)
    return (
        World()
        if len(ends) < 2
        else World(walls=np.array([[*ends[0], *ends[1]], [*ends[1], *ends[0]]]))
    )


def _spans(pose: FloatArray, length: float, height: float) -> bool:
    return bool(-length / 2.0 <= height - pose[2, 3] < length / 2.0)


def _to_world(pose: FloatArray, points: FloatArray) -> FloatArray:
    return points @ pose[:3, :3].T + pose[:3, 3]


def _crossings(starts: FloatArray, ends: FloatArray, height: float) -> FloatArray:
    """(K, 2) where the edges from (N, 3) `starts` to (N, 3) `ends` pass through the plane."""
    crossing = (starts[:, 2] <= height) != (ends[:, 2] <= height)
    starts, ends = starts[crossing], ends[crossing]
    share = (height - starts[:, 2]) / (ends[:, 2] - starts[:, 2])
    return (starts + share[:, None] * (ends - starts))[:, :2]


def _cut_prism(pose: FloatArray, base: FloatArray, length: float, height: float) -> World:
    """Cut the upright prism over a convex (N, 2) `base`, centred on its frame's origin."""
    level = np.full((len(base), 1), length / 2.0)
    low = _to_world(pose, np.hstack([base, -level]))
    high = _to_world(pose, np.hstack([base, level]))
    starts = np.concatenate([low, low, high])
    ends = np.concatenate([high, np.roll(low, -1, axis=0), np.roll(high, -1, axis=0)])
    points = _crossings(starts, ends, height)
    return World(walls=_polygon(points))


def _polygon(points: FloatArray) -> FloatArray:
    """(W, 4) the edges, counter-clockwise, of the convex polygon with these (K, 2) corners."""
    if not len(points):
        return np.empty((0, 4))
    x, y = (points - points.mean(axis=0)).T
    points = points[np.argsort(np.arctan2(y, x))]
    walls = np.hstack([points, np.roll(points, -1, axis=0)])
    # an edge in the cutting plane gives its corners more than once
    walls = walls[np.hypot(walls[:, 2] - walls[:, 0], walls[:, 3] - walls[:, 1]) > 1e-9]
    return walls if len(walls) >= 3 else np.empty((0, 4))
