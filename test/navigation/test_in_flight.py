"""What bases still have to do, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rl_planner.navigation.in_flight import LONGEST_AGE, InFlight, Standing
from rl_planner.navigation.kinematics import Limits

FAST, SLOW, REST = (0.5, 1.0), (0.2, -0.5), (0.0, 0.0)
LIMITS = Limits(0.0, 1.0, 2.0, 2.0, 4.0)


def told(latency: float, *sent: tuple[float, tuple[float, float]]) -> InFlight:
    """One robot that was told commands at those times."""
    flight = InFlight(1, LIMITS, [latency])
    for time, command in sent:
        flight.send(np.array([0]), np.array([time]), np.array([command]))
    return flight


def pending(flight: InFlight, row: int, stamp: float, now: float) -> list[Standing]:
    at = np.array([stamp])
    ((prospect,),) = flight.prospects(np.array([row]), np.zeros((1, 2)), at, at, np.array([now]))
    assert prospect.velocity == (0.0, 0.0)
    return list(prospect.pending)


def flat(flight: InFlight, stamp: float, now: float) -> list[float]:
    return [number for piece in pending(flight, 0, stamp, now) for number in piece]


def test_without_latency_the_last_command_goes_on_until_the_decision() -> None:
    flight = told(0.0, (0.0, FAST), (0.1, SLOW))
    assert flat(flight, 0.2, 0.2) == []
    assert flat(flight, 0.2, 0.23) == pytest.approx([0.03, *SLOW])


def test_what_is_late_is_done_one_after_the_other() -> None:
    flight = told(0.25, (0.0, FAST), (0.1, SLOW), (0.2, REST))
    # The commands take effect at 0.25, 0.35 and 0.45; a new one of 0.32 at 0.57.
    expected = [0.05, *FAST, 0.1, *SLOW, 0.12, *REST]
    assert flat(flight, 0.3, 0.32) == pytest.approx(expected)
    assert flat(flight, 0.3, 0.32) == pytest.approx(expected)  # looking changes nothing
    assert flat(flight, 0.36, 0.36) == pytest.approx([0.09, *SLOW, 0.16, *REST])


def test_who_was_told_nothing_goes_on_as_it_does() -> None:
    """Somebody else drove it till now."""
    flight = InFlight(1, LIMITS, [0.2])
    (prospect,) = prospects(flight, FAST, 4.9, 5.0, 5.1)
    assert prospect.velocity == FAST
    assert np.array(prospect.pending) == pytest.approx(np.array([(0.3, *FAST)]))
    assert flat(InFlight(1, LIMITS), 5.0, 5.0) == []
    flight.send(np.array([0]), np.array([5.1]), np.array([SLOW]))
    (prospect,) = prospects(flight, FAST, 5.2, 5.2, 5.2)
    expected = [(0.1, *FAST), (0.1, *SLOW)]
    assert np.array(prospect.pending) == pytest.approx(np.array(expected))


def test_a_halt_takes_its_time_as_any_command() -> None:
    flight = told(0.2, (0.0, FAST))
    flight.halt(0, 1.03)
    assert flight.last.tolist() == [[0.0, 0.0]]
    # The scan is of before the halt: 0.2 s after that it rests.
    assert flat(flight, 1.0, 1.05) == pytest.approx([0.23, *FAST, 0.02, *REST])
    flight.send(np.array([0]), np.array([1.1]), np.array([SLOW]))
    assert flat(flight, 1.2, 1.2) == pytest.approx([0.03, *FAST, 0.07, *REST, 0.1, *SLOW])


def test_when_time_begins_anew_the_last_command_goes_on() -> None:
    flight = told(0.15, (99.9, SLOW), (100.0, FAST))
    flight.begin_anew(0, 3.0)
    assert flight.last.tolist() == [[0.0, 0.0]]
    assert flat(flight, 3.0, 3.02) == pytest.approx([0.15, *FAST, 0.02, *REST])
    untold = InFlight(1, LIMITS, [0.1])
    untold.begin_anew(0, 3.0)
    assert flat(untold, 3.0, 3.0) == pytest.approx([0.1, *REST])


def test_each_robot_has_its_own_and_what_is_long_over_is_forgotten() -> None:
    flight = InFlight(2, LIMITS, [1.0])
    for step in range(1000):
        flight.send(np.array([1]), np.array([0.1 * step]), np.array([FAST]))
    assert flight.last.tolist() == [[0.0, 0.0], [*FAST]]
    # At 0.02 s and with a second of latency, 51 are on their way.
    assert len(flight._sent[1]) <= (LONGEST_AGE + 1.0) / 0.1 + 2
    assert sum(piece.sec for piece in pending(flight, 0, 1.0, 1.0)) == pytest.approx(1.0)


def test_however_many_are_on_their_way_none_is_forgotten() -> None:
    """100 times a second, with 0.9 s of latency."""
    flight = InFlight(1, LIMITS, [0.9])
    for step in range(200):
        command = FAST if step < 150 else REST
        flight.send(np.array([0]), np.array([0.01 * step]), np.array([command]))
    pieces = np.array(pending(flight, 0, 1.99, 1.99))
    assert pieces[pieces[:, 1] > 0.0, 0].sum() == pytest.approx(0.9 - 0.49)


def prospects(flight: InFlight, velocity, measured: float, stamp: float, now: float):
    times = (np.array([time]) for time in (measured, stamp, now))
    (of_row,) = flight.prospects(np.array([0]), np.array([velocity]), *times)
    return of_row


def test_odometry_of_before_the_scan_is_carried_on() -> None:
    """2 m/s2 and 4 rad/s2: 0.04 s by the one command, 0.01 s by the next."""
    flight = told(0.0, (0.0, FAST), (0.14, REST))
    (prospect,) = prospects(flight, (0.2, -1.0), 0.1, 0.15, 0.16)
    assert prospect.velocity == pytest.approx((0.2 + 0.08 - 0.02, -1.0 + 0.16 + 0.04))
    assert prospect.pending == [pytest.approx((0.01, *REST))]


def test_it_may_take_any_of_the_latencies() -> None:
    flight = InFlight(1, LIMITS, [0.2, 0.1, 0.0])
    for time, command in ((0.0, FAST), (0.1, SLOW), (0.2, REST)):
        flight.send(np.array([0]), np.array([time]), np.array([command]))
    of_each = prospects(flight, (0.3, 0.0), 0.24, 0.29, 0.31)
    expected = [
        ((0.4, 0.2), [(0.01, *FAST), (0.1, *SLOW), (0.11, *REST)]),
        ((0.2, -0.2), [(0.01, *SLOW), (0.11, *REST)]),  # it slows down to 0.2 m/s
        ((0.2, 0.0), [(0.02, *REST)]),
    ]
    for (velocity, pending), (faster, pieces) in zip(of_each, expected, strict=True):
        assert velocity == pytest.approx(faster)
        assert np.array(pending) == pytest.approx(np.array(pieces))


def test_decisions_may_come_sooner_than_foreseen() -> None:
    flight = told(0.1, (0.0, FAST))
    flight.send(np.array([0]), np.array([0.2]), np.array([SLOW]))
    flight.date(np.array([0]), np.array([0.15]))  # it went out sooner
    at = np.array([0.3])
    ((foreseen, soon),) = flight.prospects(
        np.array([0]), np.array([SLOW]), at, at, np.array([0.39]), slack=0.08
    )
    assert np.array(foreseen.pending) == pytest.approx(np.array([(0.19, *SLOW)]))
    assert np.array(soon.pending) == pytest.approx(np.array([(0.11, *SLOW)]))
    ((_, at_once),) = flight.prospects(
        np.array([0]), np.array([SLOW]), at, at, np.array([0.31]), slack=0.08
    )
    assert np.array(at_once.pending) == pytest.approx(np.array([(0.1, *SLOW)]))


def test_who_has_rested_may_have_been_driven_by_somebody_else() -> None:
    flight = told(0.1, (0.0, FAST), (1.0, REST))
    flight.lend(0)
    (prospect,) = prospects(flight, SLOW, 5.0, 5.0, 5.02)
    assert np.array(prospect.pending) == pytest.approx(np.array([(0.12, *SLOW)]))
    flight.send(np.array([0]), np.array([5.02]), np.array([FAST]))
    (prospect,) = prospects(flight, SLOW, 5.1, 5.1, 5.1)
    assert np.array(prospect.pending) == pytest.approx(np.array([(0.02, *SLOW), (0.08, *FAST)]))
    moving = told(0.1, (0.0, FAST))
    moving.lend(0)  # nobody else did: it was told to drive
    (prospect,) = prospects(moving, SLOW, 5.0, 5.0, 5.0)
    assert np.array(prospect.pending) == pytest.approx(np.array([(0.1, *FAST)]))
