from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rl_planner.evaluation.judge import JudgeError, clearances_along, judge
from rl_planner.evaluation.planners import GreedyPlanner
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.world import World

SETTING = Setting()
POST = World(circles=np.array([[1.0, 0.0, 0.3]]))

MakeScenario = Callable[..., Scenario]


def logged(scenario: Scenario, xs: list[float], outcome: Outcome) -> EpisodeResult:
    """A drive along y = 0, a pose at each of `xs`."""
    poses = np.column_stack([xs, np.zeros(len(xs)), np.zeros(len(xs))])
    time_sec = round(0.1 * (len(xs) - 1), 3)
    return EpisodeResult(scenario, outcome, time_sec, poses, np.zeros((len(xs), 2)), np.empty(0))


def test_waiting_at_the_start_is_no_part_of_the_drive(make_scenario: MakeScenario) -> None:
    scenario = make_scenario(goal=(1.0, 0.0))
    result = judge(logged(scenario, [0.0, 0.0, 0.0, 0.4, 0.8], Outcome.GOAL), scenario, SETTING)
    assert (result.outcome, result.time_sec) == (Outcome.GOAL, pytest.approx(0.2))
    np.testing.assert_allclose(result.path[:, 0], [0.0, 0.4, 0.8])


def test_a_robot_that_rests_may_shake_a_little(make_scenario: MakeScenario) -> None:
    """Where physics is simulated, and a yaw of pi may be told as -pi."""
    scenario = make_scenario(goal=(1.0, 0.0))
    drive = logged(scenario, [0.0, 0.0004, -0.0003, 0.4, 0.8], Outcome.GOAL)
    drive.poses[:, 2] = [3.1415, -3.1415, 3.1415, 3.1415, 3.1415]
    assert judge(drive, scenario, SETTING).time_sec == pytest.approx(0.4)
    assert judge(drive, scenario, SETTING, rest=1e-3).time_sec == pytest.approx(0.2)


def test_what_commands_are_late_is_part_of_it(make_scenario: MakeScenario) -> None:
    setting = replace(SETTING, disturbance=DisturbanceConfig(command_latency=0.2))
    scenario = make_scenario(goal=(1.0, 0.0))
    drive = logged(scenario, [0.0, 0.0, 0.0, 0.0, 0.4, 0.8], Outcome.GOAL)
    # Given at the second pose, the command took hold at the fourth.
    np.testing.assert_allclose(judge(drive, scenario, setting).path[:, 0], [0, 0, 0, 0.4, 0.8])


def test_a_collision_seen_late_ends_the_drive_where_it_was(make_scenario: MakeScenario) -> None:
    scenario = make_scenario(world=POST)
    drive = logged(scenario, [0.0, 0.4, 0.54, 0.56], Outcome.COLLISION)
    result = judge(drive, scenario, SETTING)
    assert (result.outcome, len(result.poses)) == (Outcome.COLLISION, 3)
    # From x to the post at 0.7, less the robot's 0.17.
    np.testing.assert_allclose(result.clearances, [0.53, 0.13, -0.01], atol=1e-6)


def test_a_collision_not_seen_is_one(make_scenario: MakeScenario) -> None:
    scenario = make_scenario(goal=(0.6, 0.0), tolerance=0.01, world=POST)
    result = judge(logged(scenario, [0.0, 0.55, 0.6], Outcome.GOAL), scenario, SETTING)
    assert (result.outcome, len(result.poses)) == (Outcome.COLLISION, 2)


def test_a_false_alarm_ended_the_drive(make_scenario: MakeScenario) -> None:
    scenario = make_scenario(world=POST)
    result = judge(logged(scenario, [0.0, 0.3, 0.5], Outcome.COLLISION), scenario, SETTING)
    assert (result.outcome, len(result.poses)) == (Outcome.COLLISION, 3)


def test_a_robot_that_never_moved_ran_out_of_time(make_scenario: MakeScenario) -> None:
    scenario = make_scenario(time_limit=0.3)
    result = judge(logged(scenario, [0.0] * 5, Outcome.TIMEOUT), scenario, SETTING)
    assert (result.outcome, result.time_sec) == (Outcome.TIMEOUT, pytest.approx(0.3))


def test_missing_poses_are_refused(make_scenario: MakeScenario) -> None:
    drive = replace(logged(make_scenario(), [0.0, 0.1], Outcome.GOAL), time_sec=0.2)
    with pytest.raises(JudgeError, match=r'a pose every 0\.1 s for 0\.2 s, got 2'):
        judge(drive, make_scenario(), SETTING)


def test_movers_are_where_they_are_at_the_time() -> None:
    # From x = 1 towards x = 3 at 1 m/s: 0.5 m of post and 0.17 m of robot before it.
    world = World(movers=np.array([[1.0, 0.0, 3.0, 0.0, 0.5, 1.0, 0.0]]))
    clearances = clearances_along(np.zeros((3, 3)), np.array([0.0, 1.0, 3.0]), world, RobotConfig())
    np.testing.assert_allclose(clearances, [0.33, 1.33, 1.33], atol=1e-6)


def test_the_process_is_judged_as_it_judged_itself(make_scenario: MakeScenario) -> None:
    world = replace(POST, movers=np.array([[0.0, 2.0, 2.0, 2.0, 0.2, 0.3, 0.0]]))
    scenarios = [make_scenario(goal=(2.0, y), world=world, time_limit=6.0) for y in (0.0, 1.5, 3.0)]
    for driven in evaluate(GreedyPlanner(SETTING), scenarios, SETTING).results:
        assert isinstance(driven.episode, Scenario)
        result = judge(driven, driven.episode, SETTING)
        assert (result.outcome, result.time_sec) == (driven.outcome, driven.time_sec)
        np.testing.assert_allclose(result.clearances, driven.clearances, atol=1e-6)
