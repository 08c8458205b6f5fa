"""What RViz is shown of the robots: ~/markers.

| namespace | what |
|---|---|
| goal | a disc as large as its tolerance; of a plan its end |
| lookahead | the point of the plan that is driven to now |
| sectors, earlier_sectors | the nearest return of each sector, as the policy sees it |
| course | where the present command leads, and from there to rest |
| footprint | the robot at the end of that |
| status | why it stands, or what the safety layer does |

The id is the robot's number. What is not drawn anew vanishes after LIFETIME_SEC. Nothing is made
while nobody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from geometry_msgs.msg import Point
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from rl_planner.navigation.course import Courses
from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.in_flight import Prospect, Standing
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.view import View, outline, placed, sector_lines
from rl_planner.ros import messages, qos
from rl_planner.ros.actor_config import ActorSetup
from rl_planner.ros.control import Control
from rl_planner.ros.robot import Robot

LIFETIME_SEC = 0.6
LINE_WIDTH, TEXT_HEIGHT, TEXT_ABOVE = 0.02, 0.15, 0.5  # m

GREEN, YELLOW, BLUE = (0.1, 0.7, 0.2, 0.6), (1.0, 0.8, 0.1, 0.9), (0.2, 0.5, 1.0, 1.0)
GREY, ORANGE, RED = (0.6, 0.6, 0.6, 0.5), (1.0, 0.5, 0.0, 1.0), (0.9, 0.1, 0.1, 1.0)


class ActorMarkers:
    """Draws the robots of the actor `node`."""

    def __init__(self, node: LifecycleNode, setup: ActorSetup) -> None:
        self._out = node.create_lifecycle_publisher(MarkerArray, '~/markers', qos.RELIABLE)
        self._destroy: Callable[[Any], object] = node.destroy_lifecycle_publisher
        self._setup, self._outline = setup, outline(Footprint.of(setup.robot))
        self._courses = Courses(setup.robot, setup.task.control_period)

    def draw(self, control: Control) -> None:
        """Publish how things are, if anybody looks."""
        if control.pilot is None or not self._out.get_subscription_count():
            return
        markers = [marker for robot in control.robots for marker in self._of(robot, control.pilot)]
        if markers:
            self._out.publish(MarkerArray(markers=markers))

    def destroy(self) -> None:
        self._destroy(self._out)

    def _of(self, robot: Robot, pilot: Pilot) -> Iterator[Marker]:
        if not robot.inbox.odom_frame or not robot.wants_to_move(pilot):
            return
        if pilot.active[robot.row]:
            yield from self._goal(robot, pilot)
        view = pilot.view(robot.row)
        if view is not None:
            yield from self._seen(robot, view)
            yield from self._course(robot, view)
        text = robot.fault.message if robot.fault is not None else ''
        if not text and view is not None and view.safety_action:
            text = f'safety: {view.safety_action}'
        if text:
            yield self._status(robot, text)

    def _goal(self, robot: Robot, pilot: Pilot) -> Iterator[Marker]:
        tolerance, frame = self._setup.task.xy_goal_tolerance, robot.inbox.odom_frame
        x, y = pilot.goals[robot.row].tolist()
        if robot.plan is not None and robot.plan.follower is not None:
            ahead = _marker(robot, 'lookahead', Marker.SPHERE, YELLOW)
            ahead.pose = messages.pose_of(x, y, 0.0)
            ahead.scale.x = ahead.scale.y = ahead.scale.z = 0.12
            yield ahead
            (x, y), frame = robot.plan.follower.end, robot.plan.frame or frame
        goal = _marker(robot, 'goal', Marker.CYLINDER, GREEN)
        goal.header.frame_id, goal.pose = frame, messages.pose_of(x, y, 0.0)
        goal.scale.x = goal.scale.y = 2.0 * tolerance
        goal.scale.z = 0.02
        yield goal

    def _seen(self, robot: Robot, view: View) -> Iterator[Marker]:
        config, pose = self._setup.observation, robot.inbox.odometry[:3]
        names, colours = ('sectors', 'earlier_sectors'), (BLUE, GREY)
        for name, colour, sectors in zip(names, colours, view.sectors(config), strict=False):
            lines = placed(sector_lines(sectors, config), pose)
            yield _lines(robot, name, Marker.LINE_LIST, colour, lines.reshape(-1, 2))

    def _course(self, robot: Robot, view: View) -> Iterator[Marker]:
        pose, late = robot.inbox.odometry[:3], self._setup.safety.command_latency
        pending = [Standing(late, *view.command)] if late > 0.0 else []
        velocity = robot.inbox.odometry[3:]
        way = self._courses.shown(Prospect(velocity, pending), view.command)
        colour = ORANGE if view.safety_action else GREEN
        yield _lines(robot, 'course', Marker.LINE_STRIP, colour, placed(way[:, :2], pose))
        there = placed(placed(self._outline, way[-1]), pose)
        yield _lines(robot, 'footprint', Marker.LINE_STRIP, colour, there)

    def _status(self, robot: Robot, text: str) -> Marker:
        marker = _marker(robot, 'status', Marker.TEXT_VIEW_FACING, RED)
        marker.pose = messages.pose_of(*robot.inbox.odometry[:3])
        marker.pose.position.z, marker.scale.z = TEXT_ABOVE, TEXT_HEIGHT
        marker.text = text
        return marker


def _marker(robot: Robot, name: str, kind: int, colour: Iterable[float]) -> Marker:
    """A marker in the frame of odometry; its time is 0, so that the newest transforms count."""
    marker = Marker(ns=name, id=robot.row, type=kind, action=Marker.ADD)
    marker.header.frame_id = robot.inbox.odom_frame
    marker.lifetime = Duration(seconds=LIFETIME_SEC).to_msg()
    red, green, blue, alpha = colour
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=alpha)
    marker.pose.orientation.w = 1.0
    return marker


def _lines(robot: Robot, name: str, kind: int, colour: Iterable[float], points: Any) -> Marker:
    marker = _marker(robot, name, kind, colour)
    marker.scale.x = LINE_WIDTH
    marker.points = [Point(x=x, y=y) for x, y in np.asarray(points, float).tolist()]
    return marker
