"""Robots whose simulator takes its time to place them, and may end: other robots go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.driver import PERIOD_NS, POST, Driver
from support.nodes import Nodes, Peer

from rl_planner.ros.episode_message import encode_episode
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

ELSEWHERE = Episode(World(), (1.0, 2.0, 0.5), (4.0, 0.0))


class Orders:
    """What the simulator is told to do, and what it has done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hold(self, row: int) -> None:
        (self.folder / f'hold_{row}').touch()

    def release(self, row: int) -> None:
        (self.folder / f'hold_{row}').unlink()

    def end(self, row: int) -> None:
        (self.folder / f'end_{row}').touch()

    def has_ended(self, row: int) -> bool:
        return not (self.folder / f'end_{row}').exists()

    def steps(self) -> int:
        return int((self.folder / 'steps').read_text())


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(tmp_path)


def begin(nodes: Nodes, peer: Peer, orders: Orders, robots: int = 1) -> Driver:
    """Robots behind POST, at time 0, in lock-step."""
    names = [f'robot_{row}' for row in range(robots)]
    driver = Driver(peer, names)
    driver.node = nodes.start_double(
        'slow_simulator',
        str(orders.folder),
        robots=names,
        real_time_factor=0.0,
        lidar__num_beams=4,
    )
    driver.wait_for(0)
    for name in names:
        driver.load(name, POST)
    return driver


def drive(driver: Driver, step: int, *speeds: float) -> None:
    """Answer the scans of a step, one speed (m/s) for each robot, and wait for the next ones."""
    for name, speed in zip(driver.robots, speeds, strict=True):
        driver.command(name, step * PERIOD_NS, speed, 0.0)
    driver.wait_for((step + 1) * PERIOD_NS)


def ask(driver: Driver, name: str, episode: Episode) -> None:
    """Publish an episode, and do not wait for it to be in force."""
    driver.episode_out[name].publish(encode_episode(episode, 'odom', asked_ns=1))
    driver.peer.spin(0.3)


def test_the_others_go_on_while_a_robot_is_being_placed(
    nodes: Nodes, peer: Peer, orders: Orders
) -> None:
    driver = begin(nodes, peer, orders, robots=2)
    drive(driver, 0, 0.0, 0.0)
    drive(driver, 1, 0.2, 0.0)
    orders.hold(1)
    ask(driver, 'robot_1', ELSEWHERE)
    for step in (2, 3, 4):
        drive(driver, step, 0.2, 0.0)
    assert driver.pose('robot_0')[0] == pytest.approx(4 * 0.02)
    assert driver.pose('robot_1') == (0.0, 0.0, 0.0)
    assert set(driver.ready['robot_1']) == {0}
    # The actor is idle, so the scan of the place before may stay: 2 m to a post of radius 0.5 m.
    assert driver.scan_at('robot_1', 5 * PERIOD_NS)[2] == pytest.approx(1.5, abs=1e-5)
    orders.release(1)
    peer.until(lambda: len(set(driver.ready['robot_1'])) == 2)
    assert driver.ready['robot_1'][-1] == 5 * PERIOD_NS
    drive(driver, 5, 0.2, 0.0)
    assert driver.pose('robot_1') == pytest.approx(ELSEWHERE.start)
    assert np.isinf(driver.scan_at('robot_1', 6 * PERIOD_NS)).all()


def test_time_waits_while_every_robot_is_being_placed(
    nodes: Nodes, peer: Peer, orders: Orders
) -> None:
    driver = begin(nodes, peer, orders)
    drive(driver, 0, 0.0)
    orders.hold(0)
    ask(driver, 'robot_0', ELSEWHERE)
    steps = orders.steps()
    driver.command('robot_0', PERIOD_NS, 0.0, 0.0)
    peer.spin(0.5)
    assert orders.steps() == steps
    ask(driver, 'robot_0', ELSEWHERE)  # a repetition of what is not done yet
    assert set(driver.ready['robot_0']) == {0}
    orders.release(0)
    driver.wait_for(2 * PERIOD_NS)
    peer.until(lambda: len(set(driver.ready['robot_0'])) == 2)
    assert driver.ready['robot_0'][-1] == PERIOD_NS
    assert driver.pose('robot_0') == pytest.approx(ELSEWHERE.start)


