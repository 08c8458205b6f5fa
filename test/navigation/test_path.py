from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import ConfigError, ObservationConfig
from rl_planner.navigation.path import SPACING, PathConfig, PathError, PathFollower, resampled

Floats = NDArray[np.float64]

CONFIG = PathConfig(lookahead_dist=1.5, min_lookahead_dist=0.5, max_deviation=0.15)
STRAIGHT = np.array([[0.0, 0.0], [10.0, 0.0]])
CORNER = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 3.0]])
# There and back on both sides of a wall, 0.6 m apart.
HAIRPIN = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 0.6], [0.0, 0.6]])


def follower(points: Floats, config: PathConfig = CONFIG) -> PathFollower:
    return PathFollower(points, config)


def test_on_a_straight_path_the_point_is_the_lookahead_distance_ahead() -> None:
    ahead = follower(STRAIGHT).update(2.0, 0.3)
    # From the origin it walked on to (2, 0).
    assert (ahead.x, ahead.y) == pytest.approx((3.5, 0.0))
    assert ahead.deviation == pytest.approx(0.3)
    assert ahead.remaining == pytest.approx(8.0)
    assert not ahead.is_end


def test_a_policy_that_sees_less_far_has_it_nearer() -> None:
    near = ObservationConfig(goal_distance_clip=1.0)
    ahead = PathFollower(STRAIGHT, CONFIG, near).update(0.0, 0.0)
    assert (ahead.x, ahead.y) == pytest.approx((1.0, 0.0))


def test_before_a_corner_it_is_nearer() -> None:
    """The line from (2.5, 0) to (3, h) passes the corner at 0.5 h / hypot(0.5, h) <= 0.15."""
    ahead = follower(CORNER).update(2.5, 0.0)
    beyond = 0.5 * 0.15 / math.sqrt(0.5**2 - 0.15**2)
    assert ahead.x == pytest.approx(3.0)
    assert beyond - SPACING <= ahead.y <= beyond + 1e-9


def test_it_is_at_least_so_far_ahead_however_the_path_bends() -> None:
    ahead = follower(HAIRPIN, replace(CONFIG, max_deviation=0.01)).update(3.9, 0.0)
    # 0.5 m along the path: 0.1 m to the corner, 0.4 m up.
    assert (ahead.x, ahead.y) == pytest.approx((4.0, 0.4))


def test_the_other_branch_of_the_path_is_not_jumped_to() -> None:
    path = follower(HAIRPIN)
    path.update(1.0, 0.0)
    ahead = path.update(1.0, 0.5)  # pushed off, nearer to the way back
    assert ahead.y == 0.0
    assert ahead.remaining == pytest.approx(3.0 + 0.6 + 4.0)


