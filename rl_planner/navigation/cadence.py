"""How long a robot's command may stand: till its next scan, which may come when it likes.

A lidar may turn more slowly than the robot is to be controlled, a scan may be skipped because it
comes too early for another control period, or it may be lost on its way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT = 20  # steps of each robot that are remembered
LONGEST = 1.0  # a command that stands for longer is the watchdogs' affair (s)
JITTER = 0.01  # share of a control period that means nothing


class Cadence:
    """The last intervals between the steps of each of K robots.

    Args:
        period: the interval that there should be (s).
    """

    def __init__(self, num_robots: int, period: float) -> None:
        self._period = period
        self._stamps = np.full(num_robots, np.nan)  # of the last steps (s)
        self._intervals = np.zeros((num_robots, KEPT))
        self._next = np.zeros(num_robots, np.int64)  # where each one's next interval goes

    def beat(
        self, rows: NDArray[np.int64], stamps: NDArray[Any], commanded: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Robots make a step.

        Args:
            rows: (n,) which ones.
            stamps: (n,) when (s); time may begin anew.
            commanded: (n,) whether a command stood since the step before. Else a long interval is a
                pause, and tells nothing.

        Returns:
            (n,) time since the step before (s): below 0 where time begins anew, NaN of the first.
        """
        since: NDArray[np.float64] = stamps - self._stamps[rows]
        self._stamps[rows] = stamps
        counted = (since > 0.0) & (commanded | (since <= LONGEST))
        chosen = rows[counted]
        self._intervals[chosen, self._next[chosen]] = np.minimum(since[counted], LONGEST)
        self._next[chosen] = (self._next[chosen] + 1) % KEPT
        return since

    def excess(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) by how much the longest of the last intervals exceeds the control period (s)."""
        beyond = self._intervals[rows].max(axis=1, initial=0.0) - self._period
        return np.where(beyond > JITTER * self._period, beyond, 0.0)
