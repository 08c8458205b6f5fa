from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.evaluation.greedy import GreedyPlanner
from rl_planner.evaluation.learned import LearnedPlanner
from rl_planner.evaluation.planner import Perception, Planner
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.evaluation.suites import make_suite
from rl_planner.navigation.config import LidarConfig
from rl_planner.navigation.policy import Policy
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.environment import NavigationVectorEnv
from rl_planner.simulation.episodes import EpisodePool
from rl_planner.simulation.world import World

SETTING = Setting(lidar=LidarConfig(num_beams=36))

MakeScenario = Callable[..., Scenario]


class Steady:
    """One command for all robots, always."""

    name = 'steady'

    def __init__(self, v: float) -> None:
        self.v = v

    def start(self, num_robots: int) -> None:
        pass

    def velocity_command(self, perception: Perception) -> NDArray[np.float64]:
        return np.tile([self.v, 0.0], (len(perception.ranges), 1))


def drive(planner: Planner, *scenarios: Scenario) -> list[EpisodeResult]:
    return evaluate(planner, scenarios, SETTING).results


def test_a_straight_drive_to_the_goal(make_scenario: MakeScenario) -> None:
    """0.025 m in the first step, at 2.5 m/s2, then 0.05 m in each: 2.75 m after 56 steps."""
    (result,) = drive(Steady(0.5), make_scenario())
    assert result.outcome is Outcome.GOAL
    assert result.time_sec == pytest.approx(5.6)
    assert result.path.shape == (57, 2)
    np.testing.assert_allclose(
        result.path[[0, 1, 2, 56]], [[0, 0], [0.025, 0], [0.075, 0], [2.775, 0]]
    )
    assert result.path_length == pytest.approx(2.775)


def test_each_scenario_has_its_own_tolerance_and_time(make_scenario: MakeScenario) -> None:
    """1.975 m is within 1 m of (2.975, 0) after 40 steps; 20 steps make 2 s."""
    results = drive(
        Steady(0.5),
        make_scenario(goal=(2.975, 0.0), tolerance=1.0001),
        make_scenario(time_limit=2.0),
        make_scenario(),
    )
    assert [each.outcome for each in results] == [Outcome.GOAL, Outcome.TIMEOUT, Outcome.GOAL]
    assert [each.time_sec for each in results] == pytest.approx([4.0, 2.0, 5.6])
    assert [len(each.path) for each in results] == [41, 21, 57]


def test_a_wall_ends_the_drive(make_scenario: MakeScenario) -> None:
    """From x = 3 to the wall at 4: less than 0.17 m is left after 18 steps, at 3.875."""
    (result,) = drive(Steady(0.5), make_scenario(start=(3.0, 0.0, 0.0), goal=(-3.0, 0.0)))
    assert result.outcome is Outcome.COLLISION
    assert result.time_sec == pytest.approx(1.8)
    np.testing.assert_allclose(result.path[-1], [3.875, 0.0])


def test_movers_move(make_scenario: MakeScenario) -> None:
    """A disc of 0.3 m at 1 m/s, 2 m away, reaches 0.17 + 0.3 m after 1.53 s."""
    world = World(movers=np.array([[2.0, 0.0, 0.0, 0.0, 0.3, 1.0, 0.0]]))
    (result,) = drive(Steady(0.0), make_scenario(world=world))
    assert result.outcome is Outcome.COLLISION
    assert result.time_sec == pytest.approx(1.6)


def test_every_scenario_is_driven_once(make_scenario: MakeScenario) -> None:
    ended: list[int] = []
    scenarios = [make_scenario(time_limit=limit) for limit in (1.0, 0.5, 1.0, 40.0)]
    results = evaluate(Steady(0.5), scenarios, SETTING, on_ended=ended.append).results
    assert [each.episode for each in results] == scenarios
    assert (sum(ended), ended[4], ended[9]) == (4, 1, 2)
    assert len(ended) == 56


def test_a_planner_is_told_what_the_robot_senses(make_scenario: MakeScenario) -> None:
    """At (1, 1), facing left, the goal is 1 m behind and 2 m to the right, the wall 3 m ahead."""
    seen: list[Perception] = []

    class Watching(Steady):
        def velocity_command(self, perception: Perception) -> NDArray[np.float64]:
            seen.append(Perception(*(part.copy() for part in perception)))
            return super().velocity_command(perception)

    drive(Watching(0.5), make_scenario(start=(1.0, 1.0, np.pi / 2.0), time_limit=0.2))
    assert len(seen) == 3  # the first, unheeded, to warm up
    np.testing.assert_allclose(seen[1].goal, [[-1.0, -2.0]], atol=1e-9)
    assert seen[1].ranges[0, 18] == pytest.approx(3.0)
    np.testing.assert_allclose([seen[1].velocity, seen[1].previous_command], 0.0)
    np.testing.assert_allclose(seen[2].velocity, [[0.25, 0.0]])
    np.testing.assert_allclose(seen[2].previous_command, [[0.5, 0.0]])


def test_it_drives_as_in_training(make_policy: Callable[..., Policy]) -> None:
    """The gymnasium environment, with the same actions, goes the same ways to the same ends."""
    policy = make_policy()
    planner = LearnedPlanner(policy, SETTING)
    for scenario in make_suite('static', 3, 5).scenarios:
        (result,) = drive(planner, scenario)
        starts, goals = np.array([[scenario.start]]), np.array([[scenario.goal]])
        env = NavigationVectorEnv(
            1, EpisodePool([scenario.world], starts, goals, np.zeros(1, int)), lidar=SETTING.lidar
        )
        obs, _ = env.reset()
        for place in result.path[1:-1]:
            obs, _, _, _, infos = env.step(policy.act(obs))
            np.testing.assert_allclose(env.simulator.poses[0, :2], place, atol=1e-9)
            assert infos['outcome'] == Outcome.RUNNING
        assert env.step(policy.act(obs))[4]['outcome'] == result.outcome


def test_noise_comes_from_the_seed(make_scenario: MakeScenario) -> None:
    noisy = Setting(lidar=LidarConfig(num_beams=36, noise_std=0.3))
    scenario = make_scenario(start=(3.3, 0.0, 0.0), goal=(3.9, 0.0), time_limit=2.0)

    def path(seed: int) -> NDArray[np.float64]:
        return evaluate(GreedyPlanner(noisy), [scenario], noisy, seed).results[0].path

    np.testing.assert_array_equal(path(1), path(1))
    assert not np.array_equal(path(1), path(2))


def test_greedy_reaches_many_goals_and_touches_nothing() -> None:
    results = drive(GreedyPlanner(SETTING), *make_suite('static', 40, 3).scenarios)
    outcomes = [each.outcome for each in results]
    assert outcomes.count(Outcome.COLLISION) == 0
    assert 10 <= outcomes.count(Outcome.GOAL) <= 30
