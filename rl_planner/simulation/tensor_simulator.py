"""The batch simulator as tensors: N robots, one control period at a time, on any device."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.kinematics import Limits
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.motion import Dynamics, whole_periods
from rl_planner.simulation.tensor_clearance import measure
from rl_planner.simulation.tensor_raycast import TensorBeams, sense
from rl_planner.simulation.tensor_worlds import Scene, TensorWorlds

LOOK = 4096  # robots whose first scans are cast at a time


class TensorSimulator:
    """What `BatchSimulator` does, with tensors, whose attributes it has.

    Robots are in double precision, as they are there: next to the beams and obstacles, which are
    in float32, they cost nothing. All that is random comes from `generator`, of the same device.

    One departure: a touching robot that is kept from driving deeper is said to be as deep as it
    was, though what it touches may have moved. In the environment its episode is over.
    """

    def __init__(
        self,
        robot: RobotConfig,
        lidar: LidarConfig,
        worlds: TensorWorlds,
        num_robots: int,
        control_period: float,
        generator: torch.Generator | None = None,
        disturbance: DisturbanceConfig | None = None,
    ) -> None:
        self.lidar, self.obstacles, self.generator = lidar, worlds, generator
        self.disturbance = disturbance or DisturbanceConfig()
        self.device = worlds.segments.device
        self._footprint = Footprint.of(robot)
        self._beams = TensorBeams.of(ScanGeometry.of(lidar), self.device)
        self._dynamics = Dynamics.of(robot, self.disturbance, control_period)
        self._make_state(num_robots, whole_periods(self.disturbance, control_period))

    def _make_state(self, count: int, late: int) -> None:
        def zeros(*size: int) -> Tensor:
            return torch.zeros(size, dtype=torch.float64, device=self.device)

        self.poses, self.velocities = zeros(count, 3), zeros(count, 2)
        self.odometry, self.measured_velocities = self.poses, self.velocities
        self.times, self.clearances, self.least_clearances = (zeros(count) for _ in range(3))
        self.worlds = torch.zeros(count, dtype=torch.int64, device=self.device)
        self.ranges = torch.full((count, self.lidar.num_beams), torch.inf, device=self.device)
        self.gains, self.odometry_gains = zeros(count, 2) + 1.0, zeros(count, 2) + 1.0
        self._given = zeros(late + 2, count, 2)  # the last commands, the newest one last

    def look(self, worlds: Tensor, poses: Tensor) -> tuple[Tensor, Tensor]:
        """Ranges (n, B) and clearances (n,) at `poses` (n, 3) in `worlds` (n,), at time zero."""
        scans = []
        for ids, places in zip(torch.split(worlds, LOOK), torch.split(poses, LOOK), strict=True):
            scene = self.obstacles.around(ids, torch.zeros_like(places[:, 0]))
            scans.append(
                (sense(places, scene, self._beams), measure(places, scene, self._footprint))
            )
        ranges, clearances = zip(*scans, strict=True)
        return torch.cat(ranges), torch.cat(clearances)

    def place(
        self, chosen: Tensor, worlds: Tensor, poses: Tensor, ranges: Tensor, clearances: Tensor
    ) -> None:
        """Put the robots of a mask (N,) at rest at `poses` (N, 3) in `worlds` (N,), at time zero.

        Args:
            ranges, clearances: what `look` finds there, (N, B) and (N,).
        """
        rows = chosen[:, None]
        self.worlds = torch.where(chosen, worlds, self.worlds)
        self.times = torch.where(chosen, 0.0, self.times)
        self.poses = torch.where(rows, poses, self.poses)
        self.velocities = torch.where(rows, 0.0, self.velocities)
        self._given = torch.where(rows, 0.0, self._given)
        self.clearances = torch.where(chosen, clearances, self.clearances)
        self.least_clearances = torch.where(chosen, clearances, self.least_clearances)
        self.ranges = torch.where(rows, self._disturbed(ranges), self.ranges)
        if self._dynamics.exact_odometry:
            self.odometry, self.measured_velocities = self.poses, self.velocities
        else:
            self.odometry = torch.where(rows, poses, self.odometry)
            self.measured_velocities = torch.where(rows, 0.0, self.measured_velocities)
        self._draw_gains(rows)

    def step(self, commands: Tensor) -> None:
        """Drive by commands (N, 2) (m/s, rad/s) for one control period; then scan."""
        dynamics = self._dynamics
        self._given = torch.cat([self._given[1:], commands[None]])
        self.least_clearances = torch.full_like(self.clearances, torch.inf)
        for phase, duration in enumerate((dynamics.rest, dynamics.period - dynamics.rest)):
            if duration < 1e-9:
                continue
            self._accelerate(self._given[phase], duration)
            pieces = max(math.ceil(duration / dynamics.longest_piece - 1e-9), 1)
            for _ in range(pieces):
                scene = self._advance(duration / pieces)
        self.ranges = self._disturbed(sense(self.poses, scene, self._beams))

    def _accelerate(self, commands: Tensor, duration: float) -> None:
        """Change velocities within `duration` (s) towards `commands` (N, 2)."""
        dynamics = self._dynamics
        if dynamics.given_limited:
            commands = _limited(commands, dynamics.limits) * self.gains
        limits = dynamics.reachable
        change = _limited(commands, limits) - self.velocities
        most = (limits.max_linear_accel * duration, limits.max_angular_accel * duration)
        self.velocities = self.velocities + _clamped(change, (-most[0], -most[1]), most)
        self.measured_velocities = self.velocities
        if not dynamics.exact_odometry:
            self.measured_velocities = self.velocities * self.odometry_gains

    def _advance(self, dt: float) -> Scene:
        """Let time pass, and robots move, but not deeper into what they touch; the scene then."""
        exact = self._dynamics.exact_odometry
        poses = _integrated(self.poses, self.velocities, dt)
        self.times = self.times + dt
        scene = self.obstacles.around(self.worlds, self.times)
        clearances = measure(poses, scene, self._footprint)
        self.least_clearances = torch.minimum(self.least_clearances, clearances)
        held = (self.clearances < 0.0) & (clearances < self.clearances)
        rows = held[:, None]
        self.clearances = torch.where(held, self.clearances, clearances)
        self.poses = torch.where(rows, self.poses, poses)
        if exact:
            self.odometry = self.poses
        else:
            odometry = _integrated(self.odometry, self.measured_velocities, dt)
            self.odometry = torch.where(rows, self.odometry, odometry)
        self.velocities = torch.where(rows, 0.0, self.velocities)
        self.measured_velocities = torch.where(rows, 0.0, self.measured_velocities)
        return scene

    def _draw_gains(self, rows: Tensor) -> None:
        """New gains for the rows of a mask (N, 1)."""
        config = self.disturbance
        if self._dynamics.given_limited:
            gains = config.gain * (1.0 + config.gain_error * self._uniform())
            self.gains = torch.where(rows, gains, self.gains)
        if not self._dynamics.exact_odometry:
            gains = 1.0 + config.odometry_error * self._uniform()
            self.odometry_gains = torch.where(rows, gains, self.odometry_gains)

    def _uniform(self) -> Tensor:
        """(N, 2) numbers from [-1, 1)."""
        return 2.0 * torch.rand(self.gains.shape, generator=self.generator, device=self.device) - 1

    def _disturbed(self, ranges: Tensor) -> Tensor:
        """Normal noise on what has been measured; what leaves the range limits is no distance."""
        lidar, dropout = self.lidar, self.disturbance.lidar_dropout
        source: dict[str, Any] = {'generator': self.generator, 'device': self.device}
        if lidar.noise_std:
            ranges = ranges + lidar.noise_std * torch.randn(ranges.shape, **source)
            ranges = torch.where(ranges < lidar.range_min, -torch.inf, ranges)
            ranges = torch.where(ranges > lidar.range_max, torch.inf, ranges)
        if dropout:
            ranges = torch.where(torch.rand(ranges.shape, **source) < dropout, torch.inf, ranges)
        return ranges


def _limited(commands: Tensor, limits: Limits) -> Tensor:
    """Commands (N, 2) within a robot's velocity limits."""
    low = (limits.min_linear_vel, -limits.max_angular_vel)
    return _clamped(commands, low, (limits.max_linear_vel, limits.max_angular_vel))


def _clamped(pairs: Tensor, low: tuple[float, float], high: tuple[float, float]) -> Tensor:
    """Pairs (N, 2), each number within limits of its own; those stay with the host."""
    first, second = pairs.unbind(1)
    return torch.stack([first.clamp(low[0], high[0]), second.clamp(low[1], high[1])], dim=1)


def _integrated(poses: Tensor, velocities: Tensor, dt: float) -> Tensor:
    """Poses (N, 3) after `dt` (s) at velocities (N, 2): along the arc, `kinematics.integrate`."""
    (x, y, yaw), (v, w) = poses.unbind(1), velocities.unbind(1)
    turn = w * dt
    chord = v * dt * torch.sinc(turn / (2.0 * math.pi))
    middle = yaw + 0.5 * turn
    return torch.stack([x + chord * middle.cos(), y + chord * middle.sin(), yaw + turn], dim=1)
