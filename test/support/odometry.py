"""Odometry as it comes over the wire."""

from __future__ import annotations

from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message

from rl_planner.ros import messages


def odometry(frame: str, child: str, stamp_ns: int, x: float = 0.0, v: float = 0.0) -> bytes:
    """A robot that looks along x, serialized."""
    message = Odometry(child_frame_id=child)
    message.header.frame_id = frame
    message.header.stamp = messages.stamp_of(stamp_ns)
    message.pose.pose.orientation.w = 1.0
    message.pose.pose.position.x, message.twist.twist.linear.x = x, v
    return bytes(serialize_message(message))
