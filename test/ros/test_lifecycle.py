"""The actor as a managed node: every transition, and none that leaves a robot moving."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from support.lifecycle import Manager
from support.nodes import AT_REST, DRIVING, Nodes, Peer, RobotDouble, constant_policy
from support.processes import open_files


@pytest.fixture
def actor(nodes: Nodes, policy_file: Path):
    return nodes.start('actor_node', policy_file=str(policy_file), autostart=False)


@pytest.fixture
def manager(actor, peer: Peer) -> Manager:
    return Manager(peer)


def ask(robot: RobotDouble) -> None:
    """A goal ahead, and what is needed to drive there."""
    robot.send_goal(5.0)
    robot.sense()


def until_driving(peer: Peer, robot: RobotDouble) -> None:
    robot.commands.clear()
    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=lambda: ask(robot))


def test_it_waits_for_its_manager(peer, robot, manager):
    assert manager.state() == 'unconfigured'
    assert peer.node.count_publishers('cmd_vel') == 0
    assert manager.change('configure')
    assert manager.state() == 'inactive'
    for _ in range(10):
        ask(robot)
        peer.spin(0.05)
    assert robot.commands == []
    assert manager.change('activate')
    assert manager.state() == 'active'
    for _ in range(10):  # what was asked of it before is not remembered
        robot.sense()
        peer.spin(0.05)
    assert robot.commands == []
    until_driving(peer, robot)


def test_deactivated_it_rests_and_forgets_its_goal(peer, robot, manager):
    manager.bring_up()
    until_driving(peer, robot)
    assert manager.change('deactivate')
    peer.until(lambda: robot.commands[-1] == AT_REST and robot.outcomes)
    assert robot.outcomes == ['cancelled']
    count = len(robot.commands)
    for _ in range(10):
        ask(robot)
        peer.spin(0.05)
    assert len(robot.commands) == count
    assert manager.change('activate')
    for _ in range(10):
        robot.sense()
        peer.spin(0.05)
    assert len(robot.commands) == count
    until_driving(peer, robot)


def test_cleanup_gives_everything_back(peer, robot, manager):
    manager.bring_up()
    until_driving(peer, robot)
    assert manager.change('deactivate')
    assert manager.change('cleanup')
    assert manager.state() == 'unconfigured'
    peer.until(lambda: robot.commands[-1] == AT_REST)
    peer.until(lambda: peer.node.count_publishers('cmd_vel') == 0)
    peer.until(lambda: peer.node.count_subscribers('scan') == 0)


def test_it_goes_round_without_growing(peer, robot, actor, manager):
    def go_round() -> None:
        manager.bring_up()
        assert manager.change('deactivate')
        assert manager.change('cleanup')

    for _ in range(3):
        go_round()
    before = open_files(actor.pid)
    for _ in range(20):
        go_round()
    assert open_files(actor.pid) <= before
    manager.bring_up()
    until_driving(peer, robot)


def test_shut_down_it_rests_until_its_process_is_told_to_end(peer, robot, nodes, actor, manager):
    manager.bring_up()
    until_driving(peer, robot)
    assert manager.change('shutdown')
    peer.until(lambda: robot.commands[-1] == AT_REST)
    assert manager.state() == 'finalized'
    assert actor.poll() is None
    nodes.end(actor, signal.SIGTERM)
    assert actor.returncode == 0


@pytest.mark.parametrize('reached', ['unconfigured', 'inactive', 'active'])
def test_told_to_end_in_any_state_it_does(nodes, peer, robot, actor, manager, reached):
    if reached != 'unconfigured':
        assert manager.change('configure')
    if reached == 'active':
        assert manager.change('activate')
        until_driving(peer, robot)
    output = nodes.end(actor, signal.SIGTERM)
    assert actor.returncode == 0, output
    assert 'Traceback' not in output
    peer.spin(0.2)
    assert robot.commands[-1:] == ([AT_REST] if reached == 'active' else [])


@pytest.mark.parametrize('impossible', ['activate', 'deactivate', 'cleanup', 'shutdown'])
def test_a_transition_that_is_impossible_is_refused(nodes, actor, manager, impossible):
    assert not manager.change(impossible)
    assert manager.state() == 'unconfigured'
    assert 'refused while unconfigured' in nodes.end(actor)
    assert actor.returncode == 0


def test_a_broken_policy_is_refused_until_it_is_mended(
    nodes, peer, robot, actor, manager, policy_file
):
    good = policy_file.read_bytes()
    policy_file.write_bytes(good[:-10])
    assert not manager.change('configure')
    assert manager.state() == 'unconfigured'
    assert peer.node.count_publishers('cmd_vel') == 0
    policy_file.write_bytes(good)
    manager.bring_up()
    until_driving(peer, robot)
    told = [line for line in nodes.end(actor).splitlines() if 'truncated' in line]
    assert len(told) == 1
    assert 'not configured' in told[0]


def test_it_drives_by_what_it_loaded_and_takes_the_new_policy_when_configured_anew(
    peer, robot, manager, policy_file
):
    manager.bring_up()
    until_driving(peer, robot)
    constant_policy(forward=-0.5).save(policy_file)  # of -1 to 1: an eighth of a metre a second
    count = len(robot.commands)
    peer.until(lambda: len(robot.commands) > count + 5, repeat=robot.sense)
    assert robot.commands[-1] == DRIVING
    for step in ('deactivate', 'cleanup', 'configure', 'activate'):
        assert manager.change(step)
    slow = pytest.approx((0.125, 0.375), abs=1e-5)
    peer.until(lambda: robot.commands[-1] == slow, repeat=lambda: ask(robot))
    assert AT_REST in robot.commands
