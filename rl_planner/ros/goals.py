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
        frame: of the goal that is driven to, '' for that of odometry.
        place: that goal in its frame (m).
        overdue: when nobody waits any longer for a transform of the goal that waits (s, of
            `time.monotonic`); None where it is not waited for.
    """

    def __init__(self) -> None:
        self.waits = False
        self.frame, self.place = '', (0.0, 0.0)
        self.overdue: float | None = None
        self._goal: PoseStamped | None = None  # kept, to know a repetition by
        self._is_for_now = False

    def take(self, message: PoseStamped) -> None:
        """Keep a goal, unless it is the last one once more: same time, frame and pose."""
        if message != self._goal:
            self._goal, self.waits, self._is_for_now = message, True, False
            self.overdue = None

    def end(self) -> None:
        """The drive has ended, or is not to be: the same goal is new again if it has no stamp.

        With one it stays the last one: who repeats it till it hears of the end may do so later.
        """
        goal = self._goal
        if goal is not None and not self.waits and not messages.stamp_ns(goal.header.stamp):
            self._goal = None

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

    def look(self) -> tuple[str, float, float]:
        """Frame and place (m) of the goal that waits.

        Raises:
            GoalError: it is no place.
        """
        assert self._goal is not None, 'there is a goal when it is due'
        position = self._goal.pose.position
        if not messages.is_finite_goal(self._goal):
            raise GoalError(f'it must be finite, got ({position.x}, {position.y})')
        return self._goal.header.frame_id, position.x, position.y

    def accept(self, frame: str, place: tuple[float, float]) -> None:
        """The goal that waits is driven to from now on."""
        self.waits, self.frame, self.place = False, frame, place
