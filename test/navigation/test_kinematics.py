"""The unicycle: limits by hand, arcs against small steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.kinematics import (
    Limits,
    command_from_action,
    integrate,
    limit_velocity,
)

LIMITS = Limits(
    min_linear_vel=-0.2,
    max_linear_vel=1.0,
    max_angular_vel=2.0,
    max_linear_accel=0.5,
    max_angular_accel=3.0,
)


def test_limits_are_the_robots() -> None:
    robot = RobotConfig(
        min_linear_vel=-0.2,
        max_linear_vel=1.0,
        max_angular_vel=2.0,
        max_linear_accel=0.5,
        max_angular_accel=3.0,
    )
    assert Limits.of(robot) == LIMITS


@pytest.mark.parametrize(
    ('action', 'command'),
    [
        ((-1.0, -1.0), (-0.2, -2.0)),
        ((0.0, 0.0), (0.4, 0.0)),
        ((1.0, 1.0), (1.0, 2.0)),
        ((0.5, -0.5), (0.7, -1.0)),
    ],
)
def test_an_action_spans_the_velocities(
    action: tuple[float, float], command: tuple[float, float]
) -> None:
    assert command_from_action(np.array(action), LIMITS) == pytest.approx(command)


@pytest.mark.parametrize(
    ('velocity', 'command', 'reached'),
    [
        ((0.0, 0.0), (1.0, 2.0), (0.05, 0.3)),  # at rest: 0.5 * 0.1, 3 * 0.1
        ((0.0, 0.0), (0.02, -0.1), (0.02, -0.1)),  # within reach
        ((0.98, 1.9), (5.0, 9.0), (1.0, 2.0)),  # asked for too much
        ((1.0, 2.0), (0.0, -2.0), (0.95, 1.7)),  # brakes as it accelerates
        ((-0.18, 0.0), (-9.0, 0.0), (-0.2, 0.0)),  # reverses no faster than allowed
    ],
)
def test_velocity_follows_a_command_for_a_tenth_of_a_second(
    velocity: tuple[float, float],
    command: tuple[float, float],
    reached: tuple[float, float],
) -> None:
    assert limit_velocity(*velocity, *command, LIMITS, 0.1) == pytest.approx(reached)


@given(
    v=st.floats(-0.2, 1.0),
    w=st.floats(-2.0, 2.0),
    command_v=st.floats(-1e6, 1e6),
    command_w=st.floats(-1e6, 1e6),
    dt=st.floats(1e-3, 1.0),
)
def test_no_limit_is_ever_exceeded(
    v: float, w: float, command_v: float, command_w: float, dt: float
) -> None:
    new_v, new_w = limit_velocity(v, w, command_v, command_w, LIMITS, dt)
    rounding = 1e-12
    assert -0.2 - rounding <= new_v <= 1.0 + rounding
    assert abs(new_w) <= 2.0 + rounding
    assert abs(new_v - v) <= 0.5 * dt + rounding
    assert abs(new_w - w) <= 3.0 * dt + rounding


@pytest.mark.parametrize(
    ('pose', 'velocity', 'dt', 'expected'),
    [
        ((1.0, 2.0, 0.0), (0.5, 0.0), 2.0, (2.0, 2.0, 0.0)),  # straight on
        ((1.0, 2.0, math.pi / 2.0), (0.5, 0.0), 2.0, (1.0, 3.0, math.pi / 2.0)),
        ((1.0, 2.0, 0.3), (0.0, 1.0), 0.5, (1.0, 2.0, 0.8)),  # on the spot
        # a quarter of the unit circle to the left, a half one to the right, a full one
        ((0.0, 0.0, 0.0), (1.0, 1.0), math.pi / 2.0, (1.0, 1.0, math.pi / 2.0)),
        ((0.0, 0.0, 0.0), (1.0, -1.0), math.pi, (0.0, -2.0, -math.pi)),
        ((5.0, 5.0, 1.0), (1.0, 2.0), math.pi, (5.0, 5.0, 1.0 + 2.0 * math.pi)),
        # backwards
        ((0.0, 0.0, 0.0), (-1.0, -1.0), math.pi / 2.0, (-1.0, 1.0, -math.pi / 2.0)),
    ],
)
def test_poses_by_hand(
    pose: tuple[float, float, float],
    velocity: tuple[float, float],
    dt: float,
    expected: tuple[float, float, float],
) -> None:
    assert integrate(*pose, *velocity, dt) == pytest.approx(expected, abs=1e-12)


@given(
    yaw=st.floats(-4.0, 4.0),
    v=st.floats(-2.0, 2.0),
    w=st.floats(-10.0, 10.0),
    dt=st.floats(1e-3, 1.0),
)
def test_an_arc_is_the_sum_of_its_small_steps(yaw: float, v: float, w: float, dt: float) -> None:
    steps = 4000  # the midpoint rule errs by at most v dt (w dt)^2 / (24 steps^2) < 1e-6
    middles = yaw + w * dt * (np.arange(steps) + 0.5) / steps
    x, y = v * dt * np.cos(middles).mean(), v * dt * np.sin(middles).mean()
    assert integrate(0.0, 0.0, yaw, v, w, dt) == pytest.approx((x, y, yaw + w * dt), abs=1e-6)


def test_arrays_are_floats_in_bulk() -> None:
    rng = np.random.default_rng(1)
    v, w, command_v, command_w, x, y, yaw = rng.uniform(-1.0, 1.0, (7, 5))
    limited = limit_velocity(v, w, command_v, command_w, LIMITS, 0.1)
    moved = integrate(x, y, yaw, *limited, 0.1)
    for i in range(5):
        one = limit_velocity(v[i], w[i], command_v[i], command_w[i], LIMITS, 0.1)
        assert (limited[0][i], limited[1][i]) == pytest.approx(one)
        assert [part[i] for part in moved] == pytest.approx(
            integrate(x[i], y[i], yaw[i], *one, 0.1)
        )
