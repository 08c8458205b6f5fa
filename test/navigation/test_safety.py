"""The safety layer: hand geometry, and whatever is asked for, a robot that can still stop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import ConfigError, LidarConfig, RobotConfig
from rl_planner.navigation.footprint import Footprint, point_clearance
from rl_planner.navigation.geometry import to_robot_frame
from rl_planner.navigation.in_flight import InFlight, Prospect, Standing
from rl_planner.navigation.kinematics import Limits, integrate, limit_velocity
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.safety import Safety, SafetyConfig, Verdict, sees_behind

PERIOD = 0.1
DISC = RobotConfig(radius=0.2, max_linear_vel=0.5, max_linear_accel=1.0, max_angular_accel=3.0)
BOX = RobotConfig(
    radius=0.5, footprint_length=0.8, footprint_width=0.4, max_linear_vel=0.5, max_linear_accel=1.0
)
LIDAR = LidarConfig(num_beams=360)
SCAN = ScanGeometry.of(LIDAR)


def guard(robot: RobotConfig = DISC, margin: float = 0.02) -> Safety:
    return Safety(SafetyConfig(margin=margin), robot, SCAN, PERIOD)


def check(
    safety: Safety,
    ranges: NDArray[np.float32],
    velocity: Any,
    previous: Any,
    command: Any,
    pending: Sequence[Standing] = (),
    was_changed: bool = False,
) -> Verdict:
    """Of a base about which all is known."""
    prospects = [Prospect(velocity, pending)]
    return safety.check(ranges, prospects, previous, command, was_changed=was_changed)


def clear_scan() -> NDArray[np.float32]:
    return np.full(360, np.inf, np.float32)


def scan_of(x: float, y: float) -> NDArray[np.float32]:
    """A return at one place, in the beam that is nearest to its direction."""
    ranges = clear_scan()
    ranges[np.argmin(np.abs(SCAN.beam_angles() - math.atan2(y, x)))] = math.hypot(x, y)
    return ranges


def wall_ahead(distance: float) -> NDArray[np.float32]:
    """A wall across the way, `distance` ahead of the base, without an end."""
    angles = SCAN.beam_angles()
    with np.errstate(divide='ignore'):
        ranges = np.where(np.cos(angles) > 0.0, distance / np.cos(angles), np.inf)
    ranges[ranges > SCAN.range_max] = np.inf
    return ranges.astype(np.float32)


def test_what_is_safe_is_let_through() -> None:
    for command in ((0.5, 0.0), (0.2, -1.5), (0.0, 1.5), (0.0, 0.0)):
        assert check(guard(), clear_scan(), command, command, command) == (command, '')


@pytest.mark.parametrize('speed', [0.3, 0.5])
def test_full_speed_is_allowed_as_long_as_braking_is(speed: float) -> None:
    """One period at full speed, then speed^2 / 2 a, and half a sample for a steady braking."""
    to_stop = speed * PERIOD + speed * speed / 2.0
    beyond = DISC.radius + 0.02 + to_stop
    moving, asked = (speed, 0.0), (speed, 0.0)
    assert check(guard(), wall_ahead(beyond + 0.02), moving, asked, asked).action == ''
    verdict = check(guard(), wall_ahead(beyond - 0.01), moving, asked, asked)
    assert verdict.action == 'slowed'
    assert 0.0 < verdict.command[0] < speed


def test_a_late_base_needs_more_room() -> None:
    """0.2 s of latency at 0.5 m/s are 0.1 m."""
    asked, ranges = (0.5, 0.0), wall_ahead(0.2 + 0.02 + 0.05 + 0.125 + 0.02)
    late = [Standing(0.2, *asked)]
    assert check(guard(), ranges, asked, asked, asked).action == ''
    assert check(guard(), ranges, asked, asked, asked, late).action != ''
    farther = wall_ahead(0.2 + 0.02 + 0.05 + 0.125 + 0.02 + 0.1)
    assert check(guard(), farther, asked, asked, asked, late).action == ''
    # A robot that stands, and was told to go and then to stand: 0.01 + 0.005 m.
    pending = [Standing(0.1, 0.1, 0.0), Standing(0.1, 0.0, 0.0)]
    rest = (0.0, 0.0)
    assert check(guard(), wall_ahead(0.24), rest, rest, rest, pending).action == ''
    assert check(guard(), wall_ahead(0.23), rest, rest, rest, pending).action == 'braking'


def test_it_brakes_where_nothing_else_is_left() -> None:
    verdict = check(guard(), wall_ahead(0.25), (0.5, 0.0), (0.5, 0.0), (0.5, 0.0))
    assert verdict == ((0.0, 0.0), 'braking')


def test_a_robot_before_a_wall_may_turn_but_not_go_on() -> None:
    verdict = check(guard(), wall_ahead(0.221), (0.0, 0.9), (0.0, 0.9), (0.5, 1.0))
    assert verdict == ((0.0, 1.0), 'turning')


def test_only_what_is_on_the_way_counts() -> None:
    """Past a pillar 0.26 m beside the way of a disc of 0.2 m; not past one 0.1 m beside it."""
    asked = (0.5, 0.0)
    assert check(guard(), scan_of(0.3, 0.26), asked, asked, asked).action == ''
    assert check(guard(), scan_of(0.3, 0.1), asked, asked, asked).action != ''
    left = (0.5, 1.5)  # the arc to the left leads into what is beside the straight way
    assert check(guard(), scan_of(0.28, 0.22), asked, asked, asked).action == ''
    assert check(guard(), scan_of(0.28, 0.22), left, left, left).action != ''


def test_who_is_closer_already_may_leave_but_not_come_closer() -> None:
    behind, ahead = scan_of(-0.205, 0.0), scan_of(0.205, 0.0)
    rest = (0.0, 0.0)
    assert check(guard(), behind, rest, rest, (0.1, 0.0)) == ((0.1, 0.0), '')
    assert check(guard(), ahead, rest, rest, (0.5, 0.0)).command[0] == 0.0


def test_what_is_too_close_already_takes_no_margin_from_the_rest() -> None:
    both = np.minimum(scan_of(-0.205, 0.0), wall_ahead(0.2 + 0.02 + 0.175 - 0.01))
    asked = (0.5, 0.0)
    assert check(guard(), both, asked, asked, asked).action == 'slowed'


def test_a_box_does_not_swing_its_corner_into_a_wall() -> None:
    """The front left corner, at 27 degrees, sweeps 29 degrees of its circle of 0.447 m."""
    left, right = (0.0, 1.5), (0.0, -1.5)
    beside = scan_of(0.3, 0.3)  # 0.424 m away, at 45 degrees
    assert check(guard(BOX), beside, left, left, left).command[1] < 1.5
    assert check(guard(BOX), beside, right, right, right).action == ''
    assert check(guard(BOX), scan_of(0.35, 0.35), left, left, left).action == ''  # 0.495 m away


@pytest.mark.parametrize('command', [(math.nan, 0.0), (0.0, math.inf), (-math.inf, math.nan)])
def test_what_is_not_finite_is_a_command_to_rest(command: tuple[float, float]) -> None:
    verdict = check(guard(), clear_scan(), (0.5, 0.0), (0.5, 0.0), command)
    assert verdict == ((0.0, 0.0), 'braking')


def test_commands_are_held_to_the_limits_of_the_robot() -> None:
    fast, still = (0.5, -1.5), (0.0, 0.0)
    assert check(guard(), clear_scan(), fast, fast, (9.0, -9.0)) == (fast, '')
    assert check(guard(), clear_scan(), still, still, (-1.0, 0.0)).command == (0.0, 0.0)


@pytest.mark.parametrize(
    ('velocity', 'previous', 'was_changed', 'asked', 'expected'),
    [
        ((0.2, 0.0), (0.2, 0.0), False, (0.5, 1.0), (0.3, 0.3)),  # 1 m/s2, 3 rad/s2, for 0.1 s
        ((0.4, 0.5), (0.4, 0.5), False, (0.0, -1.5), (0.3, 0.2)),
        ((0.2, 0.0), (0.2, 0.0), False, (0.25, -0.1), (0.25, -0.1)),
        ((0.1, 0.0), (0.3, 0.0), False, (0.5, 0.0), (0.4, 0.0)),  # the base is late: it is led on
        ((0.1, 0.0), (0.3, 0.9), False, (0.0, -1.5), (0.2, 0.6)),  # however far from it the base is
        ((0.5, 0.0), (0.3, 0.0), False, (0.5, 0.0), (0.4, 0.0)),
        ((0.3, 0.0), (0.0, 0.0), True, (0.5, 0.0), (0.4, 0.0)),  # it was to brake, and has not yet
        ((0.3, 0.0), (0.0, 0.0), True, (0.0, 0.0), (0.0, 0.0)),
        ((0.4, 0.9), (0.1, 0.2), True, (0.5, 1.5), (0.5, 1.2)),  # it was slowed
    ],
)
def test_commands_change_no_faster_than_the_base_can(
    velocity: Any, previous: Any, was_changed: bool, asked: Any, expected: Any
) -> None:
    verdict = check(guard(), clear_scan(), velocity, previous, asked, was_changed=was_changed)
    assert verdict == (pytest.approx(expected), '')


def test_braking_for_an_obstacle_waits_for_no_limit() -> None:
    moving = (0.5, 1.5)
    verdict = check(guard(), wall_ahead(0.25), moving, moving, moving)
    assert verdict == ((0.0, 0.0), 'braking')


def test_too_close_to_measure_is_at_the_edge_of_the_robot() -> None:
    ranges, rest = clear_scan(), (0.0, 0.0)
    ranges[180] = -np.inf  # straight ahead
    assert SCAN.beam_angles()[180] == pytest.approx(0.0)
    assert check(guard(), ranges, rest, rest, (0.5, 0.0)).command[0] == 0.0
    assert check(guard(), ranges, rest, rest, (0.0, 1.0)).action == ''


@pytest.mark.parametrize('reading', [np.nan, 0.0, 0.01, 99.0, np.inf])
def test_no_return_is_clear(reading: float) -> None:
    ranges = np.full(360, reading, np.float32)
    assert check(guard(), ranges, (0.5, 0.0), (0.5, 0.0), (0.5, 0.0)).action == ''


def test_the_mounting_counts() -> None:
    """A lidar 0.15 m ahead that looks back: a return at 0.3 m straight before it is behind."""
    lidar = LidarConfig(num_beams=360, mount_x=0.15, mount_yaw=math.pi)
    ranges, rest = clear_scan(), (0.0, 0.0)
    ranges[180] = 0.36
    safety = Safety(SafetyConfig(), RobotConfig(radius=0.2, min_linear_vel=-0.5), SCAN, PERIOD)
    turned = Safety(
        SafetyConfig(),
        RobotConfig(radius=0.2, min_linear_vel=-0.5),
        ScanGeometry.of(lidar),
        PERIOD,
    )
    assert check(safety, ranges, rest, rest, (0.5, 0.0)).action == ''
    assert check(turned, ranges, rest, rest, (0.5, 0.0)).action == ''
    back = (-0.5, 0.0)
    assert check(turned, ranges, back, back, back).action != ''  # 0.01 m behind the robot
    assert check(safety, ranges, back, back, back).action == ''


def test_sparse_beams_keep_more_room() -> None:
    """Half the distance of two beams 10 degrees apart, at 0.4 m: 0.035 m."""
    lidar = LidarConfig(num_beams=36)
    sparse = Safety(SafetyConfig(), DISC, ScanGeometry.of(lidar), PERIOD)
    ranges, asked = np.full(36, np.inf, np.float32), (0.5, 0.0)
    ranges[18] = 0.43  # 0.2 + 0.02 + 0.175 to stop leaves 0.035, and the spread takes 0.0375
    assert check(sparse, ranges, asked, asked, asked).action != ''
    dense = clear_scan()
    dense[180] = 0.43
    assert check(guard(), dense, asked, asked, asked).action == ''


def test_many_robots_are_checked_as_each_by_itself() -> None:
    ranges = np.stack([wall_ahead(0.3), clear_scan(), scan_of(0.3, 0.1)])
    velocities = np.array([[0.5, 0.0], [0.2, 1.0], [0.0, 0.0]])
    previous, commands = velocities[::-1].copy(), np.array([[0.5, 0.5], [0.5, 0.0], [0.4, 0.0]])
    pending = [[], [Standing(0.3, 0.2, 1.0)], [Standing(0.1, 0.0, 0.0), Standing(0.2, 0.2, 0.0)]]
    prospects = [[Prospect(v, each)] for v, each in zip(velocities.tolist(), pending, strict=True)]
    known = ranges, prospects, previous, commands, np.array([0.1, 0.0, 0.2])
    known = *known, np.array([True, False, True])
    safe, heeded, actions = guard().check_all(*known)
    for row in range(3):
        alone = guard().check(*(each[row] for each in known))
        assert (tuple(safe[row]), actions[row]) == alone
        told = safe if alone.action else commands  # what it asked for, if only later
        assert heeded[row].tolist() == told[row].tolist()
    assert (actions[0] != '', actions[1]) == (True, '')
    assert safe[1].tolist() != commands[1].tolist()
    assert guard().check_all(*(each[:0] for each in known)).commands.size == 0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    robot=st.sampled_from([DISC, BOX]),
    latency=st.sampled_from([0, 1, 2, 4]),
)
def test_random_commands_among_random_points_touch_none(
    seed: int, robot: RobotConfig, latency: int
) -> None:
    """A base that obeys `limit_velocity`, some periods late, among points that every scan sees."""
    rng = np.random.default_rng(seed)
    footprint, limits = Footprint.of(robot), Limits.of(robot)
    points = rng.uniform(-2.0, 2.0, (30, 2))
    points = points[np.hypot(*points.T) > robot.radius + 0.05]
    safety = guard(robot)
    pose, velocity, commands = (0.0, 0.0, 0.0), (0.0, 0.0), [(0.0, 0.0)] * 4
    for _ in range(40):
        dx, dy = points.T - np.array(pose[:2])[:, None]
        c, s = math.cos(pose[2]), math.sin(pose[2])
        x, y = c * dx + s * dy, c * dy - s * dx
        assert point_clearance(x, y, footprint).min() > 0.0
        ranges = exact_scan(x, y)
        asked = (float(rng.uniform(0.0, 0.5)), float(rng.uniform(-1.5, 1.5)))
        pending = [Standing(PERIOD, *each) for each in commands[len(commands) - latency :]]
        verdict = check(safety, ranges, velocity, commands[-1], asked, pending)
        commands.append(verdict.command)
        now = commands[-1 - latency]
        velocity = limit_velocity(*velocity, *now, limits, PERIOD)
        pose = integrate(*pose, *velocity, PERIOD)


def exact_scan(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Each point in its nearest beam, of several the nearest: half a degree off at most."""
    ranges = clear_scan()
    beams = np.round((np.arctan2(y, x) - SCAN.angle_min) / SCAN.angle_increment).astype(int) % 360
    distances = np.hypot(x, y)
    distances[distances > SCAN.range_max] = np.inf
    np.minimum.at(ranges, beams, distances.astype(np.float32))
    return ranges


