"""The other side of TF: who publishes transforms, where tf2_ros is the stand-in of these tests."""

from __future__ import annotations

import time
from pathlib import Path

from geometry_msgs.msg import TransformStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.nodes import Peer

from rl_planner.navigation.geometry import quaternion_from_yaw
from rl_planner.ros import messages

STANDIN = str(Path(__file__).with_name('tf2'))  # for PYTHONPATH


class TransformSource:
    """Publishes what the stand-in of tf2_ros listens to."""

    def __init__(self, peer: Peer, topic: str = '/tf') -> None:
        latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._moving = peer.node.create_publisher(TransformStamped, topic, 100)
        self._static = peer.node.create_publisher(TransformStamped, f'{topic}_static', latched)

    def send(
        self,
        parent: str,
        child: str,
        at: tuple[float, float] = (0.0, 0.0),
        yaw: float = 0.0,
        stamp_ns: int | None = None,
    ) -> None:
        """The pose of a child frame in its parent frame (m, rad); now, if no stamp is given."""
        stamp = time.time_ns() if stamp_ns is None else stamp_ns
        self._moving.publish(_message(parent, child, at, quaternion_from_yaw(yaw), stamp))

    def send_static(
        self,
        parent: str,
        child: str,
        at: tuple[float, float] = (0.0, 0.0),
        yaw: float = 0.0,
        rotation: tuple[float, float, float, float] | None = None,
    ) -> None:
        """The pose of a child frame that stays: a yaw, or a rotation as a quaternion."""
        q = quaternion_from_yaw(yaw) if rotation is None else rotation
        self._static.publish(_message(parent, child, at, q, time.time_ns()))


def _message(
    parent: str,
    child: str,
    at: tuple[float, float],
    rotation: tuple[float, float, float, float],
    stamp_ns: int,
) -> TransformStamped:
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id, message.header.stamp = parent, messages.stamp_of(stamp_ns)
    message.transform.translation.x, message.transform.translation.y = at
    q = message.transform.rotation
    q.x, q.y, q.z, q.w = rotation
    return message
