"""The actor that follows plans, as a process over DDS."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest
from nav_msgs.msg import Path
from std_srvs.srv import Trigger
from support.nodes import AT_REST, DRIVING, Nodes, Peer, RobotDouble
from support.transforms import STANDIN, TransformSource

from rl_planner.ros import messages, qos


class Planner:
    """Publishes straight plans along x."""

    def __init__(self, peer: Peer) -> None:
        self._out = peer.node.create_publisher(Path, 'plan', qos.RELIABLE)

    def send(self, begin: float = 0.0, end: float = 5.0, frame: str = 'odom') -> None:
        x = np.arange(round(10 * begin), round(10 * end) + 1) / 10.0
        self.send_points(np.stack([x, np.zeros_like(x)], axis=-1), frame)

    def send_points(self, points: np.ndarray, frame: str = 'odom') -> None:
        self._out.publish(messages.path_message(points, frame, 0))

    def stop(self) -> None:
        self.send_points(np.empty((0, 2)))


@pytest.fixture
def planner(peer: Peer) -> Planner:
    return Planner(peer)


@pytest.fixture
def actor(nodes: Nodes, policy_file):
    return nodes.start('actor_node', policy_file=str(policy_file), follow_plan=True)


def until_driving(peer: Peer, robot: RobotDouble, planner: Planner) -> None:
    def tell() -> None:
        planner.send()
        robot.sense()

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=tell)


def stays_still(peer: Peer, robot: RobotDouble, tell=lambda: None) -> bool:
    """Whether for 15 scans nothing but rest is commanded."""
    peer.spin(0.1)  # what is under way
    robot.commands.clear()
    for _ in range(15):
        tell()
        robot.sense()
        peer.spin(0.05)
    return set(robot.commands) <= {AT_REST}


def test_a_goal_alone_starts_no_drive_and_a_plan_does(peer, robot, planner, actor):
    peer.until(lambda: robot.goal_out.get_subscription_count())
    assert stays_still(peer, robot, lambda: robot.send_goal(5.0))
    until_driving(peer, robot, planner)


def test_the_drive_ends_at_the_end_of_the_plan_and_only_there(peer, robot, planner, actor):
    until_driving(peer, robot, planner)
    robot.commands.clear()
    for x in np.arange(1, 48) / 10.0:
        if round(10 * x) % 10 == 0:  # a planner publishes what is left
            planner.send(x)
        robot.sense(x=x)
        peer.spin(0.02)
        assert robot.outcomes == []
    assert set(robot.commands) == {robot.commands[0]}
    assert robot.commands[0] == DRIVING
    peer.until(lambda: robot.outcomes == ['goal'], repeat=lambda: robot.sense(x=4.8))
    assert robot.commands[-1] == AT_REST
    assert stays_still(peer, robot, planner.send)
    planner.stop()
    until_driving(peer, robot, planner)


def test_an_empty_plan_stops_the_robot(nodes, peer, robot, planner, actor):
    until_driving(peer, robot, planner)
    planner.stop()
    peer.until(lambda: robot.commands[-1] == AT_REST)
    assert stays_still(peer, robot)
    assert robot.outcomes == []  # the planner knows, and may find another way
    until_driving(peer, robot, planner)
    told = nodes.end(actor)
    assert re.search(r'no plan to follow any more: stopped after \d+\.\d s, 0\.00 m', told)


def test_another_plan_takes_over_without_a_stop(peer, robot, planner, actor):
    until_driving(peer, robot, planner)
    robot.commands.clear()
    for step in range(10):
        planner.send_points(np.array([[0.0, 0.1 * step], [2.0, 0.1 * step], [4.0 + step, 3.0]]))
        robot.sense()
        peer.spin(0.1)
    assert robot.commands
    assert all(command == DRIVING for command in robot.commands)


@pytest.mark.parametrize(
    ('far', 'reason'),
    [(np.nan, 'each point of a path must be finite'), (6000.0, 'a path must be at most 10000 m')],
)
def test_a_plan_that_cannot_be_driven_is_refused_and_stops(
    nodes, peer, robot, planner, actor, far, reason
):
    until_driving(peer, robot, planner)
    planner.send_points(np.array([[0.0, 0.0], [far, 1.0], [0.0, 0.0]]))
    peer.until(lambda: robot.commands[-1] == AT_REST)
    assert stays_still(peer, robot)
    until_driving(peer, robot, planner)
    said = nodes.end(actor)
    assert said.count(f'plan refused: {reason}') == 1
    assert 'Traceback' not in said


def test_after_cancel_no_plan_is_followed_till_there_is_a_new_goal(peer, robot, planner, actor):
    """Nor one whose end the planner has moved."""
    until_driving(peer, robot, planner)
    cancel = peer.node.create_client(Trigger, 'actor_node/cancel')
    peer.until(cancel.service_is_ready, repeat=robot.sense)
    answer = cancel.call_async(Trigger.Request())
    peer.until(answer.done)
    peer.until(lambda: robot.commands[-1] == AT_REST and robot.outcomes == ['cancelled'])
    assert stays_still(peer, robot, planner.send)
    assert stays_still(peer, robot, lambda: planner.send(end=5.5))
    robot.send_goal(5.0, stamp_ns=1)  # which is asked for again
    until_driving(peer, robot, planner)


def test_without_tf_a_plan_in_another_frame_is_not_followed(nodes, peer, robot, planner, actor):
    peer.until(lambda: robot.goal_out.get_subscription_count())
    assert stays_still(peer, robot, lambda: planner.send(frame='map'))
    said = nodes.end(actor)
    assert 'plan not followed: no transform from map to odom: tf2_ros is not installed' in said
    assert 'Traceback' not in said


def test_a_plan_that_moves_with_the_robot_is_not_followed(nodes, peer, robot, planner, actor):
    """A metre ahead of it, it would never end."""
    planner.send(end=1.0)
    until_driving(peer, robot, planner)
    assert stays_still(peer, robot, lambda: planner.send(end=1.0, frame='base_link'))
    assert 'plan not followed: its frame base_link moves with the robot' in nodes.end(actor)


def test_with_tf_a_plan_in_the_map_is_followed_to_its_end(
    nodes, peer, robot, planner, policy_file, monkeypatch
):
    """odom begins at x = 3 of the map: the plan ends at x = 2 of odometry."""
    monkeypatch.setenv('PYTHONPATH', f'{STANDIN}:{os.environ.get("PYTHONPATH", "")}')
    source = TransformSource(peer)
    nodes.start('actor_node', policy_file=str(policy_file), follow_plan=True)

    def tell(x: float) -> None:
        source.send_static('map', 'odom', (3.0, 0.0))
        source.send_static('base_link', 'base_scan')
        planner.send(3.0, frame='map')
        robot.sense(x=x)

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=lambda: tell(0.0))
    for x in (0.5, 1.0, 1.5):
        tell(x)
        peer.spin(0.05)
    assert robot.outcomes == []
    peer.until(lambda: robot.outcomes == ['goal'], repeat=lambda: tell(1.9))


def test_training_follows_no_plan(nodes):
    said = nodes.refuse('actor_node', training=True, follow_plan=True)
    assert 'follow_plan must be false where training is true' in said
