"""Commands on their way: what bases were told, and do not do yet.

A base follows a command some time after it was sent, and a decision is made some time after the
scan. Where that takes longer than a control period, several commands are still to be followed
before a new one takes effect.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

KEPT = 64  # commands of each robot; older ones have long taken effect
INSTANT = 1e-6  # what stands for less does not matter (s)


class Standing(NamedTuple):
    """A command that stands for so long (s, m/s, rad/s)."""

    sec: float
    linear: float
    angular: float


class _Sent(NamedTuple):
    """When a command was sent (s), infinity where that is not known yet; and the command."""

    time: float
    linear: float
    angular: float


class InFlight:
    """The last commands of each of K robots.

    Args:
        latency: time from a command until the base follows it (s).

    Attributes:
        last: (K, 2) the newest ones (m/s, rad/s).
    """

    def __init__(self, num_robots: int, latency: float = 0.0) -> None:
        self.last = np.zeros((num_robots, 2))
        self._latency = latency
        # The newest of each robot is at the end.
        self._sent: list[deque[_Sent]] = [deque(maxlen=KEPT) for _ in range(num_robots)]

    def send(
        self, rows: NDArray[np.int64], times: NDArray[Any], commands: NDArray[np.float64]
    ) -> None:
        """Robots `rows` (n,) were told `commands` (n, 2) at `times` (n,) (s)."""
        self.last[rows] = commands
        for row, time, command in zip(
            rows.tolist(), times.tolist(), commands.tolist(), strict=True
        ):
            self._date_halt(row, time)
            self._sent[row].append(_Sent(time, *command))

    def halt(self, row: int) -> None:
        """A robot was told to rest, nobody says when: before its next scan."""
        self.last[row] = 0.0
        sent = self._sent[row]
        if sent and sent[-1].time < math.inf:
            sent.append(_Sent(math.inf, 0.0, 0.0))

    def _date_halt(self, row: int, time: float) -> None:
        """A halt of unknown time was at `time` at the latest."""
        sent = self._sent[row]
        if sent and sent[-1].time == math.inf:
            sent[-1] = _Sent(time, 0.0, 0.0)

    def forget_time(self, row: int) -> None:
        """A robot's time began anew: it was halted, and when it was told what means nothing."""
        self.last[row] = 0.0
        self._sent[row].clear()

    def pending(
        self, rows: NDArray[np.int64], stamps: NDArray[Any], times: NDArray[Any]
    ) -> list[list[Standing]]:
        """What robots do from their scans on, until what they are told now takes effect.

        Args:
            rows: (n,) which ones.
            stamps, times: (n,) of the scans, and of the decisions that they lead to (s).
        """
        each = zip(rows.tolist(), stamps.tolist(), times.tolist(), strict=True)
        return [self._pending(*one) for one in each]

    def _pending(self, row: int, stamp: float, now: float) -> list[Standing]:
        sent = self._sent[row]
        if not sent:
            sent.append(_Sent(stamp, 0.0, 0.0))
        self._date_halt(row, stamp)
        while len(sent) > 1 and sent[1].time + self._latency <= stamp:
            sent.popleft()
        effective = [each.time + self._latency for each in list(sent)[1:]]
        pieces, begin = [], stamp
        for command, end in zip(sent, [*effective, now + self._latency], strict=True):
            if end - begin > INSTANT:
                pieces.append(Standing(end - begin, command.linear, command.angular))
                begin = end
        return pieces
