"""The actor stops in time for everything that it cannot vouch for; the test keeps the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.nodes import AT_REST, DRIVING, Nodes, Peer, RobotDouble, constant_policy, told
from support.sim_time import SimTime

PERIOD = 0.1
TICK = 1e-6


@pytest.fixture
def time(peer: Peer) -> SimTime:
    return SimTime(peer)


@pytest.fixture
def start(nodes: Nodes, peer: Peer, robot: RobotDouble, policy_file: Path, time: SimTime):
    """Starts an actor on the test's time that drives; returns its process."""

    def start_it(**more: Any) -> Any:
        actor = nodes.start('actor_node', policy_file=str(policy_file), use_sim_time=True, **more)
        drive_on(peer, robot, time)
        return actor

    return start_it


def drive_on(peer: Peer, robot: RobotDouble, time: SimTime, goal: bool = True) -> None:
    """Time goes on and the robot senses until it drives."""
    robot.commands.clear()

    def go() -> None:
        time.advance(PERIOD)
        if goal:
            robot.send_goal(5.0)
        robot.sense(time.now)

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)


def is_at_rest(robot: RobotDouble) -> Callable[[], bool]:
    return lambda: robot.commands[-1] == AT_REST


@pytest.mark.parametrize('silent', ['scan', 'odometry'])
def test_it_stops_within_limit_and_one_period_of_the_last_good_reading(
    start, peer, robot, time, silent
):
    limits = {'scan_timeout': 0.4, 'odom_timeout': 0.4}
    start(**limits)
    last = time.now
    robot.commands.clear()
    other = robot.odom_out if silent == 'scan' else robot.scan_out
    for age in (0.1, 0.2, 0.3, 0.4):  # up to the limit, nothing is amiss
        time.set(last + round(age * 1e9))
        robot.sense(time.now, only=other)
        peer.spin(0.1)
    assert AT_REST not in robot.commands
    time.set(last + round((0.4 + TICK) * 1e9))  # a timer of the same clock would not come yet
    robot.sense(time.now, only=other)
    peer.until(lambda: AT_REST in robot.commands)  # and time has not gone on meanwhile
    drive_on(peer, robot, time, goal=False)


def test_why_scans_are_of_no_use_is_told_as_long_as_they_come(nodes, start, peer, robot, time):
    values, actor = told(peer), start()

    def covered() -> None:
        time.advance(PERIOD)
        robot.sense(time.now, ranges=0.0)

    peer.until(lambda: float(values.get('scan_age', 0.0)) > 1.5, repeat=covered)
    assert values[''] == 'no beam of the scan is a measurement or clear'
    log = nodes.end(actor)
    assert 'robot: no beam of the scan is a measurement or clear: stopped' in log
    assert 's old' not in log


def test_odometry_that_is_always_behind_the_scans_stops_it(start, peer, robot, time):
    """Each of the two is recent, but the next scan comes before the odometry of the last."""
    values = told(peer)
    start()

    def go() -> None:
        time.advance(PERIOD)
        robot.sense(time.now - 300_000_000, only=robot.odom_out)
        robot.sense(time.now, only=robot.scan_out)

    peer.until(is_at_rest(robot), repeat=go)
    peer.until(lambda: 'no scan with odometry of its time for' in values.get('', ''), repeat=go)
    assert values['step_stops'] == '1'
    robot.commands.clear()
    for _ in range(5):
        go()
        peer.spin(0.05)
    assert DRIVING not in robot.commands
    time.advance(PERIOD)
    for sent in (robot.scan_out, robot.odom_out):  # the scan waits for what comes a little later
        robot.sense(time.now, only=sent)
        peer.spin(3 * PERIOD)
    peer.until(lambda: set(robot.commands) > {AT_REST})
    drive_on(peer, robot, time, goal=False)


def test_a_clock_that_goes_back_stops_it_until_all_is_of_the_new_time(start, peer, robot, time):
    values = told(peer)
    start(task__time_limit=1000.0)
    time.advance(-500.0)
    peer.until(is_at_rest(robot))
    count = len(robot.commands)
    for _ in range(5):  # one of the two alone is not enough
        time.advance(PERIOD)
        robot.sense(time.now, only=robot.scan_out)
        peer.spin(0.05)
    assert set(robot.commands[count:]) <= {AT_REST}
    drive_on(peer, robot, time, goal=False)  # to the goal that it had
    peer.until(lambda: int(values.get('clock_jumps', 0)) > 0, repeat=lambda: time.advance(0.5))
    assert robot.outcomes == []


