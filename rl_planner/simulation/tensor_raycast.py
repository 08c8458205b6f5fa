"""The lidars of many robots at once, as tensors: the geometry of raycast.py and discs.py."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.tensor_worlds import Scene

# Numbers in one intermediate tensor (64 MB): obstacles are cast so many at a time, whatever the
# numbers of robots, beams and obstacles are.
LARGEST = 2**24
INSIDE = 1e9  # 1 / range from within a disc


class TensorBeams(NamedTuple):
    """A lidar; angles in the base frame."""

    cos: Tensor  # (B,)
    sin: Tensor  # (B,)
    mount_x: float
    mount_y: float
    range_min: float
    range_max: float

    @classmethod
    def of(cls, scan: ScanGeometry, device: torch.device | str) -> TensorBeams:
        angles = torch.from_numpy(scan.beam_angles()).to(device)
        return cls(
            angles.cos().float(),
            angles.sin().float(),
            scan.mount_x,
            scan.mount_y,
            scan.range_min,
            scan.range_max,
        )

    def along(self, x: Tensor, y: Tensor) -> Tensor:
        """(N, K, B) x cos + y sin of (N, K) points and every beam."""
        return torch.addcmul(x[:, :, None] * self.cos, y[:, :, None], self.sin)

    def across(self, x: Tensor, y: Tensor) -> Tensor:
        """(N, K, B) x sin - y cos, likewise: above zero where the beam passes on the left."""
        return torch.addcmul(x[:, :, None] * self.sin, y[:, :, None], self.cos, value=-1)


class _Place(NamedTuple):
    """Where lidars are in the world, (N, 1) each; (c, s) is the robot's heading."""

    x: Tensor
    y: Tensor
    c: Tensor
    s: Tensor

    def turned(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Points (N, K) of the world as the lidars see them, along the robots' axes."""
        x, y = x - self.x, y - self.y
        return self.c * x + self.s * y, self.c * y - self.s * x


def sense(poses: Tensor, scene: Scene, beams: TensorBeams) -> Tensor:
    """(N, B) ranges from robots at `poses` (N, 3); inf is clear, -inf too close (REP-117)."""
    x, y, yaw = (each[:, None] for each in poses.float().unbind(1))
    c, s = yaw.cos(), yaw.sin()
    mount_x, mount_y = beams.mount_x, beams.mount_y
    place = _Place(x + c * mount_x - s * mount_y, y + s * mount_x + c * mount_y, c, s)
    inverse = torch.maximum(
        _cast_segments(scene.segments, place, beams), _cast_discs(scene.discs, place, beams)
    )
    least, most = 1.0 / beams.range_max, 1.0 / max(beams.range_min, 1e-9)
    ranges = torch.where(inverse < least, torch.inf, 1.0 / inverse.clamp(min=least))
    return torch.where(inverse > most, -torch.inf, ranges)


def _cast_segments(segments: Tensor, place: _Place, beams: TensorBeams) -> Tensor:
    """(N, B) the greatest 1 / range of walls from p0 to p1 = p0 + d, seen from their right:

    1/t = cross(u, d) / cross(p0, d) for directions u between p1 and p0.
    """
    x0, y0, x1, y1 = segments.unbind(1)
    (x0, y0), (x1, y1) = place.turned(x0, y0), place.turned(x1, y1)
    dx, dy = x1 - x0, y1 - y0
    cross = x0 * dy - dx * y0
    within = cross * cross <= beams.range_max**2 * (dx * dx + dy * dy)
    scale = torch.where((cross < 0.0) & within, 1.0 / cross, 0.0)
    p, q = dy * scale, -dx * scale
    nearest = torch.zeros(len(p), len(beams.cos), device=p.device)
    for part in _parts(p.shape[1], nearest.numel()):
        past_p1 = beams.across(x1[:, part], y1[:, part])
        before_p0 = beams.across(-x0[:, part], -y0[:, part])
        between = torch.minimum(past_p1, before_p0, out=past_p1) >= 0.0
        value = torch.where(between, beams.along(p[:, part], q[:, part]), 0.0)
        nearest = torch.maximum(nearest, value.amax(dim=1))
    return nearest


def _cast_discs(discs: Tensor, place: _Place, beams: TensorBeams) -> Tensor:
    """(N, B) the greatest 1 / range of discs of radius r at p:

    1/t = (u.p + sqrt(r^2 - cross(u, p)^2)) / (p.p - r^2).
    """
    x, y, radius = discs.unbind(1)
    x, y = place.turned(x, y)
    squared, inner, outer = x * x + y * y, radius * radius, (beams.range_max + radius).square()
    inside = squared <= inner
    # Of p and r by the denominator, the formula is left without it.
    scale = torch.where((squared < outer) & ~inside, 1.0 / (squared - inner), 0.0)
    x, y, squared_radius = x * scale, y * scale, (radius * scale).square()
    nearest = torch.zeros(len(x), len(beams.cos), device=x.device)
    for part in _parts(x.shape[1], nearest.numel()):
        along, across = beams.along(x[:, part], y[:, part]), beams.across(x[:, part], y[:, part])
        depth = torch.addcmul(squared_radius[:, part, None], across, across, value=-1)
        met = torch.minimum(along, depth, out=across) >= 0.0
        value = torch.where(met, along.add_(depth.clamp_(min=0.0).sqrt_()), 0.0)
        nearest = torch.maximum(nearest, value.amax(dim=1))
    return torch.where(inside.any(dim=1)[:, None], INSIDE, nearest)


def _parts(count: int, numbers: int) -> list[slice]:
    """Slices of `count` obstacles, of each of which a tensor of `numbers` is made."""
    step = max(LARGEST // max(numbers, 1), 1)
    return [slice(begin, begin + step) for begin in range(0, count, step)]
