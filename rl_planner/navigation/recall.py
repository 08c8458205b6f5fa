"""What the scan before showed: a lidar that turns on a robot that turns does not see all anew.

From the first beam of a scan to the last the robot turns: by that angle a sector at the seam is
left out, and what is measured late is beside where it looks. The scan before has another error, and
saw the sector from where its seam was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.cadence import LONGEST
from rl_planner.navigation.geometry import to_robot_frame, to_world_frame
from rl_planner.navigation.step import Sensed

Floats = NDArray[np.float64]


class Discs(NamedTuple):
    """x, y, radius (M,) of returns, each taken for a disc (m)."""

    x: Floats
    y: Floats
    radius: Floats


NOTHING = Discs(*np.zeros((3, 0)))


class Recall:
    """The returns of each robot's last scan, in the frame of its poses."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[float, Discs]] = {}

    def exchange_all(
        self, sensed: Sensed, poses: Floats, returns: Callable[[Any], Discs]
    ) -> list[Discs]:
        """`exchange` of robots at poses (n, 3) whose scans take time; nothing of the others."""
        earlier = [NOTHING] * len(sensed.rows)
        for n in np.flatnonzero(sensed.durations):
            seen = returns(sensed.ranges[n])
            row, stamp = int(sensed.rows[n]), float(sensed.stamps[n])
            earlier[n] = self.exchange(row, stamp, poses[n], seen)
        return earlier

    def exchange(self, row: int, stamp: float, pose: Floats, seen: Discs) -> Discs:
        """Keep what a robot at a pose (3,) saw (s; m, rad); what it saw before, as from there.

        Nothing, if that was more than a second ago.
        """
        x, y, yaw = pose.tolist()
        before, kept = self._kept.get(row, (-np.inf, NOTHING))
        self._kept[row] = stamp, Discs(*to_world_frame(x, y, yaw, seen.x, seen.y), seen.radius)
        if not 0.0 <= stamp - before <= LONGEST:
            return NOTHING
        return Discs(*to_robot_frame(x, y, yaw, kept.x, kept.y), kept.radius)

    def forget(self, row: int) -> None:
        """A robot's time begins anew."""
        self._kept.pop(row, None)
