"""The bridge: what it refuses, and Gazebo behind it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from support.driver import PERIOD_NS, POST, Driver
from support.nodes import Nodes, Peer
from support.processes import children


@pytest.mark.parametrize(
    ('parameters', 'message'),
    [
        ({'servers': 2}, 'servers must be at most the 1 robots, got 2'),
        ({'robot_model': 'turtle'}, "robot model 'turtle'"),
        (
            {'robot__max_linear_vel': 0.4},
            'robot.max_linear_vel must be 0.5, as robot model default',
        ),
        ({'lidar__num_beams': 90}, 'lidar.num_beams must be 180, as robot model default'),
    ],
)
def test_what_does_not_fit_the_robot_model(nodes: Nodes, parameters: dict, message: str) -> None:
    assert message in nodes.refuse('gazebo_bridge_node', **parameters)


@pytest.mark.gazebo
def test_steps_gazebo_one_period_for_each_command(
    nodes: Nodes, peer: Peer, gazebo_root: str
) -> None:
    driver = Driver(peer, ['robot_0'])
    nodes.start('gazebo_bridge_node', real_time_factor=0.0, gazebo_root=gazebo_root)
    driver.wait_for(0)
    driver.load('robot_0', POST)
    for step in range(10):
        driver.command('robot_0', step * PERIOD_NS, 0.2 if step else 0.0, 0.0)
        driver.wait_for((step + 1) * PERIOD_NS)
    stamps = sorted({pose[0] for pose in driver.poses('robot_0')})
    assert stamps == [step * PERIOD_NS for step in range(11)]
    # 9 periods at 0.2 m/s; one physics step of 10 ms late, and the wheels' slip.
    assert driver.pose('robot_0')[0] == pytest.approx(0.18, abs=0.03)
    seen = driver.scan_at('robot_0', PERIOD_NS)[90]
    assert seen == pytest.approx(1.5, abs=0.03)
    assert np.isfinite(driver.scan_at('robot_0', 10 * PERIOD_NS)[90])


@pytest.mark.gazebo
def test_a_gzserver_that_is_killed_is_started_again_and_the_episode_with_it(
    nodes: Nodes, peer: Peer, gazebo_root: str
) -> None:
    driver = Driver(peer, ['robot_0'])
    node = nodes.start('gazebo_bridge_node', real_time_factor=0.0, gazebo_root=gazebo_root)
    driver.wait_for(0)
    driver.load('robot_0', POST)
    for step in range(5):
        driver.command('robot_0', step * PERIOD_NS, 0.2 if step else 0.0, 0.0)
        driver.wait_for((step + 1) * PERIOD_NS)
    assert driver.pose('robot_0')[0] > 0.05
    (server,) = children(node.pid)
    os.kill(server, signal.SIGKILL)
    driver.command('robot_0', 5 * PERIOD_NS, 0.2, 0.0)
    peer.until(lambda: driver.ready['robot_0'][-1] >= 6 * PERIOD_NS)
    assert np.isnan(driver.scans_at('robot_0', 6 * PERIOD_NS)[0]).all()
    driver.command('robot_0', 6 * PERIOD_NS, 0.0, 0.0)
    driver.wait_for(7 * PERIOD_NS)
    assert driver.pose('robot_0') == pytest.approx(POST.start, abs=0.02)
    (server,) = children(node.pid)
    assert 'robot_0: its simulator ended and is started again' in nodes.end(node)
    assert not Path(f'/proc/{server}').exists()
