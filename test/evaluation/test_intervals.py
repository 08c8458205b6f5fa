from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.evaluation.intervals import paired_difference_interval, wilson_interval


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


def test_the_paired_interval_is_the_published_one() -> None:
    """Fagerland et al. 2014, Statistics in Medicine 33, p. 2850: Newcombe's interval of their first
    example, airway hyper-responsiveness before and after a stem cell transplantation.
    """
    interval = paired_difference_interval(1, 1, 7, 12)
    assert interval == pytest.approx((-0.507, -0.026), abs=5e-4)


def test_a_paired_interval_by_hand() -> None:
    """10 of 20 with each planner, never on the same episode: phi is -1, and the errors add up.

    Wilson for 10 of 20 with z^2 = 3.8415: the middle 0.5, the half width 0.5 sqrt(z^2 / (n + z^2))
    = 0.5 sqrt(3.8415 / 23.8415) = 0.20070. Errors that are opposite add up: 0.40141.
    """
    interval = paired_difference_interval(0, 10, 10, 0)
    assert interval == pytest.approx((-0.40141, 0.40141), abs=1e-5)


def test_equal_planners_without_a_failure_may_still_differ() -> None:
    """A margin is 0, so phi is 0: 20 of 20 is at least 20 / (20 + z^2) = 0.83887 for each."""
    interval = paired_difference_interval(20, 0, 0, 0)
    assert interval == pytest.approx((-0.16113, 0.16113), abs=1e-5)


TABLES = st.tuples(*[st.integers(0, 300)] * 4).filter(any)


@given(TABLES)
def test_a_paired_interval_holds_its_difference_and_mirrors(table: tuple[int, ...]) -> None:
    both, first, second, neither = table
    low, high = paired_difference_interval(both, first, second, neither)
    assert -1.0 <= low <= (first - second) / sum(table) + 1e-9
    assert (first - second) / sum(table) - 1e-9 <= high <= 1.0
    other = paired_difference_interval(both, second, first, neither)
    assert other == pytest.approx((-high, -low), abs=1e-12)
    failures = paired_difference_interval(neither, first, second, both)
    assert failures == pytest.approx((low, high), abs=1e-9)
