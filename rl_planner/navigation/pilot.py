"""The actor: from what K robots sense to what they are commanded, one control period at a time.

Pure logic in plain arrays and seconds; the actor node translates messages to and from it. The same
code drives in training and on a real robot: training only adds noise, and hands out transitions.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.cadence import LONGEST, Cadence
from rl_planner.navigation.config import ObservationConfig, RobotConfig, TaskConfig
from rl_planner.navigation.footprint import Footprint, point_clearance
from rl_planner.navigation.geometry import to_robot_frame
from rl_planner.navigation.in_flight import InFlight, Prospect
from rl_planner.navigation.kinematics import Limits, command_from_action, integrate
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.navigation.observer import Observer
from rl_planner.navigation.policy import ACTION_SIZE, Policy
from rl_planner.navigation.recall import Discs, Recall
from rl_planner.navigation.safety import OVERDUE, Safety
from rl_planner.navigation.speed_cap import SpeedCap
from rl_planner.navigation.step import Decision, Rows, Sensed, Transitions
from rl_planner.navigation.task import Outcome, Terms, evaluate
from rl_planner.navigation.view import View


class _Looked(NamedTuple):
    """What a robot's last command was judged by: when (s), its scan, what it may do till then."""

    time: float
    ranges: NDArray[np.float32]
    prospects: list[Prospect]
    earlier: Discs


class Noise(Protocol):
    """Exploration, as `rl_planner.learning.noise` makes it."""

    def sample(self) -> NDArray[np.float32]: ...

    def restart(self, robots: Rows) -> None: ...


