from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.results import driven

from rl_planner.evaluation.metrics import spl, summarize, wilson_interval
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.scenario import Scenario
from rl_planner.navigation.task import Outcome

MakeScenario = Callable[..., Scenario]


@pytest.mark.parametrize(
    ('successes', 'count', 'low', 'high'),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_published(
    successes: int, count: int, low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3."""
    assert wilson_interval(successes, count) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_rate_and_mirrors(case: tuple[int, int]) -> None:
    successes, count = case
    low, high = wilson_interval(successes, count)
    assert 0.0 <= low <= successes / count + 1e-12
    assert successes / count - 1e-12 <= high <= 1.0
    assert wilson_interval(count - successes, count) == pytest.approx((1.0 - high, 1.0 - low))


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
    assert spl(scenarios, results) == pytest.approx(0.5)


def test_nobody_is_more_than_as_short_as_can_be(make_scenario: MakeScenario) -> None:
    """The goal counts as reached a little before it: a straight drive is less than its length."""
    scenario = make_scenario(shortest_path=3.0)
    assert spl([scenario], [result(scenario, Outcome.GOAL, 5.0, 2.75)]) == 1.0


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
    metrics = summarize(scenarios, results)
    assert metrics.episodes == 5
    assert metrics.success_rate == pytest.approx(0.6)
    assert metrics.success_interval == wilson_interval(3, 5)
    assert (metrics.collision_rate, metrics.timeout_rate) == pytest.approx((0.2, 0.2))
    assert metrics.mean_time_sec == pytest.approx(6.0)
    assert metrics.spl == pytest.approx(0.3)


def test_without_a_success_there_is_no_mean_time(make_scenario: MakeScenario) -> None:
    scenario = make_scenario()
    metrics = summarize([scenario], [result(scenario, Outcome.TIMEOUT, 40.0, 1.0)])
    assert (metrics.success_rate, metrics.mean_time_sec, metrics.spl) == (0.0, None, 0.0)
