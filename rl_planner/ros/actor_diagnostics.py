"""What the actor node tells on /diagnostics, once a second, whatever its state."""

from __future__ import annotations

import time
from collections import Counter

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from rl_planner.navigation.meter import sum_up
from rl_planner.navigation.safety import ACTIONS, OVERDUE
from rl_planner.navigation.watchdog import Fault
from rl_planner.ros import diagnostics, messages, qos
from rl_planner.ros.clock_watch import ClockWatch
from rl_planner.ros.control import Control
from rl_planner.ros.inbox import ODOMETRY, SCAN, STEP

FAULTS = (SCAN, ODOMETRY, STEP, 'transform', 'clock', 'control_loop')  # as they name themselves
NONE_YET = {name: 0 for name in (*ACTIONS, OVERDUE) if name}  # of what the safety layer does


class ActorDiagnostics:
    """Publishes the status of the actor `node`."""

    def __init__(self, node: Node) -> None:
        self._clock, self._clock_watch = node.get_clock(), ClockWatch(node)
        self._out = node.create_publisher(DiagnosticArray, '/diagnostics', qos.RELIABLE)
        where = node.get_namespace().strip('/')
        self._asked = time.monotonic()
        self._name = f'rl_planner: actor of {where}' if where else 'rl_planner: actor'

    def publish(self, state: str, control: Control | None) -> None:
        """Tell how the robots are driven, or the `state` of a node that does not drive."""
        level, message = diagnostics.OK, state
        values: dict[str, object] = {'state': state}
        if control is not None:
            faults, lacks = self._faults(control)
            unheard = [robot.unheard(control.pilot) for robot in control.robots]
            troubles = [*faults, *filter(None, unheard), *lacks]
            active = 0 if control.pilot is None else int(control.pilot.active.sum())
            count = len(control.robots)
            level = diagnostics.WARN if troubles else diagnostics.OK
            message = troubles[0] if troubles else f'{active} of {count} robots driving'
            values |= {'robots': count, 'driving': active, 'stopped': len(faults)}
            values |= self._watched(control) | self._measured(control)
            values |= NONE_YET | ({} if control.pilot is None else control.pilot.interventions)
        if no_time := self._clock_watch.trouble():
            level, message = diagnostics.WARN, no_time
        stamp = self._clock.now().to_msg()
        self._out.publish(diagnostics.diagnostic(stamp, self._name, level, message, values))

    def _faults(self, control: Control) -> tuple[list[str], list[str]]:
        """Why robots stand that have somewhere to go, and what the others lack to set out."""
        now = self._clock.now().nanoseconds
        wanted = [robot for robot in control.robots if robot.wants_to_move(control.pilot)]
        faults = [robot.fault for robot in wanted]
        lacks = [robot.watchdog.fault(now) for robot in control.robots if robot not in wanted]
        return _messages(faults), _messages(lacks)

    def _watched(self, control: Control) -> dict[str, object]:
        """The oldest of each thing that robots move by, and how often what stopped them."""
        now = self._clock.now().nanoseconds
        ages: dict[str, float] = {}
        stops = Counter(dict.fromkeys(FAULTS, 0))
        for robot in control.robots:
            stops.update(robot.stops)
            for name, age in robot.watchdog.ages(now).items():
                ages[name] = max(age, ages.get(name, age))
        late = max(robot.inbox.late_ns for robot in control.robots)
        return {
            **{f'{name}_age': f'{age:.3f}' for name, age in ages.items()},
            'scan_late': f'{late / messages.NANOSECONDS:.3f}',
            **{f'{name}_stops': count for name, count in stops.items()},
            'overruns': control.pace.overruns,
            'clock_jumps': control.clock_jumps,
        }

    def _measured(self, control: Control) -> dict[str, object]:
        """Rates (1/s, of each robot) and durations (ms) since last time."""
        now = time.monotonic()
        elapsed, self._asked = max(now - self._asked, 1e-3), now
        figures = sum_up((robot.topics.meter for robot in control.robots), elapsed)
        figures |= sum_up([control.pace.meter], elapsed)
        return {name: f'{value:.3g}' for name, value in figures.items()}


def _messages(faults: list[Fault | None]) -> list[str]:
    return [fault.message for fault in faults if fault is not None]
