"""One robot as the control knows it: what it senses, where it is to go, and why it stands."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rl_planner.navigation.pilot import Pilot
from rl_planner.navigation.sweep import Sweep
from rl_planner.navigation.trip import Trip
from rl_planner.navigation.watchdog import Fault, Watchdog
from rl_planner.ros import messages
from rl_planner.ros.actor_config import ActorSetup
from rl_planner.ros.goals import GoalInbox
from rl_planner.ros.inbox import ODOMETRY, SCAN, Inbox
from rl_planner.ros.plans import PlanInbox
from rl_planner.ros.robot_topics import REST, RobotTopics

BETWEEN_SEC = 1.0
OUTCOMES = {
    'goal': 'goal reached',
    'collision': 'collision',
    'timeout': 'goal given up: it took too long,',
    'cancelled': 'goal cancelled',
}
REPLACED = 'goal replaced'


class Robot:
    """Robot number `row` of the pilot.

    Attributes:
        name: for messages.
        topics, inbox, goal, watchdog: its own.
        plan: that it follows; None where it drives to its goals directly.
        fault: why it does not move, or None.
        stops: how often it was stopped by what, by `Fault.name`.
        trip: its drive, until it has ended.
    """

    def __init__(
        self,
        row: int,
        topics: RobotTopics,
        setup: ActorSetup,
        logger: Any,
        plan: PlanInbox | None = None,
    ) -> None:
        config = setup.own
        self.row, self.topics, self.name = row, topics, topics.name or 'robot'
        limits = {SCAN: config.scan_timeout, ODOMETRY: config.odom_timeout}
        self.watchdog = Watchdog(limits, config.future_tolerance)
        sweep = Sweep(setup.lidar.scan_duration, config.scan_timeout)
        period_ns = round(setup.task.control_period * messages.NANOSECONDS)
        self.inbox = Inbox(self.name, period_ns, self.watchdog, sweep)
        self.goal, self.plan = GoalInbox(), plan
        self.fault: Fault | None = None
        self.stops: Counter[str] = Counter()
        self._told: dict[str, float] = {}  # when which reason was told (s)
        self.trip, self._tells = Trip(), not config.training
        self._was_unheard, self._unheard_trip = False, Trip()
        self._base_frame_id = config.base_frame_id
        self._answers_idle, self._logger = config.command_when_idle, logger

    @property
    def base_frame(self) -> str:
        """The frame of the robot; '' until odometry has named it."""
        return self._base_frame_id or self.inbox.base_frame

    def is_commanded(self, pilot: Pilot | None) -> bool:
        """Whether its scans are answered: it drives, or a lock-stepped simulator waits for it."""
        return pilot is not None and (bool(pilot.active[self.row]) or self._answers_idle)

    def wants_to_move(self, pilot: Pilot | None) -> bool:
        """Whether somebody would like to know why it stands."""
        is_asked = self.goal.waits or (self.plan is not None and self.plan.is_wanted)
        return is_asked or (pilot is not None and bool(pilot.active[self.row]))

    def stop(self, fault: Fault, pilot: Pilot | None, stamp: int | None = None) -> None:
        """Bring it to rest because of what it sent, at `stamp`, or did not; its goal stays."""
        text = f'{self.name}: {fault.message}: stopped'
        is_wanted = self.wants_to_move(pilot)
        if is_wanted:
            self.stops[fault.name] += self.fault is None or self.fault.name != fault.name
            if self._is_news(text):
                self._logger.warning(text)
        self.fault, self.inbox.ranges = fault if is_wanted else None, None
        if pilot is not None and self.is_commanded(pilot):
            pilot.halt(self.row, self.topics.now)
            self.topics.send(REST, self.inbox.scan_ns if stamp is None else stamp)

    def unheard(self, pilot: Pilot | None) -> str:
        """Why nobody hears its commands, or ''; asked once a second.

        The log is told once in a drive, the second time: a base may take a while to be found.
        """
        reason = self.topics.unheard()
        is_lasting, self._was_unheard = bool(reason) and self._was_unheard, bool(reason)
        if is_lasting and self._unheard_trip is not self.trip and self.wants_to_move(pilot):
            self._unheard_trip = self.trip
            self._logger.warning(f'{self.name}: {reason}')
        return reason

    def _is_news(self, text: str) -> bool:
        """Whether to tell a reason: at once, and again a second later at the earliest."""
        reason, now = re.sub(r'\d', '', text), time.monotonic()
        if now - self._told.get(reason, -math.inf) < BETWEEN_SEC:
            return False
        self._told[reason] = now
        return True

    def answer(self, command: Sequence[float], is_driving: bool) -> None:
        """Publish what a step has come to, of the scan in the inbox."""
        inbox = self.inbox
        stamp = inbox.scan_ns or 0
        if is_driving:
            self.trip.pass_by(stamp, *inbox.odometry[:2])
        self.topics.answer(command, stamp)

    def begin(self, pilot: Pilot, x: float, y: float) -> None:
        """Set out to (x, y) in the frame of odometry (m).

        A drive that this replaces has no outcome: it would be taken for that of the new one.
        """
        if self._is_driving(pilot) and self._is_news(REPLACED):
            self._tell_of_trip(REPLACED)
        self.trip = Trip()
        pilot.set_goal(self.row, x, y)

    def give_up(self, pilot: Pilot) -> None:
        """Stop: the next goal is not to be driven to, or not yet."""
        was_driving = self._is_driving(pilot)
        pilot.cancel(self.row, self.topics.now)
        self.topics.send(REST, self.inbox.scan_ns)
        if was_driving:
            self.say_outcome('cancelled')

    def lose_plan(self, pilot: Pilot | None) -> None:
        """Stop: there is no plan. No outcome: who plans knows, and may find another way."""
        if pilot is not None and self._is_driving(pilot):
            pilot.cancel(self.row, self.topics.now)
            self.topics.send(REST, self.inbox.scan_ns)
            self._tell_of_trip('no plan to follow any more: stopped')

    def _is_driving(self, pilot: Pilot) -> bool:
        return bool(pilot.active[self.row])

    def forget_time(self, fault: Fault, pilot: Pilot | None) -> None:
        """Stop: time began anew. It goes on when it has sensed anew."""
        if pilot is not None:
            pilot.forget_time(self.row, self.topics.now)
        self.stop(fault, pilot)
        self.inbox.forget_time()
        self.goal.forget_time()

    def cancel(self, pilot: Pilot | None) -> bool:
        """Stop at once and forget the goal; whether there was one."""
        self.topics.send(REST, self.inbox.scan_ns)
        had_goal = self.wants_to_move(pilot)
        self.goal.cancel()
        if pilot is not None:
            pilot.cancel(self.row, self.topics.now)
        if had_goal:
            self.say_outcome('cancelled')
        if self.plan is not None:
            self.plan.cancel()
        return had_goal

    def say_outcome(self, outcome: str) -> None:
        """Tell how its drive ended; its goal and its plan have ended with it."""
        self.goal.end()
        if self.plan is not None:
            self.plan.close()
        self._tell_of_trip(OUTCOMES[outcome])
        inbox = self.inbox
        self.topics.say_outcome(
            messages.outcome_marker(
                inbox.scan_ns or 0, inbox.odom_frame, inbox.odometry[:3], outcome
            )
        )

    def _tell_of_trip(self, end: str) -> None:
        """Log how its drive ended."""
        if self._tells:
            self._logger.info(f'{self.name}: {end} after {self.trip}')
        self.trip = Trip()
