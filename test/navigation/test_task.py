"""Reward and outcome, term by term; every expected value is worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rl_planner.navigation.config import TaskConfig
from rl_planner.navigation.task import Outcome, Terms, evaluate, outcome_of

TASK = TaskConfig(
    xy_goal_tolerance=0.3,
    time_limit=10.0,
    progress_reward=2.0,
    goal_reward=5.0,
    collision_penalty=7.0,
    step_penalty=0.01,
    clearance_margin=0.4,
    clearance_penalty=0.08,
)
TERMS = Terms.of(TASK)
FAR, CLEAR, EARLY = 3.0, 1.0, 1.0


@pytest.mark.parametrize(
    ('distance', 'clearance', 'elapsed', 'outcome'),
    [
        (FAR, CLEAR, EARLY, Outcome.RUNNING),
        (0.3, CLEAR, EARLY, Outcome.GOAL),  # the tolerance itself is near enough
        (0.31, CLEAR, EARLY, Outcome.RUNNING),
        (FAR, 0.0, EARLY, Outcome.RUNNING),  # grazing is not touching
        (FAR, -1e-6, EARLY, Outcome.COLLISION),
        (FAR, CLEAR, 9.99, Outcome.RUNNING),
        (FAR, CLEAR, 10.0, Outcome.TIMEOUT),
        (FAR, CLEAR, 100 * 0.1 - 1e-9, Outcome.TIMEOUT),  # a sum of steps, rounded down
        (0.1, -0.1, 10.0, Outcome.COLLISION),  # a collision counts before all
        (0.1, CLEAR, 10.0, Outcome.GOAL),  # the goal counts before the time limit
        (FAR, -0.1, 10.0, Outcome.COLLISION),
    ],
)
def test_outcomes(distance: float, clearance: float, elapsed: float, outcome: Outcome) -> None:
    assert outcome_of(distance, clearance, elapsed, TERMS) == outcome
    assert evaluate(distance, distance, clearance, elapsed, TERMS)[1] == outcome


@pytest.mark.parametrize(
    ('previous', 'distance', 'clearance', 'elapsed', 'reward'),
    [
        (3.0, 3.0, 1.0, 1.0, -0.01),  # a step costs
        (3.1, 3.0, 1.0, 1.0, 0.2 - 0.01),  # 0.1 m nearer
        (3.0, 3.1, 1.0, 1.0, -0.2 - 0.01),  # 0.1 m farther
        (3.0, 3.0, 0.4, 1.0, -0.01),  # at the margin: free
        (3.0, 3.0, 0.1, 1.0, -0.01 - 0.06),  # three quarters into the margin
        (3.0, 3.0, 0.0, 1.0, -0.01 - 0.08),
        (0.4, 0.2, 1.0, 1.0, 0.4 - 0.01 + 5.0),  # the goal
        (3.0, 3.0, -0.2, 1.0, -0.01 - 0.08 - 7.0),  # a collision: closeness counts once at most
        (3.0, 3.0, 1.0, 10.0, -0.01),  # running out of time is worth nothing by itself
        (0.4, 0.2, -0.1, 1.0, 0.4 - 0.01 - 0.08 - 7.0),  # at the goal, but in a wall
    ],
)
def test_rewards(
    previous: float, distance: float, clearance: float, elapsed: float, reward: float
) -> None:
    assert evaluate(previous, distance, clearance, elapsed, TERMS)[0] == pytest.approx(reward)


def test_many_robots_with_goals_of_their_own() -> None:
    terms = TERMS._replace(
        xy_goal_tolerance=np.array([0.1, 1.0, 1.0]), time_limit=np.array([5.0, 5.0, 2.0])
    )
    distance, clearance = np.array([0.5, 0.5, 2.0]), np.array([1.0, 1.0, 1.0])
    rewards, outcomes = evaluate(distance, distance, clearance, np.full(3, 3.0), terms)
    assert outcomes.tolist() == [Outcome.RUNNING, Outcome.GOAL, Outcome.TIMEOUT]
    np.testing.assert_allclose(rewards, [-0.01, 4.99, -0.01])


def test_terms_are_the_tasks() -> None:
    assert Terms.of(TASK) == Terms(0.3, 10.0, 2.0, 5.0, 7.0, 0.01, 0.4, 0.08)
