"""What one step is worth, and when an episode ends, and how.

Plain arithmetic on floats or arrays alike, and the simulator compiles it: simulator and actor node
call the same functions. `outcome_of` and `reward_of` take tensors as well.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from rl_planner.navigation.config import TaskConfig


class Outcome(IntEnum):
    """How an episode ended. Goal and collision terminate it, the time limit truncates it."""

    RUNNING = 0
    GOAL = 1
    COLLISION = 2
    TIMEOUT = 3


class Terms(NamedTuple):
    """The numbers of a `TaskConfig` that decide reward and outcome.

    What differs from robot to robot may be an array of one number for each.
    """

    xy_goal_tolerance: Any
    time_limit: Any
    progress_reward: float
    goal_reward: float
    collision_penalty: float
    step_penalty: float
    clearance_margin: float
    clearance_penalty: float

    @classmethod
    def of(cls, task: TaskConfig) -> Terms:
        return cls(*(float(getattr(task, name)) for name in cls._fields))


def outcome_of(distance: Any, clearance: Any, elapsed: Any, terms: Terms) -> Any:
    """The `Outcome` value: a collision counts before the goal, the goal before the time limit.

    Args:
        distance: from robot to goal (m).
        clearance: from the robot's edge to the nearest obstacle (m); below zero is a collision.
        elapsed: time since the episode began (s).
    """
    goal = (distance <= terms.xy_goal_tolerance) & (clearance >= 0.0)
    late = (elapsed >= terms.time_limit - 1e-6) & (distance > terms.xy_goal_tolerance)
    return 1 * goal + 2 * (clearance < 0.0) + 3 * (late & (clearance >= 0.0))


def reward_of(progress: Any, closeness: Any, outcome: Any, terms: Terms) -> Any:
    """The reward of one step.

    Args:
        progress: by how much the robot came nearer to the goal (m).
        closeness: 0 where obstacles are clearance_margin away or more, 1 where they touch.
        outcome: the `Outcome` value.
    """
    return (
        terms.progress_reward * progress
        - terms.step_penalty
        - terms.clearance_penalty * closeness
        + terms.goal_reward * (outcome == 1)
        - terms.collision_penalty * (outcome == 2)
    )


def evaluate(
    previous_distance: Any, distance: Any, clearance: Any, elapsed: Any, terms: Terms
) -> tuple[Any, Any]:
    """(reward, outcome) of one step.

    The reward pays progress towards the goal and the goal itself; a step, closeness to obstacles
    and a collision cost.
    """
    outcome = outcome_of(distance, clearance, elapsed, terms)
    closeness = np.minimum(np.maximum(1.0 - clearance / terms.clearance_margin, 0.0), 1.0)
    return reward_of(previous_distance - distance, closeness, outcome, terms), outcome
