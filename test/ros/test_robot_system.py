"""What robot.launch.py starts, as a process: the shipped policy of a robot drives it."""

from __future__ import annotations

import pytest
from support.nodes import AT_REST, RobotDouble

from rl_planner.bringup.process import Process
from rl_planner.bringup.robot_system import robot as robot_system

TOP_SPEED = {'turtlebot3_burger': 0.22, 'turtlebot3_waffle': 0.26, 'jackal': 2.0}


@pytest.mark.parametrize('name', TOP_SPEED)
def test_a_shipped_robot_drives_off(nodes, peer, name):
    (process,) = robot_system(robot=name, use_stamped_cmd_vel=True, namespace='mobile')
    assert isinstance(process, Process)
    names = ['-r', f'__ns:={process.namespace}']
    actor = nodes.start_raw(process.executable, [*names, *process.ros_arguments()])
    robot = RobotDouble(peer, 'mobile', stamped=True, beams=360)

    def go() -> None:
        robot.send_goal(3.0)
        robot.sense()

    peer.until(lambda: any(v > 0.01 for v, _ in robot.commands), repeat=go)
    assert max(v for v, _ in robot.commands) <= TOP_SPEED[name] + 1e-6
    nodes.end(actor)
    peer.until(lambda: robot.commands[-1] == AT_REST)
