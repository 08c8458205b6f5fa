"""What `stepped_node` asks of a simulator, whichever it is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rl_planner.simulation.episodes import Episode


class SteppedSimulator(Protocol):
    """K robots, each in a world of its own, one control period at a time.

    Attributes:
        odometry: (K, 3) x, y, yaw in the frame of the episode (m, rad).
        measured_velocities: (K, 2) linear and angular (m/s, rad/s).
        ranges: (K, num_beams) float32, the scans; inf is clear, -inf too close (REP-117).
        restarts: (K,) how often the robot's simulator ended and was started again. The robot's
            episode has been begun again then.
    """

    @property
    def odometry(self) -> NDArray[np.float64]: ...

    @property
    def measured_velocities(self) -> NDArray[np.float64]: ...

    @property
    def ranges(self) -> NDArray[np.float32]: ...

    @property
    def restarts(self) -> NDArray[np.int64]: ...

    def step(self, commands: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
        """Drive `rows` (ascending) by commands (K, 2) for one period; the others stand still."""
        ...

    def begin_episode(self, row: int, episode: Episode) -> None:
        """Begin to put a robot at rest at its start, in its world; may replace one under way."""
        ...

    def is_placed(self, row: int) -> bool:
        """Whether that is done, and what the robot senses is of there."""
        ...

    def close(self) -> None: ...
