"""Frames that move against each other, seen from above; and how a lidar sits on its robot."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from rl_planner.navigation.config import LidarConfig
from rl_planner.navigation.geometry import is_rotation, to_world_frame, yaw_from_quaternion

MOST_TILT = math.radians(10.0)  # beyond it, a planar scan is not one of the plane of the robot

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


class FrameError(ValueError):
    """Frames that cannot be related to each other; the message says which, and why."""


class Transform(NamedTuple):
    """From points of a source frame to the same points in a target frame, both seen from above.

    x, y, yaw: the source frame's pose in the target frame (m, rad).
    """

    x: float
    y: float
    yaw: float

    @classmethod
    def of(cls, translation: Vector, rotation: Quaternion) -> Transform:
        """What is left of a transform in space: height, roll and pitch are ignored.

        Args:
            translation: x, y, z (m).
            rotation: quaternion x, y, z, w.

        Raises:
            FrameError: it is not finite, or its quaternion is not of length 1.
        """
        _require_sound(translation, rotation)
        return cls(translation[0], translation[1], yaw_from_quaternion(*rotation))

    def apply(self, x: float, y: float) -> tuple[float, float]:
        """A point of the source frame, in the target frame (m)."""
        x, y = to_world_frame(*self, x, y)
        return float(x), float(y)


def mounted(lidar: LidarConfig, translation: Vector, rotation: Quaternion) -> LidarConfig:
    """The lidar with the mounting that the transform from its frame to the base frame tells.

    Its beams turn about the lidar's z: a lidar is upside down where that points down.

    Args:
        translation: of the lidar in the base frame, x, y, z (m).
        rotation: quaternion x, y, z, w.

    Raises:
        FrameError: it is not finite, no rotation, or the lidar is tilted.
        ConfigError: it is farther from the base frame than a lidar may be.
    """
    _require_sound(translation, rotation)
    qx, qy, qz, qw = rotation
    up = 1.0 - 2.0 * (qx * qx + qy * qy)  # the z of the lidar's z
    tilt = math.acos(min(abs(up), 1.0))
    if tilt > MOST_TILT:
        raise FrameError(
            f'the scan must be level, at most {math.degrees(MOST_TILT):.0f} degrees, '
            f'got {math.degrees(tilt):.0f} degrees'
        )
    return replace(
        lidar,
        mount_x=float(translation[0]),
        mount_y=float(translation[1]),
        # where the lidar's x points: R (1, 0, 0)
        mount_yaw=math.atan2(2.0 * (qx * qy + qz * qw), 1.0 - 2.0 * (qy * qy + qz * qz)),
        mount_inverted=up < 0.0,
    )


def _require_sound(translation: Vector, rotation: Quaternion) -> None:
    if not all(map(math.isfinite, (*translation, *rotation))):
        raise FrameError(f'a transform must be finite, got {translation} and {rotation}')
    if not is_rotation(rotation):
        raise FrameError(f'a quaternion must be of length 1, got {rotation}')
