"""Distances to returns against each pair of cell and return."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.perceptions import JACKAL, SMALL

from rl_planner.evaluation.clearance_field import CELLS, Body, ClearanceField, looks_back
from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.observation import ScanGeometry

HALF, CLEARANCE = 1.0, 0.3
LIDAR = LidarConfig(num_beams=8, range_max=2.0, mount_x=0.1)  # beam 4 looks ahead
ROBOT = RobotConfig(radius=0.2)
CELL = 2.0 * HALF / CELLS


def distance_at(ranges: list[float], x: float, y: float) -> float:
    """From (x, y) to the nearest return, as the field has it (m)."""
    field = ClearanceField(ROBOT, ScanGeometry.of(LIDAR), HALF, CLEARANCE)
    filled = field.fill(np.array([ranges], np.float32))
    row, column = int((y + HALF) / CELL), int((x + HALF) / CELL)
    return float(filled.distances[0, row * CELLS + column])


READINGS = st.one_of(
    st.floats(0.06, 1.99), st.sampled_from([math.inf, -math.inf, math.nan, 0.0, 3.0])
)
PLACES = st.floats(-0.99, 0.99)


@settings(deadline=None)
@given(ranges=st.lists(READINGS, min_size=8, max_size=8), x=PLACES, y=PLACES)
def test_against_every_return(ranges: list[float], x: float, y: float) -> None:
    """A place and a return are each up to half a diagonal off the centres of their cells."""
    nearest = 0.2 + CLEARANCE
    for beam, reading in enumerate(ranges):
        reading = 0.05 if reading == -math.inf else reading
        if 0.05 <= reading <= 2.0:
            angle = -math.pi + beam * math.pi / 4.0
            px, py = 0.1 + reading * math.cos(angle), reading * math.sin(angle)
            assume(abs(max(abs(px), abs(py)) - HALF) > 1e-4)  # on the grid's edge: in or out
            if max(abs(px), abs(py)) < HALF:
                nearest = min(nearest, math.hypot(px - x, py - y))
    assert distance_at(ranges, x, y) == pytest.approx(nearest, abs=1.5 * CELL)


def test_too_close_to_measure_is_at_range_min() -> None:
    ranges = [math.inf] * 4 + [-math.inf] + [math.inf] * 3
    assert distance_at(ranges, 0.15, 0.0) == pytest.approx(0.0, abs=1.5 * CELL)
    assert distance_at(ranges, 0.45, 0.0) == pytest.approx(0.3, abs=1.5 * CELL)


def test_robots_do_not_mix() -> None:
    field = ClearanceField(ROBOT, ScanGeometry.of(LIDAR), HALF, CLEARANCE)
    scans = np.random.default_rng(1).uniform(0.1, 1.5, (5, 8)).astype(np.float32)
    all_of_them = field.fill(scans).distances.copy()
    for row in range(5):
        np.testing.assert_array_equal(field.fill(scans[[row]]).distances[0], all_of_them[row])


@pytest.mark.parametrize(('length', 'width'), [(0.43, 0.31), (0.508, 0.43), (1.2, 0.4)])
def test_discs_cover_a_rectangle_and_little_more(length: float, width: float) -> None:
    robot = RobotConfig(radius=0.7, footprint_length=length, footprint_width=width)
    body = Body.of(robot)
    x = np.linspace(-0.5 * length, 0.5 * length, 200)
    along_side = np.hypot(x[:, None] - body.offsets, 0.5 * width).min(axis=1)
    along_front = np.hypot(0.5 * length - body.offsets.max(), 0.5 * width)
    assert max(along_side.max(), along_front) <= body.radius + 1e-6
    assert body.radius <= 1.04 * 0.5 * width


def test_a_disc_is_itself() -> None:
    body = Body.of(ROBOT)
    assert body.offsets.tolist() == [0.0]
    assert body.radius == pytest.approx(0.2)


@pytest.mark.parametrize(
    ('lidar', 'expected'),
    [
        (SMALL.lidar, True),
        (JACKAL.lidar, False),
        (LidarConfig(num_beams=720, field_of_view=4.7, angle_min=-2.35, mount_yaw=3.1), True),
        (LidarConfig(num_beams=3), True),  # at 180, -60 and 60 degrees
        (LidarConfig(num_beams=2, field_of_view=math.pi, angle_min=-0.5 * math.pi), True),
        (LidarConfig(num_beams=10, field_of_view=1.0, angle_min=0.0), False),
    ],
)
def test_which_lidar_looks_back(lidar: LidarConfig, expected: bool) -> None:
    assert looks_back(ScanGeometry.of(lidar)) is expected
