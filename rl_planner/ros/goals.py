"""Where one robot is asked to go: takes goal messages, and says when and where to drive."""

from __future__ import annotations

from geometry_msgs.msg import PoseStamped

from rl_planner.ros import messages

FORESIGHT_SEC = 2.0  # a goal that is stamped further ahead of the scans has another clock


class GoalError(ValueError):
    """A goal that the robot cannot drive to; the message says why."""


class GoalInbox:
    """The goals of one robot that wait, and the one that is driven to.

    At most two wait: the one that has waited longest, and the newest. Goals that come faster than
    scans are old would else replace each other for ever, and none would ever be begun.

    Attributes:
        frame: of the goal that is driven to, '' for that of odometry.
        place: that goal in its frame (m).
        overdue: when nobody waits any longer for a transform of the goal that waits (s, of
            `time.monotonic`); None where it is not waited for.
    """

    def __init__(self) -> None:
        self.frame, self.place = '', (0.0, 0.0)
        self.overdue: float | None = None
        self._newest: PoseStamped | None = None  # kept, to know a repetition by
        self._waiting: list[tuple[int, PoseStamped]] = []  # with their stamps (ns)

    @property
    def waits(self) -> bool:
        """Whether there is a goal that has not been driven to yet."""
        return bool(self._waiting)

    def take(self, message: PoseStamped) -> bool:
        """Keep a goal; False if it is the last one once more: same time, frame and pose."""
        if message == self._newest:
            return False
        self._newest, self.overdue = message, None
        self._waiting = [*self._waiting[:1], (messages.stamp_ns(message.header.stamp), message)]
        return True

    def end(self) -> None:
        """The drive has ended, or is not to be: the same goal is new again if it has no stamp.

        With one it stays the last one: who repeats it till it hears of the end may do so later.
        """
        newest = self._newest
        if newest is not None and not self.waits and not messages.stamp_ns(newest.header.stamp):
            self._newest = None

    def is_due(self, scan_ns: int | None) -> bool:
        """Whether a goal waits, and the scan is later: it shows the place the goal was meant for.

        The newest such goal is the next one then. A goal from far ahead was stamped by another
        clock; it is for now.
        """
        if scan_ns is None:
            return False
        due = [
            not 0 <= stamp - scan_ns <= FORESIGHT_SEC * messages.NANOSECONDS
            for stamp, _ in self._waiting
        ]
        if any(due[-1:]):
            del self._waiting[:-1]
        return any(due)

    def forget_time(self) -> None:
        """Time began anew: the newest goal that waits is for now."""
        self._waiting = [(-1, goal) for _, goal in self._waiting[-1:]]

    def renew(self) -> None:
        """Where the newest goal is has to be found out once more."""
        if self._newest is not None and not self._waiting:
            self._waiting = [(-1, self._newest)]

    def meant_at(self, scan_ns: int) -> int:
        """The time (ns) that the next goal is of: its stamp; without one, or from ahead, now."""
        stamp, _ = self._waiting[0]
        return stamp if 0 < stamp < scan_ns else scan_ns

    def look(self) -> tuple[str, float, float]:
        """Frame and place (m) of the next goal.

        Raises:
            GoalError: it is no place.
        """
        _, goal = self._waiting[0]
        position = goal.pose.position
        if not messages.is_finite_goal(goal):
            raise GoalError(f'it must be finite, got ({position.x}, {position.y})')
        return goal.header.frame_id, position.x, position.y

    def accept(self, frame: str, place: tuple[float, float]) -> None:
        """The next goal is driven to from now on."""
        self.refuse()
        self.frame, self.place = frame, place

    def refuse(self) -> None:
        """The next goal is not driven to."""
        del self._waiting[0]

    def cancel(self) -> None:
        """No goal waits any more."""
        self._waiting.clear()