def test_a_bag_that_begins_again_stops_it(start, peer, robot, time):
    """Stamps go back, the clock does not."""
    values = told(peer)
    start()
    first = time.now - 100 * 10**9

    def play() -> None:
        time.advance(PERIOD)
        robot.sense(time.now - 100 * 10**9)

    peer.until(is_at_rest(robot), repeat=play)
    count = len(robot.commands)
    peer.until(lambda: len(robot.commands) > count + 3, repeat=play)
    assert set(robot.commands[count:]) == {AT_REST}
    assert time.now > first
    peer.until(lambda: values.get('clock_jumps') == '1', repeat=play)
    drive_on(peer, robot, time, goal=False)


def test_a_clock_that_leaps_ahead_stops_it_until_readings_follow(start, peer, robot, time):
    start(task__time_limit=1e6)
    time.advance(3600.0)
    peer.until(is_at_rest(robot))
    time.advance(-3600.0)
    time.advance(3600.0)
    drive_on(peer, robot, time, goal=False)
    assert robot.outcomes == []


def test_readings_of_the_future_stop_it(start, peer, robot, time):
    values = told(peer)
    start(future_tolerance=0.3)

    def ahead() -> None:
        time.advance(PERIOD)
        robot.sense(time.now + 400_000_000)

    peer.until(is_at_rest(robot), repeat=ahead)
    peer.until(lambda: 'scan is stamped' in values.get('', ''), repeat=ahead)
    robot.commands.clear()
    for _ in range(5):
        ahead()
        peer.spin(0.05)
    assert set(robot.commands) == {AT_REST}
    drive_on(peer, robot, time, goal=False)


def test_a_scan_that_was_overtaken_is_not_driven_by(nodes, peer, policy_file, time):
    robot = RobotDouble(peer, stamped=True)
    nodes.start(
        'actor_node', policy_file=str(policy_file), use_sim_time=True, use_stamped_cmd_vel=True
    )
    drive_on(peer, robot, time)
    time.advance(2 * PERIOD)
    robot.sense(time.now)
    peer.until(lambda: time.now in robot.answered)
    robot.sense(time.now - 50_000_000)
    time.advance(PERIOD)
    robot.sense(time.now)
    peer.until(lambda: time.now in robot.answered)
    assert robot.answered == sorted(robot.answered)
    assert AT_REST not in robot.commands


def test_a_scan_that_is_stamped_at_its_end_counts_from_its_first_beam(
    nodes, peer, policy_file, time
):
    """At 0.375 m/s, 0.085 m are enough to rest after a scan of now; not after one 0.15 s older."""
    values, robot = told(peer), RobotDouble(peer, stamped=True, beams=360)
    own = {'policy_file': str(policy_file), 'use_sim_time': True, 'use_stamped_cmd_vel': True}
    actor = nodes.start('actor_node', **own)
    sent: list[int] = []

    def go(duration: float) -> None:
        time.advance(PERIOD)
        sent.append(time.now)
        robot.send_goal(5.0)
        robot.sense(time.now, v=0.375, ranges=0.275, duration=duration)

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=lambda: go(0.0))
    peer.until(lambda: values.get('scan_late') == '0.000', repeat=lambda: go(0.0))
    robot.commands.clear()
    peer.until(lambda: values['scan_late'] == '0.150', repeat=lambda: go(0.15))
    assert 0.0 < robot.commands[-1][0] < 0.3
    assert robot.answered == sorted(set(robot.answered) & set(sent))
    peer.until(is_at_rest(robot), repeat=lambda: go(72.0))
    reason = 'a scan must take less than 0.5 s, by its time_increment it takes 72 s'
    peer.until(lambda: values[''] == reason, repeat=lambda: go(72.0))
    assert f'robot: {reason}: stopped' in nodes.end(actor)


