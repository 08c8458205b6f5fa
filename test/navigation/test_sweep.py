"""When the first beam of a scan was measured; a scan of 0.2 s comes 5 ms after its last beam."""

from __future__ import annotations

import math

import pytest

from rl_planner.navigation.observation import ScanError
from rl_planner.navigation.sweep import Sweep

SEC = 10**9
DURATION, LIMIT = 0.2, 0.5
BEGAN, ENDED, CAME = 10 * SEC, 10_200_000_000, 10_205_000_000


def test_a_stamp_of_the_first_beam_is_its_time() -> None:
    sweep = Sweep(0.0, LIMIT)
    assert sweep.first_beam(BEGAN, DURATION, CAME) == BEGAN
    assert sweep.late_ns == 0


def test_a_stamp_of_the_last_beam_is_later_by_what_the_scan_takes() -> None:
    """But for what it took to come, which nobody knows."""
    sweep = Sweep(0.0, LIMIT)
    assert sweep.first_beam(ENDED, DURATION, CAME) == BEGAN + CAME - ENDED


def test_scans_that_come_late_for_once_are_dated_as_the_others() -> None:
    """Else their times would jump, and a scan that is old would seem new."""
    sweep = Sweep(0.0, LIMIT)
    for late_ms, offset_ms in ((5, 5), (100, 5), (2, 2), (300, 2)):
        came = ENDED + late_ms * 10**6
        assert sweep.first_beam(ENDED, DURATION, came) == BEGAN + offset_ms * 10**6


def test_a_stamp_ahead_of_the_clock_is_late_by_no_more_than_the_scan_takes() -> None:
    """How far clocks may disagree is for the watchdog to say."""
    assert Sweep(0.0, LIMIT).first_beam(ENDED, DURATION, ENDED - SEC) == BEGAN


def test_a_scan_without_a_duration_is_of_its_stamp() -> None:
    """A simulator's: all beams at once, and the clock may not have come yet."""
    assert Sweep(0.0, LIMIT).first_beam(ENDED, 0.0, ENDED - SEC) == ENDED


@pytest.mark.parametrize('said', [0.0, 0.01, 72.0])
def test_who_knows_better_than_the_driver_is_believed(said: float) -> None:
    assert Sweep(DURATION, LIMIT).first_beam(ENDED, said, ENDED) == BEGAN


@pytest.mark.parametrize('duration', [LIMIT, 72.0, math.inf, math.nan])
def test_what_takes_too_long_is_refused_and_forgotten(duration: float) -> None:
    """A time_increment in milliseconds, say."""
    sweep = Sweep(0.0, LIMIT)
    with pytest.raises(ScanError, match=f'must take less than 0.5 s, .* takes {duration:.3g} s'):
        sweep.first_beam(ENDED, duration, CAME)
    assert sweep.first_beam(BEGAN, DURATION, CAME) == BEGAN


def test_another_clock_is_begun_with_from_nothing() -> None:
    sweep = Sweep(0.0, LIMIT)
    sweep.first_beam(ENDED, DURATION, CAME)
    sweep.forget_time()
    assert sweep.first_beam(BEGAN, DURATION, CAME) == BEGAN
