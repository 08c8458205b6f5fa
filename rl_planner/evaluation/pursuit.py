"""Regulated pure pursuit: how a robot drives along a path (Macenski et al. 2023, Nav2's RPP).

Pure pursuit (Coulter 1992) steers along the arc to a point of the path at the look-ahead distance.
Regulated, it slows down in curves and near obstacles, and looks along the arc for a collision.

Departures from Nav2:
* an arc that is not free is tried again to nearer points of the path, before the robot stops;
* it drives as fast as it can still stop within what is free, or before the end of the path;
* collisions are looked for in the returns of the lidar, as they are, not in the cells of a map.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.kinematics import Limits
from rl_planner.simulation.compiled import compiled

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

STEP = 0.04  # from one place looked at to the next, along an arc (m) or half a robot's turn (rad)
SLACK = 0.005  # nearer to an obstacle than now, by no more than this, is as near (m)
BACK = 0.5  # how far a robot that backs up looks behind (m)
SHORTER = 0.7  # the next look-ahead distance, as a share of the one before


class Rules(NamedTuple):
    """How to follow a path; see `AstarConfig`, whose names these are (m, s, m/s, rad).

    Attributes:
        control_period: from one command to the next (s).
    """

    control_period: float
    desired_linear_vel: float
    lookahead_time: float
    min_lookahead_dist: float
    max_lookahead_dist: float
    regulated_linear_scaling_min_radius: float
    regulated_linear_scaling_min_speed: float
    cost_scaling_dist: float
    cost_scaling_gain: float
    rotate_to_heading_min_angle: float
    collision_margin: float
    backup_speed: float


@compiled
def _clearance(points: Floats, x: float, y: float, yaw: float, footprint: Footprint) -> float:
    """From the robot's edge, were it at (x, y, yaw), to the nearest of points (n, 2) (m)."""
    c, s, least = math.cos(yaw), math.sin(yaw), 1e12
    for k in range(len(points)):
        dx, dy = points[k, 0] - x, points[k, 1] - y
        out_x = max(abs(c * dx + s * dy) - footprint.half_length, 0.0)
        out_y = max(abs(c * dy - s * dx) - footprint.half_width, 0.0)
        least = min(least, out_x * out_x + out_y * out_y)
    return float(math.sqrt(least) - footprint.margin)


@compiled
def _distance_to_keep(points: Floats, footprint: Footprint, rules: Rules) -> float:
    """The margin to obstacles; where one is within it already, no nearer to it than now (m)."""
    clearance = _clearance(points, 0.0, 0.0, 0.0, footprint)
    return float(max(min(rules.collision_margin, clearance - SLACK), 0.0))


@compiled
def _free_length(
    points: Floats, curvature: float, length: float, sign: float, footprint: Footprint, keep: float
) -> float:
    """How far of `length` the robot can drive along an arc and keep clear; back with sign -1."""
    steps = max(math.ceil(length / STEP), 1)
    for step in range(1, steps + 1):
        travelled = sign * length * step / steps
        turn = curvature * travelled
        chord = travelled
        if abs(turn) > 1e-6:
            chord = 2.0 * math.sin(0.5 * turn) / curvature
        x, y = chord * math.cos(0.5 * turn), chord * math.sin(0.5 * turn)
        if _clearance(points, x, y, turn, footprint) < keep:
            return length * (step - 1) / steps
    return length


@compiled
def _can_turn(points: Floats, sign: float, footprint: Footprint, keep: float) -> bool:
    """Whether the robot can begin to turn on the spot and keep clear."""
    for step in range(1, 6):
        if _clearance(points, 0.0, 0.0, sign * 2.0 * STEP * step, footprint) < keep:
            return False
    return True


@compiled
def _stoppable(distance: float, accel: float, period: float) -> float:
    """The velocity from which, kept up for a control period, it stops within `distance`.

    v T + v^2 / 2a = distance.
    """
    return accel * (math.sqrt(period * period + 2.0 * max(distance, 0.0) / accel) - period)


@compiled
def _nearest_point(path: Floats, begin: int, pose: Floats) -> int:
    """The point of the path nearest to the robot, from `begin` on and within a metre or so."""
    nearest, least, travelled = begin, 1e12, 0.0
    for k in range(begin, len(path)):
        dx, dy = path[k, 0] - pose[0], path[k, 1] - pose[1]
        if k > begin:
            travelled += math.hypot(path[k, 0] - path[k - 1, 0], path[k, 1] - path[k - 1, 1])
        if travelled > 1.0:
            break
        if dx * dx + dy * dy < least:
            nearest, least = k, dx * dx + dy * dy
    return nearest


