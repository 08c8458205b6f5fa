from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.results import driven

from rl_planner.evaluation.comparison import compare, compare_all, mcnemar
from rl_planner.evaluation.intervals import paired_difference_interval
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.scenario import Scenario
from rl_planner.navigation.task import Outcome

MakeScenario = Callable[..., Scenario]

ENDS = {'g': Outcome.GOAL, 'c': Outcome.COLLISION, 't': Outcome.TIMEOUT}


@pytest.fixture
def results(make_scenario: MakeScenario) -> Callable[[str], list[EpisodeResult]]:
    """Results by their first letters: goal, collision, timeout."""

    def make(ends: str) -> list[EpisodeResult]:
        return [driven(make_scenario(), ENDS[end], 5.0, np.zeros((2, 2))) for end in ends]

    return make


Results = Callable[[str], list[EpisodeResult]]


@pytest.mark.parametrize(
    ('first', 'second', 'p_value'),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # one toss
        (5, 5, 1.0),
        (0, 5, 2 / 32),
        (1, 7, 2 * (1 + 8) / 256),  # Fagerland et al. 2014: 0.070
        (8, 2, 2 * (1 + 10 + 45) / 1024),
    ],
)
def test_mcnemar_by_counting(first: int, second: int, p_value: float) -> None:
    assert mcnemar(first, second) == pytest.approx(p_value)
    assert mcnemar(second, first) == mcnemar(first, second)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_wider_gap_is_less_likely(a: int, b: int) -> None:
    assert 0.0 <= mcnemar(a, b) <= 1.0
    if a > b:
        assert mcnemar(a + 1, b) <= mcnemar(a, b)


def test_a_comparison_by_hand(results: Results) -> None:
    """Both reach the goal twice, the first alone twice, the second alone once, once none does."""
    answer = compare('one', results('ggggct'), 'two', results('ggctgc'))
    assert (answer.first, answer.second) == ('one', 'two')
    assert (answer.both, answer.first_only, answer.second_only, answer.neither) == (2, 2, 1, 1)
    assert answer.difference == pytest.approx(1 / 6)
    assert answer.interval == paired_difference_interval(2, 2, 1, 1)
    assert answer.p_value == 1.0


def test_each_is_compared_with_the_first(results: Results) -> None:
    answers = compare_all({'a': results('gg'), 'b': results('gc'), 'c': results('tt')})
    assert [(each.first, each.second) for each in answers] == [('a', 'b'), ('a', 'c')]
    assert [each.difference for each in answers] == [0.5, 1.0]
    assert compare_all({'a': results('gg')}) == []


def test_what_an_interruption_left_is_compared(results: Results) -> None:
    (answer,) = compare_all({'a': results('ggg'), 'b': results('c'), 'c': []})
    assert (answer.second, answer.both, answer.first_only) == ('b', 0, 1)
    assert compare_all({'a': [], 'b': results('c')}) == []
