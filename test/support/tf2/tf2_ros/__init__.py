"""Stands in for tf2_ros, which is not on PyPI: what rl_planner uses of it, with its meaning.

Put the folder above on PYTHONPATH. As tf2 does (ros2/geometry2: buffer_core.cpp, cache.cpp):
transforms are interpolated, never extrapolated; what is not finite is dropped; time zero is the
latest time that all of a chain knows; a chain of static transforms knows every time, and is stamped
zero.

tf2_msgs is not on PyPI either: transforms come one at a time, as geometry_msgs/TransformStamped, on
the topics /tf and /tf_static.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time

NANOSECONDS = 1_000_000_000


class TransformException(Exception):  # noqa: N818  tf2's name
    pass


class LookupException(TransformException):
    pass


class ConnectivityException(TransformException):
    pass


class ExtrapolationException(TransformException):
    pass


class InvalidArgumentException(TransformException):
    pass


class Buffer:
    """Knows of each frame its parent, and where it was in it."""

    def __init__(self, cache_time: Duration | None = None, node: Node | None = None) -> None:
        self._parents: dict[str, str] = {}
        self._times: dict[str, list[tuple[int, tuple[float, ...]]]] = {}
        self._static: set[str] = set()

    def clear(self) -> None:
        """Forget all but what is static."""
        for child in set(self._times) - self._static:
            del self._times[child], self._parents[child]

    def all_frames_as_yaml(self) -> str:
        lines = [f"{child}: \n  parent: '{parent}'\n" for child, parent in self._parents.items()]
        return ''.join(lines) or '[]'

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        self._keep(transform)

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        self._keep(transform)
        self._static.add(transform.child_frame_id)

    def _keep(self, transform: TransformStamped) -> None:
        child, stamp = transform.child_frame_id, transform.header.stamp
        t, q = transform.transform.translation, transform.transform.rotation
        place = (t.x, t.y, t.z, q.x, q.y, q.z, q.w)
        if not np.isfinite(place).all():
            return  # so does tf2, with an error in the log
        self._parents[child] = transform.header.frame_id
        insort(self._times.setdefault(child, []), (stamp.sec * NANOSECONDS + stamp.nanosec, place))

    def lookup_transform(
        self, target_frame: str, source_frame: str, time: Time, timeout: Duration | None = None
    ) -> TransformStamped:
        """From the source frame to the target frame."""
        for frame in (target_frame, source_frame):
            if not frame or frame.startswith('/'):
                raise InvalidArgumentException(f'Invalid argument {frame!r}')
            if frame not in self._parents and frame not in self._parents.values():
                raise LookupException(f'"{frame}" does not exist.')
        up, down = self._chain(source_frame), self._chain(target_frame)
        if up[-1] != down[-1]:
            raise ConnectivityException('Tf has two or more unconnected trees.')
        meet = next(each for each in up if each in down)
        up, down = up[: up.index(meet)], down[: down.index(meet)]
        moving = [each for each in (*up, *down) if each not in self._static]
        stamp = time.nanoseconds
        if stamp == 0 and moving:
            stamp = min(self._times[each][-1][0] for each in moving)
        matrix = np.linalg.inv(self._along(down, stamp)) @ self._along(up, stamp)
        return _message(matrix, target_frame, source_frame, stamp)

    def _chain(self, frame: str) -> list[str]:
        """The frame, its parent, and so on to the root."""
        chain = [frame]
        while chain[-1] in self._parents:
            chain.append(self._parents[chain[-1]])
        return chain

    def _along(self, chain: list[str], stamp: int) -> Any:
        """From the first frame of a chain to the parent of its last."""
        matrix = np.eye(4)
        for child in chain:
            matrix = _matrix(self._place(child, stamp)) @ matrix
        return matrix

    def _place(self, child: str, stamp: int) -> Any:
        times = self._times[child]
        if child in self._static:
            return np.array(times[-1][1])
        if not times[0][0] <= stamp <= times[-1][0]:
            raise ExtrapolationException(
                f'Lookup would require extrapolation: requested time {stamp} but the data '
                f'are of {times[0][0]} to {times[-1][0]}, when looking up {child}'
            )
        after = bisect_left(times, (stamp, ()))
        (late, there), (early, here) = times[after], times[max(after - 1, 0)]
        share = (stamp - early) / (late - early) if late > early else 1.0
        here, there = np.array(here), np.array(there)
        if here[3:] @ there[3:] < 0.0:
            here[3:] *= -1.0
        return (1.0 - share) * here + share * there


class TransformListener:
    """Fills a buffer with what is on the topics."""

    def __init__(self, buffer: Buffer, node: Node, *, spin_thread: bool = False) -> None:
        self.node = node
        latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.tf_sub = node.create_subscription(
            TransformStamped, '/tf', lambda m: buffer.set_transform(m, ''), 100
        )
        self.tf_static_sub = node.create_subscription(
            TransformStamped, '/tf_static', lambda m: buffer.set_transform_static(m, ''), latched
        )

    def unregister(self) -> None:
        self.node.destroy_subscription(self.tf_sub)
        self.node.destroy_subscription(self.tf_static_sub)


def _matrix(place: Any) -> Any:
    """4 x 4, of a translation and a quaternion x, y, z, w of any length."""
    x, y, z, w = place[3:] / np.linalg.norm(place[3:])
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, 3] = place[:3]
    return matrix


def _message(matrix: Any, frame: str, child: str, stamp: int) -> TransformStamped:
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id = frame
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, NANOSECONDS)
    t, q = message.transform.translation, message.transform.rotation
    t.x, t.y, t.z = matrix[:3, 3].tolist()
    # The eigenvector of the greatest eigenvalue (Bar-Itzhack, J. Guidance 23, 2000).
    r = matrix[:3, :3]
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
            [0, r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
            [0, 0, r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [0, 0, 0, np.trace(r)],
        ]
    )
    q.x, q.y, q.z, q.w = np.linalg.eigh(k, 'U')[1][:, -1].tolist()
    return message
