"""Steps the robots: scans and odometry in, velocities out, by the pilot.

A step is due when every robot has sent a scan and odometry of its time, or is known not to. Robots
that cannot vouch for what is around them are brought to rest. Made when the node is activated, so
that nothing of an earlier drive is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node

from rl_planner.navigation.observation import ScanError, ScanGeometry
from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.policy import Policy
from rl_planner.navigation.step import Decision, Sensed
from rl_planner.navigation.task import Outcome
from rl_planner.navigation.watchdog import Fault, Pacemaker
from rl_planner.ros import messages
from rl_planner.ros.actor_config import ActorSetup
from rl_planner.ros.cdr import Scan, read_path, read_scan
from rl_planner.ros.deadline import Deadline
from rl_planner.ros.experience_writer import ExperienceWriter
from rl_planner.ros.headings import Headings
from rl_planner.ros.inbox import ODOMETRY, SCAN, STEP
from rl_planner.ros.lidars import Lidars
from rl_planner.ros.mounting import Mounting
from rl_planner.ros.plans import PlanInbox
from rl_planner.ros.robot import Robot
from rl_planner.ros.robot_topics import REST, RobotTopics
from rl_planner.ros.transforms import Transforms


class Control:
    """Drives the robots whose topics are given.

    Args:
        node: for its clock and its log.
        topics: of each robot; a robot is known by its row in them.
        make_pilot: makes the pilot when the first scan tells the beams.
        transforms: asked where goals, plans and lidars are in other frames.
        experience: takes what is experienced, or None.

    Attributes:
        policy: None until there is one; till then no robot moves.
        robots: by row.
        pilot: None till the first scan.
        pace: counts steps that took too long.
        clock_jumps: how often the clock, or a robot's stamps, went back.
    """

    def __init__(
        self,
        node: Node,
        setup: ActorSetup,
        topics: list[RobotTopics],
        make_pilot: Callable[[ScanGeometry], Pilot],
        transforms: Transforms,
        experience: ExperienceWriter | None = None,
    ) -> None:
        self._clock = node.get_clock()
        self._config = setup.own
        self._make_pilot, self._experience = make_pilot, experience
        self._transforms, self._headings = transforms, Headings(transforms, node.get_logger())
        self._period = period = setup.task.control_period
        logger = node.get_logger()
        self.policy: Policy | None = None
        self.pilot: Pilot | None = None
        self.robots = [
            Robot(row, each, setup, logger, _plan_inbox(setup)) for row, each in enumerate(topics)
        ]
        # Simulated time waits for a step that takes long.
        is_simulated = node.get_parameter('use_sim_time').value
        self.pace = Pacemaker(period, setup.own.overrun_limit, is_simulated)
        self.clock_jumps = 0
        self._logger, self._now_ns = logger, 0
        guarded = self.robots if setup.safety.enabled and not setup.own.training else []
        self._deadlines = {
            robot.row: Deadline(node, partial(self._on_overdue, robot)) for robot in guarded
        }
        self._lidars = Lidars(Mounting(setup.lidar, setup.own, transforms, logger))

    # What comes in

    def on_odometry(self, row: int, data: bytes) -> None:
        robot = self.robots[row]
        try:
            robot.inbox.take_odometry(data, self._clock.now().nanoseconds)
        except ValueError as error:
            robot.stop(Fault(ODOMETRY, str(error)), self.pilot)
            return
        robot.topics.name_base(robot.base_frame)
        self._step_if_complete()

    def on_scan(self, row: int, data: bytes) -> None:
        robot = self.robots[row]
        inbox = robot.inbox
        try:
            scan = read_scan(data)
        except ValueError as error:
            self._refuse_scan(robot, error)
            return
        if inbox.is_repeated(scan.stamp):
            if robot.is_commanded(self.pilot):
                robot.topics.repeat()
            return
        if inbox.is_early(scan.stamp) or inbox.is_overtaken(scan.stamp):
            return
        if inbox.ranges is not None:  # another robot is late: wait for it no longer
            self._step()
        if not (inbox.is_repeated(scan.stamp) or inbox.is_early(scan.stamp)):
            self._take_scan(robot, scan)
            self._step_if_complete()

    def on_goal(self, row: int, message: PoseStamped) -> None:
        robot = self.robots[row]
        if robot.plan is None:
            robot.goal.take(message)
        else:
            robot.plan.expect(message)

    def on_plan(self, row: int, data: bytes) -> None:
        """A path to follow; an empty one stops the robot, and so does one that cannot be driven."""
        robot = self.robots[row]
        if robot.plan is None:
            return
        try:
            is_stop = robot.plan.take(*read_path(data))
        except ValueError as error:  # broken, or a PathError
            self._logger.error(f'{robot.name}: plan refused: {error}')
            robot.plan.follower, is_stop = None, True
        if is_stop:
            robot.lose_plan(self.pilot)

    def _take_scan(self, robot: Robot, scan: Scan) -> None:
        back = robot.watchdog.behind(SCAN, scan.stamp)
        if back:
            self._begin_anew([robot], f'stamps of scans went back by {back:.2f} s')
        now = self._clock.now().nanoseconds
        try:
            geometry, ranges = self._lidars.fit(robot, scan)
            if self.pilot is None:
                self.pilot = self._make_pilot(geometry)
            robot.inbox.take_scan(scan.stamp, scan.duration, ranges, geometry, now)
        except ScanError as error:
            robot.inbox.is_blind = True
            self._refuse_scan(robot, error, scan.stamp)

    def _refuse_scan(self, robot: Robot, error: ValueError, stamp: int | None = None) -> None:
        robot.watchdog.refused(SCAN, str(error), self._clock.now().nanoseconds)
        robot.stop(Fault(SCAN, str(error)), self.pilot, stamp)

    # Stepping

    def _step_if_complete(self) -> None:
        """Step as soon as every robot has sent what it needs, but those that have fallen silent."""
        now = self._clock.now().nanoseconds
        for robot in self.robots:
            inbox = robot.inbox
            if not (inbox.is_complete() or inbox.is_blind or robot.watchdog.fault(now)):
                return
        self._step()

    def _step(self) -> None:
        """One control period of every robot whose scan and odometry are there and recent."""
        began = time.perf_counter()
        now = self._read_clock()
        ready = [robot for robot in self.robots if robot.inbox.is_complete()]
        for robot in self.robots:
            robot.inbox.is_blind = False  # each scan is looked at anew
        if self.pilot is None or self.policy is None:
            return  # in training, a lock-stepped simulator waits for the first policy
        ready = [robot for robot in ready if self._is_fit(robot, now)]
        if not ready:
            return
        self.pilot.policy = self.policy
        ready = [robot for robot in ready if self._headings.head(robot, self.pilot)]
        if not ready:
            return
        driving = self.pilot.active[[robot.row for robot in ready]].tolist()
        decision = self.pilot.step(self._sensed(ready, now))
        late = self.pace.beat(time.perf_counter() - began)
        self._answer(ready, driving, decision, late)

    def _is_fit(self, robot: Robot, now: int) -> bool:
        """Whether the robot may move on what it sent; else it is stopped."""
        fault = robot.watchdog.fault(now)
        if fault is None:
            return True
        robot.inbox.close_step()
        robot.stop(fault, self.pilot)
        return False

    def _sensed(self, robots: list[Robot], now: int) -> Sensed:
        inboxes = [robot.inbox for robot in robots]
        of_scan, lags = zip(*(inbox.odometry_of_scan() for inbox in inboxes), strict=True)
        odometry = np.array(of_scan)
        stamps = np.array([inbox.scan_ns for inbox in inboxes]) / messages.NANOSECONDS
        late = np.array([inbox.late_ns for inbox in inboxes]) / messages.NANOSECONDS
        done = now / messages.NANOSECONDS + self.pace.longest  # when the commands go out
        return Sensed(
            np.array([robot.row for robot in robots]),
            np.array([inbox.ranges for inbox in inboxes]),
            odometry[:, :3],
            odometry[:, 3:],
            stamps - late,
            np.clip(done - stamps, 0.0, self._config.scan_timeout) + late,
            np.array(lags) / messages.NANOSECONDS,
            np.array([inbox.duration for inbox in inboxes]),
            self.pace.slack,
        )

    def _answer(
        self, robots: list[Robot], driving: list[bool], decision: Decision, late: Fault | None
    ) -> None:
        """Publish what came of a step of robots, of which some were driving."""
        commands, outcomes = decision.commands.tolist(), decision.outcomes.tolist()
        for robot, was_driving, command, outcome in zip(
            robots, driving, commands, outcomes, strict=True
        ):
            inbox = robot.inbox
            inbox.close_step()
            if outcome == Outcome.RUNNING and was_driving and late is not None:
                robot.stop(late, self.pilot)
                continue
            robot.fault = None
            if was_driving or self._config.command_when_idle:
                robot.answer(command, was_driving)
            if was_driving and self.pilot is not None and robot.row in self._deadlines:
                self._deadlines[robot.row].set(self.pilot.patience(robot.row))
            if outcome != Outcome.RUNNING:
                robot.say_outcome(Outcome(outcome).name.lower())
        if self.pilot is not None:
            # Simulated time may come after the scan: no command goes out before that.
            now = self._clock.now().nanoseconds
            sent = np.array([max(now, robot.inbox.scan_ns or now) for robot in robots])
            rows = np.array([robot.row for robot in robots])
            self.pilot.date(rows[driving], sent[driving] / messages.NANOSECONDS)
        if self._experience is not None:
            self._experience.add(decision.transitions)

    # Stopping

    def watch(self) -> None:
        """Stop robots that no longer know where they are or what is around them."""
        now = self._read_clock()
        for robot in self.robots:
            if robot.wants_to_move(self.pilot):
                fault = robot.watchdog.fault(now)
                if fault is not None:
                    robot.stop(fault, self.pilot)
                else:
                    self._watch_steps(robot, now)

    def _watch_steps(self, robot: Robot, now: int) -> None:
        """Stop a robot that drives, and whose scans and odometry are recent but never meet.

        A scan may be passed over for being early, hence one control period more.
        """
        inbox = robot.inbox
        if self.pilot is None or not self.pilot.active[robot.row] or inbox.acted_ns is None:
            return
        age = (now - inbox.acted_ns) / messages.NANOSECONDS
        if age > self._config.scan_timeout + self._period:
            waiting = inbox.ranges
            reason = f'no scan with odometry of its time for {age:.2f} s'
            robot.stop(Fault(STEP, reason), self.pilot)
            inbox.ranges = waiting  # its odometry may be on its way

    def _on_overdue(self, robot: Robot) -> None:
        """A command has stood for as long as the safety layer has looked."""
        if robot.inbox.is_complete():  # and waits for another robot's: for no longer
            self._step()
            return
        if self.pilot is None or not self.pilot.active[robot.row]:
            return
        if self.pilot.overdue(robot.row, self._read_clock() / messages.NANOSECONDS):
            robot.topics.send(REST, robot.inbox.scan_ns)
        else:
            self._deadlines[robot.row].set(self._period)

    def _read_clock(self) -> int:
        """What time it is (ns); where it went back, every robot stops and begins anew."""
        now: int = self._clock.now().nanoseconds
        back = (self._now_ns - now) / messages.NANOSECONDS
        self._now_ns = now
        if back > self._config.clock_jump_tolerance:
            self._begin_anew(self.robots, f'the clock went back by {back:.2f} s')
        return now

    def _begin_anew(self, robots: list[Robot], reason: str) -> None:
        self.clock_jumps += 1
        self._transforms.forget()
        for robot in robots:
            robot.forget_time(Fault('clock', reason), self.pilot)

    def close(self) -> None:
        """Stop every robot; none is looked after any more."""
        self.cancel()
        for deadline in self._deadlines.values():
            deadline.destroy()

    def cancel(self) -> int:
        """Stop every robot at once and forget its goal; how many goals there were."""
        return sum([robot.cancel(self.pilot) for robot in self.robots])


def _plan_inbox(setup: ActorSetup) -> PlanInbox | None:
    return PlanInbox(setup.path, setup.observation) if setup.own.follow_plan else None
