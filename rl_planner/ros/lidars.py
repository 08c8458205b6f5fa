"""The lidars of a node's robots: their scans, on the beams of the first one."""

from __future__ import annotations

from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.rescan import Ranges, Rescan
from rl_planner.ros import messages
from rl_planner.ros.mounting import Mounting
from rl_planner.ros.robot import Robot


class Lidars:
    """All alike, and mounted alike.

    Args:
        mounting: knows how.
    """

    def __init__(self, mounting: Mounting) -> None:
        self._mounting = mounting
        self._first: tuple[ScanGeometry, Rescan] | None = None

    def fit(
        self, robot: Robot, frame: str, metadata: tuple[float, ...], ranges: Ranges
    ) -> tuple[ScanGeometry, Ranges]:
        """The geometry of all scans, and what one as `cdr.read_scan` has it reads (num_beams,).

        Raises:
            ScanError: it is the first and makes no sense, or is unlike the first; or how the lidar
                is mounted is not known yet.
        """
        lidar = self._mounting.of(robot.name, robot.base_frame, frame)
        if self._first is None:
            self._first = messages.scan_geometry(metadata, lidar), Rescan(metadata)
        geometry, rescan = self._first
        return geometry, rescan.fit(metadata, ranges)
