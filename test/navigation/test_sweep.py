"""How late scans are stamped; one of 0.2 s comes 5 ms after its last beam."""

from __future__ import annotations

import math

import pytest

from rl_planner.navigation.observation import ScanError
from rl_planner.navigation.sweep import REMEMBERED, Sweep

SEC = 10**9
DURATION, LIMIT = 0.2, 0.5
BEGAN, ENDED, CAME = 10 * SEC, 10_200_000_000, 10_205_000_000


def late(stamp: int, duration: float, now: int, known: float = 0.0) -> int:
    sweep = Sweep(known, LIMIT)
    sweep.saw(stamp, duration, now)
    return sweep.late_ns


def test_a_stamp_of_the_first_beam_is_not_late() -> None:
    assert Sweep(0.0, LIMIT).late_ns == 0
    assert late(BEGAN, DURATION, CAME) == 0


def test_a_stamp_of_the_last_beam_is_late_by_what_the_scan_takes() -> None:
    """However long it took to come, up to a half."""
    for under_way in (0, 5_000_000, 99_000_000):
        assert late(ENDED, DURATION, ENDED + under_way) == ENDED - BEGAN


def test_a_stamp_in_between_is_late_by_what_is_known_of_it() -> None:
    middle = (BEGAN + ENDED) // 2
    assert late(middle, DURATION, CAME) == middle - BEGAN - (CAME - ENDED)


def test_scans_that_come_late_for_once_are_stamped_as_the_others() -> None:
    """Else a scan that is old would seem new."""
    sweep = Sweep(0.0, LIMIT)
    for came_ms in (5, 150, 300):
        sweep.saw(ENDED, DURATION, ENDED + came_ms * 10**6)
        assert sweep.late_ns == ENDED - BEGAN


def test_a_driver_that_stamps_late_for_once_is_forgiven() -> None:
    sweep = Sweep(0.0, LIMIT)
    sweep.saw(ENDED, DURATION, CAME)
    for _ in range(REMEMBERED):
        assert sweep.late_ns > 0
        sweep.saw(BEGAN, DURATION, CAME)
    assert sweep.late_ns == 0


def test_no_scan_is_stamped_later_than_it_took() -> None:
    """However slow the lidar was when it started."""
    sweep = Sweep(0.0, LIMIT)
    sweep.saw(ENDED, 0.4, ENDED)
    assert (sweep.late_ns, sweep.duration) == (400_000_000, 0.4)
    sweep.saw(ENDED + SEC, 0.1, ENDED + SEC)
    assert (sweep.late_ns, sweep.duration) == (100_000_000, 0.1)


def test_a_stamp_ahead_of_the_clock_is_late_by_no_more_than_the_scan_takes() -> None:
    """How far clocks may disagree is for the watchdog to say."""
    assert late(ENDED, DURATION, ENDED - SEC) == ENDED - BEGAN


def test_a_scan_without_a_duration_is_of_its_stamp() -> None:
    """A simulator's: all beams at once, and the clock may not have come yet."""
    assert late(ENDED, 0.0, ENDED - SEC) == 0


@pytest.mark.parametrize('said', [0.0, 0.01, 72.0, math.nan])
def test_who_knows_better_than_the_driver_is_believed(said: float) -> None:
    assert late(ENDED, said, ENDED, DURATION) == ENDED - BEGAN


@pytest.mark.parametrize('duration', [LIMIT, 72.0, math.inf, math.nan])
def test_what_takes_too_long_is_refused_and_forgotten(duration: float) -> None:
    """A time_increment in milliseconds, say."""
    sweep = Sweep(0.0, LIMIT)
    with pytest.raises(ScanError, match=f'must take less than 0.5 s, .* takes {duration:.3g} s'):
        sweep.saw(ENDED, duration, CAME)
    assert sweep.late_ns == 0


def test_another_clock_is_begun_with_from_nothing() -> None:
    sweep = Sweep(0.0, LIMIT)
    sweep.saw(ENDED, DURATION, CAME)
    sweep.forget_time()
    assert sweep.late_ns == 0
