"""Where a robot is told to go, by goals in its own frame; no node."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from geometry_msgs.msg import PoseStamped
from support.odometry import odometry

from rl_planner.navigation.sweep import Sweep
from rl_planner.navigation.watchdog import Watchdog
from rl_planner.ros import messages
from rl_planner.ros.goals import GoalInbox
from rl_planner.ros.headings import Headings
from rl_planner.ros.inbox import Inbox
from rl_planner.ros.transforms import Transforms

MS = 10**6


@pytest.mark.parametrize(
    ('stamp', 'place'),
    [(130 * MS, 3.5), (200 * MS, 4.0), (0, 4.5), (50 * MS, 4.5), (9000 * MS, 4.5)],
    ids=['in between', 'known', 'no stamp', 'before all that is known', 'of another clock'],
)
def test_a_goal_ahead_of_the_robot_is_where_that_was_at_its_time(stamp: int, place: float) -> None:
    """1 m ahead of a robot at x = 2 m after 60 ms, 3 m after 200 ms, and 3.5 m now."""
    inbox = Inbox('robot', 100 * MS, Watchdog({}, 0.5), Sweep(0.0, 0.5))
    for time, x in ((60, 2.0), (200, 3.0), (300, 3.5)):
        inbox.take_odometry(odometry('odom', 'base_link', time * MS, x), time * MS)
    inbox.scan_ns = 320 * MS
    goals = GoalInbox()
    goal = PoseStamped(pose=messages.pose_of(1.0, 0.0, 0.0))
    goal.header.stamp, goal.header.frame_id = messages.stamp_of(stamp), 'base_link'
    goals.take(goal)
    told: list[tuple[float, float]] = []
    robot: Any = SimpleNamespace(
        row=0,
        goal=goals,
        inbox=inbox,
        plan=None,
        base_frame='base_link',
        begin=lambda _, x, y: told.append((x, y)),
    )
    pilot: Any = SimpleNamespace(active=[False])
    node: Any = None
    assert Headings(Transforms(node, 0.5), None).head(robot, pilot)
    assert told == [(pytest.approx(place), 0.0)]
    assert not goals.waits
