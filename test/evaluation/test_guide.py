"""The learned planner alone, and with the way on the map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rl_planner.evaluation.guide import Guide
from rl_planner.evaluation.planners import make_planner
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.files import shared_file
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.world import World

# A U of walls 4 m across and 4 m deep, open towards -x; inside it is a dead end on the way to +x.
TRAP = World(
    boxes=[[2.0, 0.0, 0.0, 0.2, 4.0], [0.0, 2.0, 0.0, 4.2, 0.2], [0.0, -2.0, 0.0, 4.2, 0.2]]
)
GUIDED = Setting(guided=True)


@pytest.fixture
def trap(make_scenario: Callable[..., Scenario]) -> Scenario:
    return make_scenario((0.0, 0.0, 0.0), (4.0, 0.0), world=TRAP, time_limit=60.0)


def test_the_way_leads_out_of_a_trap(trap: Scenario) -> None:
    guide = Guide([trap], GUIDED)
    ((x, y),) = guide.goals(np.zeros(1, np.int64), np.zeros((1, 3))).tolist()
    assert x < 0.0
    assert np.hypot(x, y) <= GUIDED.path.lookahead_dist + 1e-6


def test_the_end_of_the_way_is_the_goal_itself(make_scenario: Callable[..., Scenario]) -> None:
    guide = Guide([make_scenario(goal=(1.23, 0.04))], GUIDED)
    goals = guide.goals(np.zeros(1, np.int64), np.zeros((1, 3)))
    np.testing.assert_array_equal(goals, [[1.23, 0.04]])


def test_where_there_is_no_way_the_goal_is_given(make_scenario: Callable[..., Scenario]) -> None:
    closed = World(boxes=np.concatenate([TRAP.boxes, [[-2.0, 0.0, 0.0, 0.2, 4.0]]]))
    guide = Guide([make_scenario(goal=(4.0, 0.0), world=closed)], GUIDED)
    goals = guide.goals(np.zeros(1, np.int64), np.zeros((1, 3)))
    np.testing.assert_array_equal(goals, [[4.0, 0.0]])


def test_who_is_guided_gets_out_of_a_trap_and_who_is_not_does_not(trap: Scenario) -> None:
    policy = make_planner(str(shared_file('config/policies/default.safetensors')), Setting())
    for guided, outcome in ((False, Outcome.TIMEOUT), (True, Outcome.GOAL)):
        (result,) = evaluate(policy, [trap], replace(Setting(), guided=guided)).results
        assert result.outcome is outcome
