"""What a planner knows, and what it is asked for."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Perception(NamedTuple):
    """All that n robots know when they decide: what lidar, odometry and goal of a real one say.

    Attributes:
        robots: (n,) which of all robots these are, ascending: those that have arrived drop out.
        ranges: (n, num_beams) as in `BatchSimulator` (m).
        goal: (n, 2) in the robot frame (m).
        velocity, previous_command: (n, 2) linear and angular (m/s, rad/s).
        pose: (n, 3) x, y, yaw of odometry, in a frame of its own that stays (m, rad).
    """

    robots: NDArray[np.int64]
    ranges: NDArray[np.float32]
    goal: Floats
    velocity: Floats
    previous_command: Floats
    pose: Floats


class Planner(Protocol):
    """Drives N robots at once, each to a goal of its own."""

    name: str

    def start(self, num_robots: int) -> None:
        """Forget everything: `num_robots` robots are about to begin."""
        ...

    def velocity_command(self, perception: Perception) -> Floats:
        """(n, 2) linear and angular velocity for the next control period (m/s, rad/s)."""
        ...