HEAVY = replace(DISC, max_linear_vel=2.0, max_linear_accel=0.5)
NEARSIGHTED = ScanGeometry.of(LidarConfig(num_beams=360, range_max=3.0))


@pytest.mark.parametrize(('speed', 'expected'), [(1.55, ''), (1.63, 'slowed'), (1.9, 'braking')])
def test_nobody_is_too_fast_for_the_range_of_the_lidar(speed: float, expected: str) -> None:
    """3.0 - 0.22 m to stop in: v 0.1 + v^2 / (2 0.5) is 2.56 m at 1.55 m/s, 2.82 at 1.63."""
    moving = (speed, 0.0)
    for scan, action in ((NEARSIGHTED, expected), (replace(NEARSIGHTED, range_max=10.0), '')):
        safety = Safety(SafetyConfig(), HEAVY, scan, PERIOD)
        assert check(safety, clear_scan(), moving, moving, moving).action == action


@pytest.mark.parametrize('latency', [0, 2])
def test_a_wall_that_comes_into_sight_late_is_not_hit(latency: int) -> None:
    safety = Safety(SafetyConfig(), HEAVY, NEARSIGHTED, PERIOD)
    limits, at, v, fastest = Limits.of(HEAVY), 0.0, 0.0, 0.0
    sent = [(0.0, 0.0)] * latency  # and not yet followed
    for _ in range(300):
        ranges = wall_ahead(12.0 - at)
        ranges[ranges > NEARSIGHTED.range_max] = np.inf
        pending = [Standing(PERIOD, *each) for each in sent]
        last = sent[-1] if sent else (v, 0.0)
        sent.append(check(safety, ranges, (v, 0.0), last, (2.0, 0.0), pending).command)
        v, _ = limit_velocity(v, 0.0, *sent.pop(0), limits, PERIOD)
        at, fastest = at + v * PERIOD, max(fastest, v)
    assert fastest > 1.2  # it does get on
    assert 0.2 < 12.0 - at < 0.4


