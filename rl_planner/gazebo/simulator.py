"""K robots over S gzservers, stepped one control period at a time.

What a robot senses comes with its scan: the ranges, and where the lidar was. A scan stamped with
the end of a period also tells that the period is over. It is of that time or one physics step
(10 ms) earlier, for gzserver senses beside its physics. A step begins when the wheels have answered
that they have their commands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rl_planner.gazebo.arena import Arena
from rl_planner.gazebo.protos import load_messages
from rl_planner.gazebo.robot_model import RobotModel
from rl_planner.gazebo.stage import PHYSICS_STEP, Stage
from rl_planner.gazebo.staging import begin_edit, forget_edits, is_edited
from rl_planner.gazebo.transport import Loop
from rl_planner.navigation.config import TaskConfig
from rl_planner.navigation.geometry import wrap_angle
from rl_planner.navigation.kinematics import Limits, limit_velocity
from rl_planner.simulation.episodes import Episode

STEP_TIMEOUT_SEC = 30.0  # a gzserver that needs longer for one period is taken for dead
# So soon a gzserver that owes an answer is nudged, and a dead one noticed: it sends what it has
# when something comes. A period takes it a while, an answer of the wheels does not.
ANSWER_SEC, POLL_SEC = 0.0002, 0.006
PATIENCE_SEC = 5.0  # so long a placing waits for a step of others, whom it must not hold up
EDIT_TIMEOUT_SEC = 5.0  # an edit that nobody has heard of by then is made again
BRAKE_PERIODS = 2
NEAR = 0.1  # m: a robot is at its start

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


class GazeboSimulator:
    """K robots in worlds of their own, spread over S gzservers.

    Attributes:
        odometry: (K, 3) x, y, yaw in the frame of the episode (m, rad).
        measured_velocities: (K, 2) linear and angular, over the last period (m/s, rad/s).
        ranges: (K, num_beams) float32; inf is clear, -inf too close (REP-117).
        restarts: (K,) how often the robot's gzserver has been started again.
    """

    def __init__(
        self,
        model: RobotModel,
        num_robots: int,
        num_servers: int = 1,
        control_period: float = TaskConfig().control_period,
        root: str | Path = '',
    ) -> None:
        """Start the servers.

        Raises:
            GazeboError: there is no Gazebo, or it does not come up.
            ValueError: the control period is not a whole number of physics steps, or there are
                more servers than robots.
        """
        self._steps = round(control_period / PHYSICS_STEP)
        if self._steps < 1 or abs(self._steps * PHYSICS_STEP - control_period) > 1e-9:
            raise ValueError(
                f'control_period must be a multiple of {PHYSICS_STEP:g}, got {control_period:g}'
            )
        if not 1 <= num_servers <= num_robots:
            raise ValueError(f'servers must be in [1, {num_robots}], got {num_servers}')
        self.robot, self.lidar, self.control_period = model.robot, model.lidar, control_period
        self._model, self._root, self._limits = model, root, Limits.of(model.robot)
        self.odometry, self.measured_velocities = (
            np.zeros((num_robots, 3)),
            np.zeros((num_robots, 2)),
        )
        self.ranges = np.full((num_robots, model.lidar.num_beams), np.inf, np.float32)
        self.restarts = np.zeros(num_robots, np.int64)
        self._commanded = np.zeros((num_robots, 2))
        self._arenas = [Arena(row % num_servers, row // num_servers) for row in range(num_robots)]
        self._asked = np.zeros(num_robots)  # when the present phase began, by the wall
        self._loop, self._messages = Loop(), load_messages(root)
        self._stages: list[Stage] = []
        try:
            for number in range(num_servers):
                self._stages.append(self._new_stage(number))
        except BaseException:
            self.close()
            raise

    def begin_episode(self, row: int, episode: Episode) -> None:
        """Begin to put a robot at rest at its start, in its world; may replace one under way."""
        arena = self._arenas[row]
        arena.episode, arena.start, arena.is_free = episode, episode.start, False
        self._enter(row, 'brake')

    def place(self, row: int, x: float, y: float, yaw: float) -> None:
        """Begin to put a placed robot elsewhere (m, rad) in the world of its server.

        Its episode begins again, from there. A robot that has none is in the world's frame from
        then on, and so is its odometry, till it has one.
        """
        arena = self._arenas[row]
        arena.is_free = arena.episode is None
        arena.start = x - arena.origin[0], y - arena.origin[1], yaw
        self._enter(row, 'brake')

    def is_settled(self, row: int) -> bool:
        """Whether a robot is not on its way to a start."""
        return self._arenas[row].phase in ('new', 'placed')

    def restart(self, row: int) -> None:
        """Begin to put a robot where its episode began, or where its server did."""
        arena = self._arenas[row]
        arena.is_free = False
        arena.start = (0.0, 0.0, 0.0) if arena.episode is None else arena.episode.start
        self._enter(row, 'brake')

    def is_placed(self, row: int) -> bool:
        """Whether that is done, and what the robot senses is of there."""
        arena, stage = self._arenas[row], self._stages[self._arenas[row].server]
        self._loop.run_once(0.0)
        if arena.phase == 'placed':
            return True
        if not stage.is_alive():
            self._revive(arena.server)
        elif arena.phase == 'edit':
            self._watch_edit(row, stage)
        elif arena.phase != 'new':
            if not self._is_due(arena, stage) and self._may_step(row):
                self._advance({arena.server}, np.empty(0, np.int64))
            if self._is_due(arena, self._stages[arena.server]):
                self._next_phase(row)
        return arena.phase == 'placed'

    def step(self, commands: Floats, rows: Rows) -> None:
        """Drive `rows` (ascending) by commands (K, 2) for one period; the others stand still.

        A server whose robots all stand still is not stepped.

        Raises:
            ValueError: the commands are not (K, 2), or one is not finite.
        """
        commands = np.asarray(commands, np.float64)
        if commands.shape != self._commanded.shape:
            raise ValueError(f'commands must be {self._commanded.shape}, got {commands.shape}')
        for row in rows.tolist():
            if not np.isfinite(commands[row]).all():
                raise ValueError(f'command of robot {row} must be finite, got {commands[row]}')
            (v, w), (ask_v, ask_w) = self._commanded[row].tolist(), commands[row].tolist()
            self._commanded[row] = limit_velocity(
                v, w, ask_v, ask_w, self._limits, self.control_period
            )
            self._arenas[row].moved |= bool(commands[row].any())
        self._advance({self._arenas[row].server for row in rows.tolist()}, rows)

    @property
    def stages(self) -> Sequence[Stage]:
        """The servers; one that has died is replaced by another."""
        return self._stages

    def whereabouts(self, row: int) -> tuple[int, str]:
        """The number of a robot's server, and its name there."""
        arena = self._arenas[row]
        return arena.server, arena.robot

    def listen(self) -> None:
        """Handle what the servers have said; one that has died is started again."""
        self._loop.run_once(0.0)
        for number, stage in enumerate(self._stages):
            if not stage.is_alive():
                self._revive(number)

    def close(self) -> None:
        """End every server."""
        while self._stages:
            self._stages.pop().close()
        self._loop.close()

    def _new_stage(self, number: int) -> Stage:
        robots = [arena.robot for arena in self._arenas if arena.server == number]
        return Stage(
            self._model, robots, self.control_period, self._loop, self._messages, self._root
        )

    def _advance(self, servers: set[int], rows: Rows) -> None:
        """One period of some servers; only `rows` drive."""
        driving = set(rows.tolist())
        taking_part = [row for row, arena in enumerate(self._arenas) if arena.server in servers]
        for row in taking_part:
            self._command(row, row in driving)
        obeying = servers - self._wait(servers, Stage.has_obeyed, ANSWER_SEC)
        for server in obeying:
            self._stages[server].begin_step(self._steps)
        arrived = obeying - self._wait(obeying, Stage.is_done, POLL_SEC)
        for row in taking_part:
            if self._arenas[row].server in arrived:
                self._sense(row)

    def _command(self, row: int, drives: bool) -> None:
        """Say how the robot is to move in the next period, and what moves around it."""
        arena, stage = self._arenas[row], self._stages[self._arenas[row].server]
        if not drives:
            self._commanded[row] = 0.0
        stage.drive(arena.robot, *self._commanded[row].tolist())
        if arena.wrenches and arena.phase == 'placed':
            forces = arena.push_movers(drives, self.control_period, PHYSICS_STEP)
            for wrench, force in zip(arena.wrenches, forces.tolist(), strict=True):
                stage.push(wrench, *force)

    def _wait(
        self, servers: set[int], condition: Callable[[Stage], bool], nudge_sec: float
    ) -> set[int]:
        """Wait till it holds for the servers; which of them died instead, started again by now."""
        deadline = time.monotonic() + STEP_TIMEOUT_SEC
        pending, dead = set(servers), set[int]()

        def is_over() -> bool:
            pending.difference_update([each for each in pending if condition(self._stages[each])])
            return not pending

        while not self._loop.run_until(is_over, nudge_sec):
            late = time.monotonic() > deadline
            for server in sorted(pending):
                if late or not self._stages[server].is_alive():
                    self._revive(server)
                    pending.remove(server)
                    dead.add(server)
                else:
                    self._stages[server].nudge()
        return dead

    def _sense(self, row: int) -> None:
        arena = self._arenas[row]
        (x, y, yaw), ranges = self._stages[arena.server].sensed(arena.robot)
        origin, old = arena.origin, self.odometry[row].copy()
        self.odometry[row] = x - origin[0], y - origin[1], yaw
        self.ranges[row] = ranges
        moved = self.odometry[row] - old
        turn = float(wrap_angle(moved[2]))
        middle = old[2] + 0.5 * turn
        ahead = moved[0] * np.cos(middle) + moved[1] * np.sin(middle)
        self.measured_velocities[row] = ahead / self.control_period, turn / self.control_period

    def _enter(self, row: int, phase: str) -> None:
        arena = self._arenas[row]
        arena.phase, arena.since = phase, self._stages[arena.server].periods
        self._asked[row] = time.monotonic()

    def _is_due(self, arena: Arena, stage: Stage) -> bool:
        return stage.periods >= arena.since + (BRAKE_PERIODS if arena.phase == 'brake' else 1)

    def _may_step(self, row: int) -> bool:
        """Whether no other robot of the server drives, or those that do have had their time."""
        server = self._arenas[row].server
        rows = range(len(self._arenas))
        others = [each for each in rows if self._arenas[each].server == server and each != row]
        waited = time.monotonic() - float(self._asked[row])
        return waited > PATIENCE_SEC or not self._commanded[others].any()

    def _next_phase(self, row: int) -> None:
        arena = self._arenas[row]
        if arena.phase == 'brake':
            self._edit(row)
            return
        x, y, _ = arena.start
        if np.hypot(self.odometry[row, 0] - x, self.odometry[row, 1] - y) > NEAR:
            self._edit(row)
            return
        self.measured_velocities[row] = 0.0
        arena.phase = 'placed'

    def _edit(self, row: int) -> None:
        arena = self._arenas[row]
        begin_edit(arena, self._stages[arena.server])
        self._enter(row, 'edit')

    def _watch_edit(self, row: int, stage: Stage) -> None:
        arena = self._arenas[row]
        if is_edited(arena, stage):
            self._enter(row, 'settle')
        elif time.monotonic() - self._asked[row] > EDIT_TIMEOUT_SEC:
            forget_edits(arena, stage)
            self._edit(row)

    def _revive(self, server: int) -> None:
        """Another gzserver in place of a dead one; its robots' episodes begin again."""
        self._stages[server].close()
        self._stages[server] = self._new_stage(server)
        for row, arena in enumerate(self._arenas):
            if arena.server == server:
                self.restarts[row] += 1
                self._commanded[row] = 0.0
                arena.world, arena.wrenches = None, []
                arena.waiting.clear()
                self._enter(row, 'brake')
