"""What is Model Predictive Path Integral control's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.perceptions import JACKAL, SMALL, perceive, wall_ahead

from rl_planner.evaluation.mppi import MppiConfig, MppiPlanner
from rl_planner.navigation.config import ConfigError


def test_plans_become_better_from_period_to_period() -> None:
    """The goal is straight behind: the side it has begun to turn to it goes on turning to."""
    planner, behind = MppiPlanner(SMALL), perceive(SMALL, (-3.0, 0.0))
    planner.start(1)
    turns = [planner.velocity_command(behind)[0, 1] for _ in range(10)]
    assert abs(turns[-1]) > abs(turns[0])
    assert len(np.unique(np.sign(turns[3:]))) == 1


def test_a_start_forgets_plans() -> None:
    planner, ahead = MppiPlanner(SMALL), perceive(SMALL)
    planner.start(1)
    first = planner.velocity_command(ahead)
    assert not np.array_equal(planner.velocity_command(ahead), first)
    planner.start(1)
    np.testing.assert_array_equal(planner.velocity_command(ahead), first)


def test_commands_can_be_followed() -> None:
    """From rest, 0.1 s of 2.5 m/s2 and of 3.2 rad/s2."""
    planner = MppiPlanner(SMALL)
    planner.start(1)
    v, w = planner.velocity_command(perceive(SMALL, (1.0, 2.0)))[0]
    assert abs(v) <= 0.25 + 1e-6
    assert abs(w) <= 0.32 + 1e-6


def test_where_every_sample_collides_it_stops() -> None:
    """At 2 m/s, 0.15 m before a wall: even 0.1 s each at 1.5, 1.0 and 0.5 m/s are 0.3 m."""
    seen = perceive(JACKAL, returns=wall_ahead(JACKAL, 0.215 + 0.15), velocity=(2.0, 0.0))
    planner = MppiPlanner(JACKAL)
    planner.start(1)
    commands = planner.velocity_command(seen)
    np.testing.assert_array_equal(commands, 0.0)


def test_noise_is_as_large_as_told_and_linear_between_knots() -> None:
    config = MppiConfig(batch_size=4000, time_steps=9, noise_knots=3, vx_std=0.4, wz_std=0.2)
    noise = MppiPlanner(SMALL, config)._noise()
    assert noise.shape == (4000, 9, 2)
    np.testing.assert_array_equal(noise[0], 0.0)
    np.testing.assert_allclose(noise.std(axis=0), [[0.4 * 0.5, 0.2 * 1.5]] * 9, rtol=0.1)
    # Half way between two knots both count alike: (a + b) / 2, by sqrt(2) for the variance's sake.
    middle = (noise[:, 0] + noise[:, 4]) / math.sqrt(2.0)
    np.testing.assert_allclose(noise[:, 2], middle, atol=1e-5)


def test_a_bad_parameter_is_refused() -> None:
    with pytest.raises(ConfigError, match='temperature must be above 0, got 0'):
        MppiConfig(temperature=0.0)
