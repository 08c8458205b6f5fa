"""The global planner as a process: maps, goals and scans in, plans out."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import pytest
from nav_msgs.msg import OccupancyGrid, Path
from numpy.typing import NDArray
from rclpy.duration import Duration
from std_srvs.srv import Trigger
from support.nodes import PATIENCE_SEC, Nodes, Peer, RobotDouble, told
from support.transforms import STANDIN, TransformSource
from visualization_msgs.msg import Marker

from rl_planner.navigation.occupancy import OccupancyMap
from rl_planner.ros import messages, qos
from rl_planner.ros.cdr import read_path

CELL = 0.1  # m
# The robot is at (0, 0); a wall is at x = 2.0 to 2.1 m, with doors around y = 0 and y = 2.
CELLS = np.zeros((50, 60), np.int8)
CELLS[:, 30] = 100
CELLS[16:24, 30] = CELLS[36:44, 30] = 0
ROOMS = OccupancyMap(CELLS, CELL, (-1.0, -2.0, 0.0))


class Listener:
    """Publishes a map, and keeps the plans: (M, 2) points, and their frame."""

    def __init__(self, peer: Peer) -> None:
        create = peer.node.create_publisher
        self.map_out = create(OccupancyGrid, 'map', qos.LATCHED)
        self.outcome_out = create(Marker, 'outcome', qos.RELIABLE)
        self.plans: list[NDArray[np.float64]] = []
        self.frame = ''
        peer.node.create_subscription(Path, 'plan', self._on_plan, qos.RELIABLE, raw=True)

    def send_map(self, area: OccupancyMap = ROOMS, frame: str = 'odom') -> None:
        self.map_out.publish(messages.map_message(area, frame))

    def _on_plan(self, data: bytes) -> None:
        self.frame, points = read_path(data)
        self.plans.append(points)


@pytest.fixture
def listener(peer: Peer) -> Listener:
    return Listener(peer)


@pytest.fixture
def planner(nodes: Nodes, listener: Listener) -> Any:
    listener.send_map()
    return nodes.start('global_planner_node', planning_frequency=5.0, blocked_time=0.1)


def door(plan: NDArray[np.float64]) -> float:
    """y where the way goes through the wall (m)."""
    return float(plan[np.abs(plan[:, 0] - 2.05).argmin(), 1])


def ask(robot: RobotDouble, x: float = 4.0, y: float = 0.0, **sensed: Any) -> None:
    robot.send_goal(x, y)
    robot.sense(**sensed)


def until_planned(peer: Peer, listener: Listener, robot: RobotDouble) -> None:
    peer.until(lambda: listener.plans and len(listener.plans[-1]), repeat=lambda: ask(robot))


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


def test_a_goal_in_an_obstacle_is_refused_in_one_line(nodes, peer, listener, robot, planner):
    until_planned(peer, listener, robot)
    peer.until(
        lambda: len(listener.plans[-1]) == 0, repeat=lambda: ask(robot, 2.05, -1.0, ranges=np.inf)
    )
    for _ in range(10):
        ask(robot, 2.05, -1.0)
        peer.spin(0.05)
    assert len(listener.plans[-1]) == 0
    said = nodes.end(planner)
    assert said.count('the goal (2.05, -1.00) is inside an obstacle of the map') == 1


@pytest.mark.parametrize('outcome', ['cancelled', 'goal'])
def test_a_drive_that_has_ended_ends_the_plan(peer, listener, robot, planner, outcome):
    until_planned(peer, listener, robot)
    soon = time.time_ns() + 10**10
    listener.outcome_out.publish(messages.outcome_marker(soon, 'odom', (0.0, 0.0, 0.0), outcome))
    peer.until(lambda: len(listener.plans[-1]) == 0, repeat=lambda: robot.sense())
    peer.until(lambda: len(listener.plans[-1]), repeat=lambda: ask(robot))  # it has no stamp


def test_the_same_goal_with_its_stamp_is_no_new_one(peer, listener, robot, planner):
    def tell() -> None:
        robot.send_goal(4.0, stamp_ns=1)
        robot.sense()

    peer.until(lambda: listener.plans and len(listener.plans[-1]), repeat=tell)
    soon = time.time_ns() + 10**10
    listener.outcome_out.publish(messages.outcome_marker(soon, 'odom', (0.0, 0.0, 0.0), 'goal'))
    peer.until(lambda: len(listener.plans[-1]) == 0, repeat=robot.sense)
    count = len(listener.plans)
    for _ in range(15):
        tell()
        peer.spin(0.05)
    assert len(listener.plans) == count


def test_cancel_ends_the_plan(peer, listener, robot, planner):
    until_planned(peer, listener, robot)
    cancel = peer.node.create_client(Trigger, 'global_planner_node/cancel')
    peer.until(cancel.service_is_ready)
    answer = cancel.call_async(Trigger.Request())
    peer.until(answer.done)
    assert answer.result().message == '1 goals cancelled'
    peer.until(lambda: len(listener.plans[-1]) == 0)


def test_an_old_outcome_is_of_another_drive(peer, listener, robot, planner):
    until_planned(peer, listener, robot)
    listener.outcome_out.publish(messages.outcome_marker(1, 'odom', (0.0, 0.0, 0.0), 'goal'))
    count = len(listener.plans)
    peer.until(lambda: len(listener.plans) > count + 2, repeat=robot.sense)
    assert len(listener.plans[-1])


def test_a_flood_of_goals_leads_to_the_last_one(peer, listener, robot, planner):
    until_planned(peer, listener, robot)
    for number in range(300):
        robot.send_goal(1.0 + 0.01 * number, stamp_ns=number)
        if number % 50 == 0:
            robot.sense()
            peer.spin(0.01)
    robot.send_goal(3.5, 1.0, stamp_ns=300)

    def is_last() -> bool:
        plan = listener.plans[-1]
        return len(plan) > 0 and np.hypot(*(plan[-1] - [3.5, 1.0])) < 0.01

    peer.until(is_last, repeat=robot.sense)


def test_goals_that_come_faster_than_odometry_is_old_are_planned_to(peer, listener, robot, planner):
    """A goal each 50 ms, of the time it is sent; odometry is 100 ms old."""

    def tell() -> None:
        now = time.time_ns()
        robot.send_goal(4.0, 0.5, stamp_ns=now)
        robot.sense(now - 100_000_000)

    peer.until(lambda: len(listener.plans) > 2, repeat=tell)
    assert all(len(plan) for plan in listener.plans)


def ends(listener: Listener) -> list[float]:
    """y where plans end, one after the other; inf where they are empty."""
    found = [float(plan[-1, 1]) if len(plan) else np.inf for plan in listener.plans]
    return [y for y, before in zip(found, [None, *found], strict=False) if y != before]


def test_another_goal_is_planned_to_without_a_stop(nodes, peer, listener, robot):
    listener.send_map()
    nodes.start('global_planner_node', answer_time=60.0)
    until_planned(peer, listener, robot)
    peer.until(lambda: len(ends(listener)) > 1, repeat=lambda: ask(robot, 4.0, 1.0))
    assert ends(listener) == pytest.approx([0.0, 1.0])


def test_a_goal_that_is_not_planned_to_in_time_stops_the_robot_first(nodes, peer, listener, robot):
    listener.send_map()
    nodes.start('global_planner_node', answer_time=0.0)
    until_planned(peer, listener, robot)
    peer.until(lambda: len(ends(listener)) > 2, repeat=lambda: ask(robot, 4.0, 1.0))
    assert ends(listener) == pytest.approx([0.0, np.inf, 1.0])


def test_a_goal_that_waits_for_tf_does_not_let_the_robot_drive_to_the_one_before(
    nodes, peer, listener, robot, monkeypatch
):
    monkeypatch.setenv('PYTHONPATH', f'{STANDIN}:{os.environ.get("PYTHONPATH", "")}')
    listener.send_map()
    node = nodes.start('global_planner_node', answer_time=0.0, mount_from_tf=False)
    until_planned(peer, listener, robot)
    robot.send_goal(4.0, 1.0, 'elsewhere')
    peer.until(lambda: not len(listener.plans[-1]), repeat=robot.sense)
    count = len(listener.plans)
    peer.until(lambda: len(listener.plans) > count, repeat=robot.sense)
    said = nodes.end(node)
    assert 'no plan to the new goal after' in said
    assert said.count('goal refused: no transform from elsewhere to odom') == 1


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
    assert 'goal refused: tf2_ros is not installed' in said
    assert 'Traceback' not in said


def test_the_same_cells_in_another_frame_are_another_map(nodes, peer, listener, robot, planner):
    """A SLAM that was restarted: without TF nobody knows where the plan would lead now."""
    until_planned(peer, listener, robot)
    listener.send_map(frame='map')
    peer.until(lambda: not len(listener.plans[-1]), repeat=lambda: robot.sense())
    assert 'no transform' in (said := nodes.end(planner)) or 'tf2_ros is not installed' in said


def test_a_planner_that_ends_stops_the_robot(nodes, peer, listener, robot, planner):
    until_planned(peer, listener, robot)
    nodes.end(planner)
    peer.until(lambda: len(listener.plans[-1]) == 0)
