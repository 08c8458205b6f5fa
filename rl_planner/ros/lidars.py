"""The lidars of a node's robots: their scans, on the beams of the first one."""

from __future__ import annotations

from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.rescan import Ranges, Rescan
from rl_planner.ros import messages
from rl_planner.ros.cdr import Scan
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

    def fit(self, robot: Robot, scan: Scan) -> tuple[ScanGeometry, Ranges]:
        """The geometry of all scans, and what one reads on its beams (num_beams,).

        Raises:
            ScanError: it is the first and makes no sense, or is unlike the first; or how the lidar
                is mounted is not known yet.
        """
        lidar = self._mounting.of(robot.name, robot.base_frame, scan.frame)
        if self._first is None:
            self._first = messages.scan_geometry(scan.metadata, lidar), Rescan(scan.metadata)
        geometry, rescan = self._first
        return geometry, rescan.fit(scan.metadata, scan.ranges)
