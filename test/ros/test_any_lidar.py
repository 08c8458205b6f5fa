"""Lidars unlike the simulator's, over DDS: their scans are those of the simulator, republished."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import LaserScan
from support.nodes import Nodes, Peer, RobotDouble
from support.sim_time import SimTime
from support.transforms import STANDIN, TransformSource

from rl_planner.navigation.config import LidarConfig
from rl_planner.ros import messages, qos

DEFAULT_POLICY = Path(__file__).parents[2] / 'config' / 'policies' / 'default.safetensors'
EPISODES = 6


def clockwise(scan: LaserScan) -> None:
    """The last beam comes first; no return is NaN."""
    scan.angle_min, scan.angle_max = scan.angle_max, scan.angle_min
    scan.angle_increment = -scan.angle_increment
    ranges = np.array(scan.ranges, np.float32)[::-1]
    scan.ranges = np.where(np.isinf(ranges), np.nan, ranges).tolist()


def from_the_front(scan: LaserScan) -> None:
    """The first beam looks ahead, as on a TurtleBot3; no return is 0."""
    half = len(scan.ranges) // 2
    scan.angle_min, scan.angle_max = 0.0, 2.0 * math.pi - scan.angle_increment
    ranges = np.roll(np.array(scan.ranges, np.float32), half)
    scan.ranges = np.where(np.isinf(ranges), 0.0, ranges).tolist()


def back_to_front(scan: LaserScan) -> None:
    """Mounted with its front to the back, which TF tells."""
    scan.header.frame_id = 'turned'
    scan.ranges = np.roll(np.array(scan.ranges, np.float32), len(scan.ranges) // 2).tolist()


KINDS: dict[str, Callable[[LaserScan], None]] = {
    'robot_0': clockwise,
    'robot_1': from_the_front,
    'robot_2': back_to_front,
}


def republish(peer: Peer, name: str, change: Callable[[LaserScan], None]) -> None:
    out = peer.node.create_publisher(LaserScan, f'{name}/changed', qos.RELIABLE)

    def take(scan: LaserScan) -> None:
        change(scan)
        out.publish(scan)

    peer.node.create_subscription(LaserScan, f'{name}/scan', take, qos.SENSOR)


def test_the_default_policy_reaches_its_goals(
    nodes: Nodes, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PYTHONPATH', STANDIN, prepend=':')
    names, log = list(KINDS), tmp_path / 'episodes.jsonl'
    TransformSource(peer).send_static('base_link', 'turned', yaw=math.pi)
    for name, change in KINDS.items():
        republish(peer, name, change)
    nodes.start('simulator_node', robots=names, real_time_factor=0.0, use_sim_time=True)
    actors = {
        name: nodes.start_raw(
            'actor_node',
            [
                *('-r', f'__node:=actor_{name}', '-r', f'{name}/scan:={name}/changed'),
                *('-p', f'policy_file:={DEFAULT_POLICY}', '-p', f"robots:=['{name}']"),
                *('-p', 'use_sim_time:=true', '-p', 'use_stamped_cmd_vel:=true'),
                *('-p', 'command_when_idle:=true'),
                *('-p', f'mount_from_tf:={str(name == "robot_2").lower()}'),
            ],
        )
        for name in names
    }
    own = {'purpose': 'evaluation', 'seed': 5, 'episode_log': str(log), 'max_episodes': EPISODES}
    episodes = nodes.start('episode_node', robots=names, use_sim_time=True, **own)
    peer.until(lambda: episodes.poll() is not None)
    ended = [json.loads(line) for line in log.read_text().splitlines()]
    assert [each['outcome'] for each in ended] == ['goal'] * EPISODES
    assert {each['robot'] for each in ended} == set(names)
    assert 'at (0.000, 0.000) m, 180.0 degrees, by TF from turned' in nodes.end(actors['robot_2'])


def test_nobody_drives_forward_where_the_lidar_does_not_look(
    nodes: Nodes, peer: Peer, policy_file: Path
) -> None:
    """A lidar that looks back by 120 degrees; the policy goes ahead and to the left."""
    robot = RobotDouble(peer)
    back = LidarConfig(num_beams=36, angle_min=2.0, field_of_view=2.0)
    scan = messages.empty_scan(back, 'base_scan', 0.1)
    messages.set_ranges(scan, np.full(36, 3.0, np.float32))
    actor = nodes.start('actor_node', policy_file=str(policy_file))

    def sense() -> None:
        robot.send_goal(5.0)
        now = time.time_ns()
        robot.sense(now, only=robot.odom_out)
        scan.header.stamp = messages.stamp_of(now)
        robot.scan_out.publish(scan)

    peer.until(lambda: any(turn > 0.2 for _, turn in robot.commands), repeat=sense)
    assert {ahead for ahead, _ in robot.commands} == {0.0}
    assert 'no beam of the lidar looks straight ahead' in nodes.end(actor)


def test_what_one_turn_of_a_lidar_leaves_out_is_known_from_the_one_before(
    nodes: Nodes, peer: Peer, policy_file: Path
) -> None:
    """A lidar that shows things at 0.24 m every other time; at 0.375 m/s it needs 0.256 m."""
    robot, time = RobotDouble(peer, beams=360), SimTime(peer)
    nodes.start('actor_node', policy_file=str(policy_file), use_sim_time=True)

    def turn(duration: float) -> None:
        for ranges in (0.24, 3.0):
            time.advance(0.1)
            robot.send_goal(5.0)
            robot.sense(time.now, v=0.375, ranges=ranges, duration=duration)
            peer.spin(0.1)

    def fast() -> int:
        return sum(v > 0.37 for v, _ in robot.commands)

    peer.until(lambda: fast() > 3, repeat=lambda: turn(0.0))
    for _ in range(3):
        turn(0.05)
    robot.commands.clear()
    peer.until(lambda: len(robot.commands) > 6, repeat=lambda: turn(0.05))
    assert fast() == 0
