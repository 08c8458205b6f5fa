"""What robot.launch.py starts, as a process: the shipped policy of a robot drives it."""

from __future__ import annotations

from subprocess import Popen

import pytest
from support.nodes import AT_REST, Nodes, RobotDouble
from support.transforms import STANDIN, TransformSource

from rl_planner.bringup.process import Member, Process
from rl_planner.bringup.robot_system import robot as robot_system

TOP_SPEED = {'turtlebot3_burger': 0.22, 'turtlebot3_waffle': 0.26, 'jackal': 2.0}


def start(nodes: Nodes, process: Member) -> Popen[str]:
    assert isinstance(process, Process)
    names = ['-r', f'__ns:={process.namespace}']
    return nodes.start_raw(process.executable, [*names, *process.ros_arguments()])


@pytest.mark.parametrize('name', TOP_SPEED)
def test_a_shipped_robot_drives_off(nodes, peer, name):
    (process,) = robot_system(robot=name, use_stamped_cmd_vel=True, namespace='mobile')
    actor = start(nodes, process)
    robot = RobotDouble(peer, 'mobile', stamped=True, beams=360)

    def go() -> None:
        robot.send_goal(3.0)
        robot.sense()

    peer.until(lambda: any(v > 0.01 for v, _ in robot.commands), repeat=go)
    assert max(v for v, _ in robot.commands) <= TOP_SPEED[name] + 1e-6
    nodes.end(actor)
    peer.until(lambda: robot.commands[-1] == AT_REST)


def test_a_robot_with_names_of_its_own_drives_off(nodes, peer, monkeypatch):
    """Its lidar, odometry, base and TF are on other topics, as on a Clearpath Jackal."""
    monkeypatch.setenv('PYTHONPATH', STANDIN, prepend=':')
    topics = 'sensors/lidar2d_0/scan', 'platform/odom/filtered', 'base/cmd_vel'
    scan, odom, cmd_vel = topics
    (process,) = robot_system(
        robot='jackal',
        namespace='mobile',
        scan_topic=scan,
        odom_topic=odom,
        cmd_vel_topic=f'/mobile/{cmd_vel}',
        tf_topic='tf',
    )
    robot = RobotDouble(peer, 'mobile', beams=360, topics=topics)
    source = TransformSource(peer, '/mobile/tf')
    actor = start(nodes, process)

    def go() -> None:
        source.send_static('base_link', 'base_scan', (0.12, 0.0))
        robot.send_goal(3.0)
        robot.sense()

    peer.until(lambda: any(v > 0.01 for v, _ in robot.commands), repeat=go)
    assert 'lidar at (0.120, 0.000) m, 0.0 degrees, by TF' in nodes.end(actor)
