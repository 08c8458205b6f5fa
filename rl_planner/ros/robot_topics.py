"""The topics of one robot: what it is told, and where it is heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry, Path
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.subscription import Subscription
from sensor_msgs.msg import LaserScan
from visualization_msgs.msg import Marker

from rl_planner.navigation.meter import Meter
from rl_planner.ros import messages, qos
from rl_planner.ros.actor_config import ActorConfig

REST = (0.0, 0.0)


class RobotTopics:
    """Publishes commands and outcomes of one robot, and hears its scans, odometry and goals.

    Made when the node is configured, destroyed at cleanup; it publishes while the node is active.

    Attributes:
        name: namespace of the robot, '' for the node's own topics.
        meter: counts scans, odometry and commands, and times how old a scan is when it is answered.
    """

    def __init__(self, node: LifecycleNode, name: str, config: ActorConfig) -> None:
        self.name, self.meter = name, Meter()
        self._node, self._prefix = node, f'{name}/' if name else ''
        self._is_stamped = config.use_stamped_cmd_vel
        kind = TwistStamped if self._is_stamped else Twist
        self._command = kind()  # what was sent last, reused
        publish = node.create_lifecycle_publisher
        self._command_out = publish(kind, self._prefix + 'cmd_vel', qos.RELIABLE)
        self._outcome_out = publish(Marker, self._prefix + 'outcome', qos.RELIABLE)
        self._subscriptions: list[Subscription] = []

    def subscribe(
        self,
        on_scan: Callable[[bytes], None],
        on_odometry: Callable[[bytes], None],
        on_goal: Callable[[PoseStamped], None],
        on_plan: Callable[[bytes], None] | None = None,
    ) -> None:
        """Hear the robot; all but goals comes serialized, for `rl_planner.ros.cdr` to read."""
        heard: list[tuple[Any, str, Callable[[Any], None], Any, bool]] = [
            (Odometry, 'odom', self._counted('odom', on_odometry), qos.SENSOR, True),
            (LaserScan, 'scan', self._counted('scan', on_scan), qos.SENSOR, True),
            (PoseStamped, 'goal_pose', on_goal, qos.RELIABLE, False),
        ]
        if on_plan is not None:
            heard.append((Path, 'plan', on_plan, qos.RELIABLE, True))
        for kind, topic, callback, profile, raw in heard:
            subscribe = self._node.create_subscription
            self._subscriptions.append(
                subscribe(kind, self._prefix + topic, callback, profile, raw=raw)
            )

    def _counted(self, name: str, callback: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def take(data: bytes) -> None:
            self.meter.count(name)
            callback(data)

        return take

    def answer(self, command: Sequence[float], stamp: int) -> None:
        """Publish the velocity that a scan of that time (ns) is answered with."""
        self.send(command, stamp)
        age = self._node.get_clock().now().nanoseconds - stamp
        self.meter.count('command')
        self.meter.time('scan_to_command', age / messages.NANOSECONDS)

    @property
    def now(self) -> float:
        """What time it is (s)."""
        return float(self._node.get_clock().now().nanoseconds) / messages.NANOSECONDS

    def name_base(self, frame_id: str) -> None:
        """The frame of the commands."""
        if self._is_stamped:
            self._command.header.frame_id = frame_id

    def send(self, command: Sequence[float], stamp: int | None = None) -> None:
        """Publish a velocity (m/s, rad/s), stamped with the scan that it answers (ns)."""
        message = self._command
        if self._is_stamped and stamp is not None:
            message.header.stamp = messages.stamp_of(stamp)
        twist = message.twist if self._is_stamped else message
        twist.linear.x, twist.angular.z = command
        self._command_out.publish(message)

    def repeat(self) -> None:
        """Publish the last velocity once more."""
        self._command_out.publish(self._command)

    def unheard(self) -> str:
        """Why nobody hears the commands, or ''. Two types on one topic are two topics to DDS."""
        if self._command_out.get_subscription_count():
            return ''
        topic, kind = self._command_out.topic_name, type(self._command).__name__
        for other in self._node.get_subscriptions_info_by_topic(topic):
            wanted = other.topic_type.rpartition('/')[2]
            if wanted in ('Twist', 'TwistStamped') and wanted != kind:
                value = str(not self._is_stamped).lower()
                return (
                    f'nobody hears {topic} as {kind}, and {other.node_name} wants {wanted}: '
                    f'use_stamped_cmd_vel must be {value} for it'
                )
        return f'nobody hears {topic} as {kind}: no base has subscribed to it'

    def say_outcome(self, marker: Marker) -> None:
        """Tell how a drive ended."""
        self._outcome_out.publish(marker)

    def destroy(self) -> None:
        """Give back the topics, once subscribers have the last command, or take too long."""
        self._command_out.wait_for_all_acked(Duration(seconds=qos.DELIVERY_SEC))
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        for publisher in (self._command_out, self._outcome_out):
            self._node.destroy_lifecycle_publisher(publisher)
