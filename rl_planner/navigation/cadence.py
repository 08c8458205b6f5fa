"""How long a robot's command may stand: till its next scan, which may come when it likes.

A lidar may turn more slowly than the robot is to be controlled, a scan may be skipped because it
comes too early for another control period, it may be lost on its way, or late.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT = 20  # steps of each robot that are remembered
LONGEST = 1.0  # a command that stands for longer is the watchdogs' affair (s)
JITTER = 0.05  # share of a control period that means nothing: safety.margin is more


class Cadence:
    """The last intervals between the steps of each of K robots.

    Args:
        period: the interval that there should be (s).
    """

    def __init__(self, num_robots: int, period: float) -> None:
        self._period = period
        self._stamps = np.full(num_robots, np.nan)  # of the scans of the last steps (s)
        self._times = np.full(num_robots, np.nan)  # of the last steps (s)
        self._intervals = np.zeros((num_robots, KEPT))
        self._next = np.zeros(num_robots, np.int64)  # where each one's next interval goes

    def beat(
        self,
        rows: NDArray[np.int64],
        stamps: NDArray[Any],
        times: NDArray[Any],
        commanded: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """Robots make a step.

        Args:
            rows: (n,) which ones.
            stamps: (n,) of their scans (s); time may begin anew.
            times: (n,) when (s).
            commanded: (n,) whether a command stood since the step before. Else a long interval is a
                pause, and tells nothing.

        Returns:
            (n,) time since the scan of the step before (s): below 0 where time begins anew, NaN of
            the first.
        """
        since: NDArray[np.float64] = stamps - self._stamps[rows]
        stood = np.where(commanded, times - self._times[rows], since)
        self._stamps[rows], self._times[rows] = stamps, times
        counted = (stood > 0.0) & (commanded | (stood <= LONGEST))
        chosen = rows[counted]
        self._intervals[chosen, self._next[chosen]] = np.minimum(stood[counted], LONGEST)
        self._next[chosen] = (self._next[chosen] + 1) % KEPT
        return since

    def excess(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) by how much the longest of the last intervals exceeds the control period (s)."""
        beyond = self._intervals[rows].max(axis=1, initial=0.0) - self._period
        return np.where(beyond > JITTER * self._period, beyond, 0.0)

    def patience(self, row: int) -> float:
        """How long after a robot's last step the next one is overdue (s)."""
        excess = float(self.excess(np.array([row]))[0])
        return self._period * (1.0 + JITTER) + excess
