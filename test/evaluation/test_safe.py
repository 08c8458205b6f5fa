"""Planners that would hit everything, and the safety layer behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rl_planner.evaluation.planner import Perception
from rl_planner.evaluation.planners import make_planner
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.setting import Setting
from rl_planner.evaluation.suites import make_suite
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.safety import SafetyConfig
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.disturbance import DisturbanceConfig

BOX = RobotConfig(
    radius=0.266,
    footprint_length=0.43,
    footprint_width=0.31,
    max_linear_vel=2.0,
    min_linear_vel=-0.5,
    max_angular_vel=4.0,
    max_linear_accel=5.0,
    max_angular_accel=20.0,
)
SETTINGS = {
    'disc': Setting(),
    'fast box': Setting(robot=BOX, lidar=LidarConfig(num_beams=720, range_max=10.0)),
    'late disc': Setting(disturbance=DisturbanceConfig(command_latency=0.1)),
    'very late box': Setting(
        robot=BOX,
        lidar=LidarConfig(num_beams=720, range_max=10.0),
        disturbance=DisturbanceConfig(command_latency=0.2),
    ),
}


def collisions(planner: str, setting: Setting, episodes: int = 12) -> int:
    suite = make_suite('static', episodes, 0, setting=setting)
    brief = [replace(each, time_limit=12.0) for each in suite.scenarios]
    run = evaluate(make_planner(planner, setting), brief, setting)
    return sum(result.outcome == Outcome.COLLISION for result in run.results)


@pytest.mark.parametrize('planner', ['random', 'ramming'])
@pytest.mark.parametrize('name', SETTINGS)
def test_nothing_is_hit_whatever_the_planner_asks_for(planner: str, name: str) -> None:
    setting = SETTINGS[name]
    guard = SafetyConfig(command_latency=setting.disturbance.command_latency)
    assert collisions(planner, replace(setting, safety=guard)) == 0


def test_without_it_they_do_hit_things() -> None:
    assert collisions('ramming', Setting()) == 12


def test_the_ramming_planner_aims_at_the_nearest_return() -> None:
    setting = Setting()
    ranges = np.full((2, 180), np.inf, np.float32)
    angles = np.linspace(-np.pi, np.pi, 180, endpoint=False)
    ranges[0, [30, 100]] = 2.0, 1.0  # the second is at 20 degrees
    ranges[1, 30] = 0.5  # at -120 degrees
    still = np.zeros((2, 2))
    seen = Perception(np.arange(2), ranges, still, still, still, np.zeros((2, 3)))
    commands = make_planner('ramming', setting).velocity_command(seen)
    assert np.degrees(angles[[100, 30]]) == pytest.approx([20.0, -120.0])
    np.testing.assert_allclose(commands, [[0.5, 4.0 * np.radians(20.0)], [0.5, -1.5]])


def test_random_commands_cover_what_the_robot_can_do_and_come_again() -> None:
    planner = make_planner('random', Setting(robot=BOX))
    still = np.zeros((4000, 2))
    seen = Perception(
        np.arange(4000), np.zeros((4000, 1), np.float32), still, still, still, np.zeros((4000, 3))
    )
    planner.start(4000)
    first = planner.velocity_command(seen)
    np.testing.assert_allclose(first.min(axis=0), [-0.5, -4.0], atol=0.02)
    np.testing.assert_allclose(first.max(axis=0), [2.0, 4.0], atol=0.02)
    planner.start(4000)
    np.testing.assert_array_equal(planner.velocity_command(seen), first)
