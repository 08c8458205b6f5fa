"""The batch simulator: N robots, each in a world of its own, one control period at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation import kinematics
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.kinematics import Limits
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.clearance import Shape, measure, move
from rl_planner.simulation.compiled import compiled
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.obstacles import Obstacles
from rl_planner.simulation.parallel import Parallel
from rl_planner.simulation.raycast import Beams, sense

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

integrate = compiled(kinematics.integrate)
limit_velocity = compiled(kinematics.limit_velocity)


class BatchSimulator:
    """N unicycles with lidars among obstacles; worlds are shared or private, by index.

    Attributes:
        poses: (N, 3) x, y, yaw in the world frame (m, rad).
        velocities: (N, 2) linear and angular (m/s, rad/s).
        odometry: (N, 3) the poses, and measured_velocities: (N, 2) the velocities, as odometry
            tells them: exact without an odometry error.
        times: (N,) seconds since each robot was placed: where its moving obstacles are.
        ranges: (N, num_beams) float32, the scans; inf is clear, -inf too close (REP-117).
        clearances: (N,) from the robot's edge to the nearest obstacle (m); below zero it touches.
        least_clearances: (N,) the least of them within the last step: a fast robot may have touched
            something and be past it.
        rng: of all that is random: noise and disturbances.

    A robot that touches cannot drive deeper: it stays where it is, at rest.
    """

    def __init__(
        self,
        robot: RobotConfig,
        lidar: LidarConfig,
        obstacles: Obstacles,
        num_robots: int,
        control_period: float,
        seed: int | Sequence[int] = 0,
        threads: int = 1,
        disturbance: DisturbanceConfig | None = None,
    ) -> None:
        self.robot, self.lidar, self.control_period = robot, lidar, control_period
        self.disturbance = disturbance or DisturbanceConfig()
        self.obstacles = obstacles
        self.rows: Rows = np.arange(num_robots)
        self.rng = np.random.default_rng(seed)
        self.parallel = Parallel(threads)
        self._make_state(num_robots)
        self._shape, self._beams = Shape.of(Footprint.of(robot)), Beams.of(ScanGeometry.of(lidar))
        self._limits = Limits.of(robot)
        most = self.disturbance.gain * (1.0 + self.disturbance.gain_error)
        self._reachable = self._limits._replace(
            min_linear_vel=most * robot.min_linear_vel,
            max_linear_vel=most * robot.max_linear_vel,
            max_angular_vel=most * robot.max_angular_vel,
        )
        # Half its inner radius at a time no robot jumps over a wall, however thin.
        fastest = max(self._reachable.max_linear_vel, -self._reachable.min_linear_vel)
        self._longest_piece = 0.5 * robot.inscribed_radius / fastest

    def _make_state(self, count: int) -> None:
        self.poses, self.velocities = np.zeros((count, 3)), np.zeros((count, 2))
        self.odometry, self.measured_velocities = self.poses, self.velocities
        if self.disturbance.odometry_error:
            self.odometry, self.measured_velocities = self.poses.copy(), self.velocities.copy()
        self.times, self.worlds = np.zeros(count), np.zeros(count, np.int64)
        self.ranges = np.full((count, self.lidar.num_beams), np.inf, np.float32)
        self.clearances, self.least_clearances = np.full(count, np.inf), np.full(count, np.inf)
        self.moving = np.zeros((count, *self.obstacles.movers.shape[1:2], 3), np.float32)
        self._gains, self._odometry_gains = np.ones((count, 2)), np.ones((count, 2))
        whole = math.floor(self.disturbance.command_latency / self.control_period + 1e-9)
        self._rest = max(self.disturbance.command_latency - whole * self.control_period, 0.0)
        self._given = np.zeros((whole + 2, count, 2))  # the last commands, the newest one last

    def place(self, rows: Rows, worlds: Rows, poses: Floats) -> None:
        """Put robots at rest at `poses` (n, 3) in `worlds` (n,), at time zero, and scan there."""
        self.worlds[rows] = worlds
        self.poses[rows] = self.odometry[rows] = poses
        self.velocities[rows] = self.measured_velocities[rows] = 0.0
        self.times[rows] = 0.0
        self._given[:, rows] = 0.0
        self._draw_gains(rows)
        self._locate(rows)
        self.least_clearances[rows] = self.clearances[rows]
        self._scan(rows)
        self._disturb_scans(rows)

    def step(self, commands: Floats, rows: Rows | None = None) -> None:
        """Drive by commands (N, 2) (m/s, rad/s) for one control period; then scan.

        Args:
            rows: the robots that take part, ascending; all of them if not given. For the others no
                time passes.

        Raises:
            ValueError: a command is not finite; nothing has moved.
        """
        rows = self.rows if rows is None else rows
        finite = np.isfinite(commands[rows]).all(axis=1)
        if not finite.all():
            row = int(rows[np.flatnonzero(~finite)[0]])
            raise ValueError(f'command of robot {row} must be finite, got {commands[row]}')
        self.parallel(lambda begin, end: self._drive(rows[begin:end], commands), len(rows))
        self._disturb_scans(rows)

    def _drive(self, rows: Rows, commands: Floats) -> None:
        """One control period of `rows`."""
        index = _index(rows)
        self._given[:-1, index] = self._given[1:, index]
        self._given[-1, index] = commands[index]
        self.least_clearances[index] = np.inf
        for given, duration in self._phases(index):
            self._accelerate(index, given, duration)
            pieces = max(math.ceil(duration / self._longest_piece - 1e-9), 1)
            for _ in range(pieces):
                self._move(rows, index, duration / pieces)
        self._scan(rows)

    def _phases(self, index: Any) -> Iterator[tuple[Floats, float]]:
        """(commands, time for which they hold): the one before, as late as commands are, and it."""
        if self._rest > 1e-9:
            yield self._given[0, index], self._rest
        yield self._given[1, index], self.control_period - self._rest

    def _accelerate(self, index: Any, commands: Floats, duration: float) -> None:
        v, w = commands.T
        if self._gains_vary:
            limits = self._limits
            v = np.clip(v, limits.min_linear_vel, limits.max_linear_vel) * self._gains[index, 0]
            w = np.clip(w, -limits.max_angular_vel, limits.max_angular_vel) * self._gains[index, 1]
        v, w = limit_velocity(*self.velocities[index].T, v, w, self._reachable, duration)
        self.velocities[index, 0], self.velocities[index, 1] = v, w
        if self.disturbance.odometry_error:
            self.measured_velocities[index] = self.velocities[index] * self._odometry_gains[index]

    def _move(self, rows: Rows, index: Any, dt: float) -> None:
        touching = np.flatnonzero(self.clearances[index] < 0.0)
        held = rows[touching]
        before = self.poses[held], self.odometry[held], self.clearances[held]
        _integrate(self.poses, self.velocities, index, dt)
        if self.disturbance.odometry_error:
            _integrate(self.odometry, self.measured_velocities, index, dt)
        self.times[index] += dt
        self._locate(rows)
        least = self.least_clearances
        least[index] = np.minimum(least[index], self.clearances[index])
        if len(held):
            self._hold(held, *before)

    def _hold(self, rows: Rows, poses: Floats, odometry: Floats, clearances: Floats) -> None:
        """Undo what took touching robots deeper into an obstacle."""
        deeper = self.clearances[rows] < clearances
        held = rows[deeper]
        self.poses[held], self.odometry[held] = poses[deeper], odometry[deeper]
        self.velocities[held] = self.measured_velocities[held] = 0.0
        self._locate(held)

    def _locate(self, rows: Rows) -> None:
        """Where moving obstacles are, and how far the robots are from all obstacles."""
        if self.moving.shape[1] < self.obstacles.movers.shape[1]:  # a world was replaced
            count = self.obstacles.movers.shape[1]
            self.moving = np.zeros((len(self.rows), count, 3), np.float32)
            move(self.rows, self.times, self.worlds, self.obstacles, self.moving)
        move(rows, self.times, self.worlds, self.obstacles, self.moving)
        scene = (self.poses, self.worlds, self.obstacles, self.moving)
        measure(rows, *scene, self._shape, self.clearances)

    def _scan(self, rows: Rows) -> None:
        scene = (self.poses, self.worlds, self.obstacles, self.moving)
        sense(rows, *scene, self._beams, self.ranges)

    @property
    def _gains_vary(self) -> bool:
        return self.disturbance.gain != 1.0 or self.disturbance.gain_error != 0.0

    def _draw_gains(self, rows: Rows) -> None:
        config, size = self.disturbance, (len(rows), 2)
        if self._gains_vary:
            off = config.gain_error * self.rng.uniform(-1.0, 1.0, size)
            self._gains[rows] = config.gain * (1.0 + off)
        if config.odometry_error:
            off = config.odometry_error * self.rng.uniform(-1.0, 1.0, size)
            self._odometry_gains[rows] = 1.0 + off

    def _disturb_scans(self, rows: Rows) -> None:
        """Normal noise on what has been measured; what leaves the range limits is no distance."""
        lidar, dropout = self.lidar, self.disturbance.lidar_dropout
        if lidar.noise_std == 0.0 and dropout == 0.0:
            return
        ranges, size = self.ranges[rows], (len(rows), lidar.num_beams)
        if lidar.noise_std:
            ranges += np.float32(lidar.noise_std) * self.rng.standard_normal(size, np.float32)
            ranges[ranges < lidar.range_min] = -np.inf
            ranges[ranges > lidar.range_max] = np.inf
        if dropout:
            ranges[self.rng.random(size, np.float32) < dropout] = np.inf
        self.ranges[rows] = ranges


def _index(rows: Rows) -> Any:
    """The slice equal to ascending `rows` where there is one: a view costs nothing."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _integrate(poses: Floats, velocities: Floats, index: Any, dt: float) -> None:
    x, y, yaw = integrate(*poses[index].T, *velocities[index].T, dt)
    poses[index, 0], poses[index, 1], poses[index, 2] = x, y, yaw
