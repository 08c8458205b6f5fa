"""A robot driven more slowly than it can be, by the same policy: for its first runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass
class SpeedCap:
    """The speeds that no command exceeds; they may be changed at any time.

    The policy is not asked anew: it was trained for a robot of other limits, and knows them.

    Attributes:
        linear: forward or backward (m/s).
        angular: to either side (rad/s).
    """

    linear: float = math.inf
    angular: float = math.inf

    def apply(self, commands: Floats) -> Floats:
        """Commands (n, 2) on the same arcs: both velocities of one are cut by the same factor."""
        if math.isinf(self.linear) and math.isinf(self.angular):
            return commands
        caps = np.array([self.linear, self.angular])
        excess = (np.abs(commands) / caps).max(axis=1, initial=1.0)
        return np.asarray(commands / excess[:, None])
