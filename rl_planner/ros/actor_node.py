"""The actor: scan, odometry and goal in, velocity out, for one robot or many in namespaces.

Steps on message stamps: a robot's control period begins with a scan, whatever the speed of time. In
training it explores and publishes what it experiences; the driving is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.duration import Duration
from sensor_msgs.msg import LaserScan
from std_msgs.msg import UInt8MultiArray
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.noise import ExplorationNoise
from rl_planner.navigation.config import (
    LidarConfig,
    ObservationConfig,
    RobotConfig,
    TaskConfig,
)
from rl_planner.navigation.observation import ScanError, ScanGeometry
from rl_planner.navigation.pilot import Pilot, Sensed
from rl_planner.navigation.policy import Policy, PolicyError
from rl_planner.navigation.safety import Safety, SafetyConfig
from rl_planner.navigation.task import Outcome
from rl_planner.ros import diagnostics, messages, parameters, qos
from rl_planner.ros.actor_config import ActorConfig
from rl_planner.ros.cdr import read_scan
from rl_planner.ros.experience_writer import ExperienceWriter
from rl_planner.ros.inbox import Inbox
from rl_planner.ros.process import RunnableNode

REST = (0.0, 0.0)


class ActorNode(RunnableNode):
    """Gathers scans, steps the pilot, publishes commands and experience."""

    def __init__(self) -> None:
        super().__init__('actor_node')
        self._config = parameters.declare(self, '', ActorConfig)
        self._robot = parameters.declare(self, 'robot', RobotConfig)
        self._lidar = parameters.declare(self, 'lidar', LidarConfig)
        self._task = parameters.declare(self, 'task', TaskConfig)
        self._observation = parameters.declare(self, 'observation', ObservationConfig)
        self._learning = parameters.declare(self, 'learning', LearningConfig)
        self._safety = parameters.declare(self, 'safety', SafetyConfig)
        parameters.refuse_unknown(self)
        self._policy = self._load_policy()
        self._geometry: ScanGeometry | None = None
        self._metadata: tuple[float, ...] = ()
        self._pilot: Pilot | None = None  # made with the first scan: it needs to know the beams
        period_ns = round(self._task.control_period * messages.NANOSECONDS)
        self._inboxes = [Inbox(name, period_ns) for name in self._config.robots]
        self._experience: ExperienceWriter | None = None
        self._faults = [''] * len(self._inboxes)
        self._make_publishers()
        self._make_subscriptions()
        self.create_timer(self._task.control_period, self._watch)
        self.create_timer(1.0, self._diagnose)

    def _load_policy(self) -> Policy | None:
        if not self._config.policy_file:
            return None
        policy = Policy.load(self._config.policy_file)
        policy.require(self._robot, self._task.control_period)
        self._observation = policy.metadata.observation
        return policy

    def _make_publishers(self) -> None:
        stamped, robots = self._config.use_stamped_cmd_vel, self._config.robots
        kind = TwistStamped if stamped else Twist
        prefixes = [f'{name}/' if name else '' for name in robots]
        publish = self.create_publisher
        self._command_out = [publish(kind, p + 'cmd_vel', qos.RELIABLE) for p in prefixes]
        self._outcome_out = [publish(Marker, p + 'outcome', qos.RELIABLE) for p in prefixes]
        self._diagnostics_out = publish(DiagnosticArray, '/diagnostics', qos.RELIABLE)
        self._commands = [kind() for _ in robots]  # what was sent last, reused
        if stamped:
            for command in self._commands:
                command.header.frame_id = self._config.base_frame_id
        if self._config.training:
            self._experience = ExperienceWriter(self, self._config.experience_batch)

    def _make_subscriptions(self) -> None:
        for row, name in enumerate(self._config.robots):
            prefix = f'{name}/' if name else ''
            for kind, topic, callback, profile, raw in (  # raw: read by rl_planner.ros.cdr
                (Odometry, 'odom', self._on_odom, qos.SENSOR, True),
                (LaserScan, 'scan', self._on_scan, qos.SENSOR, True),
                (PoseStamped, 'goal_pose', self._on_goal, qos.RELIABLE, False),
            ):
                on_message = partial(callback, row)
                self.create_subscription(kind, prefix + topic, on_message, profile, raw=raw)
        self.create_service(Trigger, '~/cancel', self._on_cancel)
        if self._config.training:
            self.create_subscription(UInt8MultiArray, 'policy', self._on_policy, qos.LATCHED)

    # What comes in

    def _on_odom(self, row: int, data: bytes) -> None:
        try:
            self._inboxes[row].take_odometry(data)
        except ValueError as error:
            self._stop(row, str(error))
            return
        self._step_if_complete()

    def _on_scan(self, row: int, data: bytes) -> None:
        inbox = self._inboxes[row]
        try:
            stamp, metadata, ranges = read_scan(data)
        except ValueError as error:
            self._stop(row, str(error))
            return
        if inbox.is_repeated(stamp):
            self._command_out[row].publish(self._commands[row])
            return
        if inbox.is_early(stamp):
            return
        if inbox.ranges is not None:  # another robot is late: wait for it no longer
            self._step()
        if not inbox.is_repeated(stamp):
            try:
                inbox.take_scan(stamp, ranges, self._known_geometry(metadata))
            except ScanError as error:
                inbox.is_blind = True
                self._stop(row, str(error), stamp)
            self._step_if_complete()

    def _known_geometry(self, metadata: tuple[float, ...]) -> ScanGeometry:
        """The geometry that all scans share.

        Raises:
            ScanError: this scan has another one, or none that makes sense.
        """
        if self._geometry is None:
            self._geometry = messages.scan_geometry(metadata, self._lidar)
            self._metadata = metadata
            self._pilot = self._make_pilot(self._geometry)
        elif metadata != self._metadata:
            raise ScanError(f'scan metadata must stay {self._metadata}, got {metadata}')
        return self._geometry

    def _make_pilot(self, geometry: ScanGeometry) -> Pilot:
        count, robot = len(self._inboxes), self._robot
        noise, safety = None, None
        if self._config.training:
            noise = ExplorationNoise(
                count, self._learning, np.random.default_rng(self._config.seed)
            )
        elif self._safety.enabled:
            safety = Safety(self._safety, robot, geometry, self._task.control_period)
        pilot = Pilot(count, robot, self._task, self._observation, geometry, noise, safety)
        pilot.policy = self._policy
        return pilot

    def _on_goal(self, row: int, message: PoseStamped) -> None:
        inbox = self._inboxes[row]
        if not inbox.repeats_goal(message):
            inbox.goal, inbox.goal_waits = message, True

    def _on_policy(self, message: UInt8MultiArray) -> None:
        try:
            policy = Policy.from_bytes(bytes(message.data))
            policy.require(self._robot, self._task.control_period)
            if policy.metadata.observation != self._observation:
                raise PolicyError(
                    f'observation must be {self._observation}, got {policy.metadata.observation}'
                )
        except PolicyError as error:
            self.get_logger().error(f'policy refused: {error}', throttle_duration_sec=5.0)
            return
        self._policy = policy
        if self._pilot is not None:
            self._pilot.policy = policy

    def _on_cancel(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Stop every robot at once and forget its goal."""
        cancelled = 0
        for row, inbox in enumerate(self._inboxes):
            self._send(row, REST)
            active = self._pilot is not None and self._pilot.active[row]
            if self._pilot is not None:
                self._pilot.cancel(row)
            if active or inbox.goal_waits:
                self._say_outcome(row, 'cancelled')
                cancelled += 1
            inbox.goal_waits = False
        response.success, response.message = True, f'{cancelled} goals cancelled'
        return response

    # Stepping

    def _step_if_complete(self) -> None:
        if all(inbox.is_complete() or inbox.is_blind for inbox in self._inboxes):
            self._step()

    def _step(self) -> None:
        """One control period of every robot whose scan and odometry are there."""
        rows = [row for row, inbox in enumerate(self._inboxes) if inbox.is_complete()]
        for inbox in self._inboxes:
            inbox.is_blind = False  # each scan is looked at anew
        if not rows or self._pilot is None or self._pilot.policy is None:
            return  # in training, a lock-stepped simulator waits for the first policy
        for row in rows:
            self._begin_goal(row, self._pilot)
        driving = self._pilot.active[rows]
        decision = self._pilot.step(self._sensed(rows))
        for row, was_driving, command, outcome in zip(
            rows, driving, decision.commands.tolist(), decision.outcomes.tolist(), strict=True
        ):
            self._inboxes[row].close_step()
            self._faults[row] = ''
            if was_driving or self._config.command_when_idle:
                self._send(row, command)
            if outcome != Outcome.RUNNING:
                self._say_outcome(row, Outcome(outcome).name.lower())
        if self._experience is not None:
            self._experience.add(decision.transitions)

    def _sensed(self, rows: list[int]) -> Sensed:
        inboxes = [self._inboxes[row] for row in rows]
        odometry = np.array([inbox.odometry for inbox in inboxes])
        stamps = np.array([inbox.scan_ns for inbox in inboxes]) / messages.NANOSECONDS
        now = self.get_clock().now().nanoseconds / messages.NANOSECONDS
        return Sensed(
            np.array(rows),
            np.array([inbox.ranges for inbox in inboxes]),
            odometry[:, :3],
            odometry[:, 3:],
            stamps,
            np.clip(now - stamps, 0.0, self._config.scan_timeout),
        )

    def _begin_goal(self, row: int, pilot: Pilot) -> None:
        """Hand a waiting goal to the pilot, once a scan shows the place it was meant for."""
        inbox = self._inboxes[row]
        if inbox.goal is None or not inbox.has_reached_goal_time():
            return
        inbox.goal_waits = False
        frame, position = inbox.goal.header.frame_id, inbox.goal.pose.position
        refusal = ''
        if frame not in ('', inbox.odom_frame):
            refusal = f'its frame must be {inbox.odom_frame}, as odometry, got {frame}'
        if not messages.is_finite_goal(inbox.goal):
            refusal = f'it must be finite, got ({position.x}, {position.y})'
        if refusal:
            self.get_logger().error(f'{inbox.name}: goal refused: {refusal}')
            pilot.cancel(row)
            self._send(row, REST)
        else:
            pilot.set_goal(row, position.x, position.y)

    # What goes out

    def _send(self, row: int, command: Sequence[float], stamp: int | None = None) -> None:
        """Publish a velocity; stamped with the scan that it answers, if not given the last good."""
        message, stamped = self._commands[row], self._config.use_stamped_cmd_vel
        stamp = self._inboxes[row].scan_ns if stamp is None else stamp
        if stamped and stamp is not None:
            message.header.stamp = messages.stamp_of(stamp)
        twist = message.twist if stamped else message
        twist.linear.x, twist.angular.z = command
        self._command_out[row].publish(message)

    def _say_outcome(self, row: int, outcome: str) -> None:
        inbox = self._inboxes[row]
        self._outcome_out[row].publish(
            messages.outcome_marker(
                inbox.scan_ns or 0, inbox.odom_frame, inbox.odometry[:3], outcome
            )
        )

    def _stop(self, row: int, reason: str, stamp: int | None = None) -> None:
        """Bring a robot to rest because of what it sent, at `stamp`, or did not; its goal stays."""
        if reason != self._faults[row]:
            self.get_logger().warning(f'{reason}: stopped', throttle_duration_sec=1.0)
        self._faults[row] = reason
        self._inboxes[row].ranges = None
        if self._pilot is not None and (self._pilot.active[row] or self._config.command_when_idle):
            self._pilot.halt(row)
            self._send(row, REST, stamp)

    def _watch(self) -> None:
        """Stop robots that no longer know where they are or what is around them."""
        if self._pilot is None:
            return
        now = self.get_clock().now().nanoseconds
        limits = self._config.scan_timeout, self._config.odom_timeout
        for row in np.flatnonzero(self._pilot.active).tolist():
            fault = self._inboxes[row].fault(now, *limits)
            if fault:
                self._stop(row, fault)

    def _diagnose(self) -> None:
        active = 0 if self._pilot is None else int(self._pilot.active.sum())
        faults = [fault for fault in self._faults if fault]
        level = diagnostics.WARN if faults else diagnostics.OK
        message = faults[0] if faults else f'{active} of {len(self._inboxes)} robots driving'
        values = {'robots': len(self._inboxes), 'driving': active, 'stopped': len(faults)}
        if self._pilot is not None:
            values.update(self._pilot.interventions)
        stamp, where = self.get_clock().now().to_msg(), self.get_namespace().strip('/')
        name = f'rl_planner: actor of {where}' if where else 'rl_planner: actor'
        self._diagnostics_out.publish(diagnostics.diagnostic(stamp, name, level, message, values))

    def close(self) -> None:
        """Bring every robot to rest, and hand over the last experience."""
        if self._experience is not None:
            self._experience.flush()
        for row, publisher in enumerate(self._command_out):
            self._send(row, REST)
            publisher.wait_for_all_acked(Duration(seconds=0.2))
