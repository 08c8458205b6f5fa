from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.results import driven

from rl_planner.evaluation import motion
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

EPISODE = Episode(World(), (0.0, 0.0, 0.0), (1.0, 0.0))


def moved(
    linear: Sequence[float],
    angular: Sequence[float] | None = None,
    clearances: Sequence[float] | float = 1.0,
) -> EpisodeResult:
    """These velocities every 0.5 s, along x."""
    speeds = np.array(linear)
    velocities = np.column_stack([speeds, np.zeros(len(speeds)) if angular is None else angular])
    places = np.column_stack([0.5 * np.cumsum(speeds), np.zeros(len(speeds))])
    return driven(EPISODE, Outcome.GOAL, 0.5 * (len(speeds) - 1), places, velocities, clearances)


def without_clearances() -> EpisodeResult:
    return EpisodeResult(
        EPISODE, Outcome.GOAL, 0.0, np.zeros((1, 3)), np.zeros((1, 2)), np.empty(0)
    )


def test_the_least_clearance_may_be_a_touch() -> None:
    assert motion.least_clearance(moved([0, 1, 0], clearances=[0.4, -0.01, 0.2])) == -0.01
    assert motion.least_clearance(without_clearances()) is None


def test_the_close_share_is_of_all_time() -> None:
    """Of five moments 0.05 m and touching are close, 0.1 m and more are not."""
    results = [moved([0, 1], clearances=[0.3, 0.05]), moved([0] * 3, clearances=[0.1, -0.1, 2.0])]
    assert motion.close_share(results) == pytest.approx(2 / 5)
    assert motion.close_share([without_clearances()]) is None


def test_speed_is_way_by_time() -> None:
    """1 m/s and 3 m/s for half a second each, then a second's rest: 2 m in 2 s."""
    assert motion.mean_speed([moved([0, 1, 3]), moved([0, 0, 0])]) == pytest.approx(1.0)
    assert motion.mean_speed([without_clearances()]) is None


def test_jerk_by_hand() -> None:
    """Second differences 1 and -2 of v, 0 and 4 of w, by 0.25 s2: 4, -8 and 0, 16."""
    linear, angular = motion.rms_jerk([moved([0, 0, 1, 0], [0, 0, 0, 4])], 0.5)
    assert linear == pytest.approx(((16 + 64) / 2) ** 0.5)
    assert angular == pytest.approx((256 / 2) ** 0.5)


def test_jerk_is_of_steps_not_of_episodes() -> None:
    """4 once, 0 four times."""
    linear, angular = motion.rms_jerk([moved([0, 0, 1]), moved([2] * 6)], 0.5)
    assert linear == pytest.approx((16 / 5) ** 0.5)
    assert angular == 0.0


def test_two_velocities_have_no_jerk() -> None:
    assert motion.rms_jerk([moved([0, 1])], 0.5) == (None, None)


@given(st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=20), st.floats(-1.0, 1.0))
def test_a_steady_acceleration_adds_no_jerk(speeds: list[float], acceleration: float) -> None:
    plain = moved(speeds)
    more = moved([v + acceleration * i for i, v in enumerate(speeds)])
    assert motion.rms_jerk([more], 0.5)[0] == pytest.approx(
        motion.rms_jerk([plain], 0.5)[0], abs=1e-6
    )


@pytest.mark.parametrize(
    ('angular', 'changes'),
    [
        ([0.0, 0.5, 0.5, -0.5, -0.2, 0.3], 2),
        ([0.0, 0.5, 0.04, -0.04, 0.5, 0.2], 0),  # wavering within the deadband is none
        ([0.0, 0.5, 0.0, 0.0, 0.0, -0.5], 1),
        ([0.0] * 6, 0),
    ],
)
def test_sign_changes_by_counting(angular: list[float], changes: int) -> None:
    assert motion.sign_changes_per_sec([moved([1] * 6, angular)]) == pytest.approx(changes / 2.5)


def test_no_time_no_changes() -> None:
    assert motion.sign_changes_per_sec([without_clearances()]) is None


@pytest.mark.parametrize('reflect', [1.0, -1.0])
def test_left_and_right_are_alike(reflect: float) -> None:
    angular = [reflect * w for w in (0.0, 0.3, -0.3, 0.3)]
    count: Callable[..., float | None] = motion.sign_changes_per_sec
    assert count([moved([1] * 4, angular)]) == pytest.approx(2 / 1.5)
