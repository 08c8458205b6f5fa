"""The global planner as a process: maps, goals and scans in, plans out."""

from __future__ import annotations

import os

import numpy as np
import pytest
from numpy.typing import NDArray
from rclpy.duration import Duration
from support.nodes import PATIENCE_SEC, told
from support.planning import ROOMS, ask, until_planned
from support.transforms import STANDIN, TransformSource

from rl_planner.ros import messages
from rl_planner.ros.clock_watch import NO_TIME


def door(plan: NDArray[np.float64]) -> float:
    """y where the way goes through the wall (m)."""
    return float(plan[np.abs(plan[:, 0] - 2.05).argmin(), 1])


def test_a_plan_leads_through_the_door_and_is_published_again(peer, listener, robot, planner):
    until_planned(peer, listener, robot)
    plan = listener.plans[0]
    assert plan[0] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert plan[-1] == pytest.approx([4.0, 0.0], abs=1e-6)
    assert abs(door(plan)) < 0.3
    assert listener.frame == 'odom'
    count = len(listener.plans)
    peer.until(lambda: len(listener.plans) > count + 2, repeat=lambda: robot.sense(x=1.0))
    rest = listener.plans[-1]
    assert rest[0, 0] == pytest.approx(1.0, abs=0.2)
    np.testing.assert_array_equal(rest, plan[-len(rest) :])


def test_a_blocked_door_leads_to_another_plan(peer, listener, robot, planner):
    until_planned(peer, listener, robot)
    angles = np.linspace(-np.pi, np.pi, robot.beams, endpoint=False)
    ahead = np.abs(angles) < np.radians(25.0)
    ranges = np.full(robot.beams, np.inf, np.float32)
    ranges[ahead] = 1.05 / np.cos(angles[ahead])  # across the door, 0.05 m before the wall
    peer.until(
        lambda: door(listener.plans[-1]) > 1.5, repeat=lambda: robot.sense(x=1.0, ranges=ranges)
    )
    assert listener.plans[-1][-1] == pytest.approx([4.0, 0.0])


def test_diagnostics_tell_what_it_does(nodes, peer, listener, robot):
    said = told(peer)
    nodes.start('global_planner_node', answer_time=60.0)
    peer.until(lambda: said.get('') == 'no map')
    listener.send_map()
    peer.until(lambda: said[''] == 'no odometry')
    assert said['map'] == '60 x 50 cells of 0.1 m'
    peer.until(lambda: said[''] == 'no goal', repeat=robot.sense)
    peer.until(lambda: said[''].startswith('following: 4.0 m'), repeat=lambda: ask(robot))
    assert said['goal'] == '(4.00, 0.00)'
    ask(robot, 2.05, -1.0)
    peer.until(lambda: 'is inside an obstacle of the map' in said[''], repeat=robot.sense)
    peer.until(lambda: said[''].startswith('following'), repeat=lambda: ask(robot))
    peer.until(lambda: said[''] == 'no plan: no recent odometry')


def test_time_that_never_begins_is_told(nodes, peer):
    said = told(peer)
    nodes.start('global_planner_node', use_sim_time=True)
    peer.until(lambda: said.get('') == NO_TIME)


def test_a_goal_waits_for_the_map(nodes, peer, listener, robot):
    node = nodes.start('global_planner_node')
    for _ in range(10):
        ask(robot)
        peer.spin(0.05)
    assert listener.plans == []
    listener.send_map()
    until_planned(peer, listener, robot)
    assert 'map: 60 x 50 cells of 0.1 m' in nodes.end(node)


def test_a_map_that_makes_no_sense_is_refused(nodes, peer, listener, robot):
    node = nodes.start('global_planner_node')
    peer.until(lambda: listener.map_out.get_subscription_count())
    broken = messages.map_message(ROOMS, 'odom')
    broken.info.width = 7
    listener.map_out.publish(broken)
    assert listener.map_out.wait_for_all_acked(Duration(seconds=PATIENCE_SEC))
    peer.spin(0.2)
    assert listener.plans == []
    listener.send_map()
    until_planned(peer, listener, robot)
    assert 'map refused: a map of 50 x 7 cells has 3000 of them' in nodes.end(node)


def test_with_tf_map_and_odometry_have_frames_of_their_own(
    nodes, peer, listener, robot, monkeypatch
):
    """odom is 0.5 m further left in the map: there the robot stands at (0, 0.5)."""
    monkeypatch.setenv('PYTHONPATH', f'{STANDIN}:{os.environ.get("PYTHONPATH", "")}')
    source = TransformSource(peer)
    listener.send_map(frame='map')
    nodes.start('global_planner_node')

    def tell() -> None:
        source.send_static('map', 'odom', (0.0, 0.5))
        ask(robot, 4.0, -0.5)  # in the frame odom

    peer.until(lambda: listener.plans and len(listener.plans[-1]), repeat=tell)
    assert listener.frame == 'map'
    assert listener.plans[-1][0] == pytest.approx([0.0, 0.5], abs=1e-6)
    assert listener.plans[-1][-1] == pytest.approx([4.0, 0.0], abs=1e-6)


def test_without_tf_a_map_in_another_frame_is_of_no_use(nodes, peer, listener, robot):
    listener.send_map(frame='map')
    node = nodes.start('global_planner_node')
    peer.until(lambda: listener.plans, repeat=lambda: ask(robot))
    assert len(listener.plans[-1]) == 0
    said = nodes.end(node)
    assert 'goal refused: no transform from odom to map: tf2_ros is not installed' in said
    assert 'Traceback' not in said


def test_the_same_cells_in_another_frame_are_another_map(nodes, peer, listener, robot, planner):
    """A SLAM that was restarted: without TF nobody knows where the plan would lead now."""
    until_planned(peer, listener, robot)
    listener.send_map(frame='map')
    peer.until(lambda: not len(listener.plans[-1]), repeat=lambda: robot.sense())
    assert 'no transform from odom to map' in nodes.end(planner)


def test_a_planner_that_ends_stops_the_robot(nodes, peer, listener, robot, planner):
    until_planned(peer, listener, robot)
    nodes.end(planner)
    peer.until(lambda: len(listener.plans[-1]) == 0)