def test_an_actor_that_still_drives_is_shown_nothing(
    nodes: Nodes, peer: Peer, orders: Orders
) -> None:
    driver = begin(nodes, peer, orders, robots=2)
    drive(driver, 0, 0.0, 0.0)
    drive(driver, 1, 0.2, 0.0)
    for row in (0, 1):
        orders.hold(row)
        ask(driver, f'robot_{row}', ELSEWHERE)
    orders.release(1)
    drive(driver, 2, 0.0, 0.0)
    assert np.isnan(driver.scan_at('robot_0', 3 * PERIOD_NS)).all()
    assert not np.isnan(driver.scan_at('robot_1', 3 * PERIOD_NS)).any()
    orders.release(0)
    peer.until(lambda: driver.ready['robot_0'][-1] == 3 * PERIOD_NS)
    drive(driver, 3, 0.0, 0.0)
    assert not np.isnan(driver.scan_at('robot_0', 4 * PERIOD_NS)).any()


def test_a_robot_sent_off_too_early_is_shown_nothing_and_stays(
    nodes: Nodes, peer: Peer, orders: Orders
) -> None:
    driver = begin(nodes, peer, orders, robots=2)
    drive(driver, 0, 0.0, 0.0)
    orders.hold(0)
    ask(driver, 'robot_0', ELSEWHERE)
    drive(driver, 1, 0.0, 0.0)
    assert not np.isnan(driver.scan_at('robot_0', 2 * PERIOD_NS)).any()
    drive(driver, 2, 0.2, 0.0)
    assert np.isnan(driver.scan_at('robot_0', 3 * PERIOD_NS)).all()
    orders.release(0)
    peer.until(lambda: driver.ready['robot_0'][-1] == 3 * PERIOD_NS)
    drive(driver, 3, 0.0, 0.0)
    assert driver.pose('robot_0') == pytest.approx(ELSEWHERE.start)


def test_a_simulator_that_ends_begins_the_episode_anew(
    nodes: Nodes, peer: Peer, orders: Orders
) -> None:
    driver = begin(nodes, peer, orders, robots=2)
    drive(driver, 0, 0.0, 0.0)
    drive(driver, 1, 0.2, 0.2)
    orders.hold(1)
    orders.end(1)
    drive(driver, 2, 0.2, 0.2)
    assert np.isnan(driver.scan_at('robot_1', 3 * PERIOD_NS)).all()
    drive(driver, 3, 0.2, 0.0)
    assert driver.pose('robot_0')[0] == pytest.approx(3 * 0.02)
    orders.release(1)
    peer.until(lambda: driver.ready['robot_1'][-1] > 0)
    assert driver.ready['robot_1'][-1] == 4 * PERIOD_NS
    assert set(driver.ready['robot_0']) == {0}
    drive(driver, 4, 0.2, 0.0)
    assert driver.pose('robot_1') == POST.start
    assert driver.scan_at('robot_1', 5 * PERIOD_NS)[2] == pytest.approx(1.5, abs=1e-5)
    output = nodes.end(driver.node)
    assert output.count('its simulator ended and is started again') == 1
    assert 'robot_1: its simulator ended' in output


def test_a_simulator_that_ends_again_and_again_ends_the_node(
    nodes: Nodes, peer: Peer, orders: Orders
) -> None:
    driver = begin(nodes, peer, orders)
    drive(driver, 0, 0.0)
    for step in range(1, 9):  # it ends twice, and has moved in between: these do not count
        if step in (2, 5):
            orders.end(0)
        drive(driver, step, 0.2)
    orders.hold(0)
    orders.end(0)
    driver.command('robot_0', 9 * PERIOD_NS, 0.2, 0.0)
    for _ in range(2):
        peer.until(lambda: orders.has_ended(0))
        peer.spin(0.2)
        assert driver.node.poll() is None
        orders.end(0)
    peer.until(lambda: driver.node.poll() is not None)
    assert driver.node.returncode == 1
    output, _ = driver.node.communicate()
    assert 'robot_0: its simulator ended 3 times without a step' in output
    assert 'Traceback' not in output
