"""An earlier scan, as it would look from where the robot is now if nothing had moved.

What has moved lies elsewhere in the present scan: the two side by side show how fast, and where to.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import ObservationConfig

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


class ScanHistory:
    """What N robots saw `history_steps` control periods ago.

    Of each sector its nearest return is kept, as a point in the middle of the sector: exact in
    distance, and within half a sector in direction.

    A drive that is younger than that is shown its first scan.
    """

    def __init__(self, config: ObservationConfig, num_robots: int) -> None:
        steps, sectors = max(config.history_steps, 1), config.num_sectors
        self._steps, self._clip = config.history_steps, np.float32(config.range_clip)
        self._width = 2.0 * math.pi / sectors
        middles = -math.pi + self._width * (np.arange(sectors) + 0.5)
        self._cos, self._sin = np.cos(middles), np.sin(middles)
        self._nearest = np.empty((num_robots, steps, sectors), np.float32)
        self._poses = np.empty((num_robots, steps, 3))
        self._ages = np.zeros(num_robots, np.int64)  # scans since each drive began

    def restart(self, rows: Any) -> None:
        """The robots `rows` begin anew: what they saw before is forgotten."""
        self._ages[rows] = 0

    def earlier(self, rows: Rows, nearest: Floats, poses: NDArray[Any], out: Floats) -> None:
        """Take in the present scans, and write the earlier ones as seen from the present poses.

        Args:
            rows: (n,) which robots.
            nearest: (n, num_sectors) each sector's nearest return, at most range_clip (m).
            poses: (n, 3) x, y, yaw in a frame that stays (m, rad).
            out: (n, num_sectors) written: 1 - distance / range_clip.
        """
        ages = self._ages[rows]
        begun = ages == 0
        oldest = np.where(ages < self._steps, 0, ages % self._steps)
        then, ranges = self._poses[rows, oldest], self._nearest[rows, oldest]
        then[begun], ranges[begun] = poses[begun], nearest[begun]
        self._see(then, ranges, poses, out)
        slots = ages % self._steps
        self._poses[rows, slots], self._nearest[rows, slots] = poses, nearest
        self._ages[rows] += 1

    def _see(self, then: NDArray[Any], ranges: Floats, now: NDArray[Any], out: Floats) -> None:
        """Sectors (n, num_sectors) of points seen at `then`, for who is at `now`; both (n, 3)."""
        c, s = np.cos(now[:, 2]), np.sin(now[:, 2])
        dx, dy = then[:, 0] - now[:, 0], then[:, 1] - now[:, 1]
        turn = then[:, 2] - now[:, 2]
        cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
        x = (c * dx + s * dy)[:, None] + ranges * (cos * self._cos - sin * self._sin)
        y = (c * dy - s * dx)[:, None] + ranges * (sin * self._cos + cos * self._sin)
        sectors = np.floor((np.arctan2(y, x) + math.pi) / self._width).astype(np.int64)
        closeness = (1.0 - np.hypot(x, y) / self._clip).astype(np.float32)
        closeness[ranges >= self._clip] = 0.0
        out.fill(0.0)
        robots = np.broadcast_to(np.arange(len(out))[:, None], sectors.shape)
        np.maximum.at(out, (robots, np.minimum(sectors, len(self._cos) - 1)), closeness)
