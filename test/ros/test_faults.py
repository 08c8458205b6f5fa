"""Injected faults: whatever comes, the last thing published is rest, or what the newest scan asks.

What a command must be is known beforehand: of the constant policy, by the stamp that it answers.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from std_srvs.srv import Trigger
from support.driver import POST
from support.lifecycle import Manager
from support.nodes import AT_REST, DRIVING, Nodes, Peer, RobotDouble, constant_policy
from support.sim_time import SimTime
from visualization_msgs.msg import MarkerArray

from rl_planner.ros import messages, qos
from rl_planner.ros.episode_message import encode_episode

PERIOD_NS = 100_000_000
FLOOD_SEC, SPACING_SEC = 0.5, 0.001


@pytest.fixture
def robot(peer: Peer) -> RobotDouble:
    return RobotDouble(peer, stamped=True)


@pytest.fixture
def actor(nodes: Nodes, peer: Peer, robot: RobotDouble, policy_file: Path):
    """It drives, in real time."""
    actor = nodes.start('actor_node', policy_file=str(policy_file), use_stamped_cmd_vel=True)
    until_driving(peer, robot)
    return actor


def until_driving(peer: Peer, robot: RobotDouble, goal: float = 5.0) -> None:
    robot.commands.clear()
    robot.answered.clear()

    def go() -> None:
        robot.send_goal(goal)
        robot.sense()

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)


def flood(peer: Peer, send: Callable[[int], None]) -> int:
    """Send a thousand times a second for a while, in whole bursts; how many were sent."""
    end, sent = time.monotonic() + FLOOD_SEC, 0
    while time.monotonic() < end:
        for _ in range(20):
            send(sent)
            sent += 1
            time.sleep(SPACING_SEC)
        peer.spin(0.001)
    return sent


def assert_in_order(robot: RobotDouble) -> None:
    """Commands that drive answer newer and newer scans."""
    driving = [
        stamp
        for stamp, command in zip(robot.answered, robot.commands, strict=True)
        if command != AT_REST
    ]
    assert driving == sorted(driving)


def test_flooded_with_goals_it_drives_to_the_last(peer, robot, actor):
    sent = flood(peer, lambda number: robot.send_goal(10.0 + number))
    peer.until(lambda: robot.commands[-1] == DRIVING, repeat=robot.sense)
    last = 9.0 + sent
    robot.outcomes.clear()
    peer.until(lambda: robot.outcomes, repeat=lambda: robot.sense(x=last))
    assert robot.outcomes == ['goal']
    peer.until(lambda: robot.commands[-1] == AT_REST)
    assert all(0.0 <= v < 0.376 and 0.0 <= w < 0.376 for v, w in robot.commands)
    assert_in_order(robot)


def test_flooded_with_scans_it_keeps_its_period_and_stops_after(peer, robot, actor):
    robot.commands.clear()
    robot.answered.clear()
    flood(peer, lambda _: robot.sense())
    peer.until(lambda: robot.commands and robot.commands[-1] == AT_REST)  # no more scans came
    answers = sorted({s for s, c in zip(robot.answered, robot.commands, strict=True) if any(c)})
    assert answers
    assert np.diff(answers).min(initial=PERIOD_NS) >= 0.85 * PERIOD_NS
    assert len(robot.commands) < 40
    assert_in_order(robot)
    until_driving(peer, robot)


def test_flooded_with_one_scan_again_and_again_it_says_the_same(peer, robot, actor):
    stamp = time.time_ns()
    flood(peer, lambda _: robot.sense(stamp))
    commands = {c for s, c in zip(robot.answered, robot.commands, strict=True) if s == stamp}
    peer.until(lambda: robot.commands[-1] == AT_REST, repeat=lambda: robot.sense(stamp))
    assert len(commands - {AT_REST}) <= 1


def test_flooded_with_cancels_it_rests(peer, robot, actor):
    """Of more calls than a service's queue holds DDS drops some: the last must have its answer."""
    client = peer.node.create_client(Trigger, 'actor_node/cancel')
    peer.until(client.service_is_ready)
    flood(peer, lambda _: client.call_async(Trigger.Request()))
    last = client.call_async(Trigger.Request())
    peer.until(last.done)
    assert last.result().message == '0 goals cancelled'
    assert robot.outcomes == ['cancelled']
    peer.until(lambda: robot.commands[-1] == AT_REST)
    count = len(robot.commands)
    for _ in range(4):
        robot.sense()
        peer.spin(0.1)
    assert set(robot.commands[count:]) <= {AT_REST}
    until_driving(peer, robot, goal=6.0)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_under_a_flood_it_rests_first(peer, robot, actor, number):
    def send(count: int) -> None:
        robot.send_goal(20.0 + count)
        robot.sense()
        if count == 100:
            actor.send_signal(number)

    flood(peer, send)
    peer.until(lambda: actor.poll() is not None)
    assert actor.returncode == 0
    peer.spin(0.2)
    assert robot.commands[-1] == AT_REST


def test_blind_scans_among_good_ones_each_get_their_answer(peer, robot, actor):
    is_good = {}
    for step in range(20):
        is_blind = step % 3 == 1
        stamp = time.time_ns()
        is_good[stamp] = not is_blind
        robot.sense(stamp, ranges=np.nan if is_blind else 3.0)
        peer.spin(0.1)
    answered = dict(zip(robot.answered, robot.commands, strict=True))
    known = [stamp for stamp in is_good if stamp in answered]
    driven = [stamp for stamp in known if answered[stamp] != AT_REST]
    assert driven  # not all that are good, where the machine was too slow to be in time
    assert all(is_good[stamp] for stamp in driven)
    assert not all(is_good[stamp] for stamp in known)


