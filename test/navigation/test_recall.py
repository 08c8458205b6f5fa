"""What the scan before showed: places by complex numbers, and a wall that a second scan skips."""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import LidarConfig, ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.in_flight import Prospect
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.recall import NOTHING, Discs, Recall
from rl_planner.navigation.safety import Safety, SafetyConfig
from rl_planner.navigation.step import Sensed
from rl_planner.navigation.task import Outcome

ROBOT = RobotConfig(max_linear_vel=1.0, max_linear_accel=1.5, max_angular_accel=20.0)
SCAN = ScanGeometry.of(LidarConfig(num_beams=360))
PERIOD, CLEAR = 0.1, np.full(360, np.inf, np.float32)
WALL = CLEAR.copy()
WALL[170:191] = 0.3  # ahead


def sensed(
    stamp: float, *ranges: NDArray[np.float32], duration: float = 0.1, xs: Sequence[float] = (0.0,)
) -> Sensed:
    """Robots at (xs, 0) that drive at 0.5 m/s; each scan took `duration` (s)."""
    count = len(ranges)
    poses = np.column_stack([xs, np.zeros((count, 2))])
    none, took = np.zeros(count), np.full(count, duration)
    moving = np.full((count, 2), [0.5, 0.0])
    rows = np.arange(count)
    return Sensed(rows, np.stack(ranges), poses, moving, np.full(count, stamp), none, none, took)


METRES, TURNS = st.floats(-9.0, 9.0), st.floats(-7.0, 7.0)
POSES = st.tuples(METRES, METRES, TURNS).map(np.array)


def discs(*places: complex) -> Discs:
    at = np.array(places)
    return Discs(at.real, at.imag, np.full(len(at), 0.01))


@given(POSES, POSES, st.complex_numbers(max_magnitude=9.0))
def test_what_stands_still_is_seen_from_elsewhere(before, now, place) -> None:
    from_there = (place - complex(*before[:2])) * cmath.exp(-1j * before[2])
    from_here = (place - complex(*now[:2])) * cmath.exp(-1j * now[2])
    recall = Recall()
    assert recall.exchange(3, 1.0, before, discs(from_there)) is NOTHING
    seen = recall.exchange(3, 1.1, now, discs())
    np.testing.assert_allclose(seen.x + 1j * seen.y, [from_here], atol=1e-9)
    assert seen.radius.tolist() == [0.01]


def test_only_the_last_scan_of_the_robot_counts_and_for_a_second() -> None:
    here, recall = np.zeros(3), Recall()
    recall.exchange(0, 1.0, here, discs(1 + 0j))
    assert recall.exchange(1, 1.1, here, discs(2 + 0j)) is NOTHING
    assert recall.exchange(0, 1.2, here, discs(3 + 0j, 4 + 0j)).x.tolist() == [1.0]
    assert recall.exchange(0, 2.1, here, discs(5 + 0j)).x.tolist() == [3.0, 4.0]
    assert recall.exchange(0, 3.3, here, discs(6 + 0j)) is NOTHING  # long ago
    assert recall.exchange(0, 3.2, here, discs(7 + 0j)) is NOTHING  # of a time to come
    recall.forget(0)
    assert recall.exchange(0, 3.3, here, discs()) is NOTHING
    recall.forget(5)


@pytest.mark.parametrize('asked', [(1.0, 0.0), (0.6, 1.0), (0.0, 2.0)])
def test_what_was_seen_before_is_kept_clear_of_as_what_is_seen(asked) -> None:
    safety = Safety(SafetyConfig(), ROBOT, SCAN, PERIOD)
    known = [Prospect((0.5, 0.0))], (0.5, 0.0), asked
    far = np.where(np.isinf(WALL), np.inf, np.float32(3.0))
    expected = safety.check(WALL, *known)
    assert safety.check(CLEAR, *known, earlier=safety.returns(WALL)) == expected
    assert safety.check(far, *known, earlier=safety.returns(WALL)) == expected
    free = safety.check(CLEAR, *known)
    assert safety.check(CLEAR, *known, earlier=safety.returns(far)) == free
    assert (free == expected) == (asked == (0.0, 2.0))  # a disc turns where it stands
    both = safety.check_all(
        np.stack([CLEAR, CLEAR]),
        known[0:1] * 2,
        np.array([known[1]] * 2),
        np.array([asked] * 2),
        np.zeros(2),
        np.zeros(2, np.bool_),
        [NOTHING, safety.returns(WALL)],
    )
    assert [tuple(each) for each in both.commands.tolist()] == [free.command, expected.command]


class FullSpeed:
    """A policy."""

    def act(self, observations):
        return np.tile(np.array([1.0, 0.0], np.float32), (len(observations), 1))


def driven(duration: float) -> tuple[Pilot, list[float]]:
    """Speeds of a robot that is shown a wall every other time."""
    safety = Safety(SafetyConfig(), ROBOT, SCAN, PERIOD)
    pilot = Pilot(1, ROBOT, TaskConfig(), ObservationConfig(), SCAN, safety=safety)
    pilot.policy = FullSpeed()
    pilot.set_goal(0, 50.0, 0.0)
    speeds = []
    for step in range(6):
        shown = sensed(0.1 * step, WALL if step % 2 == 0 else CLEAR, duration=duration)
        speeds.append(float(pilot.step(shown).commands[0, 0]))
    return pilot, speeds


def test_a_sector_that_a_scan_left_out_is_not_driven_into() -> None:
    """Where all beams are measured at once nothing is left out: what is gone is gone."""
    assert max(driven(0.1)[1]) < 0.5
    pilot, _ = driven(0.1)
    assert pilot.overdue(0, 0.9)
    pilot, speeds = driven(0.0)
    assert min(speeds[1::2]) > 0.5 > max(speeds[::2])
    assert not pilot.overdue(0, 0.9)


def test_each_robot_remembers_from_where_it_was() -> None:
    """One has arrived when the other one's scan leaves the wall out."""
    safety = Safety(SafetyConfig(), ROBOT, SCAN, PERIOD)
    pilot = Pilot(2, ROBOT, TaskConfig(), ObservationConfig(), SCAN, safety=safety)
    pilot.policy = FullSpeed()
    pilot.set_goal(0, 1.0, 0.0)
    pilot.set_goal(1, 50.0, 0.0)
    for step, ranges in enumerate((WALL, CLEAR)):  # it is at its goal, the second time
        decision = pilot.step(sensed(0.1 * step, CLEAR, ranges, xs=(float(step), 9.0)))
    assert decision.outcomes.tolist() == [Outcome.GOAL, Outcome.RUNNING]
    assert decision.commands[1, 0] < 0.5


def test_what_was_seen_counts_from_the_poses_that_are_given() -> None:
    """Those of the scans, where odometry is older; and only of robots whose scans take time."""
    recall, shown = Recall(), discs(1 + 0j)
    both = replace(sensed(0.0, WALL, WALL, xs=(5.0, 5.0)), durations=np.array([0.1, 0.0]))
    first = recall.exchange_all(both, np.full((2, 3), [0.25, 0.0, 0.0]), lambda _: shown)
    assert first == [NOTHING, NOTHING]
    second = recall.exchange_all(both, np.full((2, 3), [0.5, 0.0, 0.0]), lambda _: shown)
    assert (second[0].x.tolist(), second[1]) == ([0.75], NOTHING)


def test_time_that_begins_anew_knows_no_scan_before() -> None:
    pilot, _ = driven(0.1)
    pilot.forget_time(0, 0.5)
    assert pilot.step(sensed(0.6, CLEAR)).commands[0, 0] > 0.4
