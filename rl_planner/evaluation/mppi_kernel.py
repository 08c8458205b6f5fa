"""The loops of MPPI, compiled with numba: each sample is driven, weighed, and averaged."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.clearance_field import Clearances
from rl_planner.navigation.config import RobotConfig
from rl_planner.simulation.compiled import F32, Floats, compiled

ZERO, ONE = F32(0.0), F32(1.0)


class Model(NamedTuple):
    """The robot, for the kernel."""

    min_v: F32
    max_v: F32
    max_w: F32
    dv: F32  # within one control period
    dw: F32
    dt: F32

    @classmethod
    def of(cls, robot: RobotConfig, dt: float) -> Model:
        steps = (robot.max_linear_accel * dt, robot.max_angular_accel * dt)
        limits = (robot.min_linear_vel, robot.max_linear_vel, robot.max_angular_vel)
        return cls(*map(F32, (*limits, *steps, dt)))


class Critics(NamedTuple):
    """An `MppiConfig` as costs of one control period, for the kernel."""

    temperature: F32
    leaving_v: F32  # gamma / sigma^2
    leaving_w: F32
    goal: F32
    angle: F32
    repulsion: F32
    collision: F32
    backwards: F32
    inflation: F32
    margin: F32


@compiled
def _clearance(field: Clearances, row: int, x: F32, y: F32, c: F32, s: F32) -> F32:
    """From the edge of a robot at (x, y), heading (c, s), to the nearest return (m).

    Outside the grid what is at its border counts.
    """
    nearest, body, last = F32(1e6), field.body, field.cells - 1
    for k in range(len(body.offsets)):
        column = int((x + body.offsets[k] * c + field.half) * field.per_metre)
        line = int((y + body.offsets[k] * s + field.half) * field.per_metre)
        column, line = min(max(column, 0), last), min(max(line, 0), last)
        nearest = min(nearest, field.distances[row, line * field.cells + column])
    return nearest - body.radius


@compiled
def _limited(v: F32, command: F32, low: F32, high: F32, change: F32) -> F32:
    """As `kinematics.limit_velocity`, of one velocity."""
    return v + min(max(min(max(command, low), high) - v, -change), change)


@compiled
def _cost(
    plan: Floats,
    noise: Floats,
    v: F32,
    w: F32,
    goal_x: F32,
    goal_y: F32,
    least: F32,
    bound: F32,
    field: Clearances,
    row: int,
    model: Model,
    critics: Critics,
) -> tuple[F32, bool]:
    """S^k of one sample, and whether it collides: is nearer to an obstacle than `least` (m).

    Infinite beyond `bound`: costs only grow, but for what gamma weighs, so most samples end early.
    """
    x, y, c, s = ZERO, ZERO, ONE, ZERO
    cost = ZERO
    for t in range(len(plan)):
        v = _limited(v, plan[t, 0] + noise[t, 0], model.min_v, model.max_v, model.dv)
        w = _limited(w, plan[t, 1] + noise[t, 1], -model.max_w, model.max_w, model.dw)
        half = F32(0.5) * w * model.dt
        square = half * half
        sinc = ONE - square / F32(6.0) * (ONE - square / F32(20.0))
        turn_c, turn_s = ONE - F32(0.5) * square * (ONE - square / F32(12.0)), half * sinc
        # As kinematics.integrate: half the turn, the chord, the other half.
        c, s = c * turn_c - s * turn_s, s * turn_c + c * turn_s
        x, y = x + v * model.dt * sinc * c, y + v * model.dt * sinc * s
        c, s = c * turn_c - s * turn_s, s * turn_c + c * turn_s
        clearance = _clearance(field, row, x, y, c, s)
        distance = math.sqrt((goal_x - x) * (goal_x - x) + (goal_y - y) * (goal_y - y))
        cost += critics.leaving_v * plan[t, 0] * noise[t, 0]
        cost += critics.leaving_w * plan[t, 1] * noise[t, 1]
        if distance < F32(0.1):
            return cost, False  # arrived: nothing after it matters
        if clearance < least:
            rest = F32(len(plan) - t)  # it stays where it is
            return cost + critics.collision + rest * critics.goal * distance, True
        near = max(ONE - max(clearance - critics.margin, ZERO) / critics.inflation, ZERO)
        cost += critics.goal * distance + critics.repulsion * near * near
        cost += critics.backwards * max(-v, ZERO)
        if cost > bound:
            return F32(np.inf), False
    ahead, left = goal_x - x, goal_y - y
    angle = abs(F32(math.atan2(c * left - s * ahead, c * ahead + s * left)))
    return cost + critics.angle * angle, False


@compiled
def _average(
    plan: Floats, noise: Floats, weights: Floats, v: F32, w: F32, model: Model, mean: Floats
) -> None:
    """Make the plan (time_steps, 2) the mean of what the samples drive; `mean` is to work in."""
    mean[:] = ZERO
    for k in range(len(noise)):
        if weights[k] > F32(1e-5):  # most weigh nothing
            v_k, w_k = v, w
            for t in range(len(plan)):
                command_v, command_w = plan[t, 0] + noise[k, t, 0], plan[t, 1] + noise[k, t, 1]
                v_k = _limited(v_k, command_v, model.min_v, model.max_v, model.dv)
                w_k = _limited(w_k, command_w, -model.max_w, model.max_w, model.dw)
                mean[t, 0] += weights[k] * v_k
                mean[t, 1] += weights[k] * w_k
    plan[:] = mean


@compiled
def _weigh(costs: Floats, lowest: F32, temperature: F32) -> None:
    """From costs S^k to weights w^k."""
    total = ZERO
    for k in range(len(costs)):
        costs[k] = math.exp((lowest - costs[k]) / temperature)
        total += costs[k]
    for k in range(len(costs)):
        costs[k] /= total


@compiled
def improve(
    robots: NDArray[np.int64],
    goals: Floats,
    velocities: Floats,
    field: Clearances,
    model: Model,
    critics: Critics,
    noise: Floats,
    plans: Floats,
    commands: NDArray[np.float64],
) -> None:
    """Improve the plan of each robot, command its first velocity, and move it on one period."""
    costs, mean = np.empty(len(noise), F32), np.empty(plans.shape[1:], F32)
    for row in range(len(robots)):
        plan, v, w = plans[robots[row]], velocities[row, 0], velocities[row, 1]
        x, y = goals[row, 0], goals[row, 1]
        # A robot within the margin may still drive where it comes no nearer.
        least = min(critics.margin, _clearance(field, row, ZERO, ZERO, ONE, ZERO))
        lowest, stuck = F32(np.inf), True
        for k in range(len(noise)):
            bound = lowest + F32(12.0) * critics.temperature  # exp(-12) weighs nothing
            costs[k], collides = _cost(
                plan, noise[k], v, w, x, y, least, bound, field, row, model, critics
            )
            if costs[k] < lowest:
                lowest, stuck = costs[k], collides
        if stuck:
            plan[:] = ZERO
            continue
        _weigh(costs, lowest, critics.temperature)
        _average(plan, noise, costs, v, w, model, mean)
        commands[row, 0] = min(max(plan[0, 0], model.min_v), model.max_v)
        commands[row, 1] = min(max(plan[0, 1], -model.max_w), model.max_w)
        for t in range(len(plan) - 1):
            plan[t, 0], plan[t, 1] = plan[t + 1, 0], plan[t + 1, 1]
