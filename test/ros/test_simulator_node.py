"""The embedded simulator as a process."""

from __future__ import annotations

import time

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from support.driver import PERIOD_NS, POST, Driver
from support.nodes import Nodes, Peer

from rl_planner.ros import messages, qos
from rl_planner.ros.episode_message import encode_episode
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World


def test_waits_for_every_robot_then_steps_one_period(nodes: Nodes, peer: Peer) -> None:
    names = ['robot_0', 'robot_1']
    driver = Driver(peer, names)
    nodes.start('simulator_node', robots=names, real_time_factor=0.0)
    driver.wait_for(0)
    driver.command('robot_0', 0, 0.2, 0.0)
    peer.spin(1.0)
    assert {pose[0] for pose in driver.poses('robot_0')} == {0}
    driver.command('robot_1', PERIOD_NS, 0.2, 0.0)  # answers a scan that was never sent
    peer.spin(0.5)
    assert {pose[0] for pose in driver.poses('robot_0')} == {0}
    driver.command('robot_1', 0, -1.0, 0.0)
    driver.wait_for(PERIOD_NS)
    peer.spin(0.3)
    assert {pose[0] for pose in driver.poses('robot_0')} == {0, PERIOD_NS}
    # 2.5 m/s2 for 0.1 s allows the 0.2 m/s at once; backwards is below the robot's lowest speed.
    assert driver.poses('robot_0')[-1][1] == pytest.approx(0.02)
    assert driver.poses('robot_1')[-1][1] == 0.0


def run_by_hand(driver: Driver, steps: int) -> list[tuple[int, float, float, float]]:
    """Drive a fixed course in lock-step; the distinct poses in order of time."""
    rng = np.random.default_rng(3)
    driver.wait_for(0)
    driver.load('robot_0', POST)
    for step in range(steps):
        driver.command('robot_0', step * PERIOD_NS, *rng.uniform((0.0, -1.5), (0.5, 1.5)))
        driver.wait_for((step + 1) * PERIOD_NS)
    return sorted(set(driver.poses('robot_0')))


def test_lock_step_is_deterministic(nodes: Nodes, peer: Peer) -> None:
    courses = []
    for _ in range(2):
        driver = Driver(peer, ['robot_0'])
        node = nodes.start('simulator_node', real_time_factor=0.0)
        courses.append(run_by_hand(driver, 40))
        nodes.end(node)
        for publisher in (*driver.command_out.values(), *driver.episode_out.values()):
            peer.node.destroy_publisher(publisher)
    assert len(courses[0]) >= 40
    assert courses[0] == courses[1]


def test_time_does_not_run_away_from_who_prepares_the_next_drive(nodes: Nodes, peer: Peer) -> None:
    """While all robots rest, and for so long that their goals should have come."""
    answer_out = peer.node.create_publisher(TwistStamped, 'robot_0/cmd_vel', qos.RELIABLE)
    stamps: list[int] = []

    def answer(odometry: Odometry) -> None:
        stamps.append(messages.stamp_ns(odometry.header.stamp))
        answer_out.publish(TwistStamped(header=odometry.header))

    peer.node.create_subscription(Odometry, 'robot_0/odom', answer, qos.COMPLETE)
    nodes.start('simulator_node', real_time_factor=0.0)
    peer.until(lambda: stamps)
    began = time.monotonic()
    peer.until(lambda: stamps[-1] >= 120 * PERIOD_NS)
    # Twenty steps are as quick as the machine; it takes longer where that is busy, never less.
    assert time.monotonic() - began > 0.02 * (120 - 20 - 1) - 0.05


def test_an_episode_is_in_force_after_its_reply(nodes: Nodes, peer: Peer) -> None:
    driver = Driver(peer, ['robot_0'])
    nodes.start('simulator_node', real_time_factor=0.0, lidar__num_beams=36)
    driver.wait_for(0)
    assert np.isinf(driver.scan_at('robot_0', 0)).all()  # nothing in the world yet
    driver.load('robot_0', POST)
    assert set(driver.ready['robot_0']) == {0}
    driver.command('robot_0', 0, 0.0, 0.0)
    driver.wait_for(PERIOD_NS)
    ahead = driver.scan_at('robot_0', PERIOD_NS)[18]  # beams begin straight behind
    assert ahead == pytest.approx(1.5, abs=1e-5)
    driver.load('robot_0', Episode(World(), (1.0, 2.0, 0.5), (4.0, 0.0)))
    driver.command('robot_0', PERIOD_NS, 0.0, 0.0)
    driver.wait_for(2 * PERIOD_NS)
    assert driver.poses('robot_0')[-1][1:] == pytest.approx((1.0, 2.0, 0.5))


