"""The services of gazebo_ros by a bridge, called over DDS, on real gzservers."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import Pose
from rosgraph_msgs.msg import Clock
from support.driver import PERIOD_NS, POST, Driver
from support.gazebo_services import BOX, Services
from support.nodes import Nodes, Peer
from support.processes import children

from rl_planner.ros import messages, qos

pytestmark = pytest.mark.gazebo
ROBOTS = ['left', 'right']  # each in a gzserver of its own

FURTHER = replace(POST, start=(0.5, 0.0, 0.0))


@pytest.fixture
def services(peer: Peer, interfaces: Path) -> Services:
    return Services(peer, interfaces)


def start(nodes: Nodes, gazebo_root: str, **parameters: Any) -> Popen[str]:
    given = {'robots': ROBOTS, 'servers': 2, 'gazebo_root': gazebo_root, **parameters}
    return nodes.start('gazebo_bridge_node', **given)


def test_entities_are_spawned_moved_told_of_and_deleted(
    nodes: Nodes, peer: Peer, services: Services, gazebo_root: str
) -> None:
    driver = Driver(peer, ROBOTS)
    start(nodes, gazebo_root)
    assert services.put('right', messages.pose_of(1.0, 2.0, np.pi / 2.0))
    # 1.5 m ahead of a robot that looks along y; it is of the world of that robot.
    reply = services.spawn('', 1.5, reference_frame='right')
    assert reply.success, reply.status_message
    assert services.place('box') == pytest.approx((1.0, 3.5, np.pi / 2.0), abs=0.02)
    assert services.place('box::link', 'right') == pytest.approx((1.5, 0.0, 0.0), abs=0.02)
    assert services.put('right', messages.pose_of(1.0, 2.5, np.pi / 2.0))
    peer.until(lambda: driver.pose('right') == pytest.approx((1.0, 2.5, np.pi / 2.0), abs=0.02))
    peer.until(lambda: driver.scans['right'][-1].ranges[90] == pytest.approx(0.7, abs=0.02))
    # `robot_namespace` says whose world it is, and one name is of one entity.
    assert services.spawn('post', 5.0, robot_namespace='left').success
    assert 'already' in services.spawn('post', 6.0).status_message
    assert services.put('post', messages.pose_of(7.0, 0.0, 0.0), 'left')
    assert services.place('post') == pytest.approx((7.0, 0.0, 0.0), abs=0.02)
    assert not services.put('post', messages.pose_of(7.0, 0.0, 0.0), 'right')
    services.call('reset_world')
    assert services.place('post') == pytest.approx((5.0, 0.0, 0.0), abs=0.02)
    assert services.place('box') == pytest.approx((1.0, 3.5, np.pi / 2.0), abs=0.02)
    assert services.place('right') == pytest.approx((0.0, 0.0, 0.0), abs=0.02)
    assert services.call('delete_entity', name='post').success
    assert not services.call('get_entity_state', name='post').success
    assert services.spawn('post', 4.0).success


def test_what_is_refused_is_told(
    nodes: Nodes, peer: Peer, services: Services, gazebo_root: str
) -> None:
    start(nodes, gazebo_root, robots=ROBOTS[:1], servers=1)
    for reply, message in (
        (services.call('delete_entity', name='ghost'), "entity 'ghost' does not exist"),
        (services.call('delete_entity', name='left'), "robot 'left' must stay"),
        (services.spawn('left', 1.0), "entity 'left' is there already"),
        (services.spawn('robot_0', 1.0), "entity 'robot_0' is there already"),
        (services.spawn('a', np.nan), 'pose must be finite'),
        (services.spawn('a', 1.0, reference_frame='ghost'), "reference_frame: entity 'ghost'"),
        (services.spawn('a', 1.0, xml='<sdf'), 'xml must be SDF or URDF'),
    ):
        assert not reply.success
        assert message in reply.status_message
    assert not services.put('ghost', Pose())
    assert not services.put('left', messages.pose_of(0.0, np.inf, 0.0))
    assert not services.put('left', Pose(), 'ghost')
    assert not services.call('get_entity_state', name='left::ghost').success
    assert services.place('left::base_link') == pytest.approx((0.0, 0.0, 0.0), abs=0.02)


def test_a_pause_holds_time_up(
    nodes: Nodes, peer: Peer, services: Services, gazebo_root: str
) -> None:
    clock: list[Clock] = []
    peer.node.create_subscription(Clock, '/clock', clock.append, qos.RELIABLE)
    start(nodes, gazebo_root, real_time_factor=5.0)
    peer.until(lambda: clock)
    services.call('pause_physics')
    peer.spin(0.5)  # what was on its way
    count = len(clock)
    assert services.put('left', messages.pose_of(1.0, 0.0, 0.0))  # as in Gazebo
    assert services.place('left') == pytest.approx((1.0, 0.0, 0.0), abs=0.02)
    assert len(clock) == count
    services.call('unpause_physics')
    peer.until(lambda: len(clock) > count)


def test_a_robot_with_an_episode_stays_in_its_frame(
    nodes: Nodes, peer: Peer, services: Services, gazebo_root: str
) -> None:
    driver = Driver(peer, ROBOTS)
    start(nodes, gazebo_root, real_time_factor=0.0)
    driver.wait_for(0)
    driver.load('right', POST)
    told = len(driver.ready['right'])
    assert services.put('right', messages.pose_of(0.4, 0.3, 1.0), 'right')
    peer.until(lambda: len(driver.ready['right']) > told)
    peer.until(lambda: driver.pose('right') == pytest.approx((0.4, 0.3, 1.0), abs=0.02))
    services.call('reset_world')
    peer.until(lambda: driver.pose('right') == pytest.approx(POST.start, abs=0.02))
    assert services.put('right', messages.pose_of(0.0, 0.0, 1.0), 'right')
    driver.load('right', FURTHER)
    for name in ROBOTS:
        driver.command(name, 0, 0.0, 0.0)
    driver.wait_for(PERIOD_NS)
    assert driver.pose('right') == pytest.approx(FURTHER.start, abs=0.02)
    assert driver.scan_at('right', PERIOD_NS)[90] == pytest.approx(1.0, abs=0.03)  # to the post


def test_what_was_spawned_ends_with_its_gzserver_and_the_robot_does_not(
    nodes: Nodes, peer: Peer, services: Services, gazebo_root: str
) -> None:
    node = start(nodes, gazebo_root, robots=ROBOTS[:1], servers=1)
    assert services.put('left', messages.pose_of(1.0, 2.0, 0.5))
    assert services.spawn('post', 5.0).success
    (server,) = children(node.pid)
    os.kill(server, signal.SIGKILL)
    assert not services.exists('post')
    there = pytest.approx((1.0, 2.0, 0.5), abs=0.02)
    peer.until(lambda: services.place('left') == there)
    assert services.spawn('post', 5.0).success
    services.call('reset_world')
    assert services.place('left') == pytest.approx((0.0, 0.0, 0.0), abs=0.02)
    assert services.place('post') == pytest.approx((5.0, 0.0, 0.0), abs=0.02)


def test_lock_step_goes_on_while_gazebo_is_at_work(
    nodes: Nodes, peer: Peer, services: Services, gazebo_root: str
) -> None:
    driver = Driver(peer, ROBOTS)
    start(nodes, gazebo_root, real_time_factor=0.0)
    driver.wait_for(0)
    step, in_one_call = 0, []
    for number in range(5):
        spawning, before = services.begin('spawn_entity', name=f'post_{number}', xml=BOX), step
        while not spawning.done():
            for name in ROBOTS:
                driver.command(name, step * PERIOD_NS, 0.1, 0.0)
            step += 1
            driver.wait_for(step * PERIOD_NS)
        assert spawning.result().success
        in_one_call.append(step - before)
    assert max(in_one_call) > 1
    assert driver.pose('left')[0] > 0.0
