from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from support.results import driven

from rl_planner.evaluation.intervals import wilson_interval
from rl_planner.evaluation.metrics import barn_score, spl, summarize
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.scenario import Scenario
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

MakeScenario = Callable[..., Scenario]


def result(scenario: Scenario, outcome: Outcome, time_sec: float, length: float) -> EpisodeResult:
    """A drive out and back: half of its length each way."""
    path = np.array([[0.0, 0.0], [length / 2.0, 0.0], [0.0, 0.0]])
    return driven(scenario, outcome, time_sec, path)


def test_spl_by_hand(make_scenario: MakeScenario) -> None:
    """3 m driven in 6 m, 4 m in 4 m, a collision: (0.5 + 1 + 0) / 3."""
    scenarios = [make_scenario(shortest_path=length) for length in (3.0, 4.0, 3.0)]
    results = [
        result(scenarios[0], Outcome.GOAL, 9.0, 6.0),
        result(scenarios[1], Outcome.GOAL, 9.0, 4.0),
        result(scenarios[2], Outcome.COLLISION, 9.0, 3.0),
    ]
    assert spl(results) == pytest.approx(0.5)


def test_nobody_is_more_than_as_short_as_can_be(make_scenario: MakeScenario) -> None:
    """The goal counts as reached a little before it: a straight drive is less than its length."""
    scenario = make_scenario(shortest_path=3.0)
    assert spl([result(scenario, Outcome.GOAL, 5.0, 2.75)]) == 1.0


def test_the_summary_by_hand(make_scenario: MakeScenario) -> None:
    scenarios = [make_scenario(shortest_path=2.0)] * 5
    ends = [
        (Outcome.GOAL, 4.0),
        (Outcome.TIMEOUT, 40.0),
        (Outcome.GOAL, 6.0),
        (Outcome.COLLISION, 1.0),
        (Outcome.GOAL, 8.0),
    ]
    results = [result(scenarios[0], outcome, time, 4.0) for outcome, time in ends]
    metrics = summarize(results, 0.1)
    assert metrics.episodes == 5
    assert metrics.success_rate == pytest.approx(0.6)
    assert metrics.success_interval == wilson_interval(3, 5)
    assert (metrics.collision_rate, metrics.timeout_rate) == pytest.approx((0.2, 0.2))
    assert metrics.mean_time_sec == pytest.approx(6.0)
    assert metrics.spl == pytest.approx(0.3)
    assert metrics.mean_path_length == pytest.approx(4.0)
    assert metrics.mean_speed == pytest.approx(5 * 4.0 / 59.0)


def test_without_a_success_there_is_no_mean_time(make_scenario: MakeScenario) -> None:
    scenario = make_scenario()
    metrics = summarize([result(scenario, Outcome.TIMEOUT, 40.0, 1.0)], 0.1)
    assert (metrics.success_rate, metrics.mean_time_sec, metrics.spl) == (0.0, None, 0.0)
    assert metrics.mean_path_length is None


def test_clearances_are_the_least_of_each_episode(make_scenario: MakeScenario) -> None:
    """0.5, 0.4, ..., -0.5 in 11 episodes: the 5th percentile lies half way from the first to the
    second; of 22 moments those below 0.1 m are close.
    """
    path = np.zeros((2, 2))
    least = np.arange(0.5, -0.55, -0.1)
    results = [
        driven(make_scenario(), Outcome.GOAL, 0.1, path, clearances=[1.0, each]) for each in least
    ]
    metrics = summarize(results, 0.1)
    assert metrics.min_clearance == pytest.approx(0.0, abs=1e-12)
    assert metrics.min_clearance_5th == pytest.approx(-0.45)
    assert metrics.close_share == pytest.approx(6 / 22)


def test_what_is_not_known_is_none_and_never_nan(make_scenario: MakeScenario) -> None:
    """A robot that touches at once has no velocities to tell jerk from, and took no time."""
    scenario = make_scenario()
    short = EpisodeResult(
        scenario, Outcome.COLLISION, 0.0, np.zeros((1, 3)), np.zeros((1, 2)), np.empty(0)
    )
    metrics = summarize([short], 0.1)
    unknown = {name for name, value in asdict(metrics).items() if value is None}
    assert unknown == {
        'mean_time_sec',
        'mean_path_length',
        'min_clearance',
        'min_clearance_5th',
        'close_share',
        'linear_jerk',
        'angular_jerk',
        'sign_changes_per_sec',
        'mean_speed',
    }
    json.dumps(asdict(metrics), allow_nan=False)


def test_the_barn_score_by_hand(make_scenario: MakeScenario) -> None:
    """10 m are 5 s at 2 m/s: 5/10 where it took 6 s, 5/20 for 20 s, 5/40 for 90 s."""
    scenario = make_scenario(shortest_path=10.0)
    ends = [
        (Outcome.GOAL, 6.0),
        (Outcome.GOAL, 20.0),
        (Outcome.GOAL, 90.0),
        (Outcome.COLLISION, 12.0),
    ]
    results = [result(scenario, outcome, time, 11.0) for outcome, time in ends]
    assert barn_score(results) == pytest.approx((0.5 + 0.25 + 0.125) / 4)


def test_an_episode_without_a_shortest_path_has_no_spl(arena: World) -> None:
    episode = Episode(arena, (0.0, 0.0, 0.0), (3.0, 0.0))
    with pytest.raises(TypeError, match='result must be of a Scenario, got Episode'):
        spl([driven(episode, Outcome.GOAL, 5.0, np.zeros((2, 2)))])
