"""Where a robot was lately: poses with their times, and what lies in between."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from rl_planner.navigation.geometry import wrap_angle

Pose = tuple[float, float, float]

MOST = 100  # poses that are kept
APART_NS = 300_000_000  # poses farther apart than this do not tell of what is in between


class Track:
    """The last poses of a robot, x, y, yaw (m, rad), by their times (ns)."""

    def __init__(self) -> None:
        self._poses: deque[tuple[int, Pose]] = deque(maxlen=MOST)

    @property
    def newest(self) -> tuple[int, Pose] | None:
        """Time and pose, or None where there is none."""
        return self._poses[-1] if self._poses else None

    def add(self, stamp: int, pose: Pose) -> bool:
        """Add a pose; whether time began anew with it, so that all before is forgotten."""
        is_anew = bool(self._poses) and stamp < self._poses[-1][0]
        if is_anew:
            self._poses.clear()
        self._poses.append((stamp, pose))
        return is_anew

    def at(self, stamp: int) -> Pose | None:
        """The pose at a time; None where that is not within what is known, or in a gap of it."""
        times = [each for each, _ in self._poses]
        after = bisect_left(times, stamp)
        if after == len(times):
            return None
        if times[after] == stamp:
            return self._poses[after][1]
        if after == 0 or times[after] - times[after - 1] > APART_NS:
            return None
        share = (stamp - times[after - 1]) / (times[after] - times[after - 1])
        (x, y, yaw), (next_x, next_y, next_yaw) = (self._poses[k][1] for k in (after - 1, after))
        turn = float(wrap_angle(next_yaw - yaw))
        return x + share * (next_x - x), y + share * (next_y - y), yaw + share * turn
