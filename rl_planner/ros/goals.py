"""Where one robot is asked to go: takes goal messages, and says when and where to drive."""

from __future__ import annotations

from geometry_msgs.msg import PoseStamped

from rl_planner.ros import messages

FORESIGHT_SEC = 2.0  # a goal that is stamped further ahead of the scans has another clock


class GoalError(ValueError):
    """A goal that the robot cannot drive to; the message says why."""


class GoalInbox:
    """The newest goal of one robot.

    Attributes:
        waits: it has not been driven to yet.
    """

    def __init__(self) -> None:
        self.waits = False
        self._goal: PoseStamped | None = None  # kept, to know a repetition by
        self._is_for_now = False

    def take(self, message: PoseStamped) -> None:
        """Keep a goal, unless it is the last one once more: same time, frame and pose."""
        if message != self._goal:
            self._goal, self.waits, self._is_for_now = message, True, False

    def is_due(self, scan_ns: int | None) -> bool:
        """Whether a goal waits, and the scan is later: it shows the place the goal was meant for.

        A goal from far ahead was stamped by another clock; it is for now.
        """
        if not self.waits or self._goal is None or scan_ns is None:
            return False
        if self._is_for_now:
            return True
        ahead = messages.stamp_ns(self._goal.header.stamp) - scan_ns
        return not 0 <= ahead <= FORESIGHT_SEC * messages.NANOSECONDS

    def forget_time(self) -> None:
        """Time began anew: a goal that waits is for now."""
        self._is_for_now = True

    def accept(self, odom_frame: str) -> tuple[float, float]:
        """The place (m) that the waiting goal names, in the frame of odometry.

        Raises:
            GoalError: it is in another frame, or no place.
        """
        assert self._goal is not None, 'there is a goal when it is due'
        self.waits = False
        frame, position = self._goal.header.frame_id, self._goal.pose.position
        if not messages.is_finite_goal(self._goal):
            raise GoalError(f'it must be finite, got ({position.x}, {position.y})')
        if frame not in ('', odom_frame):
            raise GoalError(f'its frame must be {odom_frame}, as odometry, got {frame}')
        return position.x, position.y
