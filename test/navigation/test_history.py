"""An earlier scan seen from the present pose, against geometry worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import ObservationConfig
from rl_planner.navigation.history import ScanHistory

CLIP = 4.0
FOUR = ObservationConfig(num_sectors=4, range_clip=CLIP, history_steps=2)
# Sectors of four: behind right (its middle at -135 degrees), ahead right, ahead left, behind left.
ROOT = math.sqrt(2.0)
ALONE = np.array([0])


def see(
    history: ScanHistory, nearest: list[float], pose: tuple[float, float, float]
) -> NDArray[np.float32]:
    out = np.full((1, len(nearest)), np.nan, np.float32)
    history.earlier(ALONE, np.array([nearest], np.float32), np.array([pose]), out)
    return out[0]


def test_the_first_scan_is_its_own_past() -> None:
    history = ScanHistory(FOUR, 1)
    sectors = see(history, [1.0, 2.0, CLIP, 3.0], (5.0, -3.0, 2.0))
    np.testing.assert_allclose(sectors, [0.75, 0.5, 0.0, 0.25], atol=1e-6)


def test_a_robot_at_rest_sees_what_was_there_then() -> None:
    history = ScanHistory(FOUR, 1)
    scans = [[float(n)] * 4 for n in (1, 2, 3, 3.5)]
    seen = [see(history, scan, (0.0, 0.0, 0.0))[0] for scan in scans]
    # the first is shown until it is two scans old; after that, the one of two scans before
    np.testing.assert_allclose(seen, [0.75, 0.75, 0.75, 0.5], atol=1e-6)


def test_driving_ahead_brings_nearer_what_was_ahead() -> None:
    history = ScanHistory(FOUR, 1)
    see(history, [CLIP, CLIP, 2.0 * ROOT, CLIP], (0.0, 0.0, 0.0))  # a point at (2, 2)
    sectors = see(history, [CLIP] * 4, (1.0, 0.0, 0.0))
    np.testing.assert_allclose(sectors, [0, 0, 1.0 - math.sqrt(5.0) / CLIP, 0], atol=1e-6)
    history.restart(ALONE)
    see(history, [CLIP, CLIP, 2.0 * ROOT, CLIP], (0.0, 0.0, 0.0))
    sectors = see(history, [CLIP] * 4, (3.0, 0.0, 0.0))  # it is behind now, at (-1, 2)
    np.testing.assert_allclose(sectors, [0, 0, 0, 1.0 - math.sqrt(5.0) / CLIP], atol=1e-6)


def test_turning_left_moves_it_to_the_right() -> None:
    history = ScanHistory(FOUR, 1)
    see(history, [CLIP, CLIP, 1.0, CLIP], (0.3, 0.2, 0.5))
    sectors = see(history, [CLIP] * 4, (0.3, 0.2, 0.5 + math.pi / 2.0))
    np.testing.assert_allclose(sectors, [0.0, 0.75, 0.0, 0.0], atol=1e-6)


def test_of_two_points_in_a_sector_the_nearer_counts() -> None:
    history = ScanHistory(FOUR, 1)
    see(history, [CLIP, 1.0 * ROOT, CLIP, 2.0 * ROOT], (0.0, 0.0, 0.0))  # (1, -1) and (-2, 2)
    sectors = see(history, [CLIP] * 4, (-4.0, -2.0, 0.0))  # they are at (5, 1) and (2, 4)
    assert sectors[[0, 1, 3]].tolist() == [0.0, 0.0, 0.0]
    assert sectors[2] == 0.0  # beyond range_clip, both
    history.restart(ALONE)
    see(history, [CLIP, 1.0 * ROOT, CLIP, 2.0 * ROOT], (0.0, 0.0, 0.0))
    sectors = see(history, [CLIP] * 4, (-2.5, -1.5, 0.0))  # (3.5, 0.5) and (0.5, 3.5)
    assert sectors[2] == pytest.approx(1.0 - math.hypot(3.5, 0.5) / CLIP, abs=1e-6)


def test_robots_are_apart_and_forget_apart() -> None:
    history, out = ScanHistory(FOUR, 3), np.empty((2, 4), np.float32)
    rest = np.zeros((2, 3))
    history.earlier(np.array([0, 2]), np.array([[1.0] * 4, [2.0] * 4], np.float32), rest, out)
    history.restart(np.array([2]))
    history.earlier(np.array([0, 2]), np.full((2, 4), 3.0, np.float32), rest, out)
    np.testing.assert_allclose(out, [[0.75] * 4, [0.25] * 4], atol=1e-6)


@settings(deadline=None)
@given(
    nearest=st.lists(st.floats(0.05, 3.5), min_size=36, max_size=36),
    pose=st.tuples(*[st.floats(-10.0, 10.0)] * 3),
)
def test_where_nothing_moves_past_and_present_agree(
    nearest: list[float], pose: tuple[float, float, float]
) -> None:
    config = ObservationConfig(num_sectors=36, range_clip=3.5, history_steps=5)
    history = ScanHistory(config, 1)
    see(history, nearest, pose)
    past = see(history, [3.5] * 36, pose)
    np.testing.assert_allclose(past, 1.0 - np.float32(nearest) / np.float32(3.5), atol=1e-5)
