"""How a robot model answers commands in Gazebo Classic, as the embedded simulator can have it.

The robot drives alone on an empty floor, one physics step at a time; poses are the exact ones of
Gazebo's physics. Commands change as a bridge changes them, by the robot's acceleration in each
control period, and hold for HOLD_SEC.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl_planner.gazebo.error import GazeboError
from rl_planner.gazebo.protos import load_messages
from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.scenery import scenery_sdf
from rl_planner.gazebo.stage import PHYSICS_STEP, Stage
from rl_planner.gazebo.step_response import StepResponse, body_velocities
from rl_planner.gazebo.transport import Loop
from rl_planner.navigation.config import TaskConfig
from rl_planner.navigation.kinematics import Limits, limit_velocity
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.world import World

Floats = NDArray[np.float64]

HOLD_SEC = 1.0
TIMEOUT_SEC, NUDGE_SEC = 30.0, 0.002
STEP_SEC = 1.0  # of wall time, after which both scan and pose of a step have been lost
POSE_SEC = 0.02  # of wall time; a pose comes with the scan, or it has been lost, or nothing moves
ROBOT, PERIOD = 'robot_0', TaskConfig().control_period
SHARES = (0.5, 1.0)  # of the top speeds
AROUND = World(  # the robot, for it to see: what is straight, round, thin and far
    boxes=np.array([[2.5, 0.8, 0.4, 0.6, 1.2]]),
    circles=np.array([[-1.6, 1.8, 0.25]]),
    walls=np.array([[2.0, -2.0, -3.0, -1.8], [-3.0, -1.8, -3.0, 2.5]]),
)


class Case(NamedTuple):
    """A command (m/s, rad/s), the response to it, and the speed aside in the end (m/s).

    Of a command to drive and to turn it is the response that is farther off in the end.
    """

    v: float
    w: float
    response: StepResponse
    aside: float


class Identified(NamedTuple):
    """What a robot model does: steps of one control period, drives at speed, and what it sees.

    Attributes:
        steps: from rest, one period's acceleration ahead and on the spot.
        drives: ahead, on the spot, and both at once.
        scan_error: (beams,) how far ranges are from those of the embedded simulator (m), of the
            beams that end on something in both.
    """

    steps: list[Case]
    drives: list[Case]
    scan_error: Floats

    @property
    def latency(self) -> tuple[float, float]:
        """The least and the greatest lag (s), as `disturbance.command_latency`."""
        lags = [max(case.response.lag, 0.0) for case in self.steps]
        return min(lags), max(lags)

    @property
    def gain(self) -> tuple[float, float]:
        """The least and the greatest gain: 1 +- `disturbance.gain_error`."""
        gains = [case.response.gain for case in self.drives]
        return min(gains), max(gains)


class _Floor:
    """One robot on an empty floor, in a gzserver of its own."""

    def __init__(self, model: RobotModel, root: str | Path) -> None:
        self._model, self._limits = model, Limits.of(model.robot)
        self._loop, self._messages = Loop(), load_messages(root)
        self._poses: dict[int, list[float]] = {}  # by physics steps
        # Twice as many scans as steps are asked for: a rounded time of the last scan loses none.
        period = PHYSICS_STEP / 2.0
        self._stage = Stage(model, [ROBOT], period, self._loop, self._messages, root)
        transport = self._stage.server.transport
        topic = self._stage.server.topic('~/pose/local/info')
        transport.subscribe(topic, 'PosesStamped', self._on_poses)
        self._wait(lambda: transport.is_subscribed(topic), topic)

    def close(self) -> None:
        self._stage.close()
        self._loop.close()

    def respond(self, v: float, w: float) -> Floats:
        """(n, 3) `body_velocities` from the last change of the command on, from rest to (v, w)."""
        self._drive(0.0, 0.0, HOLD_SEC)
        now = 0.0, 0.0
        while True:
            then = limit_velocity(*now, v, w, self._limits, PERIOD)
            if np.allclose(limit_velocity(*then, v, w, self._limits, PERIOD), then):
                break
            self._drive(*then, PERIOD)
            now = then
        return self._drive(*then, HOLD_SEC)

    def scan_error(self) -> Floats:
        """How far a scan among AROUND is from that of the embedded simulator there."""
        self._drive(0.0, 0.0, HOLD_SEC)
        (x, y, _), _ = self._stage.sensed(ROBOT)
        self._stage.insert('around', scenery_sdf(AROUND, 'around', x, y))
        self._wait(lambda: 'around' in self._stage.heard, 'scenery')
        ranges: Floats = np.full(1, np.inf)
        last = self._stage.periods + round(TIMEOUT_SEC / PHYSICS_STEP)
        while not np.isfinite(ranges).any():  # a scan may be late
            self._drive(0.0, 0.0, PERIOD)
            pose, ranges = self._stage.sensed(ROBOT)
            if self._stage.periods > last:
                raise GazeboError(
                    f'{self._model.name} must see what stands around it, sees nothing'
                )
        pose = pose[0] - x, pose[1] - y, pose[2]
        embedded = BatchSimulator(
            self._model.robot, self._model.lidar, pack_worlds([AROUND]), 1, PERIOD
        )
        rows = np.array([0])
        embedded.place(rows, rows, np.array([pose]))
        expected = embedded.ranges[0].astype(np.float64)
        both = np.isfinite(expected) & np.isfinite(ranges)
        return np.asarray(np.abs(ranges[both] - expected[both]))

    def _drive(self, v: float, w: float, duration: float) -> Floats:
        self._stage.drive(ROBOT, v, w)
        self._wait(self._stage.has_obeyed, 'answer of the wheels')
        first, last = self._stage.periods, self._stage.periods + round(duration / PHYSICS_STEP)
        while self._stage.periods < last:
            self._stage.begin_step(1)
            if not self._until(self._is_stepped, STEP_SEC) and not self._stage.is_alive():
                raise GazeboError(self._stage.server.describe_end())
            self._loop.run_until(lambda: self._stage.periods in self._poses, POSE_SEC)
        return body_velocities(self._series(first, last), PHYSICS_STEP)

    def _series(self, first: int, last: int) -> Floats:
        """(n, 3) poses, of all steps up to the last that is known; a few get lost on the way."""
        known = np.array(sorted(self._poses))
        poses = np.array([self._poses[step] for step in known])
        poses[:, 2] = np.unwrap(poses[:, 2])
        steps = np.arange(first, min(last, known[-1]) + 1)
        return np.column_stack([np.interp(steps, known, column) for column in poses.T])

    def _on_poses(self, data: bytes) -> None:
        message = self._messages.PosesStamped.FromString(data)
        step = round((message.time.sec + 1e-9 * message.time.nsec) / PHYSICS_STEP)
        for pose in message.pose:
            if pose.name == ROBOT:
                q = pose.orientation
                yaw = np.arctan2(2.0 * (q.w * q.z + q.x * q.y), 1.0 - 2.0 * (q.y**2 + q.z**2))
                self._poses[step] = [pose.position.x, pose.position.y, float(yaw)]

    def _is_stepped(self) -> bool:
        return self._stage.is_done() or self._stage.periods in self._poses

    def _wait(self, condition: Callable[[], Any], what: str) -> None:
        if not self._until(condition, TIMEOUT_SEC):
            raise GazeboError(f'no {what}: {self._stage.server.describe_end()}')

    def _until(self, condition: Callable[[], Any], timeout_sec: float) -> bool:
        deadline = time.monotonic() + timeout_sec
        while not self._loop.run_until(condition, NUDGE_SEC):
            if time.monotonic() > deadline or not self._stage.is_alive():
                return False
            self._stage.nudge()
        return True


def identify(model: RobotModel, root: str | Path = '') -> Identified:
    """Drive a robot model, read for `gazebo_bridge`, in a gzserver of its own.

    Raises:
        GazeboError: there is no Gazebo, or it dies.
        ValueError: the robot does not follow its commands.
    """
    robot = model.robot
    dv = min(robot.max_linear_accel * PERIOD, robot.max_linear_vel)
    dw = min(robot.max_angular_accel * PERIOD, robot.max_angular_vel)
    speeds = [share * robot.max_linear_vel for share in SHARES]
    turns = [share * robot.max_angular_vel for share in SHARES]
    floor = _Floor(model, root)
    try:
        steps = [_case(floor, dv, 0.0), _case(floor, 0.0, dw)]
        drives = [_case(floor, v, 0.0) for v in speeds] + [_case(floor, 0.0, w) for w in turns]
        for v in speeds:
            drives += [_case(floor, v, w) for w in turns]
        return Identified(steps, drives, floor.scan_error())
    finally:
        floor.close()


def _case(floor: _Floor, v: float, w: float) -> Case:
    moved = floor.respond(v, w)
    responses = [
        StepResponse.of(values, PHYSICS_STEP, 0.0, command)
        for values, command in ((moved[:, 0], v), (moved[:, 2], w))
        if command
    ]
    worst = max(responses, key=lambda response: abs(response.gain - 1.0))
    aside = float(np.abs(moved[-len(moved) // 4 :, 1]).mean())
    return Case(v, w, worst, aside)
