"""TF, for what is in another frame than odometry: goals in a map, a lidar on its robot.

tf2_ros comes with a full ROS 2 and not from PyPI. It is imported, and TF is listened to, when
something is in another frame, and not before.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import yaml
from rclpy.node import Node
from rclpy.time import Time

from rl_planner.navigation.frames import FrameError, Quaternion, Transform, Vector
from rl_planner.ros import messages


class NoTransformsError(FrameError):
    """tf2_ros is not installed; the message says how to get it."""


class TransformError(FrameError):
    """TF does not know a transform, or not a recent one."""


class Transforms:
    """Asks TF on behalf of `node`.

    Args:
        tolerance: a transform may be so much older, or newer, than what it is asked for (s).
    """

    def __init__(self, node: Node, tolerance: float) -> None:
        self._node, self._tolerance = node, tolerance
        self._tf2: Any = None  # the module
        self._buffer: Any = None
        self._listener: Any = None

    def listen(self) -> None:
        """Begin to listen to TF, if that has not begun.

        Raises:
            NoTransformsError: there is no tf2_ros here.
        """
        if self._listener is not None:
            return
        try:
            self._tf2 = import_module('tf2_ros')
        except ImportError as error:
            distribution = os.environ.get('ROS_DISTRO', 'jazzy')
            raise NoTransformsError(
                f'tf2_ros is not installed (apt install ros-{distribution}-tf2-ros-py): {error}'
            ) from error
        self._buffer = self._tf2.Buffer()
        self._listener = self._tf2.TransformListener(self._buffer, self._node)

    def close(self) -> None:
        """Listen no more; what was heard is forgotten."""
        if self._listener is not None:
            self._listener.unregister()
        self._listener = self._buffer = None

    def forget(self) -> None:
        """Time began anew: what was heard before is of another time."""
        if self._buffer is not None:
            self._buffer.clear()

    def planar(self, target: str, source: str, stamp_ns: int) -> Transform:
        """From points of the frame `source` to those of `target`, at the time of a scan.

        Where TF does not know it yet for that time, the latest counts, if it is recent.

        Raises:
            NoTransformsError: there is no tf2_ros here.
            TransformError: TF does not know it, or not a recent one.
            FrameError: it is not finite, or no rotation.
        """
        message = self._at(target, source, stamp_ns)
        if message is None:
            message = self._lookup(target, source, Time())
            self._require_recent(message, target, source, stamp_ns)
        return Transform.of(*_parts(message))

    def fixed(self, target: str, source: str) -> tuple[Vector, Quaternion]:
        """Translation and rotation from `source` to `target`, of frames that do not move.

        Raises:
            NoTransformsError: there is no tf2_ros here.
            TransformError: TF does not know it.
        """
        return _parts(self._lookup(target, source, Time()))

    def to_base(self, frame: str, base: str, odom: str, stamp_ns: int) -> Transform | None:
        """From a frame on the robot to its base, at a time; None for a frame that is not on it.

        What hangs on the base is on the robot, through joints that move or not; and what is
        between the base and the frame of odometry.

        Raises:
            NoTransformsError: there is no tf2_ros here.
            TransformError: TF does not know it for that time, nor a recent one.
            FrameError: it is not finite, or no rotation.
        """
        if frame == base:
            return Transform(0.0, 0.0, 0.0)
        self._listen_for(odom, frame)
        parents = self._parents()
        world, above = _chain(odom, parents), _chain(base, parents)
        meet = next((each for each in _chain(frame, parents) if each in above), None)
        if meet is None or meet in world:
            return None
        return self.planar(base, frame, stamp_ns)

    def _parents(self) -> dict[str, str]:
        """Of all frames that TF knows but the roots."""
        try:
            frames = yaml.safe_load(self._buffer.all_frames_as_yaml()) or {}
            return {str(child): str(about['parent']) for child, about in frames.items()}
        except yaml.YAMLError as error:
            raise TransformError(
                f'TF has frames with names that cannot be read: {error}'
            ) from error

    def _at(self, target: str, source: str, stamp_ns: int) -> Any:
        """The transform at that time, or None where TF has only other times."""
        try:
            return self._lookup(target, source, Time(nanoseconds=stamp_ns))
        except TransformError as error:
            if isinstance(error.__cause__, self._tf2.ExtrapolationException):
                return None
            raise

    def _listen_for(self, target: str, source: str) -> None:
        try:
            self.listen()
        except NoTransformsError as error:
            raise NoTransformsError(f'no transform from {source} to {target}: {error}') from error

    def _lookup(self, target: str, source: str, time: Time) -> Any:
        self._listen_for(target, source)
        try:
            return self._buffer.lookup_transform(target, source, time)
        except self._tf2.TransformException as error:
            raise TransformError(f'no transform from {source} to {target}: {error}') from error

    def _require_recent(self, message: Any, target: str, source: str, stamp_ns: int) -> None:
        stamp = messages.stamp_ns(message.header.stamp)
        apart = (stamp_ns - stamp) / messages.NANOSECONDS
        if stamp and abs(apart) > self._tolerance:
            raise TransformError(
                f'the transform from {source} to {target} is {abs(apart):.2f} s '
                f'{"older" if apart > 0.0 else "newer"} than the scan, '
                f'allowed are {self._tolerance:g} s'
            )


def _chain(frame: str, parents: dict[str, str]) -> list[str]:
    """A frame, its parent, and so on to the root."""
    chain = [frame]
    while (parent := parents.get(chain[-1])) is not None and parent not in chain:
        chain.append(parent)
    return chain


def _parts(message: Any) -> tuple[Vector, Quaternion]:
    """Translation and rotation of a geometry_msgs/TransformStamped."""
    t, q = message.transform.translation, message.transform.rotation
    return (t.x, t.y, t.z), (q.x, q.y, q.z, q.w)
