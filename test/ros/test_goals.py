"""Goals as one robot takes them; no node."""

from __future__ import annotations

import pytest
from geometry_msgs.msg import PoseStamped

from rl_planner.ros import messages
from rl_planner.ros.goals import GoalInbox


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
