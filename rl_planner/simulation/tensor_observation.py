"""Observations of many robots at once, as tensors.

`ObservationEncoder` and `ScanHistory` are the definitions; a test compares what comes out. Angles
that decide on a sector are in double precision, as theirs are.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from rl_planner.navigation.observation import ObservationEncoder
from rl_planner.simulation.perception import Scales, Sectors

TURN = 2.0 * math.pi


class TensorObserver:
    """Turns what N robots sense into observations (N, size), and remembers earlier scans.

    Attributes:
        parts: the objects whose attributes hold all tensors that change.
    """

    def __init__(
        self, encoder: ObservationEncoder, num_robots: int, device: torch.device | str
    ) -> None:
        config = encoder.config
        self._sectors, self._scales = Sectors.of(encoder), Scales.of(encoder)
        self._clip = config.range_clip
        self._table = torch.from_numpy(self._sectors.table).to(device)
        self._cos = torch.from_numpy(self._sectors.cos).to(device)
        self._sin = torch.from_numpy(self._sectors.sin).to(device)
        numbers = torch.from_numpy(encoder.robot_numbers).to(device)
        self._robot_numbers = numbers.expand(num_robots, -1)
        self._past = None
        if config.history_steps:
            self._past = _Past(config.history_steps, config.num_sectors, num_robots, device)
        self.parts = (self._past,) if self._past else ()

    def observe(
        self,
        ranges: Tensor,
        odometry: Tensor,
        velocities: Tensor,
        commands: Tensor,
        goals: Tensor,
        begun: Tensor | None = None,
    ) -> Tensor:
        """(N, size) the observations of all robots.

        Args:
            ranges: (N, B) scans (m).
            odometry: (N, 3) and velocities: (N, 2) as odometry tells them.
            commands: (N, 2) the last ones (m/s, rad/s).
            goals: (N, 2) in the world frame, which odometry takes its own for (m).
            begun: (N,) which robots begin a drive here. The others are then not taken in: what
                comes out for them is of no use. If not given, all of them go on.
        """
        nearest = self._nearest(ranges)
        parts = [
            1.0 - nearest / self._clip,
            self._goal(odometry, goals),
            self._shares(velocities),
            self._shares(commands),
            self._robot_numbers,
        ]
        if self._past is not None:
            parts.append(self._past.recall(nearest, odometry, self._clip, begun))
        return torch.cat(parts, dim=1)

    def _nearest(self, ranges: Tensor) -> Tensor:
        """(N, num_sectors) each sector's nearest return, at most range_clip (m)."""
        sectors = self._sectors
        valid = (ranges >= float(sectors.range_min)) & (ranges <= float(sectors.range_max))
        clean = torch.where(valid, ranges, torch.inf)
        clean = torch.where(ranges == -torch.inf, 0.0, clean)
        pooled = self._pool_points(clean) if sectors.mounted_off else self._pool_beams(clean)
        return pooled.clamp(max=self._clip)

    def _pool_beams(self, clean: Tensor) -> Tensor:
        padded = functional.pad(clean, (0, 1), value=torch.inf)  # the beam after the last is clear
        return padded[:, self._table].amin(dim=1)

    def _pool_points(self, clean: Tensor) -> Tensor:
        """By where each return lies as seen from the base, not from the lidar."""
        sectors, count = self._sectors, self._table.shape[1]
        nearest = torch.full((len(clean), count), torch.inf, device=clean.device)
        measured = torch.isfinite(clean)
        ranges = torch.where(measured, clean, 0.0).double()
        for cos, sin in zip(self._cos, self._sin, strict=True):
            x, y = sectors.mount_x + ranges * cos, sectors.mount_y + ranges * sin
            turns = (torch.atan2(y, x) + math.pi) / sectors.width
            sector = torch.remainder(torch.floor(turns + 1e-6).long(), count)
            distance = torch.where(measured, (x * x + y * y).sqrt().float(), torch.inf)
            nearest = nearest.scatter_reduce(1, sector, distance, 'amin')
        return nearest

    def _goal(self, odometry: Tensor, goals: Tensor) -> Tensor:
        """(N, 3) distance by its clip, cosine and sine of the bearing."""
        ahead, aside = _in_frame_of(odometry, goals)
        distance = (ahead * ahead + aside * aside).sqrt()
        safe = distance.clamp(min=1e-9)
        share = (distance / self._scales.goal_distance_clip).clamp(max=1.0)
        return torch.stack([share, ahead / safe, aside / safe], dim=1).float()

    def _shares(self, velocities: Tensor) -> Tensor:
        """Velocities (N, 2) by the robot's top speeds."""
        v, w = velocities.unbind(1)
        shares = v / self._scales.max_linear_vel, w / self._scales.max_angular_vel
        return torch.stack(shares, dim=1).float()


