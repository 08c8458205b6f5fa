"""Watchdogs: limits, and what is on either side of them."""

from __future__ import annotations

import pytest

from rl_planner.navigation.watchdog import Pacemaker, Watchdog

SECOND = 10**9


@pytest.fixture
def watchdog() -> Watchdog:
    return Watchdog({'scan': 0.5, 'odometry': 0.2}, future_tolerance=0.1)


def see(watchdog: Watchdog, **stamps: int) -> None:
    for name, stamp in stamps.items():
        watchdog.saw(name, stamp, stamp)


def test_what_never_came_is_a_fault(watchdog):
    assert watchdog.fault(0).message == 'no scan yet'
    watchdog.saw('scan', 0, 0)
    assert watchdog.fault(0).message == 'no odometry yet'
    watchdog.saw('odometry', 0, 0)
    assert watchdog.fault(0) is None


@pytest.mark.parametrize(
    ('now', 'fault'),
    [
        (SECOND, None),
        (SECOND + 200_000_000, None),
        (SECOND + 200_000_001, 'odometry'),
        (SECOND + 510_000_000, 'scan'),
        (SECOND - 100_000_000, None),
        (SECOND - 100_000_001, 'scan'),
    ],
)
def test_limits_are_kept_to_the_nanosecond(watchdog, now, fault):
    see(watchdog, scan=SECOND, odometry=SECOND)
    found = watchdog.fault(now)
    assert (found and found.name) == fault


def test_faults_say_what_and_how_much(watchdog):
    see(watchdog, scan=SECOND, odometry=2 * SECOND)
    assert watchdog.fault(2 * SECOND).message == 'scan is 1.00 s old, allowed are 0.5 s'
    assert watchdog.fault(0).message == (
        'scan is stamped 1.00 s ahead of the clock, allowed are 0.1 s'
    )


def test_what_is_stamped_ahead_grows_old_from_its_coming_on(watchdog):
    """The clocks disagree by 0.1 s, as allowed: that is no more time without a scan."""
    watchdog.saw('odometry', SECOND, SECOND)
    watchdog.saw('scan', SECOND + 100_000_000, SECOND)
    for now in (SECOND + 400_000_000, SECOND + 500_000_000):
        watchdog.saw('odometry', now, now)
        assert watchdog.fault(now) is None
    assert watchdog.fault(SECOND + 500_000_001).name == 'scan'
    assert watchdog.ages(SECOND)['scan'] == -0.1
    assert watchdog.behind('scan', SECOND) == 0.1


def test_what_is_lost_or_forgotten_must_come_again(watchdog):
    see(watchdog, scan=SECOND, odometry=SECOND)
    watchdog.lost('odometry', 'it was not finite')
    assert watchdog.fault(SECOND) == ('odometry', 'it was not finite')
    see(watchdog, odometry=SECOND)
    assert watchdog.fault(SECOND) is None
    watchdog.forget()
    assert watchdog.fault(SECOND).message == 'no scan yet'


def test_what_comes_and_is_of_no_use_is_told_for_as_long_as_it_comes(watchdog):
    see(watchdog, odometry=SECOND)
    watchdog.refused('scan', 'covered', SECOND)
    assert watchdog.fault(SECOND) == ('scan', 'covered')
    watchdog.saw('scan', SECOND, SECOND)
    watchdog.refused('scan', 'covered', SECOND + 100_000_000)
    assert watchdog.fault(SECOND + 100_000_000) is None  # the one before is recent
    watchdog.refused('scan', 'covered', 3 * SECOND)
    assert watchdog.fault(3 * SECOND + 500_000_000) == ('scan', 'covered')
    later = 3 * SECOND + 510_000_000
    assert watchdog.fault(later).message == 'scan is 2.51 s old, allowed are 0.5 s'
    watchdog.saw('scan', later, later)
    watchdog.saw('odometry', later, later)
    assert watchdog.fault(later) is None
    assert watchdog.fault(later + SECOND).message == 'scan is 1.00 s old, allowed are 0.5 s'


def test_it_knows_what_comes_too_late(watchdog):
    assert watchdog.behind('scan', SECOND) == 0.0
    watchdog.saw('scan', SECOND, SECOND)
    assert watchdog.behind('scan', 2 * SECOND) == 0.0
    assert watchdog.behind('scan', SECOND) == 0.0
    assert watchdog.behind('scan', SECOND - 250_000_000) == 0.25


def test_long_steps_in_a_row_are_a_fault():
    pace = Pacemaker(0.1, limit=3)
    assert [bool(pace.beat(d)) for d in (0.1, 0.11, 0.2, 0.3, 0.2, 0.05, 0.2, 0.2)] == [
        *(False, False, False, True, True),
        *(False, False, False),
    ]
    assert pace.overruns == 6
    assert pace.beat(0.25).message == ('3 steps in a row took longer than 0.1 s, the last 0.25 s')


def test_without_a_limit_long_steps_are_only_counted():
    pace = Pacemaker(0.1, limit=0)
    assert all(pace.beat(1.0) is None for _ in range(100))
    assert pace.overruns == 100


def test_the_longest_of_the_last_steps_is_known() -> None:
    pace = Pacemaker(0.1, 3)
    assert (pace.longest, pace.slack) == (0.0, 0.0)
    for duration in (0.02, 0.05, *[0.01] * 18):
        pace.beat(duration)
    assert (pace.longest, pace.slack) == (0.05, pytest.approx(0.04))
    pace.beat(0.01)
    pace.beat(0.01)
    assert pace.longest == 0.01
    assert pace.slack == 0.0
    pace.beat(0.014)  # a twentieth of a period means nothing
    assert pace.slack == 0.0


def test_simulated_time_waits_for_a_step() -> None:
    pace = Pacemaker(0.1, 1, time_waits=True)
    assert pace.beat(5.0) is None
    assert (pace.overruns, pace.longest, pace.slack) == (1, 0.0, 0.0)
