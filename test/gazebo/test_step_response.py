"""Responses of robots to commands, from time series made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rl_planner.gazebo.step_response import StepResponse, body_velocities

PERIOD = 0.01


def exponential(delay: float, time_constant: float, n: int = 400) -> np.ndarray:
    """1 - exp(-(t - delay) / time_constant), at the ends of n periods."""
    late = np.maximum(PERIOD * np.arange(1, n + 1) - delay, 0.0)
    return 1.0 - np.exp(-late / time_constant)


def test_an_exponential_behind_a_delay() -> None:
    values = 0.5 + 0.9 * 0.4 * exponential(0.05, 0.2)  # from 0.5 to nine tenths of 0.4 above
    response = StepResponse.of(values, PERIOD, 0.5, 0.9)
    assert response.gain == pytest.approx(0.9, abs=1e-3)
    assert response.rise_63 == pytest.approx(0.05 + 0.2 * math.log(1.0 / 0.37), abs=0.003)
    assert response.rise_90 == pytest.approx(0.05 + 0.2 * math.log(10.0), abs=0.003)
    assert response.overshoot == pytest.approx(0.0, abs=1e-3)
    # What is missing of a whole change is the area above the curve: delay plus time constant,
    # less half a period, as each value is that of its period's end.
    assert response.lag == pytest.approx(0.25 - PERIOD / 2.0, abs=1e-3)


def test_a_command_down_is_a_response_too() -> None:
    up = StepResponse.of(exponential(0.0, 0.1), PERIOD, 0.0, 1.0)
    down = StepResponse.of(-0.3 - 0.7 * exponential(0.0, 0.1), PERIOD, -0.3, -1.0)
    assert down == pytest.approx(up)


def test_who_goes_beyond_and_comes_back() -> None:
    values = np.array([0.5, 1.0, 1.2, 1.1, *[1.0] * 96])
    response = StepResponse.of(values, PERIOD, 0.0, 1.0)
    assert response.overshoot == pytest.approx(0.2)
    assert response.rise_63 == pytest.approx(PERIOD * 1.26)  # 0.13 of the half from 0.5 to 1.0
    assert response.lag == pytest.approx(PERIOD * (0.5 - 0.2 - 0.1))


def test_who_is_there_at_once_has_no_lag() -> None:
    response = StepResponse.of(np.ones(20), PERIOD, 0.0, 1.0)
    assert (response.lag, response.gain, response.overshoot) == (0.0, 1.0, 0.0)
    assert response.rise_90 <= PERIOD


def test_no_response_is_an_error() -> None:
    with pytest.raises(ValueError, match='must follow its command, and does to 0%'):
        StepResponse.of(np.zeros(20), PERIOD, 0.0, 1.0)
    with pytest.raises(ValueError, match='follow its command, and does to -100%'):
        StepResponse.of(np.full(20, -1.0), PERIOD, 0.0, 1.0)
    with pytest.raises(ValueError, match=r'must differ from 0\.4'):
        StepResponse.of(np.ones(20), PERIOD, 0.4, 0.4)


def test_velocities_along_an_arc_and_aside() -> None:
    # A quarter of a circle of radius 2 in 10 periods, to the left, across the jump of the yaw.
    angles = np.linspace(0.0, math.pi / 2.0, 11)
    yaw = np.arctan2(np.sin(angles + 3.0), np.cos(angles + 3.0))
    start = 3.0 - math.pi / 2.0
    arc = np.column_stack([2.0 * np.cos(start + angles), 2.0 * np.sin(start + angles), yaw])
    chord = 4.0 * math.sin(math.pi / 40.0) / PERIOD
    rate = math.pi / 20.0 / PERIOD
    np.testing.assert_allclose(body_velocities(arc, PERIOD), [[chord, 0.0, rate]] * 10, atol=1e-9)
    aside = np.array([[0.0, 0.0, math.pi / 2.0], [-0.03, 0.04, math.pi / 2.0]])
    np.testing.assert_allclose(body_velocities(aside, PERIOD), [[4.0, 3.0, 0.0]], atol=1e-9)
