"""The batch simulator: N robots, each in a world of its own, one control period at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.beams import Beams
from rl_planner.simulation.clearance import Shape, move
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.motion import (
    Dynamics,
    Robots,
    drive,
    first_not_finite,
    first_outside,
    settle,
    whole_periods,
)
from rl_planner.simulation.obstacles import Obstacles
from rl_planner.simulation.parallel import Parallel

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


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
        self._dynamics = Dynamics.of(robot, self.disturbance, control_period)

    def _make_state(self, count: int) -> None:
        self.poses, self.velocities = np.zeros((count, 3)), np.zeros((count, 2))
        self.odometry, self.measured_velocities = self.poses, self.velocities
        if self.disturbance.odometry_error:
            self.odometry, self.measured_velocities = self.poses.copy(), self.velocities.copy()
        self.times, self.worlds = np.zeros(count), np.zeros(count, np.int64)
        self.ranges = np.full((count, self.lidar.num_beams), np.inf, np.float32)
        self.clearances, self.least_clearances = np.full(count, np.inf), np.full(count, np.inf)
        self.moving = self._places_of_movers()
        self._gains, self._odometry_gains = np.ones((count, 2)), np.ones((count, 2))
        late = whole_periods(self.disturbance, self.control_period)
        self._given = np.zeros((late + 2, count, 2))  # the last commands, the newest one last

    def place(self, rows: Rows, worlds: Rows, poses: Floats) -> None:
        """Put robots at rest at `poses` (n, 3) in `worlds` (n,), at time zero, and scan there.

        Raises:
            IndexError: there is no such robot or world; nothing has been placed.
            ValueError: not one world and one pose for each robot.
        """
        rows, worlds = _indices(rows), _indices(worlds)
        poses = np.ascontiguousarray(poses, np.float64)
        if worlds.shape != rows.shape or poses.shape != (len(rows), 3):
            raise ValueError(
                f'{len(rows)} robots must have as many worlds and poses (n, 3), '
                f'got {worlds.shape} and {poses.shape}'
            )
        _check_indices('robot', rows, len(self.rows))
        _check_indices('world', worlds, len(self.obstacles.segments))
        self._draw_gains(rows)
        settle(rows, worlds, poses, self.robots, self.obstacles, self._shape, self._beams)
        self._disturb_scans(rows)

    def step(
        self,
        commands: Floats,
        rows: Rows | None = None,
        then: Callable[[Rows, Robots], None] | None = None,
    ) -> None:
        """Drive by commands (N, 2) (m/s, rad/s) for one control period; then scan.

        Args:
            rows: the robots that take part, ascending; all of them if not given. For the others no
                time passes.
            then: called for consecutive parts of the rows once they have been driven, each on a
                thread of its own; it must leave Python's lock.

        Raises:
            IndexError: there is no such robot; nothing has moved.
            ValueError: the commands are not (N, 2), or one is not finite; nothing has moved.
        """
        commands = np.ascontiguousarray(commands, np.float64)
        if commands.shape != self.velocities.shape:
            raise ValueError(f'commands must be {self.velocities.shape}, got {commands.shape}')
        rows = self.rows if rows is None else _indices(rows)
        _check_indices('robot', rows, len(self.rows))
        if (row := first_not_finite(rows, commands)) >= 0:
            raise ValueError(f'command of robot {row} must be finite, got {commands[row]}')
        robots, noisy = self.robots, self._scans_are_disturbed

        def part(begin: int, end: int) -> None:
            chosen = rows[begin:end]
            drive(
                chosen,
                commands,
                robots,
                self.obstacles,
                self._dynamics,
                self._shape,
                self._beams,
            )
            if then is not None and not noisy:
                then(chosen, robots)

        self.parallel(part, len(rows))
        if noisy:  # drawn for all rows at once, so that threads change nothing
            self._disturb_scans(rows)
            if then is not None:
                self.parallel(lambda begin, end: then(rows[begin:end], robots), len(rows))

    @property
    def robots(self) -> Robots:
        """The state, for the kernels."""
        if self.moving.shape[1] < self.obstacles.movers.shape[2]:  # a world was replaced
            self.moving = self._places_of_movers()
            move(self.rows, self.times, self.worlds, self.obstacles, self.moving)
        return Robots(
            self.poses,
            self.velocities,
            self.odometry,
            self.measured_velocities,
            self.times,
            self.worlds,
            self.ranges,
            self.clearances,
            self.least_clearances,
            self.moving,
            self._given,
            self._gains,
            self._odometry_gains,
        )

    def _places_of_movers(self) -> NDArray[np.float32]:
        return np.zeros((len(self.rows), self.obstacles.movers.shape[2], 3), np.float32)

    @property
    def _scans_are_disturbed(self) -> bool:
        return self.lidar.noise_std != 0.0 or self.disturbance.lidar_dropout != 0.0

    def _draw_gains(self, rows: Rows) -> None:
        config, size = self.disturbance, (len(rows), 2)
        if self._dynamics.given_limited:
            off = config.gain_error * self.rng.uniform(-1.0, 1.0, size)
            self._gains[rows] = config.gain * (1.0 + off)
        if config.odometry_error:
            off = config.odometry_error * self.rng.uniform(-1.0, 1.0, size)
            self._odometry_gains[rows] = 1.0 + off

    def _disturb_scans(self, rows: Rows) -> None:
        """Normal noise on what has been measured; what leaves the range limits is no distance."""
        if not self._scans_are_disturbed:
            return
        lidar, dropout = self.lidar, self.disturbance.lidar_dropout
        ranges, size = self.ranges[rows], (len(rows), lidar.num_beams)
        if lidar.noise_std:
            ranges += np.float32(lidar.noise_std) * self.rng.standard_normal(size, np.float32)
            ranges[ranges < lidar.range_min] = -np.inf
            ranges[ranges > lidar.range_max] = np.inf
        if dropout:
            ranges[self.rng.random(size, np.float32) < dropout] = np.inf
        self.ranges[rows] = ranges


def _indices(values: Rows) -> Rows:
    return np.ascontiguousarray(values, np.int64)


def _check_indices(name: str, indices: Rows, count: int) -> None:
    """Kernels would read and write memory that is not theirs."""
    if (at := first_outside(indices, count)) >= 0:
        raise IndexError(f'{name} must be in [0, {count}), got {indices[at]}')
