"""The Dynamic Window Approach: the best constant velocity among those that are within reach.

Fox, Burgard and Thrun, The Dynamic Window Approach to Collision Avoidance, 1997. Of the velocities
that the robot can reach within one control period (the dynamic window) and from which it can still
stop before it touches anything (the admissible ones: v <= sqrt(2 dist(v, w) dv/dt), which is
t >= v / (2 dv/dt) for the time t until then, and likewise of w), it commands the one that costs
least. Fox's objective, alpha heading + beta dist + gamma velocity, is to be as large as possible;
here it is a cost.

Departures from the paper:
* How near a way comes to the goal counts beside its heading at the end, as DWB's GoalDist does.
* How near a way comes to obstacles counts beside how far it is to the first it meets.
* Obstacles are the returns of the present scan in a grid of distances, not obstacle lines.
* A robot does not drive backwards where its lidar does not look.
* `Recovery` sends a stuck robot on a detour; the paper's robot turns away on the spot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rl_planner.evaluation.clearance_field import ClearanceField, Clearances, looks_back
from rl_planner.evaluation.planner import Floats, Perception
from rl_planner.evaluation.recovery import Recovery
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import Config, RobotConfig, parameter
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.compiled import F32, compiled
from rl_planner.simulation.compiled import Floats as Singles

ZERO, ONE = F32(0.0), F32(1.0)


@dataclass(frozen=True)
class DwaConfig(Config):
    """Names as in Nav2's DWB where it has one; every scale weighs a cost between 0 and 1 or so."""

    sim_time: float = parameter(1.6, 'how far ahead ways are followed (s)', above=0.0, at_most=20.0)
    sim_dist: float = parameter(
        0.8, 'and after this they are followed no farther (m)', above=0.0, at_most=20.0
    )
    sim_granularity: float = parameter(
        0.05, 'from one place of a way that is looked at to the next (s)', above=0.0, at_most=1.0
    )
    vx_samples: int = parameter(9, 'linear velocities in the window', at_least=2, at_most=100)
    vtheta_samples: int = parameter(21, 'angular velocities in the window', at_least=2, at_most=200)
    goal_dist_scale: float = parameter(
        1.6, 'of how near a way comes to the goal, in longest ways', at_least=0.0
    )
    goal_align_scale: float = parameter(
        0.3, 'of the angle to the goal at the end of a way', at_least=0.0
    )
    base_obstacle_scale: float = parameter(
        1.8, 'of how near a way comes to obstacles', at_least=0.0
    )
    collision_scale: float = parameter(0.6, 'of how soon a way meets an obstacle', at_least=0.0)
    prefer_forward_scale: float = parameter(0.1, 'of how far below top speed it is', at_least=0.0)
    inflation_radius: float = parameter(
        0.25,
        'more clearance than this, beyond the margin, is no better (m)',
        above=0.0,
        at_most=5.0,
    )
    collision_margin_distance: float = parameter(
        0.02, 'nearer to an obstacle than this is a collision (m)', at_least=0.0, at_most=1.0
    )


class _Window(NamedTuple):
    """What the robot can do, for the kernel."""

    min_v: F32
    max_v: F32
    max_w: F32
    dv: F32  # within one control period
    dw: F32
    accel_v: F32
    accel_w: F32
    period: F32

    @classmethod
    def of(cls, robot: RobotConfig, period: float) -> _Window:
        accel_v, accel_w = robot.max_linear_accel, robot.max_angular_accel
        limits = (robot.min_linear_vel, robot.max_linear_vel, robot.max_angular_vel)
        steps = (accel_v * period, accel_w * period)
        return cls(*map(F32, (*limits, *steps, accel_v, accel_w, period)))


class _Search(NamedTuple):
    """A `DwaConfig`, for the kernel."""

    vx_samples: int
    vtheta_samples: int
    steps: int
    dt: F32
    travel: F32  # the longest way (m)
    inflation: F32
    margin: F32
    goal_dist: F32
    goal_align: F32
    obstacle: F32
    collision: F32
    forward: F32

    @classmethod
    def of(cls, config: DwaConfig, sim_time: float, travel: float) -> _Search:
        steps = max(round(sim_time / config.sim_granularity), 1)
        numbers = (
            sim_time / steps,
            travel,
            config.inflation_radius,
            config.collision_margin_distance,
            config.goal_dist_scale / travel,
            config.goal_align_scale / math.pi,
            config.base_obstacle_scale / config.inflation_radius,
            config.collision_scale,
            config.prefer_forward_scale,
        )
        return cls(config.vx_samples, config.vtheta_samples, steps, *map(F32, numbers))


class DwaPlanner:
    name = 'dwa'

    def __init__(self, setting: Setting, config: DwaConfig | None = None) -> None:
        config, robot = config or DwaConfig(), setting.robot
        scan = ScanGeometry.of(setting.lidar)
        if not looks_back(scan):
            robot = replace(robot, min_linear_vel=0.0)
        fastest = max(robot.max_linear_vel, -robot.min_linear_vel)
        # Within this time the top speed leads as far as stopping takes: no way may be shorter.
        stopping = setting.control_period + 0.5 * fastest / robot.max_linear_accel
        sim_time = max(config.sim_time, stopping)
        travel = max(min(sim_time * fastest, config.sim_dist), stopping * fastest)
        self._field = ClearanceField(
            robot,
            scan,
            travel + robot.radius + 0.1,  # every way ends within the grid, whatever the rounding
            config.collision_margin_distance + config.inflation_radius,
        )
        self._window = _Window.of(robot, setting.control_period)
        self._search = _Search.of(config, sim_time, travel)
        self._recovery = Recovery(setting)

    def start(self, num_robots: int) -> None:
        self._recovery.start(num_robots)

    def velocity_command(self, perception: Perception) -> Floats:
        commands = np.zeros((len(perception.robots), 2))
        _choose(
            self._recovery.goals(perception).astype(F32),
            perception.velocity.astype(F32),
            self._field.fill(perception.ranges),
            self._window,
            self._search,
            commands,
        )
        return commands


