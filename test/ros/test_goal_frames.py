"""Goals in a map, and lidars where TF says they are; with a stand-in for tf2_ros on the path."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.nodes import AT_REST, DRIVING, Peer, RobotDouble, seeking_policy, told
from support.transforms import STANDIN, TransformSource

from rl_planner.navigation.config import RobotConfig
from rl_planner.ros.headings import PATIENCE_SEC


@pytest.fixture
def source(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> TransformSource:
    """Nodes that are started have tf2_ros; this is who publishes transforms."""
    monkeypatch.setenv('PYTHONPATH', STANDIN, prepend=':')
    return TransformSource(peer)


def sending(source: TransformSource, robot: RobotDouble, **goal: Any) -> Callable[..., None]:
    """Says where the map is in odometry, and all that the robot senses, in one go."""

    def go(at: tuple[float, float] = (0.0, 0.0), yaw: float = 0.0, **sensed: Any) -> None:
        source.send('map', 'odom', at, yaw)
        source.send_static('base_link', 'base_scan')
        robot.send_goal(frame='map', **goal)
        robot.sense(**sensed)

    return go


def drives(robot: RobotDouble) -> bool:
    return bool(robot.commands) and robot.commands[-1] == DRIVING


def test_a_goal_in_the_map_is_reached_there(nodes, peer, robot, policy_file, source):
    """Odometry began 3 m ahead in the map: 5 m of the map are 2 m of odometry."""
    nodes.start('actor_node', policy_file=str(policy_file))
    go = sending(source, robot, x=5.0)
    peer.until(lambda: drives(robot), repeat=lambda: go((3.0, 0.0)))
    assert robot.outcomes == []
    peer.until(lambda: robot.outcomes, repeat=lambda: go((3.0, 0.0), x=1.9))
    assert robot.outcomes == ['goal']


def test_a_correction_of_the_localisation_shifts_the_goal(nodes, peer, robot, policy_file, source):
    """At 1.9 m of odometry the goal is 0.1 m away; then the robot turns out to be 2 m behind."""
    nodes.start('actor_node', policy_file=str(policy_file))
    go = sending(source, robot, x=5.0)
    peer.until(lambda: drives(robot), repeat=lambda: go((3.0, 0.0)))
    for _ in range(5):
        go((1.0, 0.0), x=1.9)
        peer.spin(0.1)
    assert robot.outcomes == []
    peer.until(lambda: robot.outcomes, repeat=lambda: go((1.0, 0.0), x=3.9))
    assert robot.outcomes == ['goal']


def test_a_jump_of_the_map_does_not_jerk_the_robot(nodes, peer, robot, tmp_path, source):
    """The goal, 3 m ahead, is 3 m to the left all at once: 3.2 rad/s2 for 0.1 s are 0.32 rad/s."""
    limits, path = RobotConfig(), tmp_path / 'seeking.safetensors'
    seeking_policy().save(path)
    patient = {'scan_timeout': 5.0, 'odom_timeout': 5.0, 'transform_tolerance': 5.0}
    nodes.start('actor_node', policy_file=str(path), **patient)  # else it stops on a busy machine
    go = sending(source, robot, x=3.0)
    peer.until(lambda: robot.commands and robot.commands[-1][0] > 0.4, repeat=go)
    robot.commands.clear()
    # In the map the robot looks to its right by a quarter turn: the goal is to its left.
    turned = {'yaw': -0.5 * math.pi}
    peer.until(lambda: any(w > 1.2 for _, w in robot.commands), repeat=lambda: go(**turned))
    changes = [
        (abs(v2 - v1), abs(w2 - w1))
        for (v1, w1), (v2, w2) in zip(robot.commands, robot.commands[1:], strict=False)
    ]
    assert max(change for change, _ in changes) <= 0.1 * limits.max_linear_accel + 1e-6
    assert max(change for _, change in changes) <= 0.1 * limits.max_angular_accel + 1e-6
    assert len(changes) >= 3


def test_it_stops_while_tf_is_old_and_goes_on_when_it_is_back(
    nodes, peer, robot, policy_file, source
):
    actor = nodes.start('actor_node', policy_file=str(policy_file), transform_tolerance=0.3)
    go = sending(source, robot, x=5.0)
    peer.until(lambda: drives(robot), repeat=go)
    peer.until(lambda: robot.commands[-1] == AT_REST, repeat=robot.sense)
    robot.commands.clear()
    for _ in range(5):
        robot.sense()
        peer.spin(0.1)
    assert set(robot.commands) <= {AT_REST}
    peer.until(lambda: drives(robot), repeat=go)
    assert 'from map to odom is 0.' in nodes.end(actor)


def test_a_goal_whose_transform_is_ahead_waits_without_being_a_fault(
    nodes, peer, robot, policy_file, source
):
    """AMCL dates its transforms ahead, and TF has only been listened to since a moment ago."""
    actor = nodes.start('actor_node', policy_file=str(policy_file), mount_from_tf=False)
    values, ahead = told(peer), time.time_ns() + 3_600_000_000_000
    heard = 'the goal waits: the transform from map to odom is 3'

    def go(stamp_ns: int) -> None:
        source.send('map', 'odom', stamp_ns=stamp_ns)
        robot.send_goal(5.0, frame='map')
        robot.sense()

    peer.until(lambda: values.get('', '').startswith(heard), repeat=lambda: go(ahead))
    assert set(robot.commands) == {AT_REST}
    assert values['transform_stops'] == '0'
    said = nodes.end(actor)
    assert 'robot: the goal waits: ' in said
    assert not [line for line in said.splitlines() if 'transform' in line and 'stopped' in line]


def test_without_the_transform_a_goal_is_refused(nodes, peer, robot, policy_file, source):
    actor = nodes.start('actor_node', policy_file=str(policy_file))

    def go() -> None:
        source.send_static('base_link', 'base_scan')  # TF knows something, but no map
        robot.send_goal(5.0, frame='map')
        robot.sense()

    peer.until(lambda: robot.commands, repeat=go)
    for _ in range(round(PATIENCE_SEC / 0.1) + 10):
        robot.sense()
        peer.spin(0.1)
    assert set(robot.commands) == {AT_REST}
    lines = nodes.end(actor).splitlines()
    refused = [line for line in lines if 'goal refused: no transform from map to odom' in line]
    assert len(refused) == 1


def test_without_tf2_ros_a_goal_in_the_map_is_refused(nodes, peer, robot, policy_file):
    actor = nodes.start('actor_node', policy_file=str(policy_file))

    def go() -> None:
        robot.send_goal(5.0, frame='map')
        robot.sense()

    peer.until(lambda: robot.commands, repeat=go)
    for _ in range(3):
        robot.sense()
        peer.spin(0.1)
    assert set(robot.commands) == {AT_REST}
    said = nodes.end(actor)
    refused = 'goal refused: no transform from map to odom: tf2_ros is not installed (apt install '
    assert refused in said
    assert '; install it, or send goals in odom' in said
    assert 'by the parameters lidar.mount_*: tf2_ros is not installed' in said


def test_a_goal_ahead_of_the_robot_stays_where_it_was(nodes, peer, robot, policy_file):
    """1 m ahead of the base at 2 m of odometry is at 3 m."""
    nodes.start('actor_node', policy_file=str(policy_file))

    def go(x: float) -> None:
        robot.send_goal(1.0, frame='base_link')
        robot.sense(x=x)

    peer.until(lambda: drives(robot), repeat=lambda: go(2.0))
    peer.until(lambda: robot.outcomes, repeat=lambda: go(2.9))
    assert robot.outcomes == ['goal']


@pytest.mark.parametrize('is_fixed', [True, False])
def test_a_goal_that_a_camera_on_the_robot_shows_is_a_place(
    nodes, peer, robot, policy_file, source, is_fixed
):
    """0.2 m ahead of the base at 2 m of odometry, 0.8 m ahead of that: at 3 m, and not chased.

    A camera that can be turned looks elsewhere afterwards.
    """
    nodes.start('actor_node', policy_file=str(policy_file), mount_from_tf=False)

    def go(x: float) -> None:
        if is_fixed:
            source.send_static('base_link', 'camera', (0.2, 0.0))
        else:
            source.send('base_link', 'camera', (0.2, 0.0), 0.0 if x == 2.0 else math.pi / 2.0)
        source.send('odom', 'base_link', (x, 0.0))
        robot.send_goal(0.8, frame='camera')
        robot.sense(x=x)

    peer.until(lambda: drives(robot), repeat=lambda: go(2.0))
    peer.until(lambda: robot.outcomes, repeat=lambda: go(2.9))
    assert robot.outcomes == ['goal']


OVER_BACKWARDS = (0.0, 1.0, 0.0, 0.0)  # half a turn about y


def test_the_lidar_is_where_tf_says(nodes, peer, robot, policy_file, source):
    """0.2 m behind the middle of the robot, which looks back and hangs upside down.

    Its first beam looks ahead then: a return there at 0.4 m is 3 cm before the robot.
    """
    actor = nodes.start('actor_node', policy_file=str(policy_file))
    ranges = [3.0] * robot.beams
    ranges[0] = 0.4

    def go() -> None:
        source.send_static('base_link', 'base_scan', (-0.2, 0.0), rotation=OVER_BACKWARDS)
        robot.send_goal(5.0)
        robot.sense(ranges=ranges)

    turning = pytest.approx((0.0, 0.375), abs=1e-5)
    peer.until(lambda: robot.commands and robot.commands[-1] == turning, repeat=go)
    assert (
        'lidar at (-0.200, 0.000) m, 180.0 degrees, upside down, by TF from base_scan to base_link'
    ) in nodes.end(actor)


def test_a_lidar_that_tf_does_not_know_keeps_the_robot_where_it_is(
    nodes, peer, robot, policy_file, source
):
    """Whether it looks ahead or back is not to be guessed, and not forgotten once it is known."""
    actor = nodes.start('actor_node', policy_file=str(policy_file), lidar__mount_x=0.1)

    def go() -> None:
        robot.send_goal(5.0)
        robot.sense()

    said = told(peer)
    remedy = 'no transform from base_scan to base_link'
    peer.until(lambda: remedy in said.get('', ''), repeat=go)
    assert 'or set mount_from_tf to false, and lidar.mount_*' in said['']
    assert not robot.commands
    source.send_static('base_link', 'base_scan', (0.3, 0.0))
    peer.until(lambda: drives(robot), repeat=go)
    assert 'lidar at (0.300, 0.000) m, 0.0 degrees, by TF' in nodes.end(actor)


def test_a_lidar_is_where_parameters_say_if_tf_is_not_to_be_asked(
    nodes, peer, robot, policy_file, source
):
    own = {'mount_from_tf': False, 'lidar__mount_x': 0.1}
    nodes.start('actor_node', policy_file=str(policy_file), **own)

    def go() -> None:
        robot.send_goal(5.0)
        robot.sense()

    peer.until(lambda: drives(robot), repeat=go)


def test_a_tilted_lidar_keeps_the_robot_where_it_is(nodes, peer, robot, policy_file, source):
    nodes.start('actor_node', policy_file=str(policy_file))
    half = math.radians(15.0)
    pitched = (0.0, math.sin(half), 0.0, math.cos(half))

    def go() -> None:
        source.send_static('base_link', 'base_scan', rotation=pitched)
        robot.send_goal(5.0)
        robot.sense()

    said = told(peer)
    peer.until(lambda: 'must be level, at most 10 degrees, got 30' in said.get('', ''), repeat=go)
    assert not robot.commands


def test_robots_in_namespaces_have_frames_of_their_own(nodes, peer, policy_file, source):
    names = ['robot_0', 'robot_1']
    robots = [RobotDouble(peer, name) for name in names]
    nodes.start('actor_node', policy_file=str(policy_file), robots=names)
    at = {'robot_0': 3.0, 'robot_1': 0.0}

    def go(x: float = 0.0) -> None:
        for name, robot in zip(names, robots, strict=True):
            source.send('map', f'{name}/odom', (at[name], 0.0))
            source.send_static(f'{name}/base_link', f'{name}/base_scan')
            robot.send_goal(5.0, frame='map')
            robot.sense(x=x, prefix=f'{name}/')

    peer.until(lambda: all(drives(robot) for robot in robots), repeat=go)
    peer.until(lambda: robots[0].outcomes, repeat=lambda: go(x=1.9))
    assert [robot.outcomes for robot in robots] == [['goal'], []]


def test_a_node_with_frames_of_its_own_answers_in_its_base_frame(nodes, peer, policy_file):
    robot = RobotDouble(peer, stamped=True)
    nodes.start('actor_node', policy_file=str(policy_file), use_stamped_cmd_vel=True)

    def go() -> None:
        robot.send_goal(5.0)
        robot.sense(prefix='my/')

    peer.until(lambda: robot.frames, repeat=go)
    assert set(robot.frames) == {'my/base_link'}
