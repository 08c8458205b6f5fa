from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_planner.navigation.inflation import Inflation, PathCosts, squared_distances


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 20), st.integers(0, 6))
@settings(max_examples=60)
def test_distances_are_those_to_the_nearest_cell(
    seed: int, rows: int, columns: int, reach: int
) -> None:
    occupied = np.random.default_rng(seed).random((rows, columns)) < 0.1
    cells, there = np.argwhere(np.ones_like(occupied)), np.argwhere(occupied)
    squares = ((cells[:, None] - there) ** 2).sum(axis=-1).min(axis=1, initial=10**6)
    expected = np.minimum(squares.reshape(rows, columns), reach * reach + 1)
    np.testing.assert_array_equal(squared_distances(occupied, reach), expected)


def test_costs_fall_from_the_clearance_on() -> None:
    """Cells of 0.1 m, 0.2 m clear: 4 more at 0.2 m, 4 e^-1 more at 0.4 m, nothing beyond 0.5 m."""
    inflation = Inflation.of(0.2, 0.5, 5.0, 4.0, 0.1)
    assert inflation.least_square == 4
    assert inflation.reach == 5
    assert inflation.by_square[[4, 16]] == pytest.approx([5.0, 1.0 + 4.0 * math.exp(-1.0)])
    assert inflation.by_square[26] == 1.0
    assert len(inflation.by_square) == 27


def test_a_robot_is_inflated_by_its_inscribed_radius_and_the_padding() -> None:
    costs = PathCosts(padding=0.1, inflation_radius=0.3, cost_weight=2.0)
    inflation = costs.inflation(0.2, 0.05)
    assert inflation.least_square == 36  # 0.3 m
    assert inflation.reach == 10  # 0.5 m
    assert inflation.by_square[36] == pytest.approx(3.0)
