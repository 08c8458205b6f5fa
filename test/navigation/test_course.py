"""Where commands lead: hand-driven ways."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.course import SAMPLE_ANGLE, SAMPLE_DISTANCE, TOGETHER, Courses
from rl_planner.navigation.in_flight import Prospect, Standing

ROBOT = RobotConfig(max_linear_vel=1.0, max_linear_accel=2.0, max_angular_accel=4.0)
PERIOD = 0.1


def shown(velocity, command, previous=(0.0, 0.0), late=0.0):
    pending = [Standing(late, *previous)] if late else []
    return Courses(ROBOT, PERIOD).shown(Prospect(velocity, pending), command)


def test_a_way_begins_where_the_robot_is_and_ends_at_rest() -> None:
    way = shown((0.6, 0.0), (0.6, 0.0))
    assert way[0].tolist() == [0.0, 0.0, 0.0]
    # 0.06 m in the period, then v^2 / 2a = 0.36 / 4; samples take the higher speed of each step.
    assert 0.15 <= way[-1, 0] <= 0.15 + 0.6 * 0.02
    assert way[:, 1:] == pytest.approx(0.0)
    assert way[-1].tolist() == way[-2].tolist()


def test_speed_is_gained_as_fast_as_the_robot_can() -> None:
    way = shown((0.0, 0.0), (1.0, 0.0))
    # Steadily to 0.2 m/s in the period: 0.01 m of it, and 0.04 / 4 of braking.
    assert 0.02 <= way[-1, 0] <= 0.02 + 0.2 * 0.02
    at_once = Courses(ROBOT, PERIOD).of([Prospect((0.0, 0.0))], np.array([(1.0, 0.0)]))[0, 0, -1]
    assert at_once == pytest.approx(0.02)  # 0.02 m, and at rest by a step


def test_what_is_late_goes_on_as_before() -> None:
    way = shown((0.5, 0.0), (0.0, 0.0), previous=(0.5, 0.0), late=0.4)
    # 0.4 s at 0.5 m/s, then 0.25 / 4 of braking.
    assert 0.2625 <= way[-1, 0] <= 0.2625 + 0.3 * 0.02


def test_what_is_pending_is_done_one_after_the_other() -> None:
    pending = [Standing(0.2, 0.5, 0.0), Standing(0.1, 0.5, 1.0), Standing(0.3, 0.0, 0.0)]
    way = Courses(ROBOT, PERIOD).shown(Prospect((0.5, 0.0), pending), (0.0, 0.0))
    # 0.1 m ahead, an arc of 0.05 m; then at rest after 0.25 s: 0.5^2 / 4, along some of a turn.
    length = np.hypot(*np.diff(way[:, :2], axis=0).T).sum()
    assert length == pytest.approx(0.2125, abs=5e-4)
    # The turn gains 0.4 rad/s within 0.1 s, and loses it within another.
    assert way[-1, 2] == pytest.approx(0.04, abs=1e-4)
    at_once = Courses(ROBOT, PERIOD).of([Prospect((0.5, 0.0), pending)], np.zeros((1, 2)))[:, 0, -1]
    assert at_once[2] == pytest.approx(0.04)  # 0.4 rad/s for 0.1 s, then none


def test_who_brakes_meanwhile_is_not_at_rest_at_once() -> None:
    way = shown((0.5, 0.0), (0.0, 0.0), previous=(0.0, 0.0), late=0.3)
    # At rest after 0.25 s: v^2 / 2a = 0.25 / 4.
    assert way[-1, 0] == pytest.approx(0.0625, abs=1e-4)
    turn = shown((0.0, -1.0), (0.0, 0.0), previous=(0.0, 0.0), late=0.3)
    assert turn[-1, 2] == pytest.approx(-0.125, abs=1e-3)


def test_a_turn_is_an_arc_to_the_left() -> None:
    way = shown((0.5, 1.0), (0.5, 1.0))
    driven = np.searchsorted(way[:, 2], 0.1 - 1e-9)
    x, y, yaw = way[driven]  # at the end of the period: along the circle of 0.5 m
    assert yaw == pytest.approx(0.1)
    assert (x, y) == pytest.approx((0.5 * math.sin(0.1), 0.5 * (1.0 - math.cos(0.1))))
    assert way[-1, 2] > 0.1
    assert way[-1, 1] > y


def test_what_is_shown_is_what_the_safety_layer_looks_at() -> None:
    courses = Courses(ROBOT, PERIOD)
    state = Prospect((0.3, -0.4), [Standing(0.05, 0.2, 0.1)])
    looked_at = courses.of([state], np.array([(0.7, 0.5), (0.1, 0.0)]))
    alone = courses.shown(state, (0.7, 0.5))
    steadily, _ = np.split(looked_at[:, 0], 2, axis=1)
    np.testing.assert_allclose(alone[1:].T, steadily)


def test_a_command_may_stand_for_longer_than_a_period() -> None:
    """It may be braked at any time then: a tenth of a second apart."""
    courses, moving = Courses(ROBOT, PERIOD), [Prospect((0.6, 0.0))]
    command = np.array([(0.6, 0.0)])
    steady, at_once = np.split(courses.of(moving, command, 0.25), 2, axis=2)
    # 0.06 m in the period and as much in each tenth of a second; it brakes at once, by 0.2 m/s.
    ends = [0.06 * periods + 0.1 * (0.4 + 0.2) for periods in (1.0, 2.0, 3.0, 3.5)]
    ahead = np.append(at_once[0, 0], 0.0)
    assert ahead[:-1][np.diff(ahead) < -1e-9] == pytest.approx(ends)
    usual = np.split(courses.of(moving, command), 2, axis=2)
    for ways, short in zip((steady, at_once), usual, strict=True):
        np.testing.assert_array_equal(ways[:, :, : short.shape[2]], short)


def test_a_turn_may_be_braked_at_any_time_a_command_stands() -> None:
    """Along an arc, braking from the middle of it leads elsewhere than from its ends."""
    courses, turning = Courses(ROBOT, PERIOD), [Prospect((0.6, 1.0))]
    command = np.array([(0.6, 1.0)])
    x, y, _ = courses.of(turning, command, 0.4)[:, 0]
    for since in (0.1, 0.2, 0.3, 0.4, 0.5):
        angle = 1.0 * since  # on a circle of 0.6 m
        begin = np.array([0.6 * math.sin(angle), 0.6 * (1.0 - math.cos(angle))])
        # It stops within 0.3 s, 0.09 m on; it turns by 0.125 rad meanwhile.
        end = begin + 0.09 * np.array([math.cos(angle + 0.1), math.sin(angle + 0.1)])
        assert np.hypot(x - end[0], y - end[1]).min() < 0.02


def test_who_is_told_to_stand_slows_steadily_while_the_command_stands() -> None:
    rest = np.zeros((1, 2))
    way, _ = np.split(Courses(ROBOT, PERIOD).of([Prospect((0.8, 0.0))], rest, 0.5), 2, axis=2)
    # It is at rest after 0.4 s: 0.64 / 4.
    assert way[0, 0, -1] == pytest.approx(0.16, abs=1e-3)
    np.testing.assert_allclose(np.hypot(*np.diff(way[:2, 0, -20:])), 0.0, atol=1e-12)


def test_no_two_poses_are_far_apart() -> None:
    steps = np.abs(np.diff(shown((1.0, 1.5), (1.0, 1.5)), axis=0))
    assert np.hypot(steps[:, 0], steps[:, 1]).max() <= SAMPLE_DISTANCE + 1e-9
    assert steps[:, 2].max() <= SAMPLE_ANGLE + 1e-9


def test_who_is_faster_than_it_can_be_is_followed_to_rest() -> None:
    """At 1.5 m/s, where 1 is the most: 0.15 m at first, then v^2 / 2a."""
    way = shown((1.5, 0.0), (1.5, 0.0))
    # Within the period it slows down to 1.3 m/s.
    assert way[-1, 0] == pytest.approx(0.14 + 1.3**2 / 4.0, abs=1.3 * 0.02)


def test_a_velocity_that_cannot_be_makes_no_endless_way() -> None:
    commands = np.zeros((6, 2))
    ways = Courses(ROBOT, PERIOD).of([Prospect((1e9, -1e9))], commands)
    assert ways.shape[2] < 1000
    assert np.isfinite(ways).all()


@pytest.mark.parametrize('speed', [0.0, 0.3, 1.0])
@pytest.mark.parametrize('excess', [0.0, 0.07])
def test_poses_can_be_looked_at_in_groups(speed: float, excess: float) -> None:
    prospects = [Prospect((speed, 0.2), [Standing(0.033, 0.5, 0.0)] * late) for late in (0, 1, 2)]
    ways = Courses(ROBOT, PERIOD).of(prospects, np.array([(0.3, 0.1), (0.0, 0.0)]), excess)
    assert ways.shape[:2] == (3, 2)
    assert ways.shape[2] % TOGETHER == 0


def test_corners_count_for_how_far_two_poses_are_apart() -> None:
    box = RobotConfig(radius=0.7, footprint_length=1.2, footprint_width=0.6, max_angular_vel=3.0)
    command = np.array([(0.0, 3.0)])
    ways = Courses(box, PERIOD).of([Prospect((0.0, 3.0))], command)
    steady, _ = np.split(ways[2, 0], 2)
    assert 0.7 * np.diff(steady).max() <= SAMPLE_DISTANCE + 1e-9