SLUGGISH = replace(DISC, max_linear_vel=1.0)
QUICK = replace(DISC, max_linear_vel=2.0, max_linear_accel=5.0)
TICK = 0.005


@pytest.mark.parametrize(
    ('configured', 'real', 'lag'),
    [(0.2, 0.0, 0.0), (0.3, 0.1, 0.0), (0.2, 0.13, 0.03), (0.0, 0.0, 0.05), (0.1, 0.1, 0.05)],
)
@pytest.mark.parametrize('stutter', [(1, 1), (3, 2), (6, 3), (9, 1), (99, 1)])
@pytest.mark.parametrize('robot', [SLUGGISH, QUICK])
def test_a_base_that_obeys_sooner_and_odometry_of_before_hit_no_wall(
    robot: RobotConfig, configured: float, real: float, lag: float, stutter: tuple[int, int]
) -> None:
    """Full speed for some periods, then none; the base is told of its speed `lag` late."""
    safety = Safety(SafetyConfig(command_latency=configured), robot, SCAN, PERIOD)
    limits, row = Limits.of(robot), np.array([0])
    flight = InFlight(1, limits, safety.latencies)
    at, speeds, sent = 0.0, [0.0], [(-1.0, 0.0)]
    for tick in range(round(12.0 / TICK)):
        now = tick * TICK
        if tick % round(PERIOD / TICK) == 0:
            measured = max(now - lag, 0.0)
            speed = speeds[round(measured / TICK)]
            times = (np.array([time]) for time in (measured, now, now))
            (prospects,) = flight.prospects(row, np.array([(speed, 0.0)]), *times)
            goes = (tick * TICK / PERIOD) % sum(stutter) < stutter[0]
            asked = (2.0 if goes else 0.0, 0.0)
            safe = safety.check(wall_ahead(3.0 - at), prospects, flight.last[0], asked).command
            flight.send(row, np.array([now]), np.array([safe]))
            sent.append((now + real, safe[0]))
        command = [each for since, each in sent if since <= now + 1e-9][-1]
        speeds.append(limit_velocity(speeds[-1], 0.0, command, 0.0, limits, TICK)[0])
        at += speeds[-1] * TICK
        assert 3.0 - at > robot.radius + 0.015
    assert at > 2.0  # it does get there


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), robot=st.sampled_from([DISC, BOX]))
def test_ways_are_judged_pose_by_pose(seed: int, robot: RobotConfig) -> None:
    """What is looked at together at first, against each disc at each pose."""
    rng = np.random.default_rng(seed)
    steps = rng.uniform(-0.04, 0.04, (3, 7, 48))
    courses = np.cumsum(steps, axis=2)
    x, y = rng.uniform(-1.5, 1.5, (2, 20))
    spread = rng.uniform(-0.3, 0.1, 20)
    expected = []
    for way in courses.transpose(1, 2, 0):
        clearances = [
            point_clearance(*to_robot_frame(*pose, x, y), Footprint.of(robot)) - spread
            for pose in way
        ]
        expected.append(min(map(np.min, clearances)) >= 0.0)
    safety = guard(robot)
    for way, is_clear in zip(courses.transpose(1, 0, 2), expected, strict=True):
        assert safety._is_clear(way, x, y, spread) == is_clear


