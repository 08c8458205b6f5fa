"""Steps the robots: scans and odometry in, velocities out, by the pilot.

A step is due when every robot has sent a scan and odometry of its time, or is known not to. Robots
that cannot vouch for what is around them are brought to rest. Made when the node is activated, so
that nothing of an earlier drive is left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node

from rl_planner.navigation.observation import ScanError, ScanGeometry
from rl_planner.navigation.pilot import Decision, Pilot, Sensed
from rl_planner.navigation.policy import Policy
from rl_planner.navigation.task import Outcome
from rl_planner.ros import messages
from rl_planner.ros.actor_config import ActorSetup
from rl_planner.ros.cdr import read_scan
from rl_planner.ros.experience_writer import ExperienceWriter
from rl_planner.ros.goals import GoalError, GoalInbox
from rl_planner.ros.inbox import Inbox
from rl_planner.ros.robot_topics import REST, RobotTopics


class Control:
    """Drives the robots whose topics are given.

    Args:
        node: for its clock and its log.
        topics: of each robot; a robot is known by its row in them.
        make_pilot: makes the pilot when the first scan tells the beams.
        experience: takes what is experienced, or None.

    Attributes:
        policy: None until there is one; till then no robot moves.
        inboxes, goals: of each robot.
        pilot: None till the first scan.
    """

    def __init__(
        self,
        node: Node,
        setup: ActorSetup,
        topics: list[RobotTopics],
        make_pilot: Callable[[ScanGeometry], Pilot],
        experience: ExperienceWriter | None = None,
    ) -> None:
        self._clock, self._logger = node.get_clock(), node.get_logger()
        self._config, self._lidar, self._topics = setup.own, setup.lidar, topics
        self._make_pilot, self._experience = make_pilot, experience
        period_ns = round(setup.task.control_period * messages.NANOSECONDS)
        self.policy: Policy | None = None
        self.pilot: Pilot | None = None
        self.inboxes = [Inbox(robot.name, period_ns) for robot in topics]
        self.goals = [GoalInbox() for _ in topics]
        self._geometry: ScanGeometry | None = None
        self._metadata: tuple[float, ...] = ()

    # What comes in

    def on_odometry(self, row: int, data: bytes) -> None:
        try:
            self.inboxes[row].take_odometry(data)
        except ValueError as error:
            self._stop(row, str(error))
            return
        self._step_if_complete()

    def on_scan(self, row: int, data: bytes) -> None:
        inbox = self.inboxes[row]
        try:
            stamp, metadata, ranges = read_scan(data)
        except ValueError as error:
            self._stop(row, str(error))
            return
        if inbox.is_repeated(stamp):
            self._topics[row].repeat()
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

    def on_goal(self, row: int, message: PoseStamped) -> None:
        self.goals[row].take(message)

    def _known_geometry(self, metadata: tuple[float, ...]) -> ScanGeometry:
        """The geometry that all scans share.

        Raises:
            ScanError: this scan has another one, or none that makes sense.
        """
        if self._geometry is None:
            self._geometry = messages.scan_geometry(metadata, self._lidar)
            self._metadata = metadata
            self.pilot = self._make_pilot(self._geometry)
        elif metadata != self._metadata:
            raise ScanError(f'scan metadata must stay {self._metadata}, got {metadata}')
        return self._geometry

    # Stepping

    def _step_if_complete(self) -> None:
        if all(inbox.is_complete() or inbox.is_blind for inbox in self.inboxes):
            self._step()

    def _step(self) -> None:
        """One control period of every robot whose scan and odometry are there."""
        rows = [row for row, inbox in enumerate(self.inboxes) if inbox.is_complete()]
        for inbox in self.inboxes:
            inbox.is_blind = False  # each scan is looked at anew
        if not rows or self.pilot is None or self.policy is None:
            return  # in training, a lock-stepped simulator waits for the first policy
        self.pilot.policy = self.policy
        for row in rows:
            self._begin_goal(row, self.pilot)
        driving = self.pilot.active[rows].tolist()
        self._answer(rows, driving, self.pilot.step(self._sensed(rows)))

    def _sensed(self, rows: list[int]) -> Sensed:
        inboxes = [self.inboxes[row] for row in rows]
        odometry = np.array([inbox.odometry for inbox in inboxes])
        stamps = np.array([inbox.scan_ns for inbox in inboxes]) / messages.NANOSECONDS
        now = self._clock.now().nanoseconds / messages.NANOSECONDS
        return Sensed(
            np.array(rows),
            np.array([inbox.ranges for inbox in inboxes]),
            odometry[:, :3],
            odometry[:, 3:],
            stamps,
            np.clip(now - stamps, 0.0, self._config.scan_timeout),
        )

    def _begin_goal(self, row: int, pilot: Pilot) -> None:
        """Hand a goal that is due to the pilot."""
        goal, inbox = self.goals[row], self.inboxes[row]
        if not goal.is_due(inbox.scan_ns):
            return
        try:
            x, y = goal.accept(inbox.odom_frame)
        except GoalError as error:
            self._logger.error(f'{inbox.name}: goal refused: {error}')
            pilot.cancel(row)
            self._topics[row].send(REST, inbox.scan_ns)
        else:
            pilot.set_goal(row, x, y)

    def _answer(self, rows: list[int], driving: list[bool], decision: Decision) -> None:
        """Publish what came of a step of the robots `rows`, of which some were driving."""
        commands, outcomes = decision.commands.tolist(), decision.outcomes.tolist()
        for row, was_driving, command, outcome in zip(
            rows, driving, commands, outcomes, strict=True
        ):
            inbox = self.inboxes[row]
            inbox.close_step()
            inbox.fault = ''
            if was_driving or self._config.command_when_idle:
                self._topics[row].send(command, inbox.scan_ns)
            if outcome != Outcome.RUNNING:
                self._say_outcome(row, Outcome(outcome).name.lower())
        if self._experience is not None:
            self._experience.add(decision.transitions)

    def _say_outcome(self, row: int, outcome: str) -> None:
        inbox = self.inboxes[row]
        marker = messages.outcome_marker(
            inbox.scan_ns or 0, inbox.odom_frame, inbox.odometry[:3], outcome
        )
        self._topics[row].say_outcome(marker)

    # Stopping

    def watch(self) -> None:
        """Stop robots that no longer know where they are or what is around them."""
        if self.pilot is None:
            return
        now = self._clock.now().nanoseconds
        limits = self._config.scan_timeout, self._config.odom_timeout
        for row in np.flatnonzero(self.pilot.active).tolist():
            fault = self.inboxes[row].outdated(now, *limits)
            if fault:
                self._stop(row, fault)

    def _stop(self, row: int, reason: str, stamp: int | None = None) -> None:
        """Bring a robot to rest because of what it sent, at `stamp`, or did not; its goal stays."""
        inbox = self.inboxes[row]
        if reason != inbox.fault:
            self._logger.warning(f'{reason}: stopped', throttle_duration_sec=1.0)
        inbox.fault, inbox.ranges = reason, None
        if self.pilot is not None and (self.pilot.active[row] or self._config.command_when_idle):
            self.pilot.halt(row)
            self._topics[row].send(REST, inbox.scan_ns if stamp is None else stamp)

    def cancel(self) -> int:
        """Stop every robot at once and forget its goal; how many goals there were."""
        cancelled = 0
        for row, (inbox, goal) in enumerate(zip(self.inboxes, self.goals, strict=True)):
            self._topics[row].send(REST, inbox.scan_ns)
            active = self.pilot is not None and self.pilot.active[row]
            if self.pilot is not None:
                self.pilot.cancel(row)
            if active or goal.waits:
                self._say_outcome(row, 'cancelled')
                cancelled += 1
            goal.waits = False
        return cancelled
