"""Capped commands keep to their arcs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.navigation.speed_cap import SpeedCap


@pytest.mark.parametrize(
    ('command', 'capped'),
    [
        ((0.4, 1.0), (0.2, 0.5)),  # twice too fast ahead
        ((0.1, 2.0), (0.05, 1.0)),  # twice too fast to the side
        ((0.8, 2.0), (0.2, 0.5)),
        ((-0.4, -0.5), (-0.2, -0.25)),
        ((0.1, 0.5), (0.1, 0.5)),
        ((0.0, 0.0), (0.0, 0.0)),
    ],
)
def test_by_hand(command, capped):
    assert SpeedCap(0.2, 1.0).apply(np.array([command])) == pytest.approx(np.array([capped]))


def test_without_a_cap_nothing_changes():
    commands = np.random.default_rng(0).normal(size=(100, 2))
    assert (SpeedCap().apply(commands) == commands).all()
    assert SpeedCap().apply(np.zeros((0, 2))).shape == (0, 2)


speed = st.floats(-5.0, 5.0)


@given(speed, speed, st.floats(1e-3, 5.0), st.floats(1e-3, 5.0))
def test_never_faster_and_on_the_same_arc(v, w, linear, angular):
    ((capped_v, capped_w),) = SpeedCap(linear, angular).apply(np.array([[v, w]]))
    assert abs(capped_v) <= linear * (1 + 1e-9)
    assert abs(capped_w) <= angular * (1 + 1e-9)
    assert math.isclose(capped_v * w, capped_w * v, rel_tol=1e-9, abs_tol=1e-12)
    assert abs(capped_v) <= abs(v)