def test_a_world_stands_still_until_its_robot_is_commanded_to_move(
    nodes: Nodes, peer: Peer
) -> None:
    driver = Driver(peer, ['robot_0'])
    nodes.start('simulator_node', real_time_factor=0.0, lidar__num_beams=4)
    driver.wait_for(0)
    # A disc that comes from 2 m ahead at 1 m/s.
    mover = np.array([[2.0, 0.0, 0.0, 0.0, 0.5, 1.0, 0.0]])
    driver.load('robot_0', Episode(World(movers=mover), (0.0, 0.0, 0.0), (4.0, 0.0)))
    driver.command('robot_0', 0, 0.5, 0.0)  # answers a scan of the place before
    driver.wait_for(PERIOD_NS)
    driver.command('robot_0', PERIOD_NS, 0.0, 0.0)
    driver.wait_for(2 * PERIOD_NS)
    driver.command('robot_0', 2 * PERIOD_NS, 0.0, 1.0)
    driver.wait_for(3 * PERIOD_NS)
    driver.command('robot_0', 3 * PERIOD_NS, 0.0, 0.0)  # having begun, it goes on
    driver.wait_for(4 * PERIOD_NS)
    ahead = [driver.scan_at('robot_0', step * PERIOD_NS)[2] for step in (1, 2)]
    assert ahead == pytest.approx([1.5, 1.5], abs=1e-5)
    # 3.2 rad/s2 for 0.1 s allow 0.32 rad/s, and as fast back to rest.
    assert driver.poses('robot_0')[-1][1:] == pytest.approx((0.0, 0.0, 0.032))
    # Turned by that, it sees the disc, now at 1.8 m, at its near side.
    distance = 1.8 * np.cos(0.032) - np.sqrt(0.25 - (1.8 * np.sin(0.032)) ** 2)
    assert driver.scan_at('robot_0', 4 * PERIOD_NS)[2] == pytest.approx(distance, abs=1e-5)


def test_a_repeated_request_is_answered_and_not_obeyed(nodes: Nodes, peer: Peer) -> None:
    driver = Driver(peer, ['robot_0'])
    nodes.start('simulator_node', real_time_factor=0.0)
    driver.wait_for(0)
    driver.load('robot_0', POST)
    driver.command('robot_0', 0, 0.0, 0.0)
    driver.wait_for(PERIOD_NS)
    driver.command('robot_0', PERIOD_NS, 0.2, 0.0)
    driver.wait_for(2 * PERIOD_NS)
    driver.load('robot_0', POST)
    assert set(driver.ready['robot_0']) == {0}
    driver.command('robot_0', 2 * PERIOD_NS, 0.2, 0.0)
    driver.wait_for(3 * PERIOD_NS)
    assert driver.poses('robot_0')[-1][1] == pytest.approx(0.04)


def test_disturbances_and_the_odometry_of_them(nodes: Nodes, peer: Peer) -> None:
    driver = Driver(peer, ['robot_0'])
    parameters = {'disturbance__gain': 0.5, 'disturbance__odometry_error': 0.5, 'seed': 3}
    nodes.start('simulator_node', real_time_factor=0.0, **parameters)
    driver.wait_for(0)
    driver.load('robot_0', POST)
    for step, command in enumerate((0.0, 0.2, 0.2)):
        driver.command('robot_0', step * PERIOD_NS, command, 0.0)
        driver.wait_for((step + 1) * PERIOD_NS)
    told = driver.poses('robot_0')[-1][1]
    assert 0.01 < told < 0.03  # 2 periods at half of 0.2 m/s, 50 % off at most
    assert told != pytest.approx(0.02, abs=1e-6)
    seen = 1.5 - float(driver.scan_at('robot_0', 3 * PERIOD_NS)[90])
    assert seen == pytest.approx(0.02, abs=1e-5)


def test_a_broken_episode_changes_nothing(nodes: Nodes, peer: Peer) -> None:
    driver = Driver(peer, ['robot_0'])
    node = nodes.start('simulator_node', real_time_factor=0.0)
    driver.wait_for(0)
    broken = encode_episode(POST, 'odom')
    broken.markers = [marker for marker in broken.markers if marker.ns != 'start']
    driver.episode_out['robot_0'].publish(broken)
    peer.spin(0.5)
    assert driver.ready['robot_0'] == []
    assert 'must have one start and one goal' in nodes.end(node)


def test_a_command_that_is_not_finite_stops(nodes: Nodes, peer: Peer) -> None:
    driver = Driver(peer, ['robot_0'])
    node = nodes.start('simulator_node', real_time_factor=0.0)
    driver.wait_for(0)
    driver.command('robot_0', 0, 0.25, 0.0)
    driver.wait_for(PERIOD_NS)
    driver.command('robot_0', PERIOD_NS, float('nan'), 0.0)
    driver.wait_for(2 * PERIOD_NS)
    assert driver.odoms['robot_0'][-1].twist.twist.linear.x == 0.0
    assert 'command must be finite' in nodes.end(node)


def test_in_real_time_old_commands_stop_the_robot(nodes: Nodes, peer: Peer) -> None:
    driver = Driver(peer, ['robot_0'])
    nodes.start('simulator_node', real_time_factor=5.0)
    peer.until(lambda: driver.odoms['robot_0'])

    def speed() -> float:
        return float(driver.odoms['robot_0'][-1].twist.twist.linear.x)

    peer.until(lambda: speed() > 0.3, repeat=lambda: driver.command('robot_0', 0, 0.4, 0.0))
    peer.until(lambda: speed() == 0.0)


def test_publishes_the_clock(nodes: Nodes, peer: Peer) -> None:
    from rosgraph_msgs.msg import Clock

    times: list[int] = []
    peer.node.create_subscription(
        Clock, '/clock', lambda m: times.append(messages.stamp_ns(m.clock)), qos.RELIABLE
    )
    nodes.start('simulator_node', real_time_factor=2.0)
    peer.until(lambda: len(times) > 5)
    assert set(np.diff(times).tolist()) <= {0, PERIOD_NS}
