"""The global planner: map and goal in, path out; for robots without Nav2.

| direction | topic | type | |
|---|---|---|---|
| in | `map` | nav_msgs/OccupancyGrid | latched, as map servers and SLAM publish it |
| in | `goal_pose` | geometry_msgs/PoseStamped | in any frame that TF knows |
| in | `odom` | nav_msgs/Odometry | where the robot is |
| in | `scan` | sensor_msgs/LaserScan | what stands there that is not in the map |
| in | `outcome` | visualization_msgs/Marker | of `actor_node`: the goal is done with |
| out | `plan` | nav_msgs/Path | in the frame of the map; an empty one: stop |

The plan is published when it changes, and what is left of it at `planning_frequency`. One node
plans for one robot; give more robots a node each, in their namespaces.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import OccupancyGrid, Odometry, Path
from numpy.typing import NDArray
from rclpy.duration import Duration
from sensor_msgs.msg import LaserScan
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker

from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig, parameter
from rl_planner.navigation.frames import FrameError, Transform
from rl_planner.navigation.global_planner import GlobalPlannerConfig
from rl_planner.navigation.obstacle_layer import ObstacleLayerConfig
from rl_planner.navigation.occupancy import MapError
from rl_planner.navigation.route import NOWHERE, Route, RouteConfig
from rl_planner.navigation.track import Pose, Track
from rl_planner.ros import messages, parameters, qos
from rl_planner.ros.cdr import read_odometry, read_scan
from rl_planner.ros.goals import FORESIGHT_SEC
from rl_planner.ros.mounting import Mounting, MountingConfig
from rl_planner.ros.process import RunnableNode
from rl_planner.ros.transforms import TransformError, Transforms

Floats = NDArray[np.float64]

QUIET_SEC = 5.0  # between two warnings of the same
TF_WAIT_SEC = 3.0  # TF is listened to when it is needed; for so long a new goal waits for it
BETWEEN_SEC = 0.2  # from one goal that is planned to at once to the next: planning takes a while

_CONTENT = attrgetter('header.frame_id', 'info', 'data')  # of a map, whenever it is published


@dataclass(frozen=True)
class GlobalPlannerNodeConfig(RouteConfig, MountingConfig):
    """What the node itself needs to know."""

    planning_frequency: float = parameter(
        1.0, 'how often the way is looked at, and published (Hz)', above=0.0, at_most=20.0
    )
    update_frequency: float = parameter(
        5.0,
        'how often a scan is looked at for what is not in the map (Hz)',
        above=0.0,
        at_most=50.0,
    )
    odom_timeout: float = parameter(
        0.5, 'older odometry does not tell where the robot is (s)', above=0.0
    )
    transform_tolerance: float = parameter(
        0.5, 'TF may be so much older or newer than what it is asked for (s)', above=0.0
    )


class GlobalPlannerNode(RunnableNode):
    """Translates between messages and a `Route`."""

    def __init__(self) -> None:
        super().__init__('global_planner_node')
        self._config = parameters.declare(self, '', GlobalPlannerNodeConfig)
        lidar = parameters.declare(self, 'lidar', LidarConfig)
        robot = parameters.declare(self, 'robot', RobotConfig)
        planner = parameters.declare(self, 'planner', GlobalPlannerConfig)
        layer = parameters.declare(self, 'obstacle_layer', ObstacleLayerConfig)
        tolerance = parameters.declare(self, 'task', TaskConfig).xy_goal_tolerance
        parameters.refuse_unknown(self)
        self._route = Route(robot, planner, layer, self._config, tolerance)
        self._transforms = Transforms(self, self._config.transform_tolerance)
        self._mounting = Mounting(lidar, self._config, self._transforms, self.get_logger())
        self._map_frame, self._odom_frame, self._base_frame = '', '', ''
        self._map: OccupancyGrid | None = None
        self._goal: PoseStamped | None = None  # the newest one; it may wait for a map
        self._goal_waits, self._goal_came = False, 0
        self._planned = -BETWEEN_SEC  # when, on this machine's clock (s)
        self._goal_ns = -1  # stamp of the newest odometry when it came, or was planned to
        self._track: Track[Pose] = Track()  # of odometry
        self._scan: bytes | None = None
        self._plan_out = self.create_publisher(Path, 'plan', qos.RELIABLE)
        self._subscribe()

    def _subscribe(self) -> None:
        for kind, topic, callback, profile, raw in (
            (OccupancyGrid, 'map', self._on_map, qos.LATCHED, False),
            (PoseStamped, 'goal_pose', self._on_goal, qos.RELIABLE, False),
            (Odometry, 'odom', self._on_odometry, qos.SENSOR, True),
            (LaserScan, 'scan', self._on_scan, qos.SENSOR, True),
            (Marker, 'outcome', self._on_outcome, qos.RELIABLE, False),
        ):
            self.create_subscription(kind, topic, callback, profile, raw=raw)
        self.create_service(Trigger, '~/cancel', self._on_cancel)
        self.create_timer(1.0 / self._config.update_frequency, self._look)
        self.create_timer(1.0 / self._config.planning_frequency, self._on_time_to_plan)

    # What comes in

    def _on_map(self, message: OccupancyGrid) -> None:
        if self._map is not None and _CONTENT(message) == _CONTENT(self._map):
            return
        try:
            area = messages.occupancy_map(message)
        except MapError as error:
            self.get_logger().error(f'map refused: {error}')
            return
        in_another_frame = message.header.frame_id != self._map_frame
        self._map, self._map_frame = message, message.header.frame_id
        rows, columns = area.shape
        self.get_logger().info(f'map: {columns} x {rows} cells of {area.resolution:g} m')
        self._route.set_map(area)
        if in_another_frame and self._goal is not None and self._route.goal is not None:
            goal, self._goal = self._goal, None
            self._on_goal(goal)  # as if it were new: it has other coordinates now
        else:
            self._plan()

    def _on_goal(self, message: PoseStamped) -> None:
        if message == self._goal:
            return  # once more: same time, frame and pose
        self._goal, self._goal_waits = message, True
        self._goal_came = self.get_clock().now().nanoseconds
        self._goal_ns = self._track.newest[0] if self._track.newest else -1
        self._route.drop()
        if time.monotonic() - self._planned > BETWEEN_SEC:  # else `_look` will
            self._plan()

    def _on_odometry(self, data: bytes) -> None:
        try:
            stamp, self._odom_frame, child, (x, y, yaw, *_) = read_odometry(data)
        except ValueError as error:
            self._warn(f'odometry refused: {error}')
            return
        if not np.isfinite([x, y, yaw]).all():
            return
        self._base_frame = self._config.base_frame_id or child
        was_early = self._is_early()
        if self._track.add(stamp, (x, y, yaw)):
            self._transforms.forget()
            self._goal_ns = -1
        if was_early and not self._is_early():
            self._plan()

    def _on_scan(self, data: bytes) -> None:
        self._scan = data  # looked at when it is time

    def _on_outcome(self, marker: Marker) -> None:
        """The drive has ended; one that ended before the present goal came is another."""
        if messages.stamp_ns(marker.header.stamp) > self._goal_ns:
            self._drop()

    def _on_cancel(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        had_goal = self._drop()
        response.success, response.message = True, f'{int(had_goal)} goals cancelled'
        return response

    def _drop(self) -> bool:
        """Forget the goal, and say so by an empty plan; whether there was one."""
        had_goal = self._route.goal is not None or self._goal_waits
        self._goal_waits = False
        self._route.drop()
        self._publish(NOWHERE)
        return had_goal

    # Planning

    def _look(self) -> None:
        """Mark what the newest scan shows, once it is known where it was taken."""
        if self._goal_waits:
            self._plan()
        data, self._scan = self._scan, None
        newest = self._track.newest
        if data is None or self._route.area is None or newest is None:
            return
        try:
            stamp, frame, metadata, ranges = read_scan(data)
            if stamp > newest[0]:
                self._scan = data  # odometry of its time is still to come
                return
            place = self._track.at(stamp)
            if place is None:
                return
            pose = self._on_map_frame(place, stamp)
            lidar = self._mounting.of('robot', self._base_frame, frame)
            geometry = messages.scan_geometry(metadata, lidar)
            self._route.see(pose, ranges, geometry, stamp / messages.NANOSECONDS)
        except ValueError as error:  # a ScanError or FrameError
            self._warn(f'scan not used: {error}')

    def _on_time_to_plan(self) -> None:
        """Look at the way, and publish what is left of it."""
        if not self._plan() and len(self._route.rest):
            self._publish(self._route.rest)

    def _plan(self) -> bool:
        """Plan if need be; whether another plan has been published."""
        if self._route.area is None or not (self._goal_waits or self._route.goal):
            if self._goal_waits:
                self._warn('the goal waits for a map')
            return False
        now = self.get_clock().now().nanoseconds
        newest = self._track.newest
        if newest is None or now - newest[0] > self._config.odom_timeout * messages.NANOSECONDS:
            self._warn('no plan: no recent odometry')
            return False
        if self._is_early():
            return False
        self._planned = time.monotonic()
        stamp, pose = newest
        try:
            place = self._on_map_frame(pose, stamp)
            if self._goal_waits:
                self._take_goal(stamp)
        except FrameError as error:
            self._refuse_or_go_on(error, now)
            return False
        news = self._route.update(place, stamp / messages.NANOSECONDS)
        if news is None:
            return False
        if news.is_refusal:
            self.get_logger().error(news.text)
        else:
            self.get_logger().info(news.text)
        self._publish(news.path)
        return True

    def _take_goal(self, stamp: int) -> None:
        """Hand the waiting goal to the route, in the frame of the map.

        Raises:
            FrameError: it is in no frame that the map's is known from, or it is no place.
        """
        assert self._goal is not None, 'a goal waits'
        frame, place = self._goal.header.frame_id, self._goal.pose.position
        if not messages.is_finite_goal(self._goal):
            raise FrameError(f'it must be finite, got ({place.x}, {place.y})')
        x, y = self._to_map(frame, stamp).apply(place.x, place.y)
        self._goal_waits, self._goal_ns = False, stamp
        self._route.set_goal(x, y)

    def _refuse_or_go_on(self, error: FrameError, now: int) -> None:
        """No plan: a goal that has just come is refused, a drive goes on by the plan it has."""
        waited = (now - self._goal_came) / messages.NANOSECONDS
        if not self._goal_waits:
            self._warn(f'no plan: {error}')
        elif not isinstance(error, TransformError) or not 0.0 <= waited < TF_WAIT_SEC:
            self.get_logger().error(f'goal refused: {error}')
            self._drop()

    def _is_early(self) -> bool:
        """Whether the robot is where it was before the waiting goal was set, for all one knows.

        A goal from far ahead was stamped by another clock; it is for now.
        """
        newest = self._track.newest
        if not self._goal_waits or self._goal is None or newest is None:
            return False
        ahead = messages.stamp_ns(self._goal.header.stamp) - newest[0]
        return 0 <= ahead <= FORESIGHT_SEC * messages.NANOSECONDS

    def _to_map(self, frame: str, stamp: int) -> Transform:
        """From a frame to that of the map; no name means it is the map's.

        Raises:
            FrameError: TF does not know.
        """
        if frame in ('', self._map_frame):
            return Transform(0.0, 0.0, 0.0)
        return self._transforms.planar(self._map_frame, frame, stamp)

    def _on_map_frame(self, pose: Pose, stamp: int) -> Floats:
        """(3,) a pose of odometry, in the frame of the map.

        Raises:
            FrameError: TF does not know.
        """
        to_map = self._to_map(self._odom_frame, stamp)
        return np.array([*to_map.apply(pose[0], pose[1]), to_map.yaw + pose[2]])

    def _publish(self, path: Floats) -> None:
        stamp = self._track.newest[0] if self._track.newest else 0
        self._plan_out.publish(messages.path_message(path, self._map_frame, stamp))

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=QUIET_SEC)

    def close(self) -> None:
        """The robot is not to go on by a plan that nobody looks after: it must be told in time."""
        self._publish(NOWHERE)
        self._plan_out.wait_for_all_acked(Duration(seconds=qos.DELIVERY_SEC))
