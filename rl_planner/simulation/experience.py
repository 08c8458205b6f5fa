"""What a step is to robots on their way to a goal: commands, observations, rewards; compiled."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from rl_planner.navigation import kinematics
from rl_planner.navigation import task as task_rules
from rl_planner.navigation.kinematics import Limits
from rl_planner.navigation.task import Outcome, Terms
from rl_planner.simulation.compiled import Doubles, Floats, Indices, compiled_exactly
from rl_planner.simulation.history import Past
from rl_planner.simulation.motion import Robots
from rl_planner.simulation.perception import Scales, Sectors, observe

register_jitable(task_rules.outcome_of)
register_jitable(task_rules.reward_of)
evaluate = compiled_exactly(task_rules.evaluate)
command_from_parts = compiled_exactly(kinematics.command_from_parts)

GOAL, COLLISION, TIMEOUT = (
    int(each) for each in (Outcome.GOAL, Outcome.COLLISION, Outcome.TIMEOUT)
)


class Results(NamedTuple):
    """What a step of the environment returns, of N robots."""

    observations: Floats  # (N, size), of the next episode where one has ended
    final_observations: Floats  # (N, size), of the step itself
    rewards: Doubles  # (N,)
    terminated: NDArray[np.bool_]  # (N,)
    truncated: NDArray[np.bool_]  # (N,)
    ended: NDArray[np.bool_]  # (N,)
    outcomes: Indices  # (N,)


@compiled_exactly
def _distance(poses: Doubles, goals: Doubles, row: int) -> float:
    dx, dy = goals[row, 0] - poses[row, 0], goals[row, 1] - poses[row, 1]
    return math.sqrt(dx * dx + dy * dy)


@compiled_exactly
def command(actions: NDArray[Any], limits: Limits, commands: Doubles) -> None:
    """Write the commands (N, 2) that actions (N, 2) ask for, cut off at -1 and 1."""
    for row in range(len(actions)):
        forward, turn = min(max(actions[row, 0], -1.0), 1.0), min(max(actions[row, 1], -1.0), 1.0)
        commands[row, 0], commands[row, 1] = command_from_parts(forward, turn, limits)


@compiled_exactly
def begin(
    rows: Indices,
    new_goals: Doubles,
    robots: Robots,
    goals: Doubles,
    distances: Doubles,
    commands: Doubles,
    sectors: Sectors,
    scales: Scales,
    past: Past,
    observations: Floats,
) -> None:
    """The first observations of the robots `rows`, on their way to `new_goals` (n, 2)."""
    for k in range(len(rows)):
        row = rows[k]
        for i in range(2):
            goals[row, i], commands[row, i] = new_goals[k, i], 0.0
        distances[row] = _distance(robots.poses, goals, row)
        past.ages[row] = 0
    observe(rows, robots, goals, commands, sectors, scales, past, observations)


@compiled_exactly
def conclude(
    rows: Indices,
    robots: Robots,
    goals: Doubles,
    distances: Doubles,
    commands: Doubles,
    sectors: Sectors,
    scales: Scales,
    past: Past,
    terms: Terms,
    results: Results,
) -> None:
    """What came of one step of the robots `rows`; `distances` (N,) are to the goals (m)."""
    observations, final = results.observations, results.final_observations
    observe(rows, robots, goals, commands, sectors, scales, past, final)
    for row in rows:
        previous = distances[row]
        distances[row] = _distance(robots.poses, goals, row)
        results.rewards[row], outcome = evaluate(
            previous, distances[row], robots.least_clearances[row], robots.times[row], terms
        )
        results.outcomes[row] = outcome
        results.terminated[row] = outcome in (GOAL, COLLISION)
        results.truncated[row] = outcome == TIMEOUT
        results.ended[row] = outcome > 0
        for i in range(final.shape[1]):
            observations[row, i] = final[row, i]


def make_results(count: int, size: int) -> Results:
    """Room for the results of `count` robots with observations of `size` numbers."""
    return Results(
        np.zeros((count, size), np.float32),
        np.zeros((count, size), np.float32),
        np.zeros(count),
        np.zeros(count, np.bool_),
        np.zeros(count, np.bool_),
        np.zeros(count, np.bool_),
        np.zeros(count, np.int64),
    )
