"""Where one robot is on a map, by its odometry and TF."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.frames import Transform
from rl_planner.navigation.track import Pose, Track
from rl_planner.ros.cdr import read_odometry
from rl_planner.ros.transforms import Transforms

Floats = NDArray[np.float64]


class Whereabouts:
    """The last poses of one robot; all times in nanoseconds.

    Args:
        transforms: asked where the map is in another frame than odometry.
        base_frame: of the robot; '': the one that odometry names.

    Attributes:
        map_frame: that of the map.
        base_frame: of the robot; '' until odometry has named it.
    """

    def __init__(self, transforms: Transforms, base_frame: str) -> None:
        self._transforms, self._own_base_frame = transforms, base_frame
        self._track: Track[Pose] = Track()
        self._odom_frame = ''
        self.map_frame, self.base_frame = '', base_frame

    @property
    def stamp(self) -> int | None:
        """Of the newest odometry; None where there is none."""
        return None if self._track.newest is None else self._track.newest[0]

    def take(self, data: bytes) -> bool:
        """Take odometry, serialized; whether time began anew with it.

        Raises:
            ValueError: it is broken, or not finite.
        """
        stamp, odom_frame, child, (x, y, yaw, *_) = read_odometry(data)
        if not all(map(math.isfinite, (x, y, yaw))):
            raise ValueError(f'it must be finite, got ({x}, {y}, {yaw})')
        self._odom_frame = odom_frame
        self.base_frame = self._own_base_frame or child
        is_anew = self._track.add(stamp, (x, y, yaw))
        if is_anew:
            self._transforms.forget()
        return is_anew

    def pose(self, stamp: int) -> Floats | None:
        """(3,) x, y, yaw on the map (m, rad) at a time; None where odometry does not tell.

        Raises:
            FrameError: TF does not know where odometry is on the map.
        """
        pose = self._track.at(stamp)
        if pose is None:
            return None
        to_map = self._to_map(self._odom_frame, stamp)
        return np.array([*to_map.apply(pose[0], pose[1]), to_map.yaw + pose[2]])

    def place(self, frame: str, x: float, y: float, stamp: int) -> tuple[float, float]:
        """A place (m) of a frame, on the map; '' is the map's.

        Args:
            stamp: where the frame is on the robot, it is the place of that time.

        Raises:
            FrameError: TF does not know the frame.
        """
        if frame in ('', self.map_frame):
            return x, y
        assert self._track.newest is not None, 'a goal waits for odometry'
        newest, now = self._track.newest
        if frame != self._odom_frame:
            to_base = self._transforms.to_base(frame, self.base_frame, self._odom_frame, stamp)
            if to_base is not None:
                then = Transform(*(self._track.at(stamp) or now))
                frame, (x, y) = self._odom_frame, then.apply(*to_base.apply(x, y))
        return self._to_map(frame, newest).apply(x, y)

    def _to_map(self, frame: str, stamp: int) -> Transform:
        if frame in ('', self.map_frame):
            return Transform(0.0, 0.0, 0.0)
        return self._transforms.planar(self.map_frame, frame, stamp)
