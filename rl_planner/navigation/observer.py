"""What N robots observe: their present scans, and with `history_steps` earlier ones too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.navigation.history import ScanHistory
from rl_planner.navigation.observation import ObservationEncoder, ScanGeometry

Floats = NDArray[np.float32]


class Observer:
    """Writes the observations of any of N robots.

    Attributes:
        encoder: of the present scans.
        size: numbers in an observation.
    """

    def __init__(
        self, config: ObservationConfig, robot: RobotConfig, scan: ScanGeometry, num_robots: int
    ) -> None:
        self.encoder = ObservationEncoder(config, robot, scan, num_robots)
        self.size = self.encoder.size
        self._sectors = config.num_sectors
        self._history = ScanHistory(config, num_robots) if config.history_steps else None

    def restart(self, rows: Any) -> None:
        """The robots `rows` begin anew: their next scan has no earlier one."""
        if self._history is not None:
            self._history.restart(rows)

    def observe(
        self,
        rows: NDArray[np.int64],
        ranges: Floats,
        goal: NDArray[Any],
        velocity: NDArray[Any],
        previous_command: NDArray[Any],
        poses: NDArray[Any],
        out: Floats,
    ) -> None:
        """Write the observations (n, size) of the robots `rows` (n,), one control period on.

        Args as of `ObservationEncoder.encode`, and
            poses: (n, 3) x, y, yaw in a frame that stays (m, rad).
        """
        self.encoder.encode(ranges, goal, velocity, previous_command, out)
        if self._history is not None:
            earlier = out[:, -self._sectors :]
            self._history.earlier(rows, self.encoder.nearest[: len(rows)], poses, earlier)