@compiled
def _carrot(path: Floats, begin: int, pose: Floats, distance: float) -> tuple[float, float]:
    """The first point of the path from `begin` on that is `distance` away, in the robot frame."""
    k = begin
    while k < len(path) - 1 and math.hypot(path[k, 0] - pose[0], path[k, 1] - pose[1]) < distance:
        k += 1
    dx, dy = path[k, 0] - pose[0], path[k, 1] - pose[1]
    c, s = math.cos(pose[2]), math.sin(pose[2])
    return c * dx + s * dy, c * dy - s * dx


@compiled
def _turn(
    angle: float, points: Floats, keep: float, limits: Limits, footprint: Footprint, period: float
) -> float:
    """Angular velocity to turn by `angle` on the spot; 0 where something is in the way."""
    sign = 1.0 if angle > 0.0 else -1.0
    if not _can_turn(points, sign, footprint, keep):
        return 0.0
    w = min(_stoppable(abs(angle), limits.max_angular_accel, period), limits.max_angular_vel)
    return float(sign * w)


@compiled
def _regulated(curvature: float, clearance: float, limits: Limits, rules: Rules) -> float:
    """How fast to drive along an arc (m/s)."""
    radius = 1.0 / max(abs(curvature), 1e-6)
    in_curve = min(radius / rules.regulated_linear_scaling_min_radius, 1.0)
    near = min(rules.cost_scaling_gain * max(clearance, 0.0) / rules.cost_scaling_dist, 1.0)
    v = rules.desired_linear_vel * min(in_curve, near)
    v = min(max(v, rules.regulated_linear_scaling_min_speed), rules.desired_linear_vel)
    return min(v, limits.max_angular_vel * radius)


@compiled
def _follow(
    path: Floats,
    begin: int,
    pose: Floats,
    speed: float,
    points: Floats,
    limits: Limits,
    footprint: Footprint,
    rules: Rules,
) -> tuple[float, float]:
    """The command for one robot."""
    keep = _distance_to_keep(points, footprint, rules)
    distance = max(speed * rules.lookahead_time, rules.min_lookahead_dist)
    distance = min(distance, rules.max_lookahead_dist)
    while True:
        x, y = _carrot(path, begin, pose, distance)
        angle, length = math.atan2(y, x), math.hypot(x, y)
        if abs(angle) > rules.rotate_to_heading_min_angle:
            return 0.0, _turn(angle, points, keep, limits, footprint, rules.control_period)
        curvature = 2.0 * y / max(x * x + y * y, 1e-6)
        free = _free_length(points, curvature, length, 1.0, footprint, keep)
        if free >= length or distance <= rules.min_lookahead_dist:
            break
        distance = max(SHORTER * distance, rules.min_lookahead_dist)
    if free == 0.0:
        return 0.0, _turn(angle, points, keep, limits, footprint, rules.control_period)
    v = min(
        _regulated(curvature, _clearance(points, 0.0, 0.0, 0.0, footprint), limits, rules),
        _stoppable(free, limits.max_linear_accel, rules.control_period),
    )
    return v, v * curvature


@compiled
def _recover(
    points: Floats, limits: Limits, footprint: Footprint, rules: Rules
) -> tuple[float, float]:
    """The command for one robot that is stuck: back up if it can, or else turn on the spot."""
    period = rules.control_period
    keep = _distance_to_keep(points, footprint, rules)
    top = min(rules.backup_speed, -limits.min_linear_vel)
    free = _free_length(points, 0.0, BACK, -1.0, footprint, keep) if top > 0.0 else 0.0
    if free > 0.0:
        return -min(_stoppable(free, limits.max_linear_accel, period), top), 0.0
    w = _turn(math.pi, points, keep, limits, footprint, period)
    if w == 0.0:
        w = _turn(-math.pi, points, keep, limits, footprint, period)
    return 0.0, w


@compiled
def drive(
    robots: Indices,
    poses: Floats,
    velocities: Floats,
    paths: Floats,
    lengths: Indices,
    begins: Indices,
    stuck: NDArray[np.bool_],
    points: Floats,
    counts: Indices,
    limits: Limits,
    footprint: Footprint,
    rules: Rules,
    commands: Floats,
) -> None:
    """Write commands (n, 2) for `robots` (n,) at poses (n, 3).

    Args:
        paths: (N, most, 2) of which lengths (N,) points count; begins (N,) is where on its path
            each robot is, and is kept up.
        stuck: (n,) who is to get out of where it is instead.
        points: (n, most, 2) obstacles in the robot frame, of which counts (n,) count.
    """
    for i, robot in enumerate(robots):
        near = points[i, : counts[i]]
        if stuck[i]:
            commands[i] = _recover(near, limits, footprint, rules)
        elif lengths[robot] == 0:
            commands[i] = 0.0
        else:
            path = paths[robot, : lengths[robot]]
            begins[robot] = _nearest_point(path, begins[robot], poses[i])
            commands[i] = _follow(
                path, begins[robot], poses[i], velocities[i, 0], near, limits, footprint, rules
            )
