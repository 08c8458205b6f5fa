"""The actor as a process: it drives on good data, and never on anything else."""

from __future__ import annotations

import re
import signal
import time
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
from sensor_msgs.msg import LaserScan
from std_srvs.srv import Trigger
from support.nodes import AT_REST, DRIVING, Nodes, Peer, RobotDouble, constant_policy, logged, told

from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.ros import messages, qos
from rl_planner.ros.clock_watch import NO_TIME
from rl_planner.ros.inbox import EARLY

# For stamps that are not those of the clock.
AHEAD = {'use_stamped_cmd_vel': True, 'odom_timeout': 5.0, 'future_tolerance': 1e6}


def drive(nodes: Nodes, peer: Peer, robot: RobotDouble, policy_file: Path, **more: Any) -> Any:
    """An actor that is driving the robot to a goal 5 m ahead."""
    actor = nodes.start('actor_node', policy_file=str(policy_file), **more)

    def go() -> None:
        robot.send_goal(5.0)
        robot.sense()

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)
    return actor


def test_drives_to_the_goal_and_stops_there(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file)
    peer.until(lambda: robot.outcomes, repeat=lambda: robot.sense(x=4.9))
    assert robot.outcomes == ['goal']
    assert robot.commands[-1] == AT_REST
    before = len(robot.commands)
    for _ in range(5):
        robot.sense(x=4.9)
        peer.spin(0.1)
    assert len(robot.commands) == before  # without a goal it leaves cmd_vel to others


def test_each_outcome_is_told_in_one_line(nodes, peer, robot, policy_file):
    actor = drive(nodes, peer, robot, policy_file)
    peer.until(lambda: robot.outcomes, repeat=lambda: robot.sense(x=4.9))
    robot.send_goal(9.0)
    peer.until(lambda: robot.commands[-1] == DRIVING, repeat=lambda: robot.sense(x=4.9))
    log = nodes.end(actor)
    assert re.search(r'robot: goal reached after \d+\.\d s, 4\.90 m driven', log)
    assert re.search(r'robot: goal cancelled after \d+\.\d s, 0\.00 m driven', log)
    assert log.count(' driven') == 2


def test_rates_and_latencies_are_told(nodes, peer, robot, policy_file):
    said = values_of(peer)
    drive(nodes, peer, robot, policy_file)
    rates, times = ('scan_rate', 'odom_rate', 'command_rate'), ('scan_to_command', 'step')
    names = [*rates, *(f'{name}_{part}_ms' for name in times for part in ('median', 'p99'))]
    peer.until(lambda: set(names) <= said.keys(), repeat=robot.sense)
    assert all(float(said[name]) > 0.0 for name in names)
    assert float(said['step_median_ms']) <= float(said['step_p99_ms'])


def test_a_repeated_goal_is_the_same_goal(nodes, peer, robot, policy_file):
    """Who repeats it may hear of the outcome later."""
    drive(nodes, peer, robot, policy_file)
    robot.send_goal(5.0, stamp_ns=1)
    peer.until(lambda: robot.outcomes, repeat=lambda: robot.sense(x=4.9))
    before = len(robot.commands)
    for _ in range(5):
        robot.send_goal(5.0, stamp_ns=1)
        robot.sense(x=0.0)
        peer.spin(0.1)
    assert len(robot.commands) == before


def test_collision_ends_the_drive(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file)
    peer.until(lambda: robot.outcomes, repeat=lambda: robot.sense(ranges=0.16))
    assert robot.outcomes == ['collision']
    assert robot.commands[-1] == AT_REST


