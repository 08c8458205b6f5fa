"""The global planner: map and goal in, path out; for robots without Nav2.

| direction | topic | type | |
|---|---|---|---|
| in | `map` | nav_msgs/OccupancyGrid | latched, as map servers and SLAM publish it |
| in | `goal_pose` | geometry_msgs/PoseStamped | in any frame that TF knows |
| in | `odom` | nav_msgs/Odometry | where the robot is |
| in | `scan` | sensor_msgs/LaserScan | what stands there that is not in the map |
| in | `outcome` | visualization_msgs/Marker | of `actor_node`: the goal is done with |
| out | `plan` | nav_msgs/Path | in the frame of the map; an empty one: stop |
| out | `/diagnostics` | diagnostic_msgs/DiagnosticArray | what it does, or why there is no plan |
| service | `~/cancel` | std_srvs/Trigger | forget the goal: an empty plan |

The plan is published when it changes, and what is left of it at `planning_frequency`. One node
plans for one robot; give more robots a node each, in their namespaces.
"""

from __future__ import annotations

import time
from operator import attrgetter

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import OccupancyGrid, Odometry, Path
from numpy.typing import NDArray
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from sensor_msgs.msg import LaserScan
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker

from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig
from rl_planner.navigation.frames import FrameError
from rl_planner.navigation.global_planner import GlobalPlannerConfig
from rl_planner.navigation.obstacle_layer import ObstacleLayerConfig
from rl_planner.navigation.occupancy import MapError
from rl_planner.navigation.route import NOWHERE, Route
from rl_planner.ros import messages, parameters, qos
from rl_planner.ros.cdr import read_scan
from rl_planner.ros.global_planner_config import GlobalPlannerNodeConfig
from rl_planner.ros.goals import GoalError, GoalInbox
from rl_planner.ros.mounting import Mounting
from rl_planner.ros.planner_diagnostics import PlannerDiagnostics
from rl_planner.ros.process import RunnableNode
from rl_planner.ros.transforms import TransformError, Transforms
from rl_planner.ros.whereabouts import Whereabouts

Floats = NDArray[np.float64]

QUIET_SEC = 5.0  # between two warnings of the same
TF_WAIT_SEC = 3.0  # TF is listened to when it is needed; for so long a new goal waits for it
BETWEEN_SEC = 0.2  # from one goal that is planned to at once to the next: planning takes a while

