"""What a robot sent last, and what of it is refused."""

from __future__ import annotations

import numpy as np
import pytest
from support.odometry import odometry

from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.sweep import Sweep
from rl_planner.navigation.watchdog import Watchdog
from rl_planner.ros.inbox import Inbox

SCAN = np.ones(4, np.float32), ScanGeometry(4, 0.0, 1.0, 0.1, 4.0)


def test_odometry_of_another_frame_is_refused() -> None:
    """Its goal would be another place: wheels and a filter both publish odom, say."""
    inbox = Inbox('robot', 10**8, Watchdog({}, 0.5), Sweep(0.0, 0.5))
    inbox.take_odometry(odometry('odom', 'base_link', 10**9), 10**9)
    for frame, child in (('other', 'base_link'), ('odom', 'camera'), ('', '')):
        with pytest.raises(ValueError, match="must stay of 'base_link' in 'odom', got"):
            inbox.take_odometry(odometry(frame, child, 2 * 10**9), 2 * 10**9)
        assert inbox.odom_ns is None
    inbox.take_odometry(odometry('odom', 'base_link', 3 * 10**9), 3 * 10**9)
    assert inbox.odom_ns == 3 * 10**9
    inbox.forget_time()  # of another bag, say
    inbox.take_odometry(odometry('other', 'base_link', 10**9), 10**9)
    assert inbox.odom_frame == 'other'


def test_a_scan_goes_with_the_odometry_of_its_time() -> None:
    """Who brakes is slower by now than it was when it was scanned."""
    inbox = Inbox('robot', 10**8, Watchdog({}, 0.5), Sweep(0.0, 0.5))
    for ms, x, v in ((0, 1.0, 0.8), (20, 1.016, 0.8), (40, 1.03, 0.6), (100, 1.05, 0.1)):
        inbox.take_odometry(odometry('odom', 'base_link', 10**9 + ms * 10**6, x, v), 2 * 10**9)
    scan = 0.0, *SCAN, 2 * 10**9
    for ms, expected, lag in ((20, (1.016, 0.8), 0), (30, (1.023, 0.7), 0), (110, (1.05, 0.1), 10)):
        inbox.take_scan(10**9 + ms * 10**6, *scan)
        (x, _, _, v, _), lag_ns = inbox.odometry_of_scan()
        assert (x, v) == pytest.approx(expected)
        assert lag_ns == lag * 10**6
    inbox.forget_time()
    inbox.take_odometry(odometry('odom', 'base_link', 10**9 + 10**7, 5.0, 0.0), 2 * 10**9)
    inbox.take_scan(10**9, *scan)
    (x, *_), lag_ns = inbox.odometry_of_scan()
    assert (x, lag_ns) == (5.0, 0)  # nothing of before is known


def test_a_scan_that_is_stamped_late_goes_with_the_odometry_of_its_first_beam() -> None:
    """It took 60 ms, and came 10 ms after its stamp: it is stamped with its last beam."""
    inbox = Inbox('robot', 10**8, Watchdog({}, 0.5), Sweep(0.0, 0.5))
    for ms, x in ((0, 1.0), (40, 1.04), (100, 1.1)):
        inbox.take_odometry(odometry('odom', 'base_link', 10**9 + ms * 10**6, x), 10**9)
    stamp = 10**9 + 70 * 10**6
    inbox.take_scan(stamp, 0.06, *SCAN, stamp + 10**7)
    (x, *_), lag_ns = inbox.odometry_of_scan()
    assert (x, lag_ns, inbox.late_ns) == (pytest.approx(1.01), 0, 60 * 10**6)
    assert inbox.scan_ns == stamp  # as its answer is to be stamped
    stamp = 10**9 + 200 * 10**6  # 0.1 s after the newest odometry, its first beam 0.04 s
    inbox.take_scan(stamp, 0.06, *SCAN, stamp + 10**7)
    assert inbox.is_complete()
    assert inbox.odometry_of_scan()[1] == 40 * 10**6
    inbox.forget_time()
    assert inbox.late_ns == 0
