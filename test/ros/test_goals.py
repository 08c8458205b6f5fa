"""Goals as one robot takes them; no node."""

from __future__ import annotations

import math

import pytest
from geometry_msgs.msg import PoseStamped

from rl_planner.ros import messages
from rl_planner.ros.goals import GoalError, GoalInbox


def goal(x: float, stamp: int) -> PoseStamped:
    message = PoseStamped(pose=messages.pose_of(x, 0.0, 0.0))
    message.header.stamp = messages.stamp_of(stamp)
    return message


@pytest.mark.parametrize('stamp', [0, 1])
def test_the_same_goal_is_new_after_a_drive_if_it_has_no_stamp(stamp: int) -> None:
    inbox = GoalInbox()
    inbox.take(goal(5.0, stamp))
    inbox.accept('', (5.0, 0.0))
    inbox.take(goal(5.0, stamp))
    assert not inbox.waits  # the drive to it is under way
    inbox.end()
    inbox.take(goal(5.0, stamp))
    assert inbox.waits == (stamp == 0)
    inbox.take(goal(5.0, 2))
    assert inbox.waits


@pytest.mark.parametrize('stamp', [0, 10**9])
def test_the_end_of_a_drive_is_not_that_of_the_goal_that_waits(stamp: int) -> None:
    inbox = GoalInbox()
    inbox.take(goal(5.0, 1))
    inbox.accept('', (5.0, 0.0))
    inbox.take(goal(7.0, stamp))
    inbox.end()
    assert inbox.is_due(2 * 10**9)
    assert inbox.look() == ('', 7.0, 0.0)


def ms(count: float) -> int:
    return round(count * 10**6)


def test_goals_that_come_faster_than_scans_are_old_are_driven_to() -> None:
    """A goal each 50 ms, a scan each 100 ms that is 100 ms old when it comes."""
    inbox, begun = GoalInbox(), []
    for number in range(1, 21):
        inbox.take(goal(float(number), ms(50 * number)))
        if number % 2 == 0 and inbox.is_due(ms(50 * number - 100)):
            begun.append(inbox.look()[1])
            inbox.accept('', (begun[-1], 0.0))
    assert len(begun) >= 4
    assert begun == sorted(begun)
    assert inbox.is_due(ms(1001))
    assert inbox.look() == ('', 20.0, 0.0)
    inbox.accept('', (20.0, 0.0))
    assert not inbox.waits


def test_a_goal_is_begun_with_a_scan_that_is_later_and_then_it_is_the_newest() -> None:
    inbox = GoalInbox()
    for number in (1, 2, 3):
        inbox.take(goal(float(number), ms(100 * number)))
    assert not inbox.is_due(ms(100))
    assert inbox.is_due(ms(101))
    assert inbox.look() == ('', 1.0, 0.0)
    assert inbox.is_due(ms(301))
    assert inbox.look() == ('', 3.0, 0.0)
    inbox.accept('', (3.0, 0.0))
    assert not inbox.is_due(ms(302))


def test_a_goal_for_now_does_not_wait_for_one_from_ahead() -> None:
    inbox = GoalInbox()
    inbox.take(goal(1.0, ms(1900)))
    inbox.take(goal(2.0, 0))
    assert inbox.is_due(ms(10))
    assert inbox.look() == ('', 2.0, 0.0)


def test_a_goal_that_is_refused_leaves_the_one_after_it() -> None:
    inbox = GoalInbox()
    inbox.take(goal(math.nan, ms(100)))
    inbox.take(goal(2.0, ms(200)))
    assert inbox.is_due(ms(150))
    with pytest.raises(GoalError, match='must be finite'):
        inbox.look()
    inbox.refuse()
    inbox.end()
    assert inbox.is_due(ms(250))
    assert inbox.look() == ('', 2.0, 0.0)


def test_after_cancel_and_a_new_time_nothing_or_the_newest_waits() -> None:
    inbox = GoalInbox()
    for forget in (False, True):
        inbox.take(goal(1.0 + forget, ms(100)))
        inbox.take(goal(3.0 + forget, ms(200)))
        if forget:
            inbox.forget_time()
            assert inbox.is_due(0)
            assert inbox.look() == ('', 4.0, 0.0)
        else:
            inbox.cancel()
            assert not inbox.is_due(ms(300))
