"""What a robot sent last, and what of it is refused."""

from __future__ import annotations

import pytest
from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message

from rl_planner.navigation.watchdog import Watchdog
from rl_planner.ros import messages
from rl_planner.ros.inbox import Inbox


def odometry(frame: str, child: str, stamp_ns: int) -> bytes:
    message = Odometry(child_frame_id=child)
    message.header.frame_id = frame
    message.header.stamp = messages.stamp_of(stamp_ns)
    message.pose.pose.orientation.w = 1.0
    return bytes(serialize_message(message))


def test_odometry_of_another_frame_is_refused() -> None:
    """Its goal would be another place: wheels and a filter both publish odom, say."""
    inbox = Inbox('robot', 10**8, Watchdog({}, 0.5))
    inbox.take_odometry(odometry('odom', 'base_link', 10**9), 10**9)
    for frame, child in (('other', 'base_link'), ('odom', 'camera'), ('', '')):
        with pytest.raises(ValueError, match="must stay of 'base_link' in 'odom', got"):
            inbox.take_odometry(odometry(frame, child, 2 * 10**9), 2 * 10**9)
        assert inbox.odom_ns is None
    inbox.take_odometry(odometry('odom', 'base_link', 3 * 10**9), 3 * 10**9)
    assert inbox.odom_ns == 3 * 10**9
    inbox.forget_time()  # of another bag, say
    inbox.take_odometry(odometry('other', 'base_link', 10**9), 10**9)
    assert inbox.odom_frame == 'other'
