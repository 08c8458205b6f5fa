"""Plans as one robot takes them; no node."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray

from rl_planner.navigation.config import ObservationConfig
from rl_planner.navigation.frames import Transform
from rl_planner.navigation.path import PathConfig, PathError
from rl_planner.ros import messages
from rl_planner.ros.plans import PlanInbox

HERE = Transform(0.0, 0.0, 0.0)
CONFIG = PathConfig(lookahead_dist=1.0, min_lookahead_dist=0.5)


def inbox() -> PlanInbox:
    return PlanInbox(CONFIG, ObservationConfig())


def plan(*points: tuple[float, float], frame: str = 'odom') -> tuple[str, NDArray[np.float64]]:
    return frame, np.array(points, np.float64).reshape(-1, 2)


def straight(begin: float = 0.0, end: float = 5.0) -> tuple[str, NDArray[np.float64]]:
    return plan(*((x, 0.0) for x in np.arange(round(10 * begin), round(10 * end) + 1) / 10.0))


def goal(x: float, stamp: int = 0) -> PoseStamped:
    message = PoseStamped()
    message.header.stamp = messages.stamp_of(stamp)
    messages.set_pose(message.pose, x, 0.0, 0.0)
    return message


def test_it_leads_along_the_plan_to_its_end() -> None:
    plans = inbox()
    assert plans.take(*straight()) is False
    assert plans.lead((0.0, 0.0, 0.0), HERE) == pytest.approx((1.0, 0.0, False, True))
    assert plans.lead((0.0, 0.1, 0.0), HERE) == pytest.approx((1.0, 0.0, False, False))
    for x in (1.0, 2.0, 3.0):
        plans.lead((x, 0.0, 0.0), HERE)
    assert plans.lead((4.2, 0.0, 0.0), HERE) == pytest.approx((5.0, 0.0, True, True))


def test_a_plan_in_another_frame_is_followed_in_that_of_odometry() -> None:
    """The origin of the plan's frame is at (1, 2) of odometry, its x points along y there."""
    plans = inbox()
    plans.take(*plan((0.0, 0.0), (5.0, 0.0), frame='map'))
    assert plans.frame == 'map'
    lead = plans.lead((1.0, 3.0, 0.0), Transform(1.0, 2.0, math.pi / 2.0))
    assert lead == pytest.approx((1.0, 4.0, False, True))


def test_a_correction_of_the_localisation_moves_the_point_and_not_the_place_on_the_path() -> None:
    plans = inbox()
    plans.take(*plan((0.0, 0.0), (5.0, 0.0), frame='map'))
    plans.lead((2.0, 0.0, 0.0), HERE)
    moved = plans.lead((2.0, 0.0, 0.0), Transform(0.1, 0.2, 0.0))
    assert moved[:2] == pytest.approx((3.1, 0.2))
    assert not moved.has_advanced


def test_what_is_left_of_a_plan_is_no_other_plan() -> None:
    plans = inbox()
    plans.take(*straight())
    plans.lead((2.0, 0.0, 0.0), HERE)
    follower = plans.follower
    plans.take(*straight(1.5))
    assert plans.follower is follower


def test_another_plan_to_the_same_end_is_no_advance() -> None:
    plans = inbox()
    plans.take(*straight())
    plans.lead((2.0, 0.0, 0.0), HERE)
    plans.take(*plan((2.0, 0.0), (3.0, 0.1), (5.0, 0.0)))
    assert not plans.lead((2.0, 0.0, 0.0), HERE).has_advanced
    assert plans.lead((2.3, 0.0, 0.0), HERE).has_advanced


def test_a_detour_is_an_advance_and_so_is_another_goal() -> None:
    plans = inbox()
    plans.take(*straight())
    plans.lead((2.0, 0.0, 0.0), HERE)
    plans.take(*plan((2.0, 0.0), (2.0, 2.0), (5.0, 2.0), (5.0, 0.0)))
    assert plans.lead((2.0, 0.0, 0.0), HERE).has_advanced
    plans.take(*straight(2.0, 9.0))
    assert plans.lead((2.0, 0.0, 0.0), HERE).has_advanced


def test_an_empty_plan_stops() -> None:
    plans = inbox()
    plans.take(*straight())
    assert plans.take(*plan()) is True
    assert plans.follower is None
    assert not plans.is_wanted


def test_a_plan_that_is_not_finite_is_refused_and_the_one_before_forgotten() -> None:
    plans = inbox()
    plans.take(*straight())
    with pytest.raises(PathError, match='must be finite'):
        plans.take(*plan((0.0, 0.0), (math.nan, 1.0)))
    assert plans.follower is None


@pytest.mark.parametrize('far', [6000.0, 1e308])
def test_so_is_one_of_more_than_ten_kilometres(far: float) -> None:
    plans = inbox()
    plans.take(*straight())
    with pytest.raises(PathError, match='10000 m'):
        plans.take(*plan((0.0, 0.0), (far, 0.0), (0.0, 0.0)))
    assert plans.follower is None


def test_what_has_ended_is_not_taken_up_again() -> None:
    plans = inbox()
    plans.take(*straight())
    plans.close()
    assert not plans.is_wanted
    plans.take(*straight(1.0))
    plans.take(*straight(0.0, 5.1))
    assert plans.follower is None


@pytest.mark.parametrize('what', ['another end', 'an empty plan', 'a goal'])
def test_something_new_is_taken_up(what: str) -> None:
    plans = inbox()
    plans.expect(goal(5.0, stamp=1))
    plans.take(*straight())
    plans.close()
    if what == 'another end':
        plans.take(*straight(0.0, 6.0))
    elif what == 'an empty plan':
        assert plans.take(*plan())
    else:
        plans.expect(goal(5.0, stamp=1))  # the same once more
        plans.take(*straight())
        assert plans.follower is None
        plans.expect(goal(5.0, stamp=2))
    plans.take(*straight(0.0, 6.0 if what == 'another end' else 5.0))
    assert plans.follower is not None


def test_a_goal_without_a_stamp_is_new_when_its_drive_has_ended() -> None:
    plans = inbox()
    for _ in range(2):
        plans.expect(goal(5.0))
        plans.take(*straight())
        assert plans.follower is not None
        plans.close()


@pytest.mark.parametrize('known', ['plan', 'goal', 'nothing'])
@pytest.mark.parametrize('new', ['a goal', 'an empty plan'])
def test_after_a_cancellation_no_plan_is_followed_till_there_is_a_new_goal(
    known: str, new: str
) -> None:
    plans = inbox()
    if known != 'nothing':
        plans.expect(goal(5.0, stamp=1))
        assert plans.is_wanted
    if known == 'plan':
        plans.take(*straight())
    plans.cancel()
    assert not plans.is_wanted
    for end in (4.0, 5.0, 5.4, 9.0):  # wherever the planner has moved it
        if known != 'nothing':
            plans.expect(goal(5.0, stamp=1))  # the same once more
        assert plans.take(*straight(0.0, end)) is False
        assert plans.follower is None
    if new == 'a goal':
        plans.expect(goal(5.0, stamp=2))
    else:
        assert plans.take(*plan())
    plans.take(*straight())
    assert plans.follower is not None
