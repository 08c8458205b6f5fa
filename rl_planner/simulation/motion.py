"""One control period of many robots: compiled with numba, all of it in one call.

In double precision and rounded exactly, so that no robot depends on who is beside it in a loop.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rl_planner.navigation import kinematics
from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.kinematics import Limits
from rl_planner.simulation.beams import Beams
from rl_planner.simulation.clearance import Shape, measure, move
from rl_planner.simulation.compiled import Doubles, Floats, Indices, compiled_exactly
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.obstacles import Obstacles
from rl_planner.simulation.raycast import sense

integrate = compiled_exactly(kinematics.integrate)
limit_velocity = compiled_exactly(kinematics.limit_velocity)


class Robots(NamedTuple):
    """The state of N robots as kernels read and write it; see `BatchSimulator`."""

    poses: Doubles  # (N, 3)
    velocities: Doubles  # (N, 2)
    odometry: Doubles  # (N, 3), the poses themselves where it is exact
    measured_velocities: Doubles  # (N, 2), likewise
    times: Doubles  # (N,)
    worlds: Indices  # (N,)
    ranges: Floats  # (N, num_beams)
    clearances: Doubles  # (N,)
    least_clearances: Doubles  # (N,)
    moving: Floats  # (N, max_movers, 3)
    given: Doubles  # (K, N, 2) the last commands, the newest one last
    gains: Doubles  # (N, 2)
    odometry_gains: Doubles  # (N, 2)


class Dynamics(NamedTuple):
    """How every robot follows its commands."""

    limits: Limits
    reachable: Limits  # with the greatest gains
    given_limited: bool  # commands are limited before gains apply
    exact_odometry: bool
    rest: float  # how long the command before the last one still holds (s)
    period: float  # s
    longest_piece: float  # time after which clearances are measured again (s)

    @classmethod
    def of(cls, robot: RobotConfig, disturbance: DisturbanceConfig, period: float) -> Dynamics:
        limits = Limits.of(robot)
        most = disturbance.gain * (1.0 + disturbance.gain_error)
        reachable = limits._replace(
            min_linear_vel=most * robot.min_linear_vel,
            max_linear_vel=most * robot.max_linear_vel,
            max_angular_vel=most * robot.max_angular_vel,
        )
        # Half its inner radius at a time no robot jumps over a wall, however thin.
        fastest = max(reachable.max_linear_vel, -reachable.min_linear_vel)
        return cls(
            limits,
            reachable,
            disturbance.gain != 1.0 or disturbance.gain_error != 0.0,
            disturbance.odometry_error == 0.0,
            max(disturbance.command_latency - whole_periods(disturbance, period) * period, 0.0),
            period,
            0.5 * robot.inscribed_radius / fastest,
        )


def whole_periods(disturbance: DisturbanceConfig, period: float) -> int:
    """By how many whole control periods commands are late."""
    return math.floor(disturbance.command_latency / period + 1e-9)


@compiled_exactly
def first_not_finite(rows: Indices, commands: Doubles) -> int:
    """The first of the robots `rows` whose command (N, 2) is not finite; -1 if there is none."""
    for row in rows:
        if not (math.isfinite(commands[row, 0]) and math.isfinite(commands[row, 1])):
            return int(row)
    return -1


@compiled_exactly
def first_outside(indices: Indices, count: int) -> int:
    """Where the first index is that is not in [0, count); -1 if there is none."""
    for k in range(len(indices)):
        if not 0 <= indices[k] < count:
            return k
    return -1


@compiled_exactly
def _give(rows: Indices, commands: Doubles, robots: Robots) -> None:
    given = robots.given
    for row in rows:
        for k in range(len(given) - 1):
            given[k, row, 0], given[k, row, 1] = given[k + 1, row, 0], given[k + 1, row, 1]
        given[-1, row, 0], given[-1, row, 1] = commands[row, 0], commands[row, 1]
        robots.least_clearances[row] = np.inf


@compiled_exactly
def _accelerate(
    rows: Indices, phase: int, duration: float, robots: Robots, dynamics: Dynamics
) -> None:
    """Change velocities within `duration` (s) towards the commands given[phase]."""
    given, velocities, measured = robots.given, robots.velocities, robots.measured_velocities
    limits = dynamics.limits
    for row in rows:
        v, w = given[phase, row, 0], given[phase, row, 1]
        if dynamics.given_limited:
            v = min(max(v, limits.min_linear_vel), limits.max_linear_vel) * robots.gains[row, 0]
            w = min(max(w, -limits.max_angular_vel), limits.max_angular_vel) * robots.gains[row, 1]
        v, w = limit_velocity(
            velocities[row, 0], velocities[row, 1], v, w, dynamics.reachable, duration
        )
        velocities[row, 0], velocities[row, 1] = v, w
        if not dynamics.exact_odometry:
            measured[row, 0] = v * robots.odometry_gains[row, 0]
            measured[row, 1] = w * robots.odometry_gains[row, 1]


@compiled_exactly
def _integrate(rows: Indices, poses: Doubles, velocities: Doubles, dt: float) -> None:
    for row in rows:
        poses[row, 0], poses[row, 1], poses[row, 2] = integrate(
            poses[row, 0],
            poses[row, 1],
            poses[row, 2],
            velocities[row, 0],
            velocities[row, 1],
            dt,
        )


@compiled_exactly
def _advance(rows: Indices, dt: float, robots: Robots, dynamics: Dynamics, before: Doubles) -> None:
    """Let time pass, and robots move; write where they were into `before` (n, 7)."""
    poses, odometry = robots.poses, robots.odometry
    for k in range(len(rows)):
        row = rows[k]
        for i in range(3):
            before[k, i], before[k, 3 + i] = poses[row, i], odometry[row, i]
        before[k, 6] = robots.clearances[row]
        robots.times[row] += dt
    _integrate(rows, poses, robots.velocities, dt)
    if not dynamics.exact_odometry:
        _integrate(rows, odometry, robots.measured_velocities, dt)


@compiled_exactly
def _hold(rows: Indices, robots: Robots, before: Doubles, held: Indices) -> int:
    """Undo what took touching robots deeper into an obstacle; write which into `held`, how many."""
    clearances, least = robots.clearances, robots.least_clearances
    number = 0
    for k in range(len(rows)):
        row = rows[k]
        least[row] = min(least[row], clearances[row])
        if before[k, 6] < 0.0 and clearances[row] < before[k, 6]:
            for i in range(3):
                robots.poses[row, i], robots.odometry[row, i] = before[k, i], before[k, 3 + i]
            for i in range(2):
                robots.velocities[row, i] = robots.measured_velocities[row, i] = 0.0
            held[number] = row
            number += 1
    return number


@compiled_exactly
def settle(
    rows: Indices,
    worlds: Indices,
    poses: Doubles,
    robots: Robots,
    obstacles: Obstacles,
    shape: Shape,
    beams: Beams,
) -> None:
    """Put the robots `rows` at rest at `poses` (n, 3) in `worlds` (n,), at time zero; then scan."""
    for k in range(len(rows)):
        row = rows[k]
        robots.worlds[row] = worlds[k]
        robots.times[row] = 0.0
        for i in range(3):
            robots.poses[row, i] = robots.odometry[row, i] = poses[k, i]
        for i in range(2):
            robots.velocities[row, i] = robots.measured_velocities[row, i] = 0.0
            for j in range(len(robots.given)):
                robots.given[j, row, i] = 0.0
    move(rows, robots.times, robots.worlds, obstacles, robots.moving)
    measure(rows, robots.poses, robots.worlds, obstacles, robots.moving, shape, robots.clearances)
    for row in rows:
        robots.least_clearances[row] = robots.clearances[row]
    sense(rows, robots.poses, robots.worlds, obstacles, robots.moving, beams, robots.ranges)


@compiled_exactly
def drive(
    rows: Indices,
    commands: Doubles,
    robots: Robots,
    obstacles: Obstacles,
    dynamics: Dynamics,
    shape: Shape,
    beams: Beams,
) -> None:
    """Drive the robots `rows` by commands (N, 2) (m/s, rad/s) for one control period; then scan."""
    poses, worlds, moving = robots.poses, robots.worlds, robots.moving
    before, held = np.empty((len(rows), 7)), np.empty(len(rows), np.int64)
    _give(rows, commands, robots)
    for phase in range(2):
        duration = dynamics.period - dynamics.rest if phase else dynamics.rest
        if duration < 1e-9:
            continue
        _accelerate(rows, phase, duration, robots, dynamics)
        pieces = max(math.ceil(duration / dynamics.longest_piece - 1e-9), 1)
        for _ in range(pieces):
            _advance(rows, duration / pieces, robots, dynamics, before)
            move(rows, robots.times, worlds, obstacles, moving)
            chosen = rows
            for attempt in range(2):  # one call: LLVM would compile a second one once more
                measure(chosen, poses, worlds, obstacles, moving, shape, robots.clearances)
                if attempt == 0:
                    chosen = held[: _hold(rows, robots, before, held)]
    sense(rows, poses, worlds, obstacles, moving, beams, robots.ranges)
