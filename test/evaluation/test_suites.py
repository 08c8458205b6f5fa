"""Suites: fixed by seed, drivable, and never trained on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.evaluation.scenario import ScenarioError
from rl_planner.evaluation.setting import Setting
from rl_planner.evaluation.suites import RANDOM_SUITES, make_suite
from rl_planner.navigation.config import RobotConfig
from rl_planner.simulation.episodes import random_pool
from rl_planner.simulation.free_space import FreeSpace
from rl_planner.simulation.random_world import Purpose, generator
from rl_planner.simulation.world import mover_positions


def test_a_suite_is_the_same_for_the_same_seed() -> None:
    one, two, other = (make_suite('static', 5, seed).scenarios for seed in (7, 7, 8))
    assert [each.start for each in one] == [each.start for each in two]
    np.testing.assert_array_equal(one[3].world.boxes, two[3].world.boxes)
    assert {each.start for each in one}.isdisjoint(each.start for each in other)


def test_more_episodes_begin_with_the_same_ones() -> None:
    few, many = (make_suite('static', n, 0).scenarios for n in (3, 6))
    assert [each.goal for each in few] == [each.goal for each in many[:3]]


def test_every_scenario_of_the_suite_can_be_driven() -> None:
    calls: list[None] = []
    scenarios = make_suite('static', 8, 1, on_scenario=lambda: calls.append(None)).scenarios
    assert len(calls) == len(scenarios) == 8
    for each in scenarios:
        straight = math.dist(each.start[:2], each.goal)
        assert 3.0 <= straight <= each.shortest_path < math.inf
        assert (each.xy_goal_tolerance, each.time_limit) == (0.25, 40.0)
        assert not len(each.world.movers)


@pytest.mark.parametrize(('speed', 'limit'), [(0.25, 80.0), (0.5, 40.0), (2.0, 40.0)])
def test_who_is_slower_has_more_time(speed: float, limit: float) -> None:
    setting = Setting(RobotConfig(max_linear_vel=speed))
    (scenario,) = make_suite('static', 1, 0, setting=setting).scenarios
    assert scenario.time_limit == pytest.approx(limit)


def test_an_unknown_suite_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"suite must be one of static, .*, barn, got 'hard'"):
        make_suite('hard', 1, 0)


@pytest.mark.parametrize('name', ['static', 'dynamic', 'dense', 'rooms', 'traps'])
def test_no_world_is_both_trained_in_and_evaluated_in(name: str) -> None:
    families, robot = RANDOM_SUITES[name], RobotConfig()
    trained = [
        world
        for seed in range(4)
        for world in random_pool(Purpose.TRAINING, seed, 4, robot, families, 1).worlds
    ]
    for seed in range(4):
        for scenario in make_suite(name, 4, seed).scenarios:
            boxes = scenario.world.boxes
            assert not any(np.array_equal(boxes, other.boxes) for other in trained)


def test_movers_of_the_dynamic_suites() -> None:
    counts = [len(each.world.movers) for each in make_suite('dynamic', 7, 0).scenarios]
    assert counts == [2, 4, 6, 2, 4, 6, 2]
    for scenario in make_suite('dynamic-6', 20, 0).scenarios:
        movers = scenario.world.movers
        assert len(movers) == 6
        away = np.hypot(*(mover_positions(movers, 0.0) - scenario.start[:2]).T) - movers[:, 4]
        assert away.min() >= 0.17 + 0.5


@pytest.mark.parametrize(('name', 'detour'), [('rooms', 1.0), ('traps', 1.1)])
def test_the_straight_way_is_barred(name: str, detour: float) -> None:
    """Goals are chosen by lengths on a grid, with a margin: up to 15 % above the shortest way."""
    for scenario in make_suite(name, 20, 3).scenarios:
        straight = math.dist(scenario.start[:2], scenario.goal)
        assert scenario.shortest_path >= detour * straight
        assert straight >= 3.0


def test_a_suite_for_another_robot() -> None:
    setting = Setting(robot=RobotConfig(radius=0.3))
    suite = make_suite('static', 10, 0, setting=setting)
    assert suite.setting is setting
    for scenario in suite.scenarios:
        assert FreeSpace(scenario.world, 0.1).clearance_at(*scenario.start[:2]) >= 0.3


SEEDS = st.integers(0, 2**40)
INDICES = st.integers(0, 10**6)


@given(SEEDS, INDICES, SEEDS, INDICES)
def test_no_training_seed_is_an_evaluation_seed(a: int, i: int, b: int, j: int) -> None:
    trained = generator(Purpose.TRAINING, a, i).integers(2**63, size=2)
    evaluated = generator(Purpose.EVALUATION, b, j).integers(2**63, size=2)
    assert tuple(trained) != tuple(evaluated)