def test_a_policy_that_would_hit_a_wall_turns_before_it(nodes, peer, robot, policy_file):
    said = values_of(peer)
    drive(nodes, peer, robot, policy_file)
    near = np.full(robot.beams, 3.0, np.float32)
    near[robot.beams // 2] = 0.2  # straight ahead: 3 cm before the edge of the robot
    turning = pytest.approx((0.0, 0.375), abs=1e-5)
    peer.until(lambda: robot.commands[-1] == turning, repeat=lambda: robot.sense(ranges=near))
    assert robot.outcomes == []
    peer.until(lambda: int(said.get('turning', '0')) > 0, repeat=lambda: robot.sense(ranges=near))
    peer.until(lambda: robot.commands[-1] == DRIVING, repeat=robot.sense)


def test_without_the_safety_layer_it_goes_on(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file, safety__enabled=False)
    before = len(robot.commands)
    peer.until(lambda: len(robot.commands) > before + 3, repeat=lambda: robot.sense(ranges=0.2))
    assert all(command == DRIVING for command in robot.commands[before:])


def test_time_limit_ends_the_drive(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file, task__time_limit=1.5)
    peer.until(lambda: robot.outcomes, repeat=robot.sense)
    assert robot.outcomes == ['timeout']
    assert robot.commands[-1] == AT_REST


def diagnostics_of(peer: Peer) -> list[str]:
    """What /diagnostics says from now on."""
    texts: list[str] = []
    peer.node.create_subscription(
        DiagnosticArray,
        '/diagnostics',
        lambda m: texts.extend(status.message for status in m.status),
        qos.RELIABLE,
    )
    return texts


def values_of(peer: Peer) -> dict[str, str]:
    """The values that /diagnostics tells, the newest of each name."""
    values: dict[str, str] = {}
    peer.node.create_subscription(
        DiagnosticArray,
        '/diagnostics',
        lambda m: values.update((v.key, v.value) for s in m.status for v in s.values),
        qos.RELIABLE,
    )
    return values


def at_rest(robot: RobotDouble) -> bool:
    return robot.commands[-1] == AT_REST


def test_stops_when_scans_stop(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file)
    peer.until(lambda: at_rest(robot))


def test_stops_when_odometry_stops(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file)
    peer.until(lambda: at_rest(robot), repeat=lambda: robot.sense(only=robot.scan_out))


def test_drives_on_when_data_come_back(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file)
    peer.until(lambda: at_rest(robot))
    peer.until(lambda: robot.commands[-1] == DRIVING, repeat=robot.sense)


@pytest.mark.parametrize('ranges', [np.nan, 0.0, 99.0])
def test_stops_on_scans_without_a_measurement(nodes, peer, robot, policy_file, ranges):
    actor = drive(nodes, peer, robot, policy_file)
    peer.until(lambda: at_rest(robot), repeat=lambda: robot.sense(ranges=ranges))
    assert 'no beam of the scan is a measurement' in nodes.end(actor)


def test_drives_in_the_open(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file)
    robot.commands.clear()
    peer.until(lambda: len(robot.commands) > 3, repeat=lambda: robot.sense(ranges=np.inf))
    assert robot.commands[1:] == [DRIVING] * (len(robot.commands) - 1)


def test_stops_on_odometry_that_is_not_finite(nodes, peer, robot, policy_file):
    actor = drive(nodes, peer, robot, policy_file)
    peer.until(lambda: at_rest(robot), repeat=lambda: robot.sense(v=np.nan))
    assert 'odometry must be finite' in nodes.end(actor)


def test_stops_when_the_scan_changes_its_metadata(nodes, peer, robot, policy_file):
    actor = drive(nodes, peer, robot, policy_file)
    robot.beams = 18
    peer.until(lambda: at_rest(robot), repeat=robot.sense)
    assert 'scan metadata must stay' in nodes.end(actor)


def test_drives_on_where_the_beams_of_each_turn_are_counted_anew(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file)
    answered = [robot.commands.clear()]

    def go() -> None:
        robot.beams = 36 - len(answered) % 4
        answered.append(robot.sense())

    peer.until(lambda: len(robot.commands) > 12, repeat=go)
    assert robot.commands == [DRIVING] * len(robot.commands)


def test_a_scan_without_beams_moves_nothing(nodes, peer, robot, policy_file):
    texts = diagnostics_of(peer)
    nodes.start('actor_node', policy_file=str(policy_file))

    def go() -> None:
        robot.send_goal(5.0)
        robot.odom_out.publish(Odometry())
        robot.scan_out.publish(LaserScan(range_max=3.5, angle_increment=0.1))

    peer.until(lambda: any('at least 1 beam' in text for text in texts), repeat=go)
    assert not robot.commands


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_stops_the_robot_when_told_to_end(nodes, peer, robot, policy_file, number):
    actor = drive(nodes, peer, robot, policy_file)
    actor.send_signal(number)
    peer.until(lambda: actor.poll() is not None, repeat=robot.sense)
    peer.spin(0.2)
    assert actor.returncode == 0
    assert at_rest(robot)


def test_cancel_stops_at_once(nodes, peer, robot, policy_file):
    drive(nodes, peer, robot, policy_file)
    client = peer.node.create_client(Trigger, 'actor_node/cancel')
    peer.until(client.service_is_ready)
    answer = client.call_async(Trigger.Request())
    peer.until(answer.done)
    assert answer.result().message == '1 goals cancelled'
    peer.until(lambda: robot.outcomes == ['cancelled'])
    for _ in range(5):
        robot.sense()
        peer.spin(0.1)
    assert at_rest(robot)
    robot.send_goal(5.0)  # the same, as `ros2 topic pub -1` sends it: without a stamp
    peer.until(lambda: robot.commands[-1] == DRIVING, repeat=robot.sense)


@pytest.mark.parametrize(
    ('goal', 'message'),
    [({'x': 1.0, 'frame': 'map'}, 'tf2_ros is not installed'), ({'x': np.nan}, 'must be finite')],
)
def test_a_goal_it_cannot_place_is_refused_and_stops(
    nodes, peer, robot, policy_file, goal, message
):
    actor = drive(nodes, peer, robot, policy_file)
    robot.send_goal(**goal)
    peer.until(lambda: at_rest(robot), repeat=robot.sense)
    peer.until(lambda: robot.outcomes == ['cancelled'])
    log = nodes.end(actor)
    assert message in log
    assert len(re.findall(r'robot: goal cancelled after \d+\.\d s, 0\.00 m driven', log)) == 1


def test_a_goal_that_replaces_another_one_tells_of_the_drive_so_far(
    nodes, peer, robot, policy_file
):
    actor = drive(nodes, peer, robot, policy_file)
    robot.commands.clear()
    peer.until(lambda: len(robot.commands) > 2, repeat=lambda: robot.sense(x=1.5))
    robot.send_goal(9.0)
    peer.until(lambda: robot.outcomes == ['goal'], repeat=lambda: robot.sense(x=8.9))
    log = nodes.end(actor)
    assert re.search(r'robot: goal replaced after \d+\.\d s, 1\.50 m driven', log)
    assert log.count(' driven') == 2


def test_steps_on_stamps_not_on_arrival(nodes, peer, policy_file):
    robot = RobotDouble(peer, stamped=True)
    drive(nodes, peer, robot, policy_file, **AHEAD)
    begin = time.time_ns() + 10**9
    for step in range(9):  # every 25 ms of a control period of 100 ms
        robot.sense(begin + step * 25_000_000)
        peer.spin(0.02)
    peer.until(lambda: begin + 200_000_000 in robot.answered)
    answered = [(stamp - begin) // 1_000_000 for stamp in robot.answered if stamp >= begin]
    assert sorted(set(answered)) == [0, 100, 200]


def test_a_repeated_scan_gets_the_same_answer(nodes, peer, policy_file):
    robot = RobotDouble(peer, stamped=True)
    drive(nodes, peer, robot, policy_file, use_stamped_cmd_vel=True)
    stamp = time.time_ns() + 10**8
    robot.sense(stamp)
    peer.until(lambda: stamp in robot.answered)
    robot.sense(stamp)
    peer.until(lambda: robot.answered.count(stamp) == 2)
    assert robot.commands[-1] == robot.commands[-2] == DRIVING


def side_by_side(nodes: Nodes, peer: Peer, policy_file: Path, **options: Any) -> list[RobotDouble]:
    """Two robots of one actor."""
    names = ['robot_0', 'robot_1']
    robots = [RobotDouble(peer, name, stamped=True) for name in names]
    own = {'robots': names, 'use_stamped_cmd_vel': True, **options}
    nodes.start('actor_node', policy_file=str(policy_file), **own)
    return robots


def lock_stepped(nodes: Nodes, peer: Peer, policy_file: Path) -> list[RobotDouble]:
    """Two robots at rest whose actor has begun to answer them."""
    robots = side_by_side(nodes, peer, policy_file, command_when_idle=True, **AHEAD)

    def go() -> None:
        for robot in robots:
            robot.sense()

    peer.until(lambda: all(robot.commands for robot in robots), repeat=go)
    return robots


def test_a_repeated_scan_that_waits_is_answered_once(nodes, peer, policy_file):
    waiting, late = lock_stepped(nodes, peer, policy_file)
    stamp = time.time_ns() + 10**9
    waiting.sense(stamp)
    peer.spin(0.2)
    assert stamp not in waiting.answered
    waiting.sense(stamp)  # it waits no longer for the other one, but looks at its scan once
    peer.until(lambda: stamp in waiting.answered)
    late.sense(stamp)
    peer.spin(0.3)
    assert waiting.answered.count(stamp) == 1


def test_a_blind_robot_keeps_no_other_waiting(nodes, peer, policy_file):
    seeing, blind = lock_stepped(nodes, peer, policy_file)
    for turn, step in ((seeing, 1), (blind, 2)):  # whichever is heard first
        stamp = time.time_ns() + step * 10**9
        for robot in (turn, blind if turn is seeing else seeing):
            robot.sense(stamp, ranges=np.nan if robot is blind else 3.0)
            peer.spin(0.1)
        peer.until(lambda stamp=stamp: stamp in seeing.answered and stamp in blind.answered)
        assert blind.commands[-1] == AT_REST


def test_a_goal_waits_for_a_later_scan(nodes, peer, policy_file):
    robot = RobotDouble(peer, stamped=True)
    options = {**AHEAD, 'scan_timeout': 5.0}  # a busy machine catches up with those stamps
    nodes.start('actor_node', policy_file=str(policy_file), **options)
    begin = time.time_ns() + 10**9

    def go(stamp: int) -> None:
        robot.send_goal(5.0, stamp_ns=begin)
        robot.sense(stamp)

    for _ in range(20):
        go(begin)  # as old as the goal: it may show another place
        peer.spin(0.05)
    assert set(robot.commands) <= {AT_REST}
    stamps = count(begin + 10**8, 10**8)
    peer.until(
        lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=lambda: go(next(stamps))
    )


def test_a_goal_of_another_clock_is_for_now(nodes, peer, robot, policy_file):
    nodes.start('actor_node', policy_file=str(policy_file))

    def go() -> None:
        robot.send_goal(5.0, stamp_ns=time.time_ns() + 10**12)
        robot.sense()

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)


def test_one_node_drives_robots_in_namespaces(nodes, peer, policy_file):
    robots = [RobotDouble(peer, name) for name in ('robot_0', 'robot_1')]
    nodes.start('actor_node', policy_file=str(policy_file), robots=['robot_0', 'robot_1'])

    def go() -> None:
        for robot in robots:
            robot.send_goal(5.0)
            robot.sense()

    peer.until(lambda: [r.commands and r.commands[-1] for r in robots] == [DRIVING] * 2, repeat=go)
    robots[0].commands.clear()
    # The other one falls silent: this one is not kept waiting.
    peer.until(lambda: len(robots[0].commands) > 3, repeat=robots[0].sense)


def test_a_late_scan_goes_with_where_the_robot_was(nodes, peer, robot, policy_file):
    """It is at its goal by now, but what it sees was seen on the way."""
    nodes.start('actor_node', policy_file=str(policy_file), scan_timeout=5.0)

    def tell() -> None:
        now = time.time_ns()
        robot.send_goal(5.0)
        robot.sense(now - 10**8, x=3.0, only=robot.odom_out)
        robot.sense(now, x=5.0, only=robot.odom_out)
        peer.spin(0.02)
        robot.sense(now - 10**8, only=robot.scan_out)
        peer.spin(0.15)

    peer.until(lambda: len(robot.commands) > 5, repeat=tell)
    assert robot.outcomes == []
    peer.until(lambda: robot.outcomes, repeat=lambda: robot.sense(x=5.0))


def test_a_robot_that_is_silent_makes_another_no_quicker(nodes, peer, policy_file):
    """Of scans every 25 ms, none is acted on sooner than a control period after the last."""
    robots = side_by_side(nodes, peer, policy_file)

    def go() -> None:
        robots[0].send_goal(5.0)
        robots[0].sense()
        peer.spin(0.025)

    peer.until(lambda: len(set(robots[0].answered)) > 10, repeat=go)
    stamps = np.unique(robots[0].answered)
    assert np.diff(stamps).min() >= EARLY * 0.1e9


def test_nobody_waits_for_a_robot_that_is_silent(nodes, peer, policy_file):
    """Each scan has its answer before the next one comes."""
    robots = side_by_side(nodes, peer, policy_file)

    def go() -> None:
        robots[0].send_goal(5.0)
        robots[0].sense()

    peer.until(lambda: robots[0].commands, repeat=go)
    for _ in range(3):
        peer.spin(0.1)
        stamp = time.time_ns()
        robots[0].sense(stamp)
        peer.until(lambda stamp=stamp: stamp in robots[0].answered)


def test_a_scan_waits_for_that_of_another_robot_no_longer_than_a_command_may_stand(
    nodes, peer, policy_file
):
    """The other one's scans are recent, but it has none for this step."""
    first, second = robots = side_by_side(nodes, peer, policy_file)

    def go() -> None:
        for robot in robots:
            robot.send_goal(5.0)
            robot.sense()

    peer.until(lambda: all(DRIVING in robot.commands for robot in robots), repeat=go)
    peer.spin(0.1)
    stamp = time.time_ns()
    first.sense(stamp)
    peer.until(lambda: stamp in first.answered)
    assert first.commands[first.answered.index(stamp)] == DRIVING
    assert second.answered[-1] < stamp


def test_says_in_diagnostics_why_it_stands(nodes, peer, robot, policy_file):
    texts = diagnostics_of(peer)
    drive(nodes, peer, robot, policy_file)
    peer.until(lambda: any('1 of 1 robots driving' in text for text in texts), repeat=robot.sense)
    peer.until(lambda: any('scan is' in text for text in texts))


@pytest.mark.parametrize('name', ['scan_timeout', 'odom_timeout'])
def test_refuses_limits_that_the_safety_layer_cannot_look_back_by(nodes, policy_file, name):
    refusal = nodes.refuse('actor_node', policy_file=str(policy_file), **{name: 1e6})
    assert f'{name} must be above 0 and at most 5' in refusal


def test_refuses_policies_it_cannot_use(nodes, tmp_path, policy_file):
    cut = tmp_path / 'cut.safetensors'
    cut.write_bytes(policy_file.read_bytes()[:-10])
    assert 'truncated' in nodes.refuse('actor_node', policy_file=str(cut))
    foreign = tmp_path / 'foreign.safetensors'
    foreign.write_bytes(b'not a policy at all, but longer than a header')
    assert 'foreign.safetensors: not a policy file' in nodes.refuse(
        'actor_node', policy_file=str(foreign)
    )
    fast = tmp_path / 'fast.safetensors'
    constant_policy(robot=RobotConfig(max_linear_vel=1.0)).save(fast)
    assert 'robot.max_linear_vel is 0.5 here and was 1 in training' in nodes.refuse(
        'actor_node', policy_file=str(fast)
    )
    assert 'cannot read policy' in nodes.refuse('actor_node', policy_file='/no/such/file')
    assert 'policy_file must name a policy file' in nodes.refuse('actor_node')


def test_takes_the_observation_from_the_policy(nodes, peer, robot, tmp_path):
    path = tmp_path / 'coarse.safetensors'
    constant_policy(observation=ObservationConfig(num_sectors=8)).save(path)
    drive(nodes, peer, robot, path)


def test_scan_stamps_decide_staleness_in_simulated_time(nodes, peer, robot, policy_file):
    from rosgraph_msgs.msg import Clock

    clock_out = peer.node.create_publisher(Clock, '/clock', qos.RELIABLE)
    nodes.start('actor_node', policy_file=str(policy_file), use_sim_time=True)
    now = 10**9

    def go() -> None:
        nonlocal now
        now += 100_000_000
        clock_out.publish(Clock(clock=messages.stamp_of(now)))
        robot.send_goal(5.0)
        robot.sense(now)

    peer.until(lambda: robot.commands and robot.commands[-1] == DRIVING, repeat=go)
    peer.spin(1.5)  # time stands still: nothing grows old
    assert robot.commands[-1] == DRIVING
    for later in range(1, 20):
        clock_out.publish(Clock(clock=messages.stamp_of(now + later * 100_000_000)))
        peer.spin(0.02)
    peer.until(lambda: at_rest(robot))


@pytest.mark.parametrize(
    ('is_stamped', 'sent', 'wanted'),
    [(True, 'Twist', 'TwistStamped'), (False, 'TwistStamped', 'Twist')],
)
def test_a_base_that_wants_the_other_type_is_told_of(
    nodes, peer, policy_file, is_stamped, sent, wanted
):
    reason = (
        f'nobody hears /cmd_vel as {sent}, and peer wants {wanted}: '
        f'use_stamped_cmd_vel must be {str(is_stamped).lower()} for it'
    )
    robot, said, log = RobotDouble(peer, stamped=is_stamped), told(peer), logged(peer, 'hears')
    nodes.start('actor_node', policy_file=str(policy_file), use_stamped_cmd_vel=not is_stamped)
    peer.until(lambda: said.get('') == reason, repeat=robot.sense)
    assert log == []
    robot.send_goal(5.0)
    peer.until(lambda: log, repeat=robot.sense)
    peer.until(lambda: float(said.get('command_rate', '0')) > 0.0, repeat=robot.sense)
    assert log == [f'robot: {reason}']
    assert robot.commands == []


def test_a_base_that_is_not_there_is_told_of(nodes, peer, policy_file):
    said = told(peer)
    nodes.start('actor_node', policy_file=str(policy_file))
    missing = 'nobody hears /cmd_vel as Twist: no base has subscribed to it'
    peer.until(lambda: said.get('') == missing)
    robot = RobotDouble(peer)
    peer.until(lambda: said[''] == '0 of 1 robots driving', repeat=robot.sense)


def test_time_that_never_begins_is_told(nodes, peer, policy_file):
    said = told(peer)
    nodes.start('actor_node', policy_file=str(policy_file), use_sim_time=True)
    peer.until(lambda: said.get('') == NO_TIME)
