"""Scans whose beams shift, by hand and by rays in a round room."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.navigation.observation import ScanError
from rl_planner.navigation.rescan import Rescan

NAN, INF = float('nan'), float('inf')
LIMITS = (0.1, 10.0)
QUARTERS = (4.0, 0.0, math.pi / 2.0, *LIMITS)
DEGREES = (360.0, 0.0, math.radians(1.0), *LIMITS)


def readings(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def wall(angles: np.ndarray, where: float) -> np.ndarray:
    """A room of 5 m radius with something 1 m away, 4 degrees wide, at the angle `where`."""
    apart = np.abs((angles - where + math.pi) % (2.0 * math.pi) - math.pi)
    return np.where(apart <= math.radians(2.0), 1.0, 5.0).astype(np.float32)


def test_a_scan_like_the_first_is_left_as_it_is() -> None:
    ranges = readings(1, 2, NAN, INF)
    assert Rescan(QUARTERS).fit(QUARTERS, ranges) is ranges


def test_a_beam_reads_the_nearer_of_its_neighbours() -> None:
    shifted = (4.0, 0.1, math.pi / 2.0, *LIMITS)  # every beam a little later
    fitted = Rescan(QUARTERS).fit(shifted, readings(4, 3, 5, 2))
    # At 0 the last beam and the first, at 90 degrees the first and the second, ...
    assert fitted.tolist() == [2, 3, 3, 2]


@pytest.mark.parametrize(
    ('one', 'other', 'fitted'),
    [
        (NAN, 3.0, 3.0),
        (0.0, 3.0, 3.0),  # nearer than range_min: no return
        (INF, 3.0, 3.0),
        (-INF, 3.0, -INF),  # too close to measure
        (INF, NAN, INF),
        (0.0, INF, INF),
    ],
)
def test_what_is_no_measurement_hides_nothing(one: float, other: float, fitted: float) -> None:
    shifted = (4.0, 0.1, math.pi / 2.0, *LIMITS)
    assert Rescan(QUARTERS).fit(shifted, readings(one, 9, 9, other))[0] == fitted


def test_zero_is_no_return_also_where_the_driver_calls_it_the_least_range() -> None:
    first, shifted = ((4.0, begin, math.pi / 2.0, 0.0, 10.0) for begin in (0.0, 0.1))
    assert Rescan(first).fit(shifted, readings(0, 9, 9, 3))[0] == 3.0


def test_nothing_is_no_measurement_either() -> None:
    shifted = (4.0, 0.1, math.pi / 2.0, *LIMITS)
    assert np.isnan(Rescan(QUARTERS).fit(shifted, readings(NAN, 9, 9, NAN))[0])


@given(
    st.floats(0.85, 1.15),
    st.floats(-0.02, 0.06),
    st.integers(0, 4),
    st.floats(-math.pi, math.pi),
)
def test_what_the_lidar_sees_is_not_lost(
    share: float, begin: float, missing: int, where: float
) -> None:
    """As of the LD08: begin, angle and number differ from turn to turn."""
    step = math.radians(1.0) * share
    count = math.floor(2.0 * math.pi / step) - missing
    angles = begin + step * np.arange(count)
    ranges = wall(angles, where)
    fitted = Rescan(DEGREES).fit((float(count), begin, step, *LIMITS), ranges)
    first = math.radians(1.0) * np.arange(360)
    widest = np.abs((first - where + math.pi) % (2.0 * math.pi) - math.pi) <= (
        math.radians(2.0) + (2 + missing) * 1.2 * math.radians(1.0)
    )
    assert set(fitted.tolist()) <= {1.0, 5.0}
    assert (fitted == 1.0).any() == (ranges == 1.0).any()
    assert not (fitted[~widest] == 1.0).any()


def test_a_lidar_that_turns_clockwise() -> None:
    first = (360.0, 0.0, -math.radians(1.0), *LIMITS)
    step = -math.radians(1.02)
    angles = 0.01 + step * np.arange(352)
    fitted = Rescan(first).fit((352.0, 0.01, step, *LIMITS), wall(angles, 0.5))
    near = np.rad2deg(-np.flatnonzero(fitted == 1.0) * math.radians(1.0)) % 360.0
    assert math.degrees(0.5) - 4.0 <= near.min() <= near.max() <= math.degrees(0.5) + 4.0


def test_the_other_end_of_half_a_turn_is_not_beside_it() -> None:
    step = math.radians(1.0)
    half = Rescan((181.0, -0.5 * math.pi, step, *LIMITS))
    ranges = np.full(181, 5.0, np.float32)
    ranges[0] = 1.0  # to the right
    fitted = half.fit((181.0, -0.5 * math.pi - 0.5 * step, step, *LIMITS), ranges)
    assert np.flatnonzero(fitted == 1.0).tolist() == [0]
    fitted = half.fit((181.0, -0.5 * math.pi + 0.5 * step, step, *LIMITS), ranges)
    assert np.flatnonzero(fitted == 1.0).tolist() == [0, 1]


@pytest.mark.parametrize(
    'beams',
    [
        (4.0, 0.0, math.pi / 2.0, 0.1, 9.0),  # measures another range
        (8.0, 0.0, math.pi / 4.0, *LIMITS),  # has twice the beams
        (4.0, 0.0, -math.pi / 2.0, *LIMITS),  # turns the other way
        (4.0, NAN, math.pi / 2.0, *LIMITS),
        (4.0, 0.0, NAN, *LIMITS),
        (4.0, 0.0, 0.0, *LIMITS),
        (1.0, 0.0, math.pi / 2.0, *LIMITS),
    ],
)
def test_another_lidar_is_refused(beams: tuple[float, ...]) -> None:
    with pytest.raises(ScanError, match=r'scan metadata must stay \(4\.0, 0\.0, .* got'):
        Rescan(QUARTERS).fit(beams, np.ones(int(beams[0]), np.float32))


def test_a_scan_that_sees_less_of_the_circle_is_refused() -> None:
    rescan, step = Rescan(DEGREES), math.radians(1.0)
    rescan.fit((345.0, 0.0, step, *LIMITS), np.ones(345, np.float32))  # 8 degrees from any beam
    with pytest.raises(ScanError, match='must stay'):
        rescan.fit((330.0, 0.0, step, *LIMITS), np.ones(330, np.float32))


def test_a_scan_that_sees_more_of_the_circle_is_refused() -> None:
    """The first one may have been half a turn: what it did not see would stay unseen."""
    step = math.radians(1.0)
    half = Rescan((181.0, -0.5 * math.pi, step, *LIMITS))
    half.fit((195.0, -0.5 * math.pi - 7.0 * step, step, *LIMITS), np.ones(195, np.float32))
    with pytest.raises(ScanError, match='must stay'):
        half.fit((360.0, -math.pi, step, *LIMITS), np.ones(360, np.float32))