def test_a_path_that_ends_where_it_began_is_driven_all_around() -> None:
    ring = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0], [0.0, 0.0]])
    path = follower(ring)
    assert not path.update(0.0, 0.0).is_end
    for x, y in ((1.0, 0.0), (2.0, 0.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (0.0, 2.0)):
        path.update(x, y)
    assert path.update(0.0, 1.0).is_end


def test_the_end_is_the_point_once_it_is_near() -> None:
    path = follower(STRAIGHT)
    path.update(5.0, 0.0)
    path.update(8.0, 0.0)
    ahead = path.update(9.0, 0.0)
    assert (ahead.x, ahead.y) == (10.0, 0.0)
    assert ahead.is_end
    assert path.end == (10.0, 0.0)


def test_a_robot_that_is_pushed_back_does_not_change_the_point() -> None:
    path = follower(STRAIGHT)
    first = path.update(1.0, 0.0)
    again = path.update(0.2, 0.4)
    assert (again.x, again.y) == (first.x, first.y)


def test_a_new_path_that_begins_behind_the_robot_is_taken_up_where_it_is() -> None:
    ahead = follower(STRAIGHT).update(4.0, 0.1)
    assert ahead.x == pytest.approx(5.5)


def test_the_steps_of_a_grid_do_not_hold_it_up() -> None:
    steps = np.array([[0.05 * k, 0.05 * (k % 2)] for k in range(200)])
    path = follower(steps)
    for k in range(90):
        ahead = path.update(0.1 * k, 0.025)
    assert ahead.is_end


def test_a_path_of_one_place_is_its_end() -> None:
    for points in ([[1.0, 2.0]], [[1.0, 2.0]] * 3):
        ahead = follower(np.array(points)).update(0.0, 0.0)
        assert (ahead.x, ahead.y, ahead.is_end) == (1.0, 2.0, True)
        assert ahead.remaining == 0.0


@pytest.mark.parametrize(
    ('points', 'message'),
    [
        ([], 'must have at least 1 point'),
        ([[0.0, 0.0], [math.nan, 0.0]], r'must be finite, got \[nan  0\.\] as no\. 1'),
        ([[0.0, math.inf]], 'must be finite'),
        ([[5.0, 0.0], [1e308, -1e308]], 'must be within 10000 m of the first, got .* as no. 1'),
        ([[0.0, 0.0], [9000.0, 0.0]] * 2, 'must be at most 10000 m long, got 27000 m'),
    ],
)
def test_bad_paths_are_refused(points: list[list[float]], message: str) -> None:
    with pytest.raises(PathError, match=message):
        follower(np.array(points))


def test_the_least_lookahead_must_not_be_above_the_greatest() -> None:
    with pytest.raises(
        ConfigError, match=r'min_lookahead_dist must be at most lookahead_dist 0\.5'
    ):
        PathConfig(lookahead_dist=0.5, min_lookahead_dist=0.6)


coordinates = st.floats(-20.0, 20.0, allow_subnormal=False)
places = st.tuples(coordinates, coordinates)
paths = st.lists(places, min_size=1, max_size=12).map(np.array)


@given(paths)
def test_resampling_keeps_ends_and_length(points: Floats) -> None:
    spaced, spacing = resampled(points)
    np.testing.assert_allclose(spaced[-1], points[-1], atol=1e-6)
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    if length > 1e-6:
        np.testing.assert_allclose(spaced[0], points[0])
        assert spacing <= SPACING + 1e-9
        assert (len(spaced) - 1) * spacing == pytest.approx(length)


@given(paths, st.lists(places, min_size=1, max_size=30))
def test_whatever_the_robot_does_the_point_keeps_its_promises(
    points: Floats, robot: list[tuple[float, float]]
) -> None:
    """It is on the path, never goes back, and no farther ahead of the robot than allowed."""
    path = follower(points)
    remaining = math.inf
    seen = -1
    for x, y in robot:
        ahead = path.update(x, y)
        assert ahead.remaining <= remaining
        remaining = ahead.remaining
        off = np.hypot(path.points[:, 0] - ahead.x, path.points[:, 1] - ahead.y)
        assert off.min() < 1e-9
        at = len(path.points) - len(path.rest)
        assert math.hypot(ahead.x - path.points[at, 0], ahead.y - path.points[at, 1]) <= 1.5 + 1e-6
        candidates = np.flatnonzero(off < 1e-9)
        assert candidates.max() >= seen
        seen = int(candidates[candidates >= seen].min())
        assert ahead.is_end == np.allclose((ahead.x, ahead.y), path.end) or not ahead.is_end


@given(paths)
def test_who_drives_to_each_point_gets_to_the_end(points: Floats) -> None:
    path = follower(points)
    x, y = points[0]
    for _ in range(round(sum(np.hypot(*np.diff(points, axis=0).T)) / 0.1) + 20):
        ahead = path.update(x, y)
        away = math.hypot(ahead.x - x, ahead.y - y)
        share = min(0.2 / away, 1.0) if away > 0.0 else 0.0
        x, y = x + share * (ahead.x - x), y + share * (ahead.y - y)
    assert (ahead.x, ahead.y) == path.end
    assert math.hypot(x - path.end[0], y - path.end[1]) < 0.25
