"""How the lidars are mounted: by TF where it is installed, else by parameters; the log says which.

Where TF is there and does not know, nobody guesses: who takes a lidar that looks back for one that
looks ahead drives into things.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rl_planner.navigation.config import Config, LidarConfig, parameter
from rl_planner.navigation.frames import mounted
from rl_planner.navigation.observation import ScanError
from rl_planner.ros.transforms import NoTransformsError, TransformError, Transforms

ALIKE = 1e-3  # mountings that differ by no more are one (m, rad)


@dataclass(frozen=True)
class MountingConfig(Config):
    """Parameters of a node that looks at scans."""

    base_frame_id: str = parameter(
        '', 'frame that the lidar is mounted on, and of the commands; empty: that of odometry'
    )
    mount_from_tf: bool = parameter(
        True,
        'ask TF how the lidar is mounted, and stand still until it tells; false, and where tf2_ros '
        'is not installed: lidar.mount_*',
    )


class Mounting:
    """How the lidars of the robots of one node are mounted: alike, for they share a geometry.

    Args:
        lidar: as configured.
        config: whether TF is asked first.
        logger: told what is used, and why.
    """

    def __init__(
        self, lidar: LidarConfig, config: MountingConfig, transforms: Transforms, logger: Any
    ) -> None:
        self._configured, self._config = lidar, config
        self._transforms, self._logger = transforms, logger
        self._known: dict[str, tuple[str, LidarConfig]] = {}  # frame of scans, and lidar, by robot

    def of(self, name: str, base_frame: str, scan_frame: str) -> LidarConfig:
        """The mounting of the lidar of the robot `name`, with the rest as configured.

        Args:
            base_frame, scan_frame: as odometry and scan name them; '' is unknown.

        Raises:
            ScanError: TF does not tell, or tells what cannot be; or the scan is another lidar's.
        """
        if name not in self._known:
            lidar = self._find(name, base_frame, scan_frame)
            _, first = next(iter(self._known.values()), ('', lidar))
            if not _alike(first, lidar):
                raise ScanError(f'lidars must be mounted alike, got {_text(first)}, {_text(lidar)}')
            self._known[name] = scan_frame, lidar
        frame, lidar = self._known[name]
        if scan_frame != frame:
            raise ScanError(f'frame of the scans must stay {frame!r}, got {scan_frame!r}')
        return lidar

    def _find(self, name: str, base_frame: str, scan_frame: str) -> LidarConfig:
        if not self._config.mount_from_tf:
            return self._configured
        if scan_frame in ('', base_frame):
            reason = f'the frame of its scans is {scan_frame!r}'
            return self._as_configured(name, reason, is_fine=True)
        try:
            self._transforms.listen()
            if not base_frame:
                raise ScanError('no odometry yet, which names the frame of the robot')
            placed = self._transforms.fixed(base_frame, scan_frame)
        except NoTransformsError as error:
            return self._as_configured(name, str(error), is_fine=False)
        except TransformError as error:
            remedy = 'or set mount_from_tf to false, and lidar.mount_*'
            raise ScanError(f'its lidar: {error}; publish it, {remedy}') from error
        try:
            lidar = mounted(self._configured, *placed)
        except ValueError as error:
            raise ScanError(f'its lidar, from {scan_frame} to {base_frame}: {error}') from error
        self._logger.info(
            f'{name}: lidar at {_text(lidar)}, by TF from {scan_frame} to {base_frame}'
        )
        return lidar

    def _as_configured(self, name: str, reason: str, is_fine: bool) -> LidarConfig:
        lidar = self._configured
        text = f'{name}: lidar at {_text(lidar)}, by the parameters lidar.mount_*: {reason}'
        if is_fine:
            self._logger.info(text)
        else:
            self._logger.warning(text)
        return lidar


def _alike(one: LidarConfig, other: LidarConfig) -> bool:
    apart = (
        one.mount_x - other.mount_x,
        one.mount_y - other.mount_y,
        math.remainder(one.mount_yaw - other.mount_yaw, 2.0 * math.pi),
    )
    return one.mount_inverted == other.mount_inverted and max(map(abs, apart)) <= ALIKE


def _text(lidar: LidarConfig) -> str:
    over = ', upside down' if lidar.mount_inverted else ''
    turned = math.degrees(lidar.mount_yaw)
    return f'({lidar.mount_x:.3f}, {lidar.mount_y:.3f}) m, {turned:.1f} degrees{over}'
