"""What is the Dynamic Window Approach's own."""

from __future__ import annotations

import pytest
from support.perceptions import AHEAD, SMALL, perceive, wall_ahead

from rl_planner.evaluation.dwa import DwaConfig, DwaPlanner
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import ConfigError, RobotConfig


def command(
    velocity: tuple[float, float],
    goal: tuple[float, float] = (3.0, 0.0),
    returns: dict[int, float] | None = None,
) -> tuple[float, float]:
    planner = DwaPlanner(SMALL)
    planner.start(1)
    (v, w) = planner.velocity_command(perceive(SMALL, goal, returns, velocity))[0].tolist()
    return v, w


def test_full_speed_straight_ahead() -> None:
    assert command((0.5, 0.0)) == pytest.approx((0.5, 0.0))


def test_commands_are_within_the_window() -> None:
    """0.1 s of 2.5 m/s2 and of 3.2 rad/s2."""
    assert command((0.0, 0.0)) == pytest.approx((0.25, 0.0))
    assert command((0.0, 0.0), (0.0, 3.0))[1] == pytest.approx(0.32)


def test_a_velocity_beyond_the_limits_is_one_at_them() -> None:
    assert command((0.9, 0.0)) == pytest.approx((0.5, 0.0))


def test_only_what_can_stop_in_time_is_admissible() -> None:
    """It keeps 3 cm from a wall, and has 1 cm to there, or 3 cm as its cells of 3 cm may have it.

    Of v = 0.3 m/s it drives 3 cm before the next command and 1.8 cm while it brakes.
    """
    assert command((0.3, 0.0), returns=wall_ahead(SMALL, 0.17 + 0.03 + 0.01))[0] < 0.3


def test_a_robot_with_weak_brakes_looks_farther() -> None:
    """At 2 m/s and 1 m/s2 it needs 2 m, and drives 0.2 m before the next command."""
    weak = Setting(robot=RobotConfig(max_linear_vel=2.0, max_linear_accel=1.0))
    planner = DwaPlanner(weak)
    planner.start(1)
    seen = perceive(weak, (9.0, 0.0), wall_ahead(weak, 0.17 + 2.1), velocity=(2.0, 0.0))
    assert planner.velocity_command(seen)[0, 0] < 1.95


def test_where_nothing_is_admissible_it_stops() -> None:
    """At 1.5 rad/s amid returns all around, 2 cm off, and moving into those ahead."""
    around = dict.fromkeys(range(SMALL.lidar.num_beams), 0.19)
    v, _ = command((0.5, 0.0), returns=around)
    assert v == 0.0


def test_it_leaves_a_dead_end() -> None:
    """A wall before the goal: after 3 s without progress it turns to the left, which is freer."""
    planner = DwaPlanner(SMALL)
    planner.start(1)
    returns = {AHEAD + i: 0.3 for i in range(-60, 25)}
    perception = perceive(SMALL, (3.0, 0.0), returns)
    for _ in range(32):
        command = planner.velocity_command(perception)
    assert command[0, 1] > 0.1


def test_a_bad_parameter_is_refused() -> None:
    with pytest.raises(ConfigError, match='vx_samples must be at least 2 and at most 100, got 1'):
        DwaConfig(vx_samples=1)