def test_what_a_scan_takes_may_be_said_for_a_driver_that_does_not(nodes, peer, policy_file, time):
    values, robot = told(peer), RobotDouble(peer)
    own = {'policy_file': str(policy_file), 'use_sim_time': True, 'lidar__scan_duration': 0.25}
    nodes.start('actor_node', **own)
    peer.until(
        lambda: values.get('scan_late') == '0.250', repeat=lambda: drive_on(peer, robot, time)
    )


def test_a_scan_that_takes_longer_than_it_may_be_old_is_refused(nodes, policy_file):
    own = {'policy_file': str(policy_file), 'lidar__scan_duration': 0.4, 'scan_timeout': 0.4}
    reason = 'lidar.scan_duration must be less than scan_timeout 0.4, got 0.4'
    assert reason in nodes.refuse('actor_node', **own)


def test_after_bad_odometry_it_waits_for_good_odometry(start, peer, robot, time):
    start()
    time.advance(PERIOD)
    robot.sense(time.now - 1, only=robot.odom_out)  # good, and recent enough for what comes
    robot.sense(time.now, x=np.inf, only=robot.odom_out)
    peer.until(is_at_rest(robot))
    robot.commands.clear()
    robot.sense(time.now, only=robot.scan_out)
    peer.spin(0.3)
    assert DRIVING not in robot.commands
    drive_on(peer, robot, time, goal=False)


def test_steps_that_take_too_long_stop_it(nodes, peer, tmp_path):
    """To check the way among 400 near returns takes more than the two milliseconds here."""
    values, robot = told(peer), RobotDouble(peer, beams=400)
    path = tmp_path / 'hasty.safetensors'
    constant_policy(control_period=0.002).save(path)
    limits = {'scan_timeout': 5.0, 'odom_timeout': 5.0, 'overrun_limit': 3}
    nodes.start('actor_node', policy_file=str(path), task__control_period=0.002, **limits)

    def go() -> None:
        robot.send_goal(5.0)
        robot.sense(ranges=0.185)

    peer.until(lambda: len(robot.commands) > 5, repeat=go)
    assert set(robot.commands[2:]) == {AT_REST}
    peer.until(lambda: values.get('control_loop_stops', '0') != '0')
    assert int(values['overruns']) >= 3
    assert '3 steps in a row took longer than 0.002 s' in values['']


def test_without_a_goal_nothing_is_said(nodes, peer, robot, policy_file, time):
    values = told(peer)
    own = {'use_sim_time': True, 'mount_from_tf': False}
    actor = nodes.start('actor_node', policy_file=str(policy_file), **own)

    def go(**what: Any) -> None:
        time.advance(PERIOD)
        robot.sense(time.now, **what)

    peer.until(lambda: '0 of 1 robots driving' in values.get('', ''), repeat=go)
    for trouble in ({'ranges': np.nan}, {'x': np.nan}, {'only': robot.odom_out}):
        for _ in range(10):
            go(**trouble)
            peer.spin(0.02)
    for _ in range(5):  # a scan once more
        robot.sense(time.now)
    time.advance(-100.0)
    peer.until(lambda: values['clock_jumps'] != '0', repeat=go)
    assert robot.commands == []
    assert nodes.end(actor) == ''


@pytest.mark.parametrize(('ranges', 'stops'), [(0.275, True), (3.0, False)])
def test_a_scan_that_does_not_come_stops_a_robot_where_it_must(
    nodes, peer, policy_file, ranges, stops
):
    """At 0.375 m/s it needs 0.066 m to rest after a period, of 0.085; after one more 0.104."""
    robot, values = RobotDouble(peer, beams=360), told(peer)
    patient = {'scan_timeout': 2.0, 'odom_timeout': 2.0}
    nodes.start('actor_node', policy_file=str(policy_file), **patient)

    def go() -> None:
        robot.send_goal(5.0)
        robot.sense(v=0.375, ranges=ranges)

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)
    begun = len(robot.commands)
    if stops:
        peer.until(lambda: robot.commands[-1] == AT_REST)
        # On a busy machine a scan of before may have come late, too.
        peer.until(lambda: int(values.get('overdue', 0)) >= 1)
    else:
        peer.spin(0.5)
        assert all(command == DRIVING for command in robot.commands[begun:])
    assert values.get('scan_stops', '0') == '0'
    peer.until(lambda: values.get('scan_stops') == '1')
    assert robot.commands[-1] == AT_REST
