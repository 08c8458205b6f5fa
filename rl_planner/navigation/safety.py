"""The safety layer: whatever a planner commands, the robot can still stop before what it sees.

A command is let through if the robot, having driven by it for one control period, could brake to
rest without coming nearer to any return of the scan than the margin; and likewise after as long as
the command may stand, where scans come less often. Where it could not, the same arc is tried more
slowly, then the turn alone, then braking. Braking was found to be clear one period before, with the
command that was let through then: a static obstacle that the lidar sees is not hit, whatever the
planner asks for. Nor is one that it does not see yet: nobody is faster than lets it stop within the
lidar's range. (Braking as the safe way out: D. Fox, W. Burgard, S. Thrun,
"The dynamic window approach to collision avoidance", IEEE RAM 1997; T. Fraichard, H. Asama,
"Inevitable collision states", Advanced Robotics 2004.)

Commands change by no more than the acceleration limits allow in a period, however far apart those
asked for are. Nobody drives where the lidar does not look, ahead or back.

Between two beams an obstacle may reach out further than either return tells: by half the distance
of the two, where its corner is a right angle. Every return is taken for a disc of that radius.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import Config, RobotConfig, parameter
from rl_planner.navigation.course import TOGETHER, Courses
from rl_planner.navigation.footprint import Footprint, back_of, point_clearance
from rl_planner.navigation.geometry import to_robot_frame, wrap_angle
from rl_planner.navigation.in_flight import Prospect
from rl_planner.navigation.kinematics import Limits
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.recall import NOTHING, Discs

Floats = NDArray[np.float64]
Velocity = Sequence[float]

# What is tried, as shares of the linear and the angular velocity asked for, and what that is.
TRIED = np.array([(1.0, 1.0), (0.75, 0.75), (0.5, 0.5), (0.25, 0.25), (0.0, 1.0), (0.0, 0.0)])
ACTIONS = ('', 'slowed', 'slowed', 'slowed', 'turning', 'braking')
OVERDUE = 'overdue'  # braking, as no scan has come in time that says what else is safe

APART = 0.1  # what a robot drives at most between two latencies that are looked at (m)
AT_ONCE = 8  # groups of poses that are looked at before others, which may not matter any more
BLIND = math.radians(2.0)  # nothing that matters fits in between a place and a beam so near


@dataclass(frozen=True)
class SafetyConfig(Config):
    """What the safety layer keeps to."""

    enabled: bool = parameter(True, 'keep clear of what the lidar sees, whatever the policy asks')
    margin: float = parameter(
        0.02,
        'distance from the footprint to a return that is kept; it must cover the noise of the '
        'lidar and the errors of the base (m)',
        at_least=0.0,
        at_most=1.0,
    )
    command_latency: float = parameter(
        0.0,
        'time from a command until the base follows it, at most; the braking distance allows for '
        'it, and for a base that follows sooner (s)',
        at_least=0.0,
        at_most=1.0,
    )


class Verdict(NamedTuple):
    """A command that is safe (m/s, rad/s), and one of ACTIONS: what became of that asked for."""

    command: tuple[float, float]
    action: str


class Verdicts(NamedTuple):
    """Of n robots.

    Attributes:
        commands: (n, 2) safe ones (m/s, rad/s).
        heeded: (n, 2) what a planner is told of as its last command: what it asked for, where
            nothing but an acceleration limit stood against it. It has learnt on such a base.
        actions: what became of each.
    """

    commands: Floats
    heeded: Floats
    actions: list[str]


class Safety:
    """Checks the commands of a robot against its scans; it remembers nothing.

    Args:
        period: time from one command to the next (s).

    Attributes:
        limits: of the robot.
        margin: as configured (m).
        may_advance: the lidar sees what is straight ahead; else the robot does not drive there.
        latencies: how long it may take until the base follows a command (s): as configured, and
            less, down to none. They are for who tells the prospects.
    """

    def __init__(
        self, config: SafetyConfig, robot: RobotConfig, scan: ScanGeometry, period: float
    ) -> None:
        self._scan, self.margin = scan, config.margin
        self.limits, self._footprint = Limits.of(robot), Footprint.of(robot)
        steps = math.ceil(config.command_latency * self.limits.fastest / APART - 1e-9)
        self.latencies = np.linspace(config.command_latency, 0.0, steps + 1).tolist()
        self._size = robot.radius
        # How far the robot may get until it is at rest: no lidar tells what is beyond its range.
        around = self._size + config.margin + math.hypot(scan.mount_x, scan.mount_y)
        self._sight = max(scan.range_max - around, 0.0)
        angles = scan.beam_angles()
        self._directions = np.stack([np.cos(angles), np.sin(angles)])  # (2, num_beams)
        self._edges = self._ranges_of_edge()
        self._courses, self._period = Courses(robot, period), period
        self._may_reverse = sees_behind(scan, self._footprint)
        self.may_advance = sees_ahead(scan)

    def check(
        self,
        ranges: NDArray[np.float32],
        prospects: Sequence[Prospect],
        previous: Velocity,
        command: Velocity,
        excess: float = 0.0,
        was_changed: bool = False,
        earlier: Discs = NOTHING,
    ) -> Verdict:
        """The command itself if it is safe, else the first of what is tried instead.

        Args:
            ranges: (num_beams,) the scan (m); meaning of readings as `ObservationEncoder`.
            prospects: what the base may do from the scan on, till this command takes effect. Each
                of them must leave a way out.
            previous: the last command, which this one differs from by no more than the
                acceleration limits allow.
            command: what is asked for; one that is not finite is a command to rest.
            excess: how long beyond a period the command may stand, till the next one comes (s).
            was_changed: the last command was not the one asked for, or one to rest: the base may be
                led on from what it still does, too.
            earlier: returns of a scan before, seen from where this one was taken.
        """
        if not (math.isfinite(command[0]) and math.isfinite(command[1])):
            return Verdict((0.0, 0.0), 'braking')
        asked, action = self._within_limits(command, prospects, previous, was_changed)
        tried = TRIED * asked
        courses = self._courses.of(prospects, tried, excess)
        reach = np.hypot(courses[0], courses[1]).max(axis=1)
        is_in_sight = reach <= self._sight
        x, y, spread = self._near(ranges, earlier, float(reach.max()))
        if not len(x) and is_in_sight[0]:
            return Verdict(asked, action)
        now = point_clearance(x, y, self._footprint) - spread
        # Who stands closer to something already may go on, but not closer.
        spread = spread + np.minimum(self.margin, now - 1e-6)
        for course, is_sure in enumerate(is_in_sight[:-1]):
            if is_sure and self._is_clear(courses[:, course], x, y, spread):
                v, w = tried[course].tolist()
                return Verdict((v, w), ACTIONS[course] or action)
        return Verdict((0.0, 0.0), ACTIONS[-1])

    def check_all(
        self,
        ranges: NDArray[np.float32],
        prospects: Sequence[Sequence[Prospect]],
        previous: Floats,
        commands: Floats,
        excesses: Floats,
        were_changed: NDArray[np.bool_],
        earlier: Sequence[Discs] | None = None,
    ) -> Verdicts:
        """`check` of n robots alike."""
        columns = (each.tolist() for each in (previous, commands, excesses, were_changed))
        seen = [NOTHING] * len(commands) if earlier is None else earlier
        rows = zip(ranges, prospects, *columns, seen, strict=True)
        verdicts = [self.check(*row) for row in rows]
        safe = np.array([verdict.command for verdict in verdicts]).reshape(-1, 2)
        changed = np.array([bool(verdict.action) for verdict in verdicts], np.bool_)
        heeded = np.where(changed[:, None], safe, commands)
        return Verdicts(safe, heeded, [verdict.action for verdict in verdicts])

    def _within_limits(
        self,
        command: Velocity,
        prospects: Sequence[Prospect],
        previous: Velocity,
        was_changed: bool,
    ) -> tuple[tuple[float, float], str]:
        """The command within the robot's limits, and what became of it for other reasons."""
        limits, period = self.limits, self._period
        begin = [previous, *(prospect.velocity for prospect in prospects if was_changed)]
        speeds, turns = zip(*begin, strict=True)
        v = _within(
            command[0],
            (limits.min_linear_vel, limits.max_linear_vel),
            speeds,
            limits.max_linear_accel * period,
        )
        w = _within(
            command[1],
            (-limits.max_angular_vel, limits.max_angular_vel),
            turns,
            limits.max_angular_accel * period,
        )
        if (v < 0.0 and not self._may_reverse) or (v > 0.0 and not self.may_advance):
            return (0.0, w), 'turning'
        return (v, w), ''

    def _near(self, ranges: NDArray[np.float32], earlier: Discs, reach: float) -> Discs:
        """What a robot may touch within `reach` (m)."""
        seen = self.returns(ranges, reach)
        if not len(earlier.x):
            return seen
        farthest = reach + self._size + self.margin + earlier.radius
        near = np.hypot(earlier.x, earlier.y) <= farthest
        return Discs(*(np.concatenate([a, b[near]]) for a, b in zip(seen, earlier, strict=True)))

    def returns(self, ranges: NDArray[np.float32], reach: float = math.inf) -> Discs:
        """Those of a scan (num_beams,) that a robot may touch within `reach` (m)."""
        scan = self._scan
        distances = np.where(np.isneginf(ranges), self._edges, ranges)
        low = np.where(np.isneginf(ranges), 0.0, scan.range_min)
        mount = math.hypot(scan.mount_x, scan.mount_y)
        spreading = 0.5 * abs(scan.angle_increment)
        farthest = (reach + self._size + self.margin + mount) / max(1.0 - spreading, 0.1)
        near = (distances >= low) & (distances <= min(scan.range_max, farthest))
        distances = distances[near]
        x = scan.mount_x + distances * self._directions[0, near]
        y = scan.mount_y + distances * self._directions[1, near]
        return Discs(x, y, spreading * distances)

    def _is_clear(self, course: Any, x: Any, y: Any, spread: Any) -> bool:
        """Whether the robot keeps off the discs all along a course (3, S).

        Few discs are near, and near to few of the poses: at first TOGETHER poses are looked at as
        one that reaches as far as all of them.
        """
        together = course.reshape(3, -1, TOGETHER)
        middle = together[:2].mean(axis=-1, keepdims=True)
        reach = np.hypot(*(together[:2] - middle)).max(axis=-1, keepdims=True)  # (groups, 1)
        for begin in range(0, len(reach), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            room = np.maximum(reach[some] + self._size + spread, 0.0)
            dx, dy = x - middle[0, some], y - middle[1, some]
            group, disc = np.nonzero(dx * dx + dy * dy < room * room)
            if self._is_hit(together[:, some][:, group], x[disc], y[disc], spread[disc]):
                return False
        return True

    def _is_hit(self, poses: Any, x: Any, y: Any, spread: Any) -> bool:
        """Whether the robot touches any of N discs in one of its N x TOGETHER poses (3, ...)."""
        at_x, at_y, yaw = poses
        x, y, spread = x[:, None], y[:, None], spread[:, None]
        if self._footprint.half_length == 0.0:  # a disc is the same whichever way it looks
            dx, dy = x - at_x, y - at_y
            room = np.maximum(self._footprint.margin + spread, 0.0)
            return bool((dx * dx + dy * dy < room * room).any())
        clearance = point_clearance(*to_robot_frame(at_x, at_y, yaw, x, y), self._footprint)
        return bool((clearance < spread).any())

    def _ranges_of_edge(self) -> Floats:
        """(num_beams,) where each beam leaves the robot: a reading of 'too close' is no nearer."""
        scan = self._scan
        distances = np.linspace(0.0, self._size + math.hypot(scan.mount_x, scan.mount_y), 200)
        x = scan.mount_x + distances[:, None] * self._directions[0]
        y = scan.mount_y + distances[:, None] * self._directions[1]
        inside = point_clearance(x, y, self._footprint) < 0.0
        return np.asarray(distances[np.minimum(inside.sum(axis=0), len(distances) - 1)])


def sees_ahead(scan: ScanGeometry) -> bool:
    """Whether a beam looks straight ahead.

    A lidar of a narrow field of view does not see all that the robot may touch there. One that is
    mounted, or said to be, so that it looks elsewhere, sees nothing of it.
    """
    return bool(np.abs(wrap_angle(scan.beam_angles())).min() <= _gap(scan))


def sees_behind(scan: ScanGeometry, footprint: Footprint) -> bool:
    """Whether a robot that backs up sees everywhere where it would get to.

    Who backs up sweeps the strip behind the outline. The lidar sees any place of it in a direction
    that it sees a place of the back of the outline in: a beam must look at each of those.
    """
    x, y = back_of(footprint)
    wanted = np.arctan2(y - scan.mount_y, x - scan.mount_x)
    apart = np.abs(wrap_angle(wanted[:, None] - scan.beam_angles())).min(axis=1)
    return bool((apart <= _gap(scan)).all())


def _gap(scan: ScanGeometry) -> float:
    """How far a beam may look past what it is to see (rad)."""
    return max(0.5 * abs(scan.angle_increment), BLIND)


def _within(
    asked: float, limits: tuple[float, float], now: tuple[float, ...], change: float
) -> float:
    """What is asked for, within limits that win, and by no more than `change` beyond `now`."""
    reachable = min(max(asked, min(now) - change), max(now) + change)
    return min(max(reachable, limits[0]), limits[1])
