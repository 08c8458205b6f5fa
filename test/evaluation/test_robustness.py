from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.evaluation import robustness
from rl_planner.evaluation.intervals import wilson_interval
from rl_planner.evaluation.planner import Perception
from rl_planner.evaluation.robustness import NUM_LEVELS, SWEEPS, curves
from rl_planner.evaluation.runner import Run
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import LidarConfig
from rl_planner.simulation.disturbance import DisturbanceConfig

SETTING = Setting(
    lidar=LidarConfig(num_beams=36), disturbance=DisturbanceConfig(odometry_error=0.01)
)

MakeScenario = Callable[..., Scenario]


class Straight:
    """Half a metre per second, come what may."""

    name = 'straight'

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def start(self, num_robots: int) -> None:
        pass

    def velocity_command(self, perception: Perception) -> NDArray[np.float64]:
        return np.tile([0.5, 0.0], (len(perception.ranges), 1))


def test_a_slow_robot_comes_too_late(make_scenario: MakeScenario) -> None:
    """2.75 m to drive in 5.9 s and in 12 s take 5.6 s at 0.5 m/s, and longer where commands are
    late. 0.3 and 0.4 m/s make 1.8 and 2.4 m at most in 5.9 s, and enough in 12 s.
    """
    scenarios = [make_scenario(time_limit=5.9), make_scenario(time_limit=12.0)]
    calls: list[None] = []
    found = curves({'a': Straight}, scenarios, SETTING, 0, lambda: calls.append(None))
    assert [curve.name for curve in found] == [
        'lidar noise',
        'lidar dropout',
        'command latency',
        'speed gain',
    ]
    noise, dropout, latency, gain = found
    assert noise.rates['a'] == dropout.rates['a'] == (1.0,) * 5
    assert latency.rates['a'] == (1.0, 1.0, 1.0, 1.0, 0.5)
    assert (gain.levels, gain.nominal) == ((0.6, 0.8, 1.0, 1.2, 1.4), 1.0)
    assert gain.rates['a'] == (0.5, 0.5, 1.0, 1.0, 1.0)
    assert gain.intervals['a'][0] == wilson_interval(1, 2)
    assert len(calls) == NUM_LEVELS == 20


def test_what_is_not_swept_stays_as_it_is(make_scenario: MakeScenario) -> None:
    seen: list[Setting] = []

    def make(setting: Setting) -> Straight:
        seen.append(setting)
        return Straight(setting)

    curves({'a': make}, [make_scenario(time_limit=1.0)], SETTING, 0)
    assert {each.disturbance.odometry_error for each in seen} == {0.01}
    assert {each.lidar.num_beams for each in seen} == {36}
    assert {each.lidar.noise_std for each in seen} == set(SWEEPS[0].levels)
    assert len(seen) == len(set(seen)) == 17  # the setting itself is in all four sweeps


def test_an_interruption_leaves_whole_curves(make_scenario: MakeScenario) -> None:
    made: list[Setting] = []

    def make(setting: Setting) -> Straight:
        made.append(setting)
        if len(made) == 7:
            raise KeyboardInterrupt
        return Straight(setting)

    found = curves({'a': make}, [make_scenario(time_limit=1.0)], SETTING, 0)
    assert [curve.name for curve in found] == ['lidar noise']


def test_an_interrupted_drive_counts_for_nothing(
    make_scenario: MakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> Run:
        return Run([], 0.0, interrupted=True)

    monkeypatch.setattr(robustness, 'evaluate', interrupted)
    assert curves({'a': Straight}, [make_scenario()], SETTING, 0) == []
