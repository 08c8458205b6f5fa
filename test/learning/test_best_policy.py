from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rl_planner.learning.best_policy import WINDOW, BestPolicy
from rl_planner.navigation.task import Outcome


def outcomes(goals: int, collisions: int, timeouts: int = 0) -> NDArray[np.int64]:
    ended = [Outcome.GOAL] * goals + [Outcome.COLLISION] * collisions
    return np.array(ended + [Outcome.TIMEOUT] * timeouts)


def test_only_whole_windows_are_compared() -> None:
    best = BestPolicy()
    assert not best.improved_by(outcomes(WINDOW - 1, 0))
    assert best.success_rate == 0.0
    assert best.improved_by(outcomes(0, 1))
    assert best.success_rate == pytest.approx(1.0 - 1.0 / WINDOW)


def test_a_worse_or_equal_window_is_no_improvement() -> None:
    best = BestPolicy()
    assert best.improved_by(outcomes(600, 300, 100))
    assert not best.improved_by(outcomes(500, 500))
    assert not best.improved_by(outcomes(600, 0, 400))
    assert best.success_rate == 0.6
    assert best.improved_by(outcomes(601, 399))
    assert best.success_rate == 0.601


def test_no_window_without_a_goal_is_an_improvement() -> None:
    assert not BestPolicy().improved_by(outcomes(0, WINDOW))


def test_it_goes_on_in_the_middle_of_a_window() -> None:
    whole, first = BestPolicy(), BestPolicy()
    for best in (whole, first):
        best.improved_by(outcomes(500, 500))
        best.improved_by(outcomes(700, 100))
    second = BestPolicy()
    second.restore(first.state())
    assert second.improved_by(outcomes(0, 200))
    assert whole.improved_by(outcomes(0, 200))
    assert second.success_rate == whole.success_rate == 0.7