_CONTENT = attrgetter('header.frame_id', 'info', 'data')  # of a map, whenever it is published


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
        transforms = Transforms(self, self._config.transform_tolerance)
        self._mounting = Mounting(lidar, self._config, transforms, self.get_logger())
        self._robot = Whereabouts(transforms, self._config.base_frame_id)
        self._map: OccupancyGrid | None = None
        self._goals = GoalInbox()
        self._goal_ns = -1  # stamp of the newest odometry when one came, or was planned to
        self._asked = 0.0  # since when a goal waits, or another one does (s, this machine's clock)
        self._planned = -BETWEEN_SEC  # when, on the same clock (s)
        self._took = 0.0  # the last planning (s)
        self._trouble = ''  # why there is no plan
        self._scan: bytes | None = None
        self._plan_out = self.create_publisher(Path, 'plan', qos.RELIABLE)
        self._diagnostics = PlannerDiagnostics(self)
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
        # Not the node's clock: a simulated one that stands still is one of the troubles.
        self.create_timer(1.0, self._diagnose, clock=Clock(clock_type=ClockType.STEADY_TIME))

    # What comes in

    def _on_map(self, message: OccupancyGrid) -> None:
        if self._map is not None and _CONTENT(message) == _CONTENT(self._map):
            return
        try:
            area = messages.occupancy_map(message)
        except MapError as error:
            self.get_logger().error(f'map refused: {error}')
            return
        in_another_frame = message.header.frame_id != self._robot.map_frame
        self._map, self._robot.map_frame = message, message.header.frame_id
        rows, columns = area.shape
        self.get_logger().info(f'map: {columns} x {rows} cells of {area.resolution:g} m')
        self._route.set_map(area)
        if in_another_frame and self._route.goal is not None:
            self._stop()
            self._goals.renew()  # it has other coordinates now
            self._asked = time.monotonic()
        self._plan()

    def _on_goal(self, message: PoseStamped) -> None:
        if not self._goals.waits:
            self._asked = time.monotonic()
        if self._goals.take(message):
            self._goal_ns = -1 if self._robot.stamp is None else self._robot.stamp
            self._plan_soon()

    def _plan_soon(self) -> None:
        if time.monotonic() - self._planned > BETWEEN_SEC:  # else `_look` will
            self._plan()

    def _on_odometry(self, data: bytes) -> None:
        try:
            is_anew = self._robot.take(data)
        except ValueError as error:
            self._warn(f'odometry refused: {error}')
            return
        if is_anew:
            self._goal_ns = -1
            self._goals.forget_time()
        if self._goals.is_due(self._robot.stamp):
            self._plan_soon()

    def _on_scan(self, data: bytes) -> None:
        self._scan = data  # looked at when it is time

    def _on_outcome(self, marker: Marker) -> None:
        """The drive has ended; one that ended before the present goal came is another."""
        if messages.stamp_ns(marker.header.stamp) <= self._goal_ns:
            return
        if marker.text == 'cancelled':
            self._cancel()
        else:  # a goal that waits is of the next drive
            self._goals.end()
            self._stop()

    def _on_cancel(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        had_goal = self._cancel()
        response.success, response.message = True, f'{int(had_goal)} goals cancelled'
        return response

    def _cancel(self) -> bool:
        """Forget all goals, and say so by an empty plan; whether there was one."""
        had_goal = self._route.goal is not None or self._goals.waits
        self._goals.cancel()
        self._goals.end()
        self._trouble = ''
        self._stop()
        return had_goal

    def _stop(self) -> None:
        """The robot is not to go on."""
        self._route.drop()
        self._publish(NOWHERE)

    # Planning

    def _look(self) -> None:
        """Mark what the newest scan shows, once it is known where it was taken."""
        if self._goals.waits:
            self._plan()
            self._stop_if_late()
        data, self._scan = self._scan, None
        newest = self._robot.stamp
        if data is None or self._route.area is None or newest is None:
            return
        try:
            scan = read_scan(data)
            if scan.stamp > newest:
                self._scan = data  # odometry of its time is still to come
                return
            pose = self._robot.pose(scan.stamp)
            if pose is None:
                return
            lidar = self._mounting.of('robot', self._robot.base_frame, scan.frame)
            geometry = messages.scan_geometry(scan.metadata, lidar)
            self._route.see(pose, scan.ranges, geometry, scan.stamp / messages.NANOSECONDS)
        except ValueError as error:  # a ScanError or FrameError
            self._warn(f'scan not used: {error}')

    def _stop_if_late(self) -> None:
        """A robot is not to go far to a goal when another one waits."""
        waited = time.monotonic() - self._asked
        if self._goals.waits and self._route.goal is not None and waited > self._config.answer_time:
            self.get_logger().info(f'no plan to the new goal after {waited:.1f} s: stopped')
            self._stop()

    def _on_time_to_plan(self) -> None:
        """Look at the way, and publish what is left of it."""
        if not self._plan() and len(self._route.rest):
            self._publish(self._route.rest)

    def _plan(self) -> bool:
        """Plan if need be; whether another plan has been published."""
        stamp = self._robot.stamp
        if not (self._goals.waits or self._route.goal):
            return False
        if self._route.area is None:
            return self._cannot('the goal waits for a map')
        now = self.get_clock().now().nanoseconds
        if stamp is None or now - stamp > self._config.odom_timeout * messages.NANOSECONDS:
            return self._cannot('no plan: no recent odometry')
        try:
            pose = self._robot.pose(stamp)
            if self._goals.is_due(stamp):
                self._take_goal(stamp)
        except (FrameError, GoalError) as error:
            return self._refuse_or_wait(error)
        assert pose is not None, 'there is odometry of that time'
        began = time.monotonic()
        news = self._route.update(pose, stamp / messages.NANOSECONDS)
        if news is None:
            if not self._route.is_waiting:
                self._trouble = ''
            return False
        self._planned = time.monotonic()
        self._took = self._planned - began
        self._trouble = news.text if news.is_refusal else ''
        if news.is_refusal:
            self.get_logger().error(news.text)
        else:
            self.get_logger().info(news.text)
        self._publish(news.path)
        return True

    def _take_goal(self, stamp: int) -> None:
        """Hand the next goal to the route, in the frame of the map.

        Raises:
            FrameError: it is in no frame that the map's is known from.
            GoalError: it is no place.
        """
        frame, x, y = self._goals.look()
        x, y = self._robot.place(frame, x, y, self._goals.meant_at(stamp))
        self._goals.accept(frame, (x, y))
        self._asked, self._goal_ns = time.monotonic(), stamp
        if self._route.goal is not None and self._took >= self._config.answer_time:
            self._stop()
        self._route.set_goal(x, y)

    def _refuse_or_wait(self, error: ValueError) -> bool:
        """A goal that has just come is refused, or waits for TF; a drive goes on by its plan."""
        waited = time.monotonic() - self._asked
        if not self._goals.waits:
            return self._cannot(f'no plan: {error}')
        if isinstance(error, TransformError) and waited < TF_WAIT_SEC:
            self._trouble = f'the goal waits: {error}'
            return False
        self._goals.refuse()
        self._asked, self._trouble = time.monotonic(), f'goal refused: {error}'
        self.get_logger().error(self._trouble)
        self._stop()
        return False

    def _cannot(self, trouble: str) -> bool:
        self._trouble = trouble
        self._warn(trouble)
        return False

    def _diagnose(self) -> None:
        self._diagnostics.publish(self._route, self._robot.stamp, self._goals.waits, self._trouble)

    def _publish(self, path: Floats) -> None:
        stamp = self._robot.stamp or 0
        self._plan_out.publish(messages.path_message(path, self._robot.map_frame, stamp))

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=QUIET_SEC)

    def close(self) -> None:
        """The robot is not to go on by a plan that nobody looks after: it must be told in time."""
        self._publish(NOWHERE)
        self._plan_out.wait_for_all_acked(Duration(seconds=qos.DELIVERY_SEC))