def test_nobody_drives_forward_where_the_lidar_does_not_look() -> None:
    for scan, expected in (
        (lidar(360.0), True),
        (lidar(60.0), True),
        (lidar(180.0, mount_yaw=math.pi), False),
        (lidar(60.0, mount_yaw=0.7), False),
        (lidar(60.0, mount_yaw=0.5, mount_x=0.2), True),
    ):
        safety, rest = Safety(SafetyConfig(), DISC, scan, PERIOD), (0.0, 0.0)
        verdict = check(safety, clear_scan(), rest, rest, (0.1, 0.2))
        assert safety.may_advance is expected
        assert verdict == (((0.1, 0.2), '') if expected else ((0.0, 0.2), 'turning'))


def lidar(field_of_view: float, **mounting: Any) -> ScanGeometry:
    """360 beams about the middle of a field of view in degrees."""
    view = math.radians(field_of_view)
    return ScanGeometry.of(
        LidarConfig(num_beams=360, angle_min=-0.5 * view, field_of_view=view, **mounting)
    )


@pytest.mark.parametrize(
    ('robot', 'scan', 'expected'),
    [
        (DISC, lidar(360.0), True),
        (DISC, lidar(359.0), True),  # nothing that matters fits into half a degree
        (DISC, lidar(350.0), False),
        (DISC, lidar(270.0), False),
        (DISC, lidar(180.0), False),
        (DISC, lidar(182.0, mount_yaw=math.pi), True),  # the back half of a disc
        (DISC, lidar(120.0, mount_x=0.2, mount_yaw=math.pi), True),  # 90 degrees, from the front
        (DISC, lidar(120.0, mount_x=-0.2, mount_yaw=math.pi), False),
        (BOX, lidar(60.0, mount_yaw=math.pi), True),  # its back takes up 53 degrees
        (BOX, lidar(45.0, mount_yaw=math.pi), False),
        (BOX, lidar(60.0, mount_yaw=math.pi, mount_inverted=True), True),
        (DISC, lidar(270.0, mount_inverted=True), False),
        (BOX, lidar(310.0), False),  # 50 degrees of it are missing
    ],
)
def test_nobody_reverses_into_what_the_lidar_does_not_see(
    robot: RobotConfig, scan: ScanGeometry, expected: bool
) -> None:
    able = replace(robot, min_linear_vel=-0.5)
    assert sees_behind(scan, Footprint.of(robot)) is expected
    safety, ranges = Safety(SafetyConfig(), able, scan, PERIOD), np.full(360, np.inf, np.float32)
    back = (-0.1, 0.3)
    verdict = check(safety, ranges, (0.0, 0.0), (0.0, 0.0), back)
    assert verdict == ((back, '') if expected else ((0.0, 0.3), 'turning'))


@pytest.mark.parametrize('values', [{'margin': -0.1}, {'command_latency': 2.0}, {'enabled': 1}])
def test_what_breaks_its_rule_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        SafetyConfig.from_mapping(values)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_disc_is_judged_as_any_other_outline(seed: int) -> None:
    """The short way for a disc and that for a rectangle, of a rectangle without extent."""
    rng = np.random.default_rng(seed)
    scan = ScanGeometry.of(LidarConfig(num_beams=60))
    disc = Safety(SafetyConfig(), RobotConfig(), scan, 0.1)
    other = Safety(SafetyConfig(), RobotConfig(), scan, 0.1)
    other._footprint = Footprint(1e-12, 1e-12, RobotConfig().radius)
    ranges = (0.17 + rng.uniform(-0.02, 0.4, 60)).astype(np.float32)
    state = [rng.uniform((0.0, -1.5), (0.5, 1.5)).tolist() for _ in range(3)]
    assert check(disc, ranges, *state) == check(other, ranges, *state)
