"""Which path one robot follows: takes plan messages, and says where to drive next.

A plan that replaces another one changes where the robot drives, and nothing else: planners publish
theirs once a second. One that leads on to where a drive has ended is not taken up again till
something new is asked for: another end, a goal, or an empty plan in between. After a cancellation
another end says nothing new: planners move it where the goal itself is out of reach.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from geometry_msgs.msg import PoseStamped

from rl_planner.navigation.config import ObservationConfig
from rl_planner.navigation.frames import Transform
from rl_planner.navigation.geometry import to_robot_frame
from rl_planner.navigation.path import Floats, PathConfig, PathFollower
from rl_planner.ros import messages

SAME = 0.3  # ends of plans that are no farther apart are the same (m)
DETOUR = 1.0  # a plan this much longer than what was left has another way (m)

Place = tuple[float, float]


class Lead(NamedTuple):
    """What `Pilot.lead` is told: a place in the frame of odometry (m), and what it means."""

    x: float
    y: float
    is_end: bool
    has_advanced: bool


class PlanInbox:
    """The newest plan of one robot.

    Args:
        config: how it is followed.
        observation: of the policy that drives.

    Attributes:
        frame: that the plan is in; '' is that of odometry.
        follower: on the plan; None where there is none.
    """

    def __init__(self, config: PathConfig, observation: ObservationConfig) -> None:
        self._config, self._observation = config, observation
        self.frame = ''
        self.follower: PathFollower | None = None
        self._points: Floats = np.empty((0, 2))
        self._goal: PoseStamped | None = None  # kept, to know a repetition by
        self._is_expected = False
        self._ended: Place | None = None  # where to go no more
        self._is_closed = False  # cancelled: no plan is wanted
        self._least = math.inf  # of what was left to drive (m)

    @property
    def is_wanted(self) -> bool:
        """Whether there is a plan to drive, or a goal that is to bring one."""
        return self.follower is not None or self._is_expected

    def expect(self, goal: PoseStamped) -> None:
        """A goal, for the planner: its plan is a new one. One that is repeated is not new."""
        if goal != self._goal:
            self._goal, self._is_expected = goal, True
            self._ended, self._is_closed = None, False

    def take(self, frame: str, points: Floats) -> bool:
        """Take a plan (M, 2) in a frame (m); whether the robot is to stop, for it is empty.

        Raises:
            PathError: it is not finite; there is no plan then.
        """
        if not len(points):
            self.follower, self._ended, self._is_closed = None, None, False
            return True
        if self._is_closed:
            return False
        end: Place = (float(points[-1, 0]), float(points[-1, 1]))
        if self._ended is not None and math.dist(end, self._ended) <= SAME:
            return False
        if not self._is_known(frame, points):
            before, self.follower = self.follower, None
            self.follower = PathFollower(points, self._config, self._observation)
            if before is None or not math.dist(end, before.end) <= SAME:
                self._least = math.inf
            self._points, self.frame, self._ended = points, frame, None
        return False

    def lead(self, pose: tuple[float, float, float], to_odom: Transform) -> Lead:
        """Where to go next from a pose of odometry.

        Args:
            to_odom: from the frame of the plan to that of odometry.
        """
        assert self.follower is not None, 'there is a plan to follow'
        x, y = to_robot_frame(*to_odom, pose[0], pose[1])
        ahead = self.follower.update(float(x), float(y))
        if ahead.remaining > self._least + DETOUR:
            self._least = math.inf
        has_advanced = ahead.remaining < self._least - 1e-6
        self._least = min(self._least, ahead.remaining)
        return Lead(*to_odom.apply(ahead.x, ahead.y), ahead.is_end, has_advanced)

    def close(self) -> None:
        """The drive has ended; what leads to the same place is of it."""
        if self.follower is not None:
            self._ended = self.follower.end
        self.follower, self._is_expected = None, False
        if self._goal is not None and not messages.stamp_ns(self._goal.header.stamp):
            self._goal = None  # as `GoalInbox.end` forgets it

    def cancel(self) -> None:
        """No plan is followed till there is a new goal, or till the planner has given up its own.

        Whether there is one: a planner may be at work that nobody here knows of.
        """
        self.close()
        self._is_closed = True

    def _is_known(self, frame: str, points: Floats) -> bool:
        """Whether a plan is what is left of the present one."""
        known = self._points[-len(points) :]
        is_same = self.follower is not None and frame == self.frame
        return is_same and np.array_equal(known, points)