class Pilot:
    """Drives K robots to their goals with one batched forward pass; without a goal they rest.

    Args:
        num_robots: K.
        robot, task, observation, scan: what drives, what for, and what it senses with.
        noise: exploration, or None.
        safety: has the last word on every command, or None: who explores is to learn from harm.
        cap: what the policy commands is driven no faster; None: as it commands.

    Attributes:
        policy: None until there is one; till then every command is zero.
        active: (K,) which robots have a goal.
        goals: (K, 2) in the frame of the poses (m).
        interventions: how often the safety layer has done what (`safety.ACTIONS`, or OVERDUE).
        safety_actions: what it did to each robot's last command, by row.
    """

    def __init__(
        self,
        num_robots: int,
        robot: RobotConfig,
        task: TaskConfig,
        observation: ObservationConfig,
        scan: ScanGeometry,
        noise: Noise | None = None,
        safety: Safety | None = None,
        cap: SpeedCap | None = None,
    ) -> None:
        self._cap = SpeedCap() if cap is None else cap
        self.policy: Policy | None = None
        self.active = np.zeros(num_robots, np.bool_)
        self.goals = np.zeros((num_robots, 2))
        self._footprint, self._noise, self._safety = Footprint.of(robot), noise, safety
        self._cadence = Cadence(num_robots, task.control_period)
        self.interventions: Counter[str] = Counter()
        self.safety_actions: dict[int, str] = {}
        self._observer = Observer(observation, robot, scan, num_robots)
        self._limits, self._terms = Limits.of(robot), Terms.of(task)
        self._tolerances = np.full(num_robots, self._terms.xy_goal_tolerance)  # of the goals (m)
        # A scan that is late, or one that is lost, ages the earlier one a little: less harm than to
        # forget it, which hides all motion for as long as the history is.
        self._longest_gap = 2.5 * task.control_period
        self._touching = np.zeros(num_robots, np.bool_)  # ever since their drives began
        self._began = np.full(num_robots, np.nan)  # when the drive to the goal began (s)
        self._underway = np.zeros(num_robots, np.bool_)  # obs, actions and distances hold a step
        self._steps = np.zeros(num_robots, np.int64)
        self._distances = np.zeros(num_robots)
        self._commands = np.zeros((num_robots, ACTION_SIZE))  # as the policy is told
        latencies = safety.latencies if safety else (0.0,)
        self._sent = InFlight(num_robots, self._limits, latencies)
        self._looked: dict[int, _Looked] = {}
        self._recall = Recall()
        self._was_changed = np.ones(num_robots, np.bool_)  # the last command, by others
        self._obs = np.zeros((num_robots, self._observer.size), np.float32)
        self._actions = np.zeros((num_robots, ACTION_SIZE), np.float32)

    def set_goal(self, row: int, x: float, y: float) -> None:
        """Send a robot to (x, y); a drive under way is given up."""
        self._begin_anew(row)
        self.goals[row] = x, y
        self.active[row] = True
        self._tolerances[row] = self._terms.xy_goal_tolerance
        self._began[row], self._touching[row] = np.nan, self._safety is not None
        self._sent.lend(row)
        if self._noise is not None:
            self._noise.restart(np.array([row]))

    def move_goal(self, row: int, x: float, y: float) -> None:
        """The goal lies at (x, y) in the frame of the poses now; the drive to it goes on."""
        self.goals[row] = x, y

    def lead(self, row: int, x: float, y: float, is_end: bool, has_advanced: bool) -> None:
        """Lead a robot along a path, by way of (x, y); a robot without a goal sets out.

        The drive goes on as it is. It ends at the path's end alone; its time limit counts from the
        last advance on.
        """
        if not self.active[row]:
            self.set_goal(row, x, y)
        self.move_goal(row, x, y)
        self._tolerances[row] = self._terms.xy_goal_tolerance if is_end else -np.inf
        if has_advanced:
            self._began[row] = np.nan

    def cancel(self, row: int, now: float) -> None:
        """Take a robot's goal away (s)."""
        self.halt(row, now)
        self.active[row] = False

    def halt(self, row: int, now: float) -> None:
        """A robot is stopped from outside (s): its last action is no experience, it is to rest."""
        self._begin_anew(row)
        self._was_changed[row] = True
        self._sent.halt(row, now)

    def _begin_anew(self, row: int) -> None:
        self._steps[row] += self._underway[row]  # a gap in the numbering breaks n-step returns
        self._underway[row] = False
        self._commands[row] = 0.0
        self._observer.restart(row)  # the next scan is not one period later

    def forget_time(self, row: int, now: float) -> None:
        """A robot's time begins anew (s): it is halted, and its drive's time counts from now."""
        self._begin_anew(row)
        self._was_changed[row] = True
        self._sent.begin_anew(row, now)
        self._recall.forget(row)
        self._began[row] = np.nan

    def date(self, rows: Rows, times: NDArray[np.float64]) -> None:
        """The commands of the last step went out, which may be sooner than foreseen (s)."""
        self._sent.date(rows, times)

    def patience(self, row: int) -> float:
        """How long a robot's command may stand from when it was sent, till it is overdue (s)."""
        return self._cadence.patience(row)

    def overdue(self, row: int, now: float) -> bool:
        """No step has come in time (s): whether the robot is told to rest.

        As long as its command leaves a way out after one more period of it, it goes on, for a
        second at most.
        """
        looked, command = self._looked.get(row), self._sent.last[row].tolist()
        if self._safety is None or looked is None or not (self._underway[row] and any(command)):
            return False
        stood = max(now - looked.time, 0.0)
        known = looked.ranges, looked.prospects, command, command
        if (
            stood <= LONGEST
            and not self._safety.check(*known, stood, earlier=looked.earlier).action
        ):
            return False
        self._sent.send(np.array([row]), np.array([now]), np.zeros((1, ACTION_SIZE)))
        self._was_changed[row] = True
        self.interventions[OVERDUE] += 1
        self.safety_actions[row] = OVERDUE
        return True

    def view(self, row: int) -> View | None:
        """What a robot under way saw last, and does about it; None of one that stands."""
        if not self._underway[row]:
            return None
        v, w = self._sent.last[row].tolist()
        return View(self._obs[row].copy(), (v, w), self.safety_actions.get(row, ''))

    def step(self, sensed: Sensed) -> Decision:
        """One control period of the sensed robots."""
        commands = np.zeros((len(sensed.rows), ACTION_SIZE))
        outcomes = np.zeros(len(sensed.rows), np.int64)
        driving = self.active[sensed.rows]
        commanded = self._underway[sensed.rows]
        since = self._cadence.beat(sensed.rows, sensed.stamps, sensed.times, commanded)
        if self.policy is None or not driving.any():
            return Decision(commands, outcomes, self._transitions(sensed.rows[:0]))
        sensed, since = sensed.at(driving), since[driving]
        rows = sensed.rows
        # Earlier scans count by control periods: where several are missing, begin anew.
        self._observer.restart(rows[(since > self._longest_gap) | (since < 0.0)])
        poses, velocities = self._when_scanned(sensed)
        next_obs, distances, clearances = self._look(sensed, poses, velocities)
        # Who sets out from what it touches may leave it; a collision is what comes after.
        self._touching[rows] &= clearances < (self._safety.margin if self._safety else 0.0)
        clearances = np.where(self._touching[rows], 0.0, clearances)
        self._began[rows] = np.where(np.isnan(self._began[rows]), sensed.stamps, self._began[rows])
        elapsed = sensed.stamps - self._began[rows]
        previous = np.where(self._underway[rows], self._distances[rows], distances)
        terms = self._terms._replace(xy_goal_tolerance=self._tolerances[rows])
        rewards, ended = evaluate(previous, distances, clearances, elapsed, terms)
        outcomes[driving] = ended
        transitions = self._transitions(rows, next_obs, rewards, ended)
        self._finish(sensed, ended)
        going = ended == Outcome.RUNNING
        self._distances[rows] = distances
        acting = sensed.at(going), poses[going], next_obs[going]
        commands[np.flatnonzero(driving)[going]] = self._act(*acting)
        return Decision(commands, outcomes, transitions)

    def _look(
        self, sensed: Sensed, poses: NDArray[Any], velocities: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Observations, distances to the goals and clearances of the sensed robots."""
        rows = sensed.rows
        goal = np.stack(to_robot_frame(*poses.T, *self.goals[rows].T), axis=-1)
        obs = np.empty((len(rows), self._observer.size), np.float32)
        self._observer.observe(
            rows, sensed.ranges, goal, velocities, self._commands[rows], poses, obs
        )
        clearances = self._clearances(sensed.ranges)
        return obs, np.hypot(goal[:, 0], goal[:, 1]), clearances

    def _when_scanned(self, sensed: Sensed) -> tuple[NDArray[Any], NDArray[Any]]:
        """Poses and velocities at the time of the scans, carried on from those that are older."""
        if not sensed.lags.any():
            return sensed.poses, sensed.velocities
        velocities = np.array([each[0].velocity for each in self._prospects(sensed)])
        v, w = 0.5 * (sensed.velocities + velocities).T
        x, y, yaw = sensed.poses.T
        return np.stack(integrate(x, y, yaw, v, w, sensed.lags), axis=-1), velocities

    def _prospects(self, sensed: Sensed) -> list[list[Prospect]]:
        times = sensed.measured, sensed.stamps, sensed.times
        return self._sent.prospects(sensed.rows, sensed.velocities, *times, slack=sensed.slack)

    def _clearances(self, ranges: NDArray[np.float32]) -> NDArray[Any]:
        """(n,) from the robot's edge to the nearest return of scans just encoded (m)."""
        if self._footprint.half_length == 0.0:  # a disc: the sectors know
            nearest = self._observer.encoder.nearest[: len(ranges)].min(axis=1)
            return np.asarray(nearest - self._footprint.margin)
        x, y = self._observer.encoder.points(ranges)
        return np.asarray(point_clearance(x, y, self._footprint).min(axis=1))

    def _transitions(
        self,
        rows: Rows,
        next_obs: NDArray[Any] | None = None,
        rewards: NDArray[Any] | None = None,
        ended: NDArray[Any] | None = None,
    ) -> Transitions:
        """What the last actions of those `rows` that had one led to."""
        if next_obs is None or rewards is None or ended is None:
            next_obs, rewards, ended = self._obs[:0], np.empty(0), np.empty(0, np.int64)
        had = self._underway[rows]
        robots = rows[had]
        return Transitions(
            robots,
            self._steps[robots],
            self._obs[robots],
            self._actions[robots],
            rewards[had].astype(np.float32),
            next_obs[had],
            ended[had],
        )

    def _finish(self, sensed: Sensed, ended: NDArray[Any]) -> None:
        self._steps[sensed.rows] += self._underway[sensed.rows]
        is_over = ended != Outcome.RUNNING
        over = sensed.rows[is_over]
        self.active[over] = False
        self._underway[over] = False
        self._commands[over] = 0.0
        self._was_changed[over] = True
        self._sent.send(over, sensed.times[is_over], np.zeros((len(over), ACTION_SIZE)))

    def _act(
        self, sensed: Sensed, poses: NDArray[Any], obs: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Commands (n, 2) of the policy; what is not finite is a command to rest."""
        rows = sensed.rows
        if self.policy is None or not len(rows):
            return np.zeros((0, ACTION_SIZE))
        actions = self.policy.act(obs)
        if self._noise is not None:
            actions = np.clip(actions + self._noise.sample()[rows], -1.0, 1.0)
        finite = np.isfinite(actions).all(axis=1)
        commands = np.stack(command_from_action(actions, self._limits), axis=-1).astype(float)
        commands[~finite] = 0.0
        commands = self._cap.apply(commands)
        sent = commands
        if self._safety is not None:
            ranges, prospects = sensed.ranges, self._prospects(sensed)
            earlier = self._recall.exchange_all(sensed, poses, self._safety.returns)
            sent, commands, actions_taken = self._safety.check_all(
                ranges,
                prospects,
                self._sent.last[rows],
                commands,
                self._cadence.excess(rows),
                self._was_changed[rows],
                earlier,
            )
            self._was_changed[rows] = list(map(bool, actions_taken))
            looked = map(_Looked, sensed.times.tolist(), ranges, prospects, earlier)
            self._looked.update(zip(rows.tolist(), looked, strict=True))
            self.interventions.update(filter(None, actions_taken))
            self.safety_actions.update(zip(rows.tolist(), actions_taken, strict=True))
        self._sent.send(rows, sensed.times, sent)
        self._obs[rows], self._actions[rows], self._commands[rows] = obs, actions, commands
        self._underway[rows] = finite
        self._steps[rows] += ~finite  # a gap in the numbering, as in `halt`
        return sent
