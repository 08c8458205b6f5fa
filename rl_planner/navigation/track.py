"""Where a robot was lately: states with their times, and what lies in between."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from operator import itemgetter
from typing import Generic, TypeVar

from rl_planner.navigation.geometry import wrap_angle

Pose = tuple[float, float, float]
State = TypeVar('State', bound=tuple[float, ...])

MOST = 1000  # states that are kept: a second of the fastest odometry
OVERTAKEN_NS = 500_000_000  # messages may overtake each other by so much
APART_NS = 300_000_000  # states farther apart than this do not tell of what is in between


class Track(Generic[State]):
    """The last states of a robot by their times (ns): x, y, yaw (m, rad), and what else there is.

    A Pose, or one with velocities.
    """

    def __init__(self) -> None:
        self._states: deque[tuple[int, State]] = deque(maxlen=MOST)

    @property
    def newest(self) -> tuple[int, State] | None:
        """Time and state, or None where there is none."""
        return self._states[-1] if self._states else None

    def add(self, stamp: int, state: State) -> bool:
        """Add a state; whether time began anew with it, so that all before is forgotten.

        One that a newer one has overtaken is left out.
        """
        behind = self._states[-1][0] - stamp if self._states else 0
        is_anew = behind > OVERTAKEN_NS
        if is_anew:
            self._states.clear()
        if is_anew or behind <= 0:
            self._states.append((stamp, state))
        return is_anew

    def at(self, stamp: int) -> State | None:
        """The state at a time; None where that is not within what is known, or in a gap of it."""
        after = bisect_left(self._states, stamp, key=itemgetter(0))
        if after == len(self._states):
            return None
        end, later = self._states[after]
        if end == stamp:
            return later
        if after == 0:
            return None
        begin, earlier = self._states[after - 1]
        if end - begin > APART_NS:
            return None
        share = (stamp - begin) / (end - begin)
        changes = [new - old for old, new in zip(earlier, later, strict=True)]
        changes[2] = float(wrap_angle(changes[2]))
        between = (old + share * change for old, change in zip(earlier, changes, strict=True))
        return type(later)(between)
