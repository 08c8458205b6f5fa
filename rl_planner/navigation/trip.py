"""How long a drive took, and how far the robot went: what is told of it when it ends."""

from __future__ import annotations

import math

from rl_planner.navigation.watchdog import NANOSECONDS


class Trip:
    """One drive, from its first step on.

    Attributes:
        seconds: between the first and the last step (s).
        metres: along the way, as odometry tells (m).
    """

    def __init__(self) -> None:
        self.seconds = self.metres = 0.0
        self._began: int | None = None
        self._at = (0.0, 0.0)

    def pass_by(self, stamp_ns: int, x: float, y: float) -> None:
        """The robot was at (x, y) (m) at that time."""
        if self._began is None:
            self._began, self._at = stamp_ns, (x, y)
        self.seconds = (stamp_ns - self._began) / NANOSECONDS
        self.metres += math.dist(self._at, (x, y))
        self._at = x, y

    def __str__(self) -> str:
        return f'{self.seconds:.1f} s, {self.metres:.2f} m driven'
