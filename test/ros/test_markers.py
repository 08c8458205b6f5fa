"""What RViz is shown, as a process shows it; and that nothing is made where nobody looks."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from support.nodes import DRIVING, constant_policy
from visualization_msgs.msg import Marker, MarkerArray

from rl_planner.navigation.config import ObservationConfig
from rl_planner.ros import markers, messages, qos
from rl_planner.ros.markers import LIFETIME_SEC, ActorMarkers


def looked_at(peer) -> dict[str, Marker]:
    """The newest marker of each namespace, from now on."""
    seen: dict[str, Marker] = {}
    peer.node.create_subscription(
        MarkerArray,
        'actor_node/markers',
        lambda m: seen.update((each.ns, each) for each in m.markers),
        qos.RELIABLE,
    )
    return seen


def drive(nodes, peer, robot, policy_file, **more: Any) -> Any:
    actor = nodes.start('actor_node', policy_file=str(policy_file), **more)

    def go() -> None:
        robot.send_goal(5.0)
        robot.sense(v=0.375)

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)
    return actor


def test_a_drive_is_shown(nodes, peer, robot, policy_file):
    seen = looked_at(peer)
    drive(nodes, peer, robot, policy_file)
    wall = np.full(robot.beams, 3.0, np.float32)
    wall[robot.beams // 2] = 2.0  # straight ahead
    peer.until(
        lambda: {'goal', 'sectors', 'course', 'footprint'} <= seen.keys(),
        repeat=lambda: robot.sense(v=0.375, ranges=wall),
    )
    assert {each.header.frame_id for each in seen.values()} == {'odom'}
    assert {each.id for each in seen.values()} == {0}
    for each in seen.values():
        assert each.lifetime.sec + 1e-9 * each.lifetime.nanosec == pytest.approx(LIFETIME_SEC)
    goal = seen['goal']
    assert (goal.pose.position.x, goal.pose.position.y, goal.scale.x) == (5.0, 0.0, 0.5)
    way = [(point.x, point.y) for point in seen['course'].points]
    assert way[0] == (0.0, 0.0)
    end = way[-1]  # ahead, and to the left
    assert end[0] > 0.06
    assert end[1] > 0.0
    around = [math.dist((point.x, point.y), end) for point in seen['footprint'].points]
    assert around == [pytest.approx(0.17)] * len(around)
    assert 'lookahead' not in seen


def test_sectors_are_those_that_the_policy_sees(nodes, peer, robot, tmp_path):
    policy_file = tmp_path / 'policy.safetensors'
    observation = ObservationConfig(history_steps=2, num_sectors=4)
    constant_policy(observation=observation).save(policy_file)
    seen = looked_at(peer)
    drive(nodes, peer, robot, policy_file)
    # Beams 18 to 26 of 36 look ahead to the left: into the third sector of four.
    ranges = np.full(robot.beams, np.inf, np.float32)
    ranges[22] = 1.5

    def is_shown() -> bool:
        return 'earlier_sectors' in seen and len(seen['sectors'].points) == 2

    peer.until(is_shown, repeat=lambda: robot.sense(v=0.375, ranges=ranges))
    line = [(point.x, point.y) for point in seen['sectors'].points]
    assert line == [pytest.approx((1.5, 0.0), abs=1e-6), pytest.approx((0.0, 1.5), abs=1e-6)]


def test_why_a_robot_stands_is_shown(nodes, peer, robot, policy_file):
    seen = looked_at(peer)
    drive(nodes, peer, robot, policy_file)
    peer.until(lambda: 'status' in seen)  # the scans have stopped
    assert 'scan is' in seen['status'].text or 'odometry is' in seen['status'].text


def test_what_the_safety_layer_does_is_shown(nodes, peer, robot, policy_file):
    seen = looked_at(peer)
    drive(nodes, peer, robot, policy_file)
    near = np.full(robot.beams, 3.0, np.float32)
    near[robot.beams // 2] = 0.2
    peer.until(
        lambda: 'status' in seen and seen['status'].text == 'safety: turning',
        repeat=lambda: robot.sense(ranges=near),
    )


def test_nothing_is_made_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    out = SimpleNamespace(get_subscription_count=lambda: asked.append('count') or 0)
    node: Any = SimpleNamespace(
        create_lifecycle_publisher=lambda *_: out, destroy_lifecycle_publisher=asked.append
    )
    monkeypatch.setattr(markers, 'outline', lambda _: None)
    monkeypatch.setattr(markers, 'Courses', lambda *_: None)
    monkeypatch.setattr(markers.Footprint, 'of', lambda _: None)
    setup: Any = SimpleNamespace(robot=None, task=SimpleNamespace(control_period=0.1))
    board = ActorMarkers(node, setup)
    board.draw(SimpleNamespace(pilot=object()))  # type: ignore[arg-type]  # it has no robots
    board.destroy()
    assert asked == ['count', out]


def test_a_plan_has_an_end_and_a_point_ahead(nodes, peer, robot, policy_file):
    seen = looked_at(peer)
    plans = peer.node.create_publisher(Path, 'plan', qos.RELIABLE)
    plan = Path()
    plan.header.frame_id = 'odom'
    for step in range(101):  # 5 m ahead
        plan.poses.append(PoseStamped(pose=messages.pose_of(0.05 * step, 0.0, 0.0)))
    nodes.start('actor_node', policy_file=str(policy_file), follow_plan=True)

    def go() -> None:
        plans.publish(plan)
        robot.sense(v=0.375)

    peer.until(lambda: {'goal', 'lookahead'} <= seen.keys(), repeat=go)
    ahead, goal = seen['lookahead'].pose.position, seen['goal'].pose.position
    assert (ahead.x, ahead.y) == pytest.approx((1.5, 0.0), abs=0.06)  # path.lookahead_dist
    assert (goal.x, goal.y) == pytest.approx((5.0, 0.0))