class _Way(NamedTuple):
    """What following a velocity brings."""

    free: F32  # the share of it that is free
    time: F32  # until it meets an obstacle, or ends (s)
    clearance: F32  # the least along it (m)
    nearest: F32  # that it comes to the goal (m)
    angle: F32  # to the goal at its end (rad)


@compiled
def _clearance(field: Clearances, row: int, x: F32, y: F32, c: F32, s: F32) -> F32:
    """From the edge of a robot at (x, y), heading (c, s), to the nearest return (m)."""
    nearest, body = F32(1e6), field.body
    for k in range(len(body.offsets)):
        column = int((x + body.offsets[k] * c + field.half) * field.per_metre)
        line = int((y + body.offsets[k] * s + field.half) * field.per_metre)
        nearest = min(nearest, field.distances[row, line * field.cells + column])
    return nearest - body.radius


@compiled
def _follow(
    v: F32,
    w: F32,
    goal_x: F32,
    goal_y: F32,
    least: F32,
    field: Clearances,
    row: int,
    search: _Search,
) -> _Way:
    """Drive (v, w) until the robot is nearer to an obstacle than `least` (m)."""
    half = F32(0.5) * w * search.dt
    # The chord of a step, as in kinematics.integrate: along half the turn, by sin(half) / half.
    chord = v * search.dt * (F32(math.sin(half)) / half if abs(half) > F32(1e-3) else ONE)
    turn_c, turn_s = F32(math.cos(half)), F32(math.sin(half))
    steps = search.steps
    if abs(v) * search.dt * F32(steps) > search.travel:
        steps = max(int(search.travel / (abs(v) * search.dt)), 1)
    x, y, c, s = ZERO, ZERO, ONE, ZERO
    clearance, nearest = search.inflation + search.margin, goal_x * goal_x + goal_y * goal_y
    free = 0
    for _ in range(steps):
        c, s = c * turn_c - s * turn_s, s * turn_c + c * turn_s
        x, y = x + chord * c, y + chord * s
        c, s = c * turn_c - s * turn_s, s * turn_c + c * turn_s
        here = _clearance(field, row, x, y, c, s)
        if here < least:
            break
        free += 1
        clearance = min(clearance, here)
        nearest = min(nearest, (goal_x - x) * (goal_x - x) + (goal_y - y) * (goal_y - y))
    ahead, left = goal_x - x, goal_y - y
    angle = abs(F32(math.atan2(c * left - s * ahead, c * ahead + s * left)))
    time = F32(free) * search.dt
    return _Way(F32(free) / F32(steps), time, clearance, F32(math.sqrt(nearest)), angle)


@compiled
def _cost(v: F32, w: F32, way: _Way, window: _Window, search: _Search) -> F32:
    """Of following (v, w); infinite where it is not admissible."""
    to_stop = max(abs(v) / window.accel_v, abs(w) / window.accel_w)
    if way.free < ONE and way.time - window.period < F32(0.5) * to_stop:
        return F32(np.inf)
    return (
        search.goal_dist * way.nearest
        + search.goal_align * way.angle
        + search.obstacle * (search.inflation - max(way.clearance - search.margin, ZERO))
        + search.collision * (ONE - way.free)
        + search.forward * (ONE - v / window.max_v)
    )


@compiled
def _choose(
    goals: Singles,
    velocities: Singles,
    field: Clearances,
    window: _Window,
    search: _Search,
    commands: Floats,
) -> None:
    """Write the best velocity in each robot's window; where none is admissible it stays at zero."""
    for row in range(len(goals)):
        v = min(max(velocities[row, 0], window.min_v), window.max_v)
        w = min(max(velocities[row, 1], -window.max_w), window.max_w)
        low_v, low_w = max(v - window.dv, window.min_v), max(w - window.dw, -window.max_w)
        step_v = (min(v + window.dv, window.max_v) - low_v) / F32(search.vx_samples - 1)
        step_w = (min(w + window.dw, window.max_w) - low_w) / F32(search.vtheta_samples - 1)
        # A robot within the margin may still drive where it comes no nearer.
        least = min(search.margin, _clearance(field, row, ZERO, ZERO, ONE, ZERO))
        best = F32(np.inf)
        for j in range(search.vtheta_samples):
            w = low_w + F32(j) * step_w
            w = w if abs(w) >= F32(0.5) * step_w else ZERO  # straight on is always among them
            for i in range(search.vx_samples):
                v = low_v + F32(i) * step_v
                v = v if abs(v) >= F32(0.5) * step_v else ZERO
                way = _follow(v, w, goals[row, 0], goals[row, 1], least, field, row, search)
                cost = _cost(v, w, way, window, search)
                if cost < best:
                    best = cost
                    commands[row, 0], commands[row, 1] = v, w
