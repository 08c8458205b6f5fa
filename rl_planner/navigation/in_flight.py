"""Commands on their way: what bases were told, and do not do yet.

A base follows a command some time after it was sent, and a decision is made some time after the
scan. Where that takes longer than a control period, several commands are still to be followed
before a new one takes effect.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.kinematics import Limits, limit_velocity

LONGEST_AGE = 11.0  # no scan is acted on that is older: what took effect before is forgotten (s)
INSTANT = 1e-6  # what stands for less does not matter (s)


class Standing(NamedTuple):
    """A command that stands for so long (s, m/s, rad/s)."""

    sec: float
    linear: float
    angular: float


class Prospect(NamedTuple):
    """What a base may do from a scan on, until what it is told now takes effect.

    Attributes:
        velocity: at the time of the scan, linear and angular (m/s, rad/s).
        pending: one after the other.
    """

    velocity: tuple[float, float]
    pending: Sequence[Standing] = ()


class _Sent(NamedTuple):
    """When a command was sent (s), and the command."""

    time: float
    linear: float
    angular: float


class InFlight:
    """The last commands of each of K robots.

    Args:
        limits: of the bases.
        latencies: times from a command until the base follows it (s), the likeliest first. Which
            one is true is not known: each makes a prospect.

    Attributes:
        last: (K, 2) the newest ones (m/s, rad/s).
    """

    def __init__(
        self, num_robots: int, limits: Limits, latencies: Sequence[float] = (0.0,)
    ) -> None:
        self.last = np.zeros((num_robots, 2))
        self._is_lent = np.zeros(num_robots, np.bool_)
        self._limits, self._latencies = limits, latencies
        # The newest of each robot is at the end.
        self._sent: list[deque[_Sent]] = [deque() for _ in range(num_robots)]

    def send(
        self, rows: NDArray[np.int64], times: NDArray[Any], commands: NDArray[np.float64]
    ) -> None:
        """Robots `rows` (n,) were told `commands` (n, 2) at `times` (n,) (s)."""
        self.last[rows] = commands
        for row, time, command in zip(
            rows.tolist(), times.tolist(), commands.tolist(), strict=True
        ):
            self._sent[row].append(_Sent(time, *command))
            self._forget(row, time - LONGEST_AGE)

    def halt(self, row: int, time: float) -> None:
        """A robot is told to rest (s)."""
        self.send(np.array([row]), np.array([time]), np.zeros((1, 2)))

    def lend(self, row: int) -> None:
        """Who has been told to rest may have been driven by somebody else since then."""
        self._is_lent[row] = True

    def date(self, rows: NDArray[np.int64], times: NDArray[Any]) -> None:
        """The last commands of robots `rows` (n,) went out at `times` (n,), not as foreseen (s)."""
        for row, time in zip(rows.tolist(), times.tolist(), strict=True):
            sent = self._sent[row]
            if sent:
                sent[-1] = sent[-1]._replace(time=time)

    def begin_anew(self, row: int, time: float) -> None:
        """A robot's time begins anew (s): it goes on by its last command till it obeys the halt."""
        sent = self._sent[row]
        if sent:
            self._sent[row] = deque([sent[-1]._replace(time=-math.inf)])
        self.halt(row, time)

    def _forget(self, row: int, time: float) -> None:
        """Of what has taken effect by then (s), only the last one matters."""
        sent = self._sent[row]
        while len(sent) > 1 and sent[1].time + max(self._latencies) <= time:
            sent.popleft()

    def prospects(
        self,
        rows: NDArray[np.int64],
        velocities: NDArray[np.float64],
        measured: NDArray[Any],
        stamps: NDArray[Any],
        times: NDArray[Any],
        slack: float = 0.0,
    ) -> list[list[Prospect]]:
        """What each robot may do from its scan on: one prospect for each latency.

        Args:
            rows: (n,) which ones.
            velocities: (n, 2) as odometry tells (m/s, rad/s).
            measured: (n,) when it did: at the time of the scan, or before it (s).
            stamps, times: (n,) of the scans, and of the decisions that they lead to (s).
            slack: the decisions may come so much sooner (s).
        """
        columns = (each.tolist() for each in (rows, velocities, measured, stamps, times))
        each = zip(*columns, strict=True)
        return [self._prospects(*one, slack=slack) for one in each]

    def _prospects(
        self,
        row: int,
        velocity: list[float],
        measured: float,
        stamp: float,
        now: float,
        *,
        slack: float,
    ) -> list[Prospect]:
        sent = self._sent[row]
        self._forget(row, measured)
        has_rested = len(sent) == 1 and not (sent[0].linear or sent[0].angular)
        if not sent or (self._is_lent[row] and has_rested):  # by whatever it moves, it goes on
            self._sent[row] = sent = deque([_Sent(-math.inf, *velocity)])
        self._is_lent[row] = False
        prospects = []
        looks = [(latency, now) for latency in self._latencies]
        if slack > 0.0:
            looks.append((min(self._latencies), max(now - slack, stamp)))
        for latency, decided in looks:
            v, w = velocity
            for sec, ahead, turn in _standing(sent, latency, measured, stamp):
                v, w = limit_velocity(v, w, ahead, turn, self._limits, sec)
            pending = _standing(sent, latency, stamp, decided + latency)
            prospects.append(Prospect((float(v), float(w)), pending))
        return prospects


def _standing(sent: Sequence[_Sent], latency: float, begin: float, until: float) -> list[Standing]:
    """What a base does between two times (s), each command `latency` (s) after it was sent."""
    ends = [each.time + latency for each in list(sent)[1:]]
    pieces = []
    for command, end in zip(sent, [*ends, math.inf], strict=True):
        sec = min(end, until) - begin
        if sec > INSTANT:
            pieces.append(Standing(sec, command.linear, command.angular))
            begin += sec
    return pieces
