"""The global planner as a process: which goal it plans to, and when the robot is to stop for it."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from std_srvs.srv import Trigger
from support.nodes import told
from support.planning import Listener, ask, until_planned
from support.transforms import STANDIN

from rl_planner.ros import messages


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


@pytest.mark.parametrize('outcome', ['goal', 'cancelled'])
def test_a_goal_that_waits_outlives_the_drive_before_unless_that_is_cancelled(
    nodes, peer, listener, robot, outcome
):
    """It waits for odometry of after its stamp, which comes when the drive has ended."""
    began, said = time.time_ns(), told(peer)
    patient = {'odom_timeout': 600.0, 'answer_time': 600.0}
    listener.send_map()
    nodes.start('global_planner_node', **patient)

    def tell() -> None:
        robot.send_goal(4.0)
        robot.sense(began)

    peer.until(lambda: listener.plans and len(listener.plans[-1]), repeat=tell)
    robot.send_goal(4.0, 1.0, stamp_ns=began + 10**9)
    peer.until(lambda: said.get('') == 'a goal waits for later odometry')
    listener.outcome_out.publish(
        messages.outcome_marker(began + 1, 'odom', (0.0, 0.0, 0.0), outcome)
    )
    peer.until(lambda: len(listener.plans[-1]) == 0)
    count = len(listener.plans)
    for _ in range(10):
        robot.sense(began + 2 * 10**9)
        peer.spin(0.05)
    if outcome == 'goal':
        peer.until(lambda: len(listener.plans) > count)
        assert listener.plans[count][-1] == pytest.approx([4.0, 1.0])
    else:
        assert len(listener.plans) == count
