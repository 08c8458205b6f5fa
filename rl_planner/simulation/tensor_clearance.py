"""How far robots are from all obstacles, as tensors: the geometry of clearance.py."""

from __future__ import annotations

import torch
from torch import Tensor

from rl_planner.navigation.footprint import Footprint
from rl_planner.simulation.tensor_worlds import Scene


def measure(poses: Tensor, scene: Scene, footprint: Footprint) -> Tensor:
    """(N,) float64, how far robots at `poses` (N, 3) are from the nearest obstacle (m).

    Below zero they touch it.
    """
    a, b, margin = footprint
    x, y, yaw = (each[:, None] for each in poses.float().unbind(1))
    c, s = yaw.cos(), yaw.sin()

    def in_robot_frame(px: Tensor, py: Tensor) -> tuple[Tensor, Tensor]:
        dx, dy = px - x, py - y
        return c * dx + s * dy, c * dy - s * dx

    x0, y0, x1, y1 = scene.segments.unbind(1)
    (x0, y0), (x1, y1) = in_robot_frame(x0, y0), in_robot_frame(x1, y1)
    if a > 0.0:
        of_segments = _segment_clearance(x0, y0, x1, y1, a, b)
    else:
        of_segments = _segment_distance(0.0, 0.0, x0, y0, x1 - x0, y1 - y0)
    disc_x, disc_y, radius = scene.discs.unbind(1)
    of_discs = _point_clearance(*in_robot_frame(disc_x, disc_y), a, b) - radius
    nearest = torch.minimum(of_segments.amin(dim=1), of_discs.amin(dim=1))
    return nearest.double() - margin


def _point_clearance(x: Tensor, y: Tensor, a: float, b: float) -> Tensor:
    """As `footprint.point_clearance`, of the rectangle 2 a x 2 b."""
    beside_x, beside_y = x.abs() - a, y.abs() - b
    outside = _length(beside_x.clamp(min=0.0), beside_y.clamp(min=0.0))
    return outside + torch.maximum(beside_x, beside_y).clamp(max=0.0)


def _segment_distance(x: float, y: float, x0: Tensor, y0: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """From (x, y) to the nearest point of segments from (x0, y0) along (dx, dy)."""
    ex, ey = x - x0, y - y0
    squared = (dx * dx + dy * dy).clamp(min=1e-12)
    share = ((ex * dx + ey * dy) / squared).clamp(0.0, 1.0)
    return _length(ex - share * dx, ey - share * dy)


def _segment_clearance(
    x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, a: float, b: float
) -> Tensor:
    """From the rectangle 2 a x 2 b to segments; below zero the depth of the overlap.

    By the separating axis theorem, as in clearance.py.
    """
    dx, dy = x1 - x0, y1 - y0
    length = _length(dx, dy).clamp(min=1e-6)
    along_x = torch.maximum(torch.minimum(x0, x1), -torch.maximum(x0, x1)) - a
    along_y = torch.maximum(torch.minimum(y0, y1), -torch.maximum(y0, y1)) - b
    across = ((x0 * dy - y0 * dx).abs() - a * dy.abs() - b * dx.abs()) / length
    apart = torch.maximum(torch.maximum(along_x, along_y), across)
    nearest = torch.minimum(_point_clearance(x0, y0, a, b), _point_clearance(x1, y1, a, b))
    for corner_x, corner_y in ((a, b), (a, -b), (-a, b), (-a, -b)):
        nearest = torch.minimum(nearest, _segment_distance(corner_x, corner_y, x0, y0, dx, dy))
    return torch.where(apart > 0.0, nearest, apart)


def _length(x: Tensor, y: Tensor) -> Tensor:
    return (x * x + y * y).sqrt()
