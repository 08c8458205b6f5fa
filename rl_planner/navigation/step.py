"""What goes into a step of the pilot, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.task import Outcome

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Sensed:
    """What the robots `rows` (n,) sensed at one time.

    ranges (n, num_beams) in metres; poses (n, 3) x, y, yaw and velocities (n, 2) in the frame the
    goals are given in (m, rad, m/s, rad/s); stamps (n,) of the scans (s); ages (n,), how old they
    are when the commands go out (s); lags (n,), how much older poses and velocities are (s);
    durations (n,) from the first beam to the last (s), 0 where all are measured at once; slack, how
    much sooner the commands may go out (s).
    """

    rows: Rows
    ranges: NDArray[np.float32]
    poses: NDArray[np.float64]
    velocities: NDArray[np.float64]
    stamps: NDArray[np.float64]
    ages: NDArray[np.float64]
    lags: NDArray[np.float64]
    durations: NDArray[np.float64]
    slack: float = 0.0

    @property
    def measured(self) -> NDArray[np.float64]:
        """(n,) when poses and velocities were measured (s)."""
        return self.stamps - self.lags

    @property
    def times(self) -> NDArray[np.float64]:
        """(n,) when the commands go out (s)."""
        return self.stamps + self.ages

    def at(self, chosen: NDArray[np.bool_]) -> Sensed:
        """Those of the rows that a mask (n,) chooses."""
        columns = [name for name in Sensed.__annotations__ if name != 'slack']
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})


@dataclass(frozen=True)
class Transitions:
    """M steps of experience: of which robot, its how manyth, and what happened."""

    robots: Rows
    steps: Rows
    obs: NDArray[np.float32]
    actions: NDArray[np.float32]
    rewards: NDArray[np.float32]
    next_obs: NDArray[np.float32]
    outcomes: NDArray[np.int64]

    @property
    def truncated(self) -> NDArray[np.bool_]:
        """(M,) the episode ended here, though the task did not."""
        return np.asarray(self.outcomes == Outcome.TIMEOUT)

    @property
    def terminated(self) -> NDArray[np.bool_]:
        """(M,) nothing comes after: no reward can be expected from `next_obs` on."""
        return np.asarray((self.outcomes != Outcome.RUNNING) & ~self.truncated)


@dataclass(frozen=True)
class Decision:
    """Commands (n, 2) and `Outcome` values (n,) of the sensed rows, and what was experienced."""

    commands: NDArray[np.float64]
    outcomes: NDArray[np.int64]
    transitions: Transitions
