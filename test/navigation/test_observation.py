"""The observation, against sectors worked out by hand and a naive reference."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig
from rl_planner.navigation.observation import (
    ROBOT_SCALES,
    ObservationEncoder,
    ScanError,
    ScanGeometry,
    is_measurement,
    layout,
    observation_size,
)

NAN, INF = float('nan'), float('inf')
FOUR = ObservationConfig(num_sectors=4, range_clip=3.0, goal_distance_clip=5.0)
ROBOT = RobotConfig()
CLEAR = 3.0

# Beams at -180, -135, ..., 135 degrees: two for each of four sectors.
EIGHT = ScanGeometry(8, -math.pi, math.pi / 4.0, 0.1, 4.0)


def nearest(
    ranges: Any, scan: ScanGeometry = EIGHT, config: ObservationConfig = FOUR
) -> NDArray[np.float32]:
    """(N, num_sectors) the nearest returns of scans (N, num_beams), or of one."""
    rows = np.atleast_2d(np.asarray(ranges, np.float32))
    encoder = ObservationEncoder(config, ROBOT, scan, len(rows))
    encode(encoder, rows)
    return encoder.nearest.reshape((*np.shape(ranges)[:-1], config.num_sectors))


def encode(encoder: ObservationEncoder, ranges: NDArray[np.float32]) -> NDArray[np.float32]:
    pairs = np.zeros((len(ranges), 2))
    out = np.full((len(ranges), encoder.size), NAN, np.float32)
    return encoder.encode(ranges, pairs, pairs, pairs, out)


def naive_nearest(
    ranges: list[float], scan: ScanGeometry, config: ObservationConfig
) -> list[float]:
    """The definition, beam by beam, with nothing shared, skipped or vectorised."""
    width = 2.0 * math.pi / config.num_sectors
    sectors = [config.range_clip] * config.num_sectors
    pieces = max(math.ceil(abs(scan.angle_increment) / width - 1e-6), 1)
    for beam, reading in enumerate(ranges):
        if reading == -INF:
            distance = 0.0
        elif scan.range_min <= reading <= scan.range_max:
            distance = reading
        else:
            continue
        for piece in range(pieces):
            offset = ((piece + 0.5) / pieces - 0.5) * abs(scan.angle_increment)
            angle = scan.angle_min + scan.angle_increment * beam
            angle = scan.mount_yaw + (-angle if scan.mount_inverted else angle) + offset
            point = complex(scan.mount_x, scan.mount_y) + distance * complex(
                math.cos(angle), math.sin(angle)
            )
            if scan.mount_x or scan.mount_y:  # as seen from the base, not from the lidar
                angle = math.atan2(point.imag, point.real)
            sector = math.floor((angle + math.pi) / width + 1e-6) % config.num_sectors
            sectors[sector] = min(sectors[sector], abs(point))
    return sectors


def test_each_sector_is_its_nearest_beam() -> None:
    ranges = [1.0, 2.0, 0.5, 0.4, 2.5, 2.9, 1.5, 1.4]
    # behind right, ahead right, ahead left, behind left
    np.testing.assert_allclose(nearest(ranges), [1.0, 0.4, 2.5, 1.4])


def test_a_beam_on_a_border_belongs_to_the_sector_that_it_opens() -> None:
    for beam in range(8):
        ranges = np.full(8, INF)
        ranges[beam] = 1.0
        expected = np.full(4, CLEAR)
        expected[beam // 2] = 1.0
        np.testing.assert_allclose(nearest(ranges), expected)


@pytest.mark.parametrize(
    ('reading', 'expected'),
    [
        (1.0, 1.0),
        (0.1, 0.1),  # range_min is a measurement
        (0.09, CLEAR),  # below it there is none
        (0.0, CLEAR),  # many lidars say 0 for no return
        (-1.0, CLEAR),
        (2.999, 2.999),
        (3.5, CLEAR),  # beyond range_clip
        (4.5, CLEAR),  # beyond range_max
        (NAN, CLEAR),
        (INF, CLEAR),
        (-INF, 0.0),  # too close to measure
    ],
)
def test_what_a_reading_means(reading: float, expected: float) -> None:
    ranges = np.full(8, INF)
    ranges[4] = reading
    np.testing.assert_allclose(nearest(ranges), [CLEAR, CLEAR, expected, CLEAR], rtol=1e-6)
    ranges[5] = 0.7  # another beam of the sector
    least = min(expected, 0.7)
    np.testing.assert_allclose(nearest(ranges), [CLEAR, CLEAR, least, CLEAR], rtol=1e-6)


def test_a_lidar_that_sees_less_far_than_the_clip() -> None:
    short = replace(EIGHT, range_max=2.0)
    ranges = np.array([2.0, INF, 2.1, INF, 1.0, 2.5, NAN, 0.0])
    np.testing.assert_allclose(nearest(ranges, short), [2.0, CLEAR, 1.0, CLEAR])


def test_a_partial_view_leaves_the_rest_clear() -> None:
    front = ScanGeometry(3, -0.5, 0.5, 0.1, 4.0)  # -0.5, 0, 0.5 rad
    np.testing.assert_allclose(nearest([1.0, 2.0, 1.5], front), [CLEAR, 1.0, 1.5, CLEAR])


def test_a_clockwise_lidar_sees_left_before_right() -> None:
    clockwise = ScanGeometry(2, 1.0, -2.0, 0.1, 4.0)  # 1 rad, then -1 rad
    np.testing.assert_allclose(nearest([1.0, 2.0], clockwise)[1:3], [2.0, 1.0])


def test_a_lidar_upside_down_sees_right_for_left() -> None:
    inverted = ScanGeometry(2, -1.0, 2.0, 0.1, 4.0, mount_inverted=True)
    np.testing.assert_allclose(nearest([1.0, 2.0], inverted)[1:3], [2.0, 1.0])


def test_a_lidar_that_looks_backwards() -> None:
    backwards = ScanGeometry(2, -1.0, 2.0, 0.1, 4.0, mount_yaw=math.pi)
    np.testing.assert_allclose(nearest([1.0, 2.0], backwards), [2.0, CLEAR, CLEAR, 1.0])


@pytest.mark.parametrize(
    ('beam', 'reading', 'sector', 'distance'),
    [
        (4, 1.0, 2, 1.5),  # straight ahead, 0.5 m ahead of the base
        (6, 1.2, 2, 1.3),  # to the left of the lidar is ahead left of the base: 5, 12, 13
        (2, 1.2, 1, 1.3),
        (0, 1.5, 0, 1.0),  # behind
        (0, 0.25, 2, 0.25),  # behind the lidar, ahead of the base
        (0, -INF, 2, 0.5),  # something at the lidar itself
        (4, 2.4, 2, 2.9),  # farther from the base than the lidar could see
        (4, 2.6, 2, CLEAR),
        (4, 0.0, 2, CLEAR),
    ],
)
def test_a_lidar_half_a_metre_ahead_of_the_base(
    beam: int, reading: float, sector: int, distance: float
) -> None:
    scan = replace(EIGHT, mount_x=0.5, range_max=2.5)
    ranges = np.full(8, INF)
    ranges[beam] = reading
    expected = np.full(4, CLEAR)
    expected[sector] = distance
    np.testing.assert_allclose(nearest(ranges, scan), expected, rtol=1e-6)


@pytest.mark.parametrize('num_sectors', [4, 36, 100])
@pytest.mark.parametrize('num_beams', [1, 2, 3, 5, 35, 36, 37, 99, 360])
def test_a_full_turn_of_any_number_of_beams_leaves_no_gap(num_beams: int, num_sectors: int) -> None:
    scan = ScanGeometry.of(LidarConfig(num_beams=num_beams))
    config = replace(FOUR, num_sectors=num_sectors)
    assert (nearest(np.ones(num_beams), scan, config) == 1.0).all()


READINGS = st.one_of(
    st.floats(-1.0, 6.0, width=32), st.sampled_from([0.0, NAN, INF, -INF, 0.25, 4.0])
)
SCANS = st.builds(
    ScanGeometry,
    num_beams=st.integers(1, 40),
    angle_min=st.floats(-7.0, 7.0),
    angle_increment=st.floats(0.01, 1.5) | st.floats(-1.5, -0.01),
    range_min=st.sampled_from([0.0, 0.25]),
    range_max=st.sampled_from([2.0, 4.0]),
    mount_yaw=st.floats(-7.0, 7.0),
    mount_inverted=st.booleans(),
)
OFFSETS = st.floats(-0.5, 0.5)
CONFIGS = st.builds(
    ObservationConfig, num_sectors=st.integers(4, 40), range_clip=st.sampled_from([1.5, 3.0, 6.0])
)


@given(scan=SCANS, config=CONFIGS, data=st.data())
def test_sectors_match_the_definition(
    scan: ScanGeometry, config: ObservationConfig, data: st.DataObject
) -> None:
    size = scan.num_beams
    ranges = data.draw(st.lists(READINGS, min_size=size, max_size=size))
    expected = naive_nearest(ranges, scan, config)
    np.testing.assert_allclose(nearest(ranges, scan, config), expected, rtol=1e-6)


@given(scan=SCANS, x=OFFSETS, y=OFFSETS, config=CONFIGS, data=st.data())
def test_sectors_of_a_lidar_off_the_base_match_the_definition(
    scan: ScanGeometry, x: float, y: float, config: ObservationConfig, data: st.DataObject
) -> None:
    scan = replace(scan, mount_x=x, mount_y=y)
    size = scan.num_beams
    ranges = data.draw(st.lists(READINGS, min_size=size, max_size=size))
    expected = naive_nearest(ranges, scan, config)
    np.testing.assert_allclose(nearest(ranges, scan, config), expected, rtol=1e-5, atol=1e-6)


@given(scan=SCANS, turn=st.floats(-3.0, 3.0), data=st.data())
def test_where_the_zero_of_the_lidar_is_does_not_matter(
    scan: ScanGeometry, turn: float, data: st.DataObject
) -> None:
    size = scan.num_beams
    ranges = data.draw(st.lists(READINGS, min_size=size, max_size=size))
    back = turn if scan.mount_inverted else -turn
    turned = replace(scan, mount_yaw=scan.mount_yaw + turn, angle_min=scan.angle_min + back)
    np.testing.assert_array_equal(nearest(ranges, scan), nearest(ranges, turned))


@given(beams=st.integers(0, 89), seed=st.integers(0, 100))
def test_a_lidar_mounted_turned_by_some_beams_sees_the_same_world(beams: int, seed: int) -> None:
    scan = ScanGeometry.of(LidarConfig(num_beams=90))
    config = ObservationConfig(num_sectors=30)
    ranges = np.random.default_rng(seed).uniform(0.1, 4.0, 90)
    turned = replace(scan, mount_yaw=beams * scan.angle_increment)
    np.testing.assert_array_equal(
        nearest(ranges, scan, config), nearest(np.roll(ranges, -beams), turned, config)
    )


@given(scan=SCANS, data=st.data())
def test_the_beams_in_reverse_order_are_the_same_scan(
    scan: ScanGeometry, data: st.DataObject
) -> None:
    size = scan.num_beams
    ranges = data.draw(st.lists(READINGS, min_size=size, max_size=size))
    reverse = replace(
        scan,
        angle_min=scan.angle_min + (size - 1) * scan.angle_increment,
        angle_increment=-scan.angle_increment,
    )
    np.testing.assert_array_equal(nearest(ranges, scan), nearest(ranges[::-1], reverse))


@pytest.mark.parametrize('mount_x', [0.0, 0.3])
def test_a_batch_is_its_rows(mount_x: float) -> None:
    rng = np.random.default_rng(2)
    ranges = rng.uniform(-0.5, 5.0, (9, 8)).astype(np.float32)
    ranges[3, 2], ranges[4, :], ranges[5, 1] = NAN, 0.0, -INF
    goal, velocity, command = rng.normal(size=(3, 9, 2))
    scan = replace(EIGHT, mount_x=mount_x)
    encoder = ObservationEncoder(FOUR, ROBOT, scan, 9)
    together = encoder.encode(
        ranges, goal, velocity, command, np.empty((9, encoder.size), np.float32)
    )
    for row in range(9):
        one = slice(row, row + 1)
        alone = encoder.encode(
            ranges[one],
            goal[one],
            velocity[one],
            command[one],
            np.empty((1, encoder.size), np.float32),
        )
        np.testing.assert_array_equal(alone[0], together[row])


def test_a_whole_observation_by_hand() -> None:
    robot = RobotConfig(
        radius=0.25,
        footprint_length=0.3,
        footprint_width=0.2,
        max_linear_vel=0.5,
        min_linear_vel=-0.2,
        max_angular_vel=2.0,
        max_linear_accel=1.0,
        max_angular_accel=4.0,
    )
    encoder = ObservationEncoder(FOUR, robot, EIGHT, 1)
    ranges = np.array([[INF, INF, 1.5, INF, 0.75, INF, -INF, INF]], np.float32)
    goal, velocity = np.array([[1.5, -2.0]]), np.array([[0.25, -1.0]])
    command = np.array([[0.5, 2.0]])
    out = encoder.encode(ranges, goal, velocity, command, np.empty((1, 19), np.float32))
    expected = [0.0, 0.5, 0.75, 1.0]  # 1 - nearest / 3
    expected += [0.5, 0.6, -0.8]  # 2.5 m of 5 m; cosine and sine of the bearing
    expected += [0.5, -0.5, 1.0, 1.0]  # by 0.5 m/s and 2 rad/s
    expected += [0.5, 0.3, 0.2, 0.25, -0.1, 0.5, 0.2, 0.4]  # by ROBOT_SCALES
    np.testing.assert_allclose(out[0], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ('goal', 'expected'),
    [
        ((5.0, 0.0), (1.0, 1.0, 0.0)),
        ((0.0, 20.0), (1.0, 0.0, 1.0)),  # far goals read alike
        ((-1.0, 0.0), (0.2, -1.0, 0.0)),
        ((0.0, 0.0), (0.0, 0.0, 0.0)),  # no bearing at the goal itself
    ],
)
def test_goals(goal: tuple[float, float], expected: tuple[float, float, float]) -> None:
    encoder = ObservationEncoder(FOUR, ROBOT, EIGHT, 1)
    rest = np.zeros((1, 2))
    out = np.empty((1, encoder.size), np.float32)
    encoder.encode(np.ones((1, 8), np.float32), np.array([goal]), rest, rest, out)
    np.testing.assert_allclose(out[0, 4:7], expected, atol=1e-7)


@given(clip=st.floats(0.1, 100.0), share=st.floats(0.0, 2.0))
def test_sector_values_stay_in_the_unit_interval(clip: float, share: float) -> None:
    config = ObservationConfig(num_sectors=4, range_clip=clip)
    scan = replace(EIGHT, range_min=0.0, range_max=201.0)
    ranges = np.full((1, 8), clip * share, np.float32)
    values = encode(ObservationEncoder(config, ROBOT, scan, 1), ranges)[0, :4]
    assert (values >= 0.0).all()
    assert (values <= 1.0).all()


def test_the_layout_adds_up() -> None:
    config = ObservationConfig(num_sectors=36)
    assert layout(config) == [
        ('sectors', 36),
        ('goal', 3),
        ('velocity', 2),
        ('previous_command', 2),
        ('robot', 8),
    ]
    assert observation_size(config) == 51
    assert list(ROBOT_SCALES) == list(RobotConfig.__dataclass_fields__)


def test_scan_geometry_of_a_lidar() -> None:
    lidar = LidarConfig(
        num_beams=5,
        angle_min=-1.0,
        field_of_view=2.0,
        range_min=0.2,
        range_max=9.0,
        mount_x=0.1,
        mount_y=-0.2,
        mount_yaw=0.3,
        mount_inverted=True,
    )
    scan = ScanGeometry.of(lidar)
    assert scan == ScanGeometry(5, -1.0, 0.5, 0.2, 9.0, 0.1, -0.2, 0.3, True)
    np.testing.assert_allclose(scan.beam_angles(), [1.3, 0.8, 0.3, -0.2, -0.7])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'num_beams': 0}, 'a scan must have at least 1 beam, got 0'),
        ({'angle_min': NAN}, 'scan angles and range limits must be finite, got'),
        ({'angle_increment': INF}, 'scan angles and range limits must be finite, got'),
        ({'range_max': INF}, 'scan angles and range limits must be finite, got'),
        ({'angle_increment': 0.0}, 'angle_increment must not be 0'),
        ({'angle_min': 1e30}, 'scan angles must be within 1000 rad, got 1e\\+30'),
        ({'num_beams': 1, 'angle_increment': 1e30}, 'scan angles must be within 1000 rad, got 1e'),
        ({'angle_increment': -200.0}, 'scan angles must be within 1000 rad, got 1400'),
        ({'range_min': -0.1}, 'range_min must be at least 0 and below range_max 4, got -0.1'),
        ({'range_min': 4.0}, 'range_min must be at least 0 and below range_max 4, got 4'),
    ],
)
def test_scans_that_cannot_be_used(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ScanError, match=message):
        replace(EIGHT, **changes)


def test_a_single_beam_needs_no_increment() -> None:
    single = ScanGeometry(1, 0.0, 0.0, 0.1, 4.0)
    np.testing.assert_allclose(nearest([1.0], single), [CLEAR, CLEAR, 1.0, CLEAR])


@pytest.mark.parametrize(
    ('ranges', 'says_something'),
    [
        ([NAN, 0.0, 9.0, -1.0], False),
        ([-INF, NAN, 0.0, 0.0], False),
        ([NAN, NAN, NAN, 0.1], True),
        ([NAN, NAN, NAN, 4.0], True),
        ([NAN, NAN, NAN, INF], True),
        ([NAN, NAN, NAN, 4.1], False),
    ],
)
def test_whether_a_scan_says_anything(ranges: list[float], says_something: bool) -> None:
    assert is_measurement(np.array(ranges, np.float32), EIGHT) is says_something
