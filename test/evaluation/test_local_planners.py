"""What every local planner does, whatever its method."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.perceptions import AHEAD, JACKAL, SMALL, perceive, together, wall_ahead

from rl_planner.evaluation.dwa import DwaPlanner
from rl_planner.evaluation.mppi import MppiPlanner
from rl_planner.evaluation.planner import Perception, Planner
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.setting import Setting
from rl_planner.evaluation.suites import make_suite
from rl_planner.navigation.task import Outcome

Kind = type[DwaPlanner] | type[MppiPlanner]
KINDS = [DwaPlanner, MppiPlanner]
planners = pytest.mark.parametrize('kind', KINDS)
robots = pytest.mark.parametrize('setting', [SMALL, JACKAL], ids=['small', 'jackal'])


def settled(planner: Planner, perception: Perception, periods: int = 8) -> tuple[float, float]:
    """What it commands one robot that keeps seeing the same: MPPI improves its plan meanwhile."""
    planner.start(1)
    for _ in range(periods):
        command = planner.velocity_command(perception)
    return float(command[0, 0]), float(command[0, 1])


@planners
@robots
def test_a_free_way_ahead_is_driven_at_full_speed(kind: Kind, setting: Setting) -> None:
    top = setting.robot.max_linear_vel
    v, w = settled(kind(setting), perceive(setting, (9.0, 0.0), velocity=(top, 0.0)))
    assert v > 0.85 * top
    assert abs(w) < 0.25 * setting.robot.max_angular_vel


@planners
@robots
@pytest.mark.parametrize('side', [1.0, -1.0])
def test_it_turns_to_a_goal_beside_it(kind: Kind, setting: Setting, side: float) -> None:
    assert side * settled(kind(setting), perceive(setting, (0.0, 3.0 * side)))[1] > 0.1


@planners
@robots
@pytest.mark.parametrize('share', [0.0, 0.4, 1.0])
def test_it_brakes_before_a_wall(kind: Kind, setting: Setting, share: float) -> None:
    """A robot that can just about stop does: it drives on no faster than it can brake."""
    robot = setting.robot
    v = share * robot.max_linear_vel
    front = 0.5 * robot.footprint_length or robot.radius
    gap = 0.5 * v**2 / robot.max_linear_accel + 0.05
    scan = wall_ahead(setting, front + gap)
    command, _ = settled(kind(setting), perceive(setting, (5.0, 0.0), scan, velocity=(v, 0.0)), 3)
    next_v = max(command, v - robot.max_linear_accel * setting.control_period)
    driven = next_v * setting.control_period
    assert next_v <= max(v, 0.2)
    assert driven + 0.5 * next_v**2 / robot.max_linear_accel <= gap + 0.05


@planners
@robots
def test_it_goes_around_what_is_ahead(kind: Kind, setting: Setting) -> None:
    """A pillar a metre ahead, nearer on the right, is passed on the left."""
    beams = setting.lidar.num_beams
    middle = round(-setting.lidar.angle_min / setting.lidar.angle_increment)
    returns = {middle + i: 1.0 for i in range(-beams // 30, beams // 120)}
    v = 0.5 * setting.robot.max_linear_vel
    assert settled(kind(setting), perceive(setting, (4.0, 0.0), returns, (v, 0.0)))[1] > 0.0


@planners
def test_it_drives_at_nothing_too_close_to_measure(kind: Kind) -> None:
    returns = {AHEAD + i: -math.inf for i in range(-10, 11)}
    assert settled(kind(SMALL), perceive(SMALL, (3.0, 0.0), returns))[0] <= 0.05


@planners
@pytest.mark.parametrize('reading', [math.nan, 0.0, 0.01, 99.0])
def test_what_is_no_measurement_is_no_obstacle(kind: Kind, reading: float) -> None:
    returns = {AHEAD + i: reading for i in range(-10, 11)}
    planner = kind(SMALL)
    clear = settled(planner, perceive(SMALL))
    assert settled(planner, perceive(SMALL, returns=returns)) == clear


@planners
def test_nothing_is_driven_backwards_unseen(kind: Kind) -> None:
    """The goal is behind it, a wall ahead, and its lidar does not look back."""
    scan = wall_ahead(JACKAL, 0.4)
    assert settled(kind(JACKAL), perceive(JACKAL, (-3.0, 0.0), scan))[0] >= 0.0


READINGS = st.one_of(
    st.floats(0.02, 4.0), st.sampled_from([math.inf, -math.inf, math.nan, 0.0, -1.0])
)
NUMBERS = st.floats(-5.0, 5.0)


@planners
@robots
@settings(deadline=None, max_examples=40)
@given(
    readings=st.lists(READINGS, min_size=9, max_size=9),
    goal=st.tuples(NUMBERS, NUMBERS),
    velocity=st.tuples(NUMBERS, NUMBERS),
)
def test_commands_are_within_limits(
    kind: Kind,
    setting: Setting,
    readings: list[float],
    goal: tuple[float, float],
    velocity: tuple[float, float],
) -> None:
    robot, beams = setting.robot, setting.lidar.num_beams
    returns = dict(enumerate(np.repeat(readings, beams // 9).tolist()))
    v, w = settled(kind(setting), perceive(setting, goal, returns, velocity), 2)
    assert robot.min_linear_vel - 1e-6 <= v <= robot.max_linear_vel + 1e-6
    assert abs(w) <= robot.max_angular_vel + 1e-6


def crowd(count: int = 5) -> list[Perception]:
    rng = np.random.default_rng(4)
    return [
        perceive(
            SMALL,
            (rng.uniform(-3.0, 3.0), rng.uniform(-3.0, 3.0)),
            dict(enumerate(rng.uniform(0.4, 4.0, SMALL.lidar.num_beams).tolist())),
            (rng.uniform(0.0, 0.5), rng.uniform(-1.0, 1.0)),
        )
        for _ in range(count)
    ]


@planners
def test_a_robot_alone_does_what_it_does_among_others(kind: Kind) -> None:
    planner, robots = kind(SMALL), crowd()
    planner.start(5)
    commands = [planner.velocity_command(together(robots)) for _ in range(3)]
    for row, robot in enumerate(robots):
        planner.start(1)
        alone = [planner.velocity_command(robot)[0] for _ in range(3)]
        np.testing.assert_array_equal(alone, [command[row] for command in commands])


@planners
def test_those_who_go_on_do_not_change(kind: Kind) -> None:
    """Robots 1 and 4 are left after the first period."""
    planner, robots = kind(SMALL), together(crowd())
    planner.start(5)
    planner.velocity_command(robots)
    expected = planner.velocity_command(robots)[[1, 4]]
    planner.start(5)
    planner.velocity_command(robots)
    left = Perception._make(part[[1, 4]] for part in robots)
    np.testing.assert_array_equal(planner.velocity_command(left), expected)


@planners
@robots
def test_it_reaches_goals_and_does_so_again(kind: Kind, setting: Setting) -> None:
    scenarios = make_suite('static', 10, 100, setting=setting).scenarios
    planner = kind(setting)
    first, second = (evaluate(planner, scenarios, setting).results for _ in range(2))
    assert sum(result.outcome == Outcome.GOAL for result in first) >= 9
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.poses, other.poses)
