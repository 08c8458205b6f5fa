"""Between standard messages and plain numbers."""

from __future__ import annotations

import array
import math

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, PoseStamped, Twist
from nav_msgs.msg import OccupancyGrid, Odometry, Path
from numpy.typing import NDArray
from sensor_msgs.msg import LaserScan
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker

from rl_planner.navigation.config import LidarConfig
from rl_planner.navigation.geometry import quaternion_from_yaw, yaw_from_quaternion
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.occupancy import MapError, OccupancyMap
from rl_planner.navigation.rescan import NO_RETURN

NANOSECONDS = 1_000_000_000


def stamp_ns(stamp: Time) -> int:
    """A message's time in whole nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def stamp_of(nanoseconds: int) -> Time:
    return Time(sec=nanoseconds // NANOSECONDS, nanosec=nanoseconds % NANOSECONDS)


def pose_of(x: float, y: float, yaw: float) -> Pose:
    pose = Pose()
    set_pose(pose, x, y, yaw)
    return pose


def set_pose(pose: Pose, x: float, y: float, yaw: float) -> None:
    """Write a planar pose into a message, in place."""
    pose.position.x, pose.position.y = float(x), float(y)
    _, _, pose.orientation.z, pose.orientation.w = quaternion_from_yaw(yaw)


def planar_pose(pose: Pose) -> tuple[float, float, float]:
    """x, y, yaw; NaN stays NaN, for the caller to refuse."""
    q = pose.orientation
    return pose.position.x, pose.position.y, yaw_from_quaternion(q.x, q.y, q.z, q.w)


def planar_odometry(message: Odometry) -> tuple[float, float, float, float, float]:
    """x, y, yaw in the odometry frame, linear and angular velocity in the base frame."""
    twist = message.twist.twist
    return (*planar_pose(message.pose.pose), twist.linear.x, twist.angular.z)


def outcome_marker(
    stamp: int, frame_id: str, pose: tuple[float, float, float], outcome: str
) -> Marker:
    """The outcome of a drive as a text where it ended; its time is that of the last scan."""
    marker = Marker(ns='outcome', type=Marker.TEXT_VIEW_FACING, text=outcome, pose=pose_of(*pose))
    marker.header.frame_id, marker.header.stamp = frame_id, stamp_of(stamp)
    marker.pose.position.z, marker.scale.z = 0.6, 0.3
    marker.color = ColorRGBA(r=0.1, g=0.1, b=0.1, a=1.0)
    return marker


def is_finite_goal(message: PoseStamped) -> bool:
    return math.isfinite(message.pose.position.x) and math.isfinite(message.pose.position.y)


def scan_geometry(metadata: tuple[float, ...], lidar: LidarConfig) -> ScanGeometry:
    """Geometry of a scan from its metadata (`cdr.read_scan`), with the mounting as configured.

    A reading of 0 is no return also where the driver says that range_min is 0.

    Raises:
        ScanError: the metadata make no sense.
    """
    num_beams, angle_min, angle_increment, range_min, range_max = metadata
    return ScanGeometry(
        int(num_beams),
        angle_min,
        angle_increment,
        range_min or NO_RETURN,
        range_max,
        lidar.mount_x,
        lidar.mount_y,
        lidar.mount_yaw,
        lidar.mount_inverted,
    )


def empty_scan(lidar: LidarConfig, frame_id: str, period: float) -> LaserScan:
    """A scan message of a simulated lidar, all but stamp and ranges filled in."""
    message = LaserScan()
    message.header.frame_id = frame_id
    message.angle_min = lidar.angle_min
    message.angle_increment = lidar.angle_increment
    message.angle_max = lidar.angle_min + lidar.angle_increment * (lidar.num_beams - 1)
    message.range_min, message.range_max = lidar.range_min, lidar.range_max
    message.scan_time = period
    return message


def set_ranges(message: LaserScan, ranges: NDArray[np.float32]) -> None:
    message.ranges = array.array('f', ranges.tobytes())


def twist_of(linear: float, angular: float) -> Twist:
    twist = Twist()
    twist.linear.x, twist.angular.z = float(linear), float(angular)
    return twist


def occupancy_map(message: OccupancyGrid) -> OccupancyMap:
    """A map, in the frame that its header names.

    Raises:
        MapError: its numbers make no sense.
    """
    info = message.info
    cells = np.array(message.data, np.int8)
    if len(cells) != info.width * info.height:
        raise MapError(f'a map of {info.height} x {info.width} cells has {len(cells)} of them')
    shape = int(info.height), int(info.width)
    return OccupancyMap(cells.reshape(shape), float(info.resolution), planar_pose(info.origin))


def map_message(area: OccupancyMap, frame_id: str) -> OccupancyGrid:
    message = OccupancyGrid()
    message.header.frame_id = frame_id
    message.info.resolution = float(area.resolution)
    message.info.height, message.info.width = area.shape
    message.info.origin = pose_of(*area.origin)
    message.data = array.array('b', area.cells.tobytes())
    return message


def path_message(points: NDArray[np.float64], frame_id: str, stamp: int) -> Path:
    """A path (M, 2); each of its poses looks to the next."""
    message = Path()
    message.header.frame_id, message.header.stamp = frame_id, stamp_of(stamp)
    ahead = np.diff(points, axis=0)
    yaws = np.arctan2(ahead[:, 1], ahead[:, 0])
    yaws = np.concatenate([yaws, yaws[-1:] if len(yaws) else np.zeros(len(points))])
    for (x, y), yaw in zip(points.tolist(), yaws.tolist(), strict=True):
        message.poses.append(PoseStamped(header=message.header, pose=pose_of(x, y, yaw)))
    return message
