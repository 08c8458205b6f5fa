"""The batch simulator: N robots, each in a world of its own, one control period at a time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation import kinematics
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.kinematics import Limits
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.compiled import compiled
from rl_planner.simulation.parallel import Parallel
from rl_planner.simulation.raycast import Beams, Obstacles, sense

Rows = NDArray[np.int64]

integrate = compiled(kinematics.integrate)
limit_velocity = compiled(kinematics.limit_velocity)


class BatchSimulator:
    """N unicycles with lidars among obstacles; worlds are shared or private, by index.

    Attributes:
        poses: (N, 3) x, y, yaw in the world frame (m, rad).
        velocities: (N, 2) linear and angular (m/s, rad/s).
        times: (N,) seconds since each robot was placed: where its moving obstacles are.
        ranges: (N, num_beams) float32, the scans; inf is clear, -inf too close (REP-117).
        clearances: (N,) from the robot's edge to the nearest obstacle (m); below zero it touches.
        rng: of the lidar's noise.

    A robot that touches cannot drive deeper: it stays where it is, at rest.
    """

    def __init__(
        self,
        robot: RobotConfig,
        lidar: LidarConfig,
        obstacles: Obstacles,
        num_robots: int,
        control_period: float,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        self.robot, self.lidar, self.control_period = robot, lidar, control_period
        self.obstacles = obstacles
        self.poses = np.zeros((num_robots, 3))
        self.velocities = np.zeros((num_robots, 2))
        self.times = np.zeros(num_robots)
        self.worlds = np.zeros(num_robots, np.int64)
        self.ranges = np.full((num_robots, lidar.num_beams), np.inf, np.float32)
        self.clearances = np.full(num_robots, np.inf)
        self.rows: Rows = np.arange(num_robots)
        self.rng = np.random.default_rng(seed)
        self.parallel = Parallel(threads)
        self._limits = Limits.of(robot)
        self._beams = Beams.of(ScanGeometry.of(lidar))
        # Half a radius at a time no robot jumps over a wall, however thin.
        farthest = max(robot.max_linear_vel, -robot.min_linear_vel) * control_period
        self._pieces = max(math.ceil(farthest / (0.5 * robot.radius)), 1)

    def place(self, rows: Rows, worlds: Rows, poses: NDArray[np.float64]) -> None:
        """Put robots at rest at `poses` (n, 3) in `worlds` (n,), at time zero, and scan there."""
        self.worlds[rows] = worlds
        self.poses[rows] = poses
        self.velocities[rows] = 0.0
        self.times[rows] = 0.0
        self._sense(rows)
        self._add_noise(rows)

    def step(self, commands: NDArray[np.float64]) -> None:
        """Drive every robot by its command (N, 2) (m/s, rad/s) for one control period; then scan.

        Raises:
            ValueError: a command is not finite; nothing has moved.
        """
        if not np.isfinite(commands).all():
            row = int(np.flatnonzero(~np.isfinite(commands).all(axis=1))[0])
            raise ValueError(f'command of robot {row} must be finite, got {commands[row]}')
        self.parallel(lambda begin, end: self._drive(begin, end, commands), len(self.rows))
        self._add_noise(self.rows)

    def _drive(self, begin: int, end: int, commands: NDArray[np.float64]) -> None:
        """One control period of the robots [begin, end)."""
        rows, period = self.rows[begin:end], self.control_period
        velocities, commands = self.velocities[begin:end], commands[begin:end]
        v, w = limit_velocity(*velocities.T, *commands.T, self._limits, period)
        velocities[:, 0], velocities[:, 1] = v, w
        for _ in range(self._pieces):
            self._move(rows, period / self._pieces)

    def _move(self, rows: Rows, dt: float) -> None:
        part = slice(rows[0], rows[-1] + 1)
        poses, velocities, clearances = (
            self.poses[part],
            self.velocities[part],
            self.clearances[part],
        )
        touching = np.flatnonzero(clearances < 0.0)
        before = poses[touching], clearances[touching]
        x, y, yaw = integrate(*poses.T, *velocities.T, dt)
        poses[:, 0], poses[:, 1], poses[:, 2] = x, y, yaw
        self.times[part] += dt
        self._sense(rows)
        if len(touching):
            self._hold(rows[touching], *before)

    def _hold(
        self, rows: Rows, poses: NDArray[np.float64], clearances: NDArray[np.float64]
    ) -> None:
        """Undo what took touching robots deeper into an obstacle."""
        deeper = self.clearances[rows] < clearances
        held = rows[deeper]
        self.poses[held] = poses[deeper]
        self.velocities[held] = 0.0
        self._sense(held)

    def _sense(self, rows: Rows) -> None:
        sense(
            rows,
            self.poses,
            self.times,
            self.worlds,
            self.obstacles,
            self._beams,
            self.ranges,
            self.clearances,
        )
        self.clearances[rows] -= self.robot.radius

    def _add_noise(self, rows: Rows) -> None:
        """Normal noise on what has been measured; what leaves the range limits is no distance."""
        if self.lidar.noise_std == 0.0:
            return
        noise = self.rng.standard_normal((len(rows), self.lidar.num_beams), np.float32)
        ranges = self.ranges[rows] + np.float32(self.lidar.noise_std) * noise
        ranges[ranges < self.lidar.range_min] = -np.inf
        ranges[ranges > self.lidar.range_max] = np.inf
        self.ranges[rows] = ranges
