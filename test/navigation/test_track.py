from __future__ import annotations

import pytest

from rl_planner.navigation.track import Pose, Track

SECOND = 10**9


def track() -> Track[Pose]:
    made: Track[Pose] = Track()
    for stamp, pose in ((0.0, (0.0, 0.0, 3.0)), (0.2, (1.0, 2.0, -3.0)), (0.7, (2.0, 2.0, 0.0))):
        made.add(round(stamp * SECOND), pose)
    return made


def test_the_newest_pose() -> None:
    assert Track().newest is None
    assert track().newest == (7 * SECOND // 10, (2.0, 2.0, 0.0))


def test_a_pose_that_is_known_is_given_as_it_is() -> None:
    assert track().at(SECOND // 5) == (1.0, 2.0, -3.0)


def test_in_between_it_is_interpolated_the_short_way_around() -> None:
    """From 3 rad to -3 rad it is 0.283 rad, through pi."""
    assert track().at(SECOND // 10) == pytest.approx((0.5, 1.0, 3.0 + 0.5 * 0.28318531))


@pytest.mark.parametrize('stamp', [-1, 300_000_000, 700_000_001])
def test_before_after_and_in_a_gap_nothing_is_known(stamp: int) -> None:
    assert track().at(stamp) is None
    assert Track().at(stamp) is None


def test_time_that_begins_anew_makes_all_before_forgotten() -> None:
    made = track()
    assert made.add(SECOND // 10, (5.0, 5.0, 0.0)) is True
    assert made.add(SECOND // 5, (6.0, 5.0, 0.0)) is False
    assert made.at(0) is None
    assert made.at(3 * SECOND // 20) == pytest.approx((5.5, 5.0, 0.0))


@pytest.mark.parametrize('behind', [1_000_000, 500_000_000])
def test_a_state_that_was_overtaken_changes_nothing(behind: int) -> None:
    made = track()
    assert made.add(7 * SECOND // 10 - behind, (9.0, 9.0, 0.0)) is False
    assert made.newest == (7 * SECOND // 10, (2.0, 2.0, 0.0))
    assert made.at(SECOND // 5) == (1.0, 2.0, -3.0)


def test_behind_by_more_it_is_another_time() -> None:
    made = track()
    assert made.add(7 * SECOND // 10 - 500_000_001, (9.0, 9.0, 0.0)) is True
    assert made.newest == (7 * SECOND // 10 - 500_000_001, (9.0, 9.0, 0.0))
