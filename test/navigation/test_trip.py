"""What is told of a drive, driven by hand."""

from __future__ import annotations

import pytest

from rl_planner.navigation.trip import Trip

SECOND = 1_000_000_000


def test_a_drive_is_as_long_as_its_way() -> None:
    trip = Trip()
    for second, place in enumerate([(1.0, 1.0), (4.0, 5.0), (4.0, 3.0)]):
        trip.pass_by(7 * SECOND + second * SECOND, *place)
    assert trip.seconds == pytest.approx(2.0)
    assert trip.metres == pytest.approx(5.0 + 2.0)
    assert str(trip) == '2.0 s, 7.00 m driven'


def test_a_drive_begins_where_the_robot_is() -> None:
    trip = Trip()
    assert str(trip) == '0.0 s, 0.00 m driven'
    trip.pass_by(SECOND, 100.0, -3.0)
    assert (trip.seconds, trip.metres) == (0.0, 0.0)
