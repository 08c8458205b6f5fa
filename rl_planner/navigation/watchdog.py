"""Watchdogs: whether what a robot moves by is recent, and whether its control loop keeps up.

Times are stamps of messages in whole nanoseconds; `now` is that of the clock that stamps them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from rl_planner.navigation.cadence import JITTER
from rl_planner.navigation.meter import Meter

NANOSECONDS = 1_000_000_000
REMEMBERED = 20  # of the last control steps


class Fault(NamedTuple):
    """Why a robot must not move: what is at fault, and the message that says so."""

    name: str
    message: str


class Watchdog:
    """Knows the newest stamp of each thing that one robot moves by, and how old it may be.

    Args:
        limits: of each thing by name; what is older is a fault (s).
        future_tolerance: what is stamped further ahead of now is a fault (s): two clocks disagree,
            and nobody knows how old it really is.
    """

    def __init__(self, limits: Mapping[str, float], future_tolerance: float) -> None:
        self._limits = dict(limits)
        self._future = future_tolerance
        self._stamps: dict[str, int] = {}
        self._born: dict[str, int] = {}  # the stamps, or when they came if that was earlier
        self._reasons: dict[str, str] = {}  # why there is none
        self._refused: dict[str, tuple[int, str]] = {}  # when the last useless one came, and why

    def saw(self, name: str, stamp_ns: int, now_ns: int) -> None:
        """A good one came now; one that is stamped ahead grows old from now on."""
        self._stamps[name], self._born[name] = stamp_ns, min(stamp_ns, now_ns)
        self._refused.pop(name, None)

    def refused(self, name: str, reason: str, now_ns: int) -> None:
        """One came now that is of no use; the last good one counts for as long as it may."""
        self._refused[name] = now_ns, reason

    def lost(self, name: str, reason: str) -> None:
        """What is known is of no use any more."""
        self._drop(name)
        self._reasons[name] = reason

    def forget(self) -> None:
        """Time began anew: no stamp of before counts."""
        self._stamps.clear()
        self._born.clear()
        self._reasons.clear()
        self._refused.clear()

    def behind(self, name: str, stamp_ns: int) -> float:
        """How much earlier a stamp is than the newest (s); 0 if it is not."""
        newest = self._stamps.get(name, stamp_ns)
        return max(newest - stamp_ns, 0) / NANOSECONDS

    def ages(self, now_ns: int) -> dict[str, float]:
        """How old the newest of each is by its stamp (s); what never came is left out."""
        return {name: (now_ns - stamp) / NANOSECONDS for name, stamp in self._stamps.items()}

    def fault(self, now_ns: int) -> Fault | None:
        """The first thing that the robot must not move by, or None."""
        for name, limit in self._limits.items():
            stamp = self._stamps.get(name)
            if stamp is None:
                reason = self._reasons.get(name, f'no {name} yet')
                return Fault(name, self._refusal(name, now_ns) or reason)
            age = (now_ns - self._born[name]) / NANOSECONDS
            if age > limit:
                reason = f'{name} is {age:.2f} s old, allowed are {limit:g} s'
                return Fault(name, self._refusal(name, now_ns) or reason)
            ahead = (stamp - now_ns) / NANOSECONDS
            if ahead > self._future:
                far = f'{name} is stamped {ahead:.2f} s ahead of the clock'
                return Fault(name, f'{far}, allowed are {self._future:g} s')
        return None

    def _refusal(self, name: str, now_ns: int) -> str:
        """Why those that still come are of no use; '' where they are, or none comes."""
        came, reason = self._refused.get(name, (0, ''))
        return reason if (now_ns - came) / NANOSECONDS <= self._limits[name] else ''

    def _drop(self, name: str) -> None:
        self._stamps.pop(name, None)
        self._born.pop(name, None)


class Pacemaker:
    """Counts control steps that took longer than the control period.

    Args:
        period: that a step may take (s).
        limit: so many long ones in a row are a fault; 0: none ever is.
        time_waits: simulated time, which a step takes none of; then no step is too long.

    Attributes:
        overruns: all of the steps that took longer.
        meter: times the steps.
        longest: of the last steps (s).
        slack: how much shorter one of them was (s); 0 for what does not matter.
    """

    def __init__(self, period: float, limit: int, time_waits: bool = False) -> None:
        self._period, self._limit = period, 0 if time_waits else limit
        self._time_waits = time_waits
        self._in_a_row = 0
        self.overruns = 0
        self.meter = Meter()
        self._durations: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def longest(self) -> float:
        return max(self._durations, default=0.0)

    @property
    def slack(self) -> float:
        slack = self.longest - min(self._durations, default=0.0)
        return slack if slack > JITTER * self._period else 0.0

    def beat(self, duration: float) -> Fault | None:
        """Count a step that took `duration` (s); whether there have been too many."""
        self.meter.time('step', duration)
        self._durations.append(0.0 if self._time_waits else duration)
        if duration <= self._period:
            self._in_a_row = 0
            return None
        self._in_a_row += 1
        self.overruns += 1
        if not self._limit or self._in_a_row < self._limit:
            return None
        steps = f'{self._limit} steps in a row took longer than {self._period:g} s'
        return Fault('control_loop', f'{steps}, the last {duration:.3g} s')
