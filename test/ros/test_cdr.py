"""The short way to read messages gives what the long way gives."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped, TwistStamped
from hypothesis import given
from hypothesis import strategies as st
from nav_msgs.msg import Odometry, Path
from rclpy.serialization import serialize_message
from sensor_msgs.msg import LaserScan

from rl_planner.ros.cdr import read_odometry, read_path, read_scan, read_twist_stamped
from rl_planner.ros.messages import planar_odometry, set_ranges, stamp_of

NUMBER = st.floats(allow_nan=False)
FLOAT32 = st.floats(width=32)
FRAME = st.text(st.characters(codec='utf-8', exclude_characters='\0'), max_size=20)
STAMP = st.integers(0, 2**31 * 10**9 - 1)


@given(st.lists(NUMBER, min_size=7, max_size=7), st.floats(-4.0, 4.0), FRAME, FRAME, STAMP)
def test_odometry(numbers: list[float], yaw: float, frame: str, child: str, stamp: int) -> None:
    message = Odometry(child_frame_id=child)
    message.header.frame_id, message.header.stamp = frame, stamp_of(stamp)
    pose, twist = message.pose.pose, message.twist.twist
    pose.position.x, pose.position.y, pose.position.z = numbers[:3]
    pose.orientation.z, pose.orientation.w = math.sin(0.5 * yaw), math.cos(0.5 * yaw)
    twist.linear.x, twist.linear.y, twist.angular.z = numbers[3:6]
    message.pose.covariance[35] = numbers[6]
    read_stamp, read_frame, read_child, odometry = read_odometry(serialize_message(message))
    assert (read_stamp, read_frame, read_child) == (stamp, frame, child or 'base_link')
    assert odometry == pytest.approx(planar_odometry(message), nan_ok=True)


@pytest.mark.parametrize('rotation', [(0.0, 0.0), (1.0, 1.0), (0.0, 0.9)])
def test_an_orientation_that_is_no_rotation_is_refused(rotation: tuple[float, float]) -> None:
    message = Odometry()
    message.pose.pose.orientation.z, message.pose.pose.orientation.w = rotation
    with pytest.raises(ValueError, match='orientation must be a quaternion of length 1, got '):
        read_odometry(serialize_message(message))


@given(st.lists(FLOAT32, min_size=7, max_size=7), st.lists(FLOAT32, max_size=50), FRAME, STAMP)
def test_scan(numbers: list[float], ranges: list[float], frame: str, stamp: int) -> None:
    message = LaserScan()
    message.header.frame_id, message.header.stamp = frame, stamp_of(stamp)
    message.angle_min, message.angle_max, message.angle_increment = numbers[:3]
    message.time_increment, message.scan_time = numbers[3:5]
    message.range_min, message.range_max = numbers[5:]
    set_ranges(message, np.array(ranges, np.float32))
    message.intensities = [1.0, 2.0]
    read_stamp, duration, read_frame, metadata, read_ranges = read_scan(serialize_message(message))
    assert (read_stamp, read_frame) == (stamp, frame)
    between = [abs(numbers[3])] * (len(ranges) - 1)
    assert duration == pytest.approx(sum(between), rel=1e-5, nan_ok=True)
    expected = (len(ranges), numbers[0], numbers[2], numbers[5], numbers[6])
    assert metadata == pytest.approx(expected, nan_ok=True)
    np.testing.assert_array_equal(read_ranges, np.array(ranges, np.float32))


@given(NUMBER, NUMBER, FRAME, STAMP)
def test_twist_stamped(linear: float, angular: float, frame: str, stamp: int) -> None:
    message = TwistStamped()
    message.header.frame_id, message.header.stamp = frame, stamp_of(stamp)
    message.twist.linear.x, message.twist.angular.z = linear, angular
    assert read_twist_stamped(serialize_message(message)) == (stamp, linear, angular)


@given(st.lists(st.tuples(NUMBER, NUMBER, FRAME), max_size=9), FRAME, STAMP)
def test_path(poses: list[tuple[float, float, str]], frame: str, stamp: int) -> None:
    """Poses may have frames of their own, of any length."""
    message = Path()
    message.header.frame_id, message.header.stamp = frame, stamp_of(stamp)
    for x, y, own_frame in poses:
        pose = PoseStamped()
        pose.header.frame_id = own_frame
        pose.pose.position.x, pose.pose.position.y = x, y
        message.poses.append(pose)
    read_frame, points = read_path(serialize_message(message))
    assert read_frame == frame
    assert points.tolist() == [[x, y] for x, y, _ in poses]


READERS = [
    (Path(poses=[PoseStamped()] * 3), read_path, 'plan', 1),
    (Odometry(), read_odometry, 'odometry', 300),
    (LaserScan(ranges=[1.0] * 9), read_scan, 'scan', 8),  # what comes after the ranges is not read
    (TwistStamped(), read_twist_stamped, 'cmd_vel', 1),
]


@pytest.mark.parametrize(('message', 'read', 'name', 'unread'), READERS)
def test_what_is_cut_short_is_refused(message, read, name: str, unread: int) -> None:
    data = serialize_message(message)
    for length in range(len(data) - unread):
        with pytest.raises(ValueError, match=f'{name} of {length} bytes is broken'):
            read(data[:length])


@pytest.mark.parametrize(('message', 'read', 'name', 'unread'), READERS)
@given(data=st.binary(max_size=800))
def test_any_bytes_are_read_or_refused(message, read, name: str, unread: int, data: bytes) -> None:
    with contextlib.suppress(ValueError):  # and nothing else
        read(data)


@given(NUMBER)
def test_the_other_byte_order(linear: float) -> None:
    """Big-endian peers exist: the same numbers, each turned round."""
    message = TwistStamped()
    message.twist.linear.x = linear
    data = bytearray(serialize_message(message))
    data[1] = 0
    end = len(data)
    for begin, size in ((4, 4), (8, 4), (12, 4), *((at, 8) for at in range(20, end, 8))):
        data[begin : begin + size] = data[begin : begin + size][::-1]
    assert read_twist_stamped(bytes(data)) == (0, linear, 0.0)