class _Past:
    """What N robots saw in the last `steps` control periods, in a ring for each."""

    def __init__(
        self, steps: int, num_sectors: int, num_robots: int, device: torch.device | str
    ) -> None:
        self._nearest = torch.zeros(num_robots, steps, num_sectors, device=device)
        self._poses = torch.zeros(num_robots, steps, 3, dtype=torch.float64, device=device)
        self._ages = torch.zeros(num_robots, dtype=torch.int64, device=device)  # scans of a drive
        middles = torch.arange(num_sectors, dtype=torch.float64, device=device) + 0.5
        angles = -math.pi + TURN / num_sectors * middles
        self._cos, self._sin = angles.cos(), angles.sin()

    def recall(self, nearest: Tensor, poses: Tensor, clip: float, begun: Tensor | None) -> Tensor:
        """Take in the present scans, and return the earlier ones as seen from the present poses.

        Args:
            nearest: (N, num_sectors) each sector's nearest return, at most `clip` (m).
            poses: (N, 3) x, y, yaw in a frame that stays (m, rad).
            begun: as of `TensorObserver.observe`.

        Returns:
            (N, num_sectors) 1 - distance / clip.
        """
        steps = self._nearest.shape[1]
        taken = torch.ones_like(self._ages, dtype=torch.bool) if begun is None else begun
        ages = self._ages if begun is None else torch.where(begun, 0, self._ages)
        slots = torch.remainder(ages, steps)
        oldest = torch.where(ages < steps, 0, slots)
        first = (ages == 0)[:, None]
        then = torch.where(first, poses, _taken(self._poses, oldest))
        ranges = torch.where(first, nearest, _taken(self._nearest, oldest))
        self._poses = _put(self._poses, slots, poses, taken)
        self._nearest = _put(self._nearest, slots, nearest, taken)
        self._ages = ages + taken
        return self._seen(then, ranges, poses, clip)

    def _seen(self, then: Tensor, ranges: Tensor, now: Tensor, clip: float) -> Tensor:
        """Sectors (N, num_sectors) of points seen at `then`, for who is at `now`; both (N, 3)."""
        ahead, aside = (each[:, None] for each in _in_frame_of(now, then))
        turn = (then[:, 2] - now[:, 2])[:, None]
        cos, sin = turn.cos(), turn.sin()
        x = ahead + ranges * (cos * self._cos - sin * self._sin)
        y = aside + ranges * (sin * self._cos + cos * self._sin)
        count = ranges.shape[1]
        sectors = ((torch.atan2(y, x) + math.pi) / (TURN / count)).long().clamp(max=count - 1)
        closeness = (1.0 - (x * x + y * y).sqrt() / clip).float()
        closeness = torch.where(ranges < clip, closeness, 0.0)
        return torch.zeros_like(ranges).scatter_reduce(1, sectors, closeness, 'amax')


def _in_frame_of(poses: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Points (N, 2 or more) of the world as robots at `poses` (N, 3) see them: R^T (p - (x, y))."""
    dx, dy = points[:, 0] - poses[:, 0], points[:, 1] - poses[:, 1]
    c, s = poses[:, 2].cos(), poses[:, 2].sin()
    return c * dx + s * dy, c * dy - s * dx


def _taken(ring: Tensor, slots: Tensor) -> Tensor:
    """ring[i, slots[i]] of each robot i: (N, K) of (N, steps, K)."""
    index = slots[:, None, None].expand(-1, 1, ring.shape[2])
    return ring.gather(1, index).squeeze(1)


def _put(ring: Tensor, slots: Tensor, values: Tensor, chosen: Tensor) -> Tensor:
    """The ring with values (N, K) in the slots of the robots of a mask (N,)."""
    values = torch.where(chosen[:, None], values, _taken(ring, slots))
    index = slots[:, None, None].expand(-1, 1, ring.shape[2])
    return ring.scatter(1, index, values[:, None])