@pytest.mark.parametrize('trouble', [{'x': np.inf}, {'x': -np.inf}, {'v': np.inf}])
def test_it_never_drives_by_odometry_that_is_not_finite(peer, robot, actor, trouble):
    bad = set()
    for _ in range(8):
        bad.add(stamp := time.time_ns())
        robot.sense(stamp, **trouble)
        peer.spin(0.1)
    peer.until(lambda: robot.commands[-1] == AT_REST)
    driven = {s for s, c in zip(robot.answered, robot.commands, strict=True) if c != AT_REST}
    assert driven
    assert not driven & bad
    until_driving(peer, robot)


def test_a_clock_that_leaps_back_and_forth(nodes, peer, policy_file):
    sim, robot = SimTime(peer), RobotDouble(peer)
    nodes.start('actor_node', policy_file=str(policy_file), use_sim_time=True, task__time_limit=1e9)

    def go() -> None:
        sim.advance(0.1)
        robot.send_goal(5.0)
        robot.sense(sim.now)

    for leap in (0.0, -300.0, 200.0, -1.0, 500.0, -0.7, 0.7, -400.0):
        sim.advance(leap)
        if leap:
            peer.until(lambda: robot.commands[-1] == AT_REST)
        peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)
    assert robot.outcomes == []


def test_a_policy_file_that_is_overwritten_where_it_lies_is_not_noticed(
    peer, robot, actor, policy_file
):
    policy_file.write_bytes(b'')
    count = len(robot.commands)
    peer.until(lambda: len(robot.commands) > count + 5, repeat=robot.sense)
    assert robot.commands[-1] == DRIVING


class Body:
    """A robot with a body: the simulator's, in a world with a post in the robot's way.

    Attributes:
        states: x, y, yaw, v, w that its odometry told.
    """

    def __init__(self, nodes: Nodes, peer: Peer, policy_file: Path, **actor: bool) -> None:
        constant_policy(forward=0.999, turn=0.0).save(policy_file)
        names = {'robots': ['robot_0'], 'use_stamped_cmd_vel': True}
        # Time goes slowly, so that a machine that is at work elsewhere does not look like a fault.
        self.simulator = nodes.start('simulator_node', real_time_factor=0.4, **names)
        self.actor = nodes.start(
            'actor_node', policy_file=str(policy_file), use_sim_time=True, **names, **actor
        )
        self.robot = RobotDouble(peer, 'robot_0', stamped=True)
        self.states: list[tuple[float, ...]] = []
        self._peer = peer
        create = peer.node.create_publisher
        self._episode_out = create(MarkerArray, 'robot_0/episode', qos.LATCHED)
        self._goal_out = create(PoseStamped, 'robot_0/goal_pose', qos.RELIABLE)
        peer.node.create_subscription(Odometry, 'robot_0/odom', self._on_odom, qos.RELIABLE)
        self._episode_out.publish(encode_episode(POST, 'odom'))

    def _on_odom(self, message: Odometry) -> None:
        self.states.append(messages.planar_odometry(message))

    def send_goal(self) -> None:
        self.robot.send_goal(4.0)

    def until_fast(self) -> None:
        self._peer.until(lambda: self.states and self.states[-1][3] > 0.2, repeat=self.send_goal)

    def until_at_rest(self) -> None:
        self._peer.until(lambda: self.states[-1][3] == 0.0)

    def farthest(self) -> float:
        return max(state[0] for state in self.states)


@pytest.fixture
def body(nodes: Nodes, peer: Peer, policy_file: Path) -> Iterator[Body]:
    return Body(nodes, peer, policy_file)


SURFACE = 2.0 - 0.5 - 0.17  # where a robot of 0.17 m touches the post of 0.5 m, 2 m ahead


def test_a_policy_that_rams_does_not_reach_the_post(peer, body):
    body.until_fast()
    body.until_at_rest()
    peer.spin(0.5)
    assert body.farthest() < SURFACE


@pytest.mark.parametrize('way', ['deactivate', 'shutdown', 'cancel', 'SIGINT', 'SIGTERM'])
def test_every_end_in_the_middle_of_a_drive_is_rest(peer, body, way):
    body.until_fast()
    if way.startswith('SIG'):
        body.actor.send_signal(signal.Signals[way])
    elif way == 'cancel':
        client = peer.node.create_client(Trigger, 'actor_node/cancel')
        peer.until(client.service_is_ready)
        client.call_async(Trigger.Request())
    else:
        assert Manager(peer).change(way)
    body.until_at_rest()
    peer.until(lambda: body.robot.commands[-1] == AT_REST)
    assert body.farthest() < SURFACE


def test_switched_off_and_on_again_and_again_it_hits_nothing(peer, body):
    manager = Manager(peer)
    for _ in range(2):
        body.until_fast()
        assert manager.change('deactivate')
        body.until_at_rest()
        assert manager.change('activate')
    assert body.farthest() < SURFACE


def test_a_simulator_that_is_killed_leaves_the_answer_to_its_last_scan(peer, body):
    """Time stands still with it, so nothing grows old; nothing is driven blindly either."""
    body.until_fast()
    body.simulator.kill()
    body.simulator.wait()
    peer.spin(0.3)
    commands, answered = list(body.robot.commands), list(body.robot.answered)
    for _ in range(5):
        body.send_goal()
        peer.spin(0.1)
    assert body.robot.commands == commands
    assert answered[-1] == max(answered)
    assert body.actor.poll() is None
