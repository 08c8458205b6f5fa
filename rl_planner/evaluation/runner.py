"""Drives planners through scenarios, all scenarios at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.guide import Guide
from rl_planner.evaluation.planner import Floats, Perception, Planner
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.safe import SafePlanner
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import TaskConfig
from rl_planner.navigation.geometry import to_robot_frame
from rl_planner.navigation.task import Outcome, Terms, outcome_of
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.simulator import BatchSimulator

CHUNK = 100  # scenarios driven at once: an interrupted run keeps those of the chunks before


@dataclass(frozen=True)
class Run:
    """What a planner did.

    Attributes:
        results: of the scenarios, in order; fewer than there are where it was interrupted.
        decision_sec: time the planner took for one decision of one robot, on average; None where it
            was not measured.
    """

    results: list[EpisodeResult]
    decision_sec: float | None
    interrupted: bool = False


def evaluate(
    planner: Planner,
    scenarios: Sequence[Scenario],
    setting: Setting,
    seed: int = 0,
    on_ended: Callable[[int], object] | None = None,
) -> Run:
    """Drive every scenario once, from rest; result i is of scenario i.

    Ctrl-C ends it early with what whole chunks have brought: those that have ended of a part of
    the scenarios are the short ones, and would tell another story.

    Args:
        seed: of noise and disturbances, the one thing that is random here.
        on_ended: called each control period with how many scenarios have ended in it.
    """
    if setting.safety.enabled:
        planner = SafePlanner(planner, setting)
    results: list[EpisodeResult] = []
    spent_sec, decisions, interrupted = 0.0, 0, False
    try:
        _Drive(scenarios[:1], setting, (seed, 0)).warm_up(planner)
        for begin in range(0, len(scenarios), CHUNK):
            drive = _Drive(scenarios[begin : begin + CHUNK], setting, (seed, begin))
            planner.start(len(drive.rows))
            while len(drive.rows):
                ended = drive.step(planner)
                if on_ended is not None:
                    on_ended(ended)
            results += drive.results()
            spent_sec, decisions = spent_sec + drive.spent_sec, decisions + drive.decisions
    except KeyboardInterrupt:
        interrupted = True
    return Run(results, spent_sec / max(decisions, 1), interrupted)


class _Drive:
    """Robot i in scenario i; `rows` are those under way."""

    def __init__(
        self, scenarios: Sequence[Scenario], setting: Setting, seed: tuple[int, int]
    ) -> None:
        self._scenarios = scenarios
        worlds = pack_worlds([each.world for each in scenarios])
        count = len(scenarios)
        self._simulator = BatchSimulator(
            setting.robot,
            setting.lidar,
            worlds,
            count,
            setting.control_period,
            seed,
            disturbance=setting.disturbance,
        )
        self._goals = np.array([each.goal for each in scenarios])
        self._guide = Guide(scenarios, setting) if setting.guided else None
        self._tolerances = np.array([each.xy_goal_tolerance for each in scenarios])
        self._limits = np.array([each.time_limit for each in scenarios])
        self._commands: Floats = np.zeros((count, 2))
        self._outcomes = np.full(count, Outcome.RUNNING)
        self._steps = np.zeros(count, np.int64)
        self.rows = self._simulator.rows
        self.spent_sec, self.decisions = 0.0, 0
        self._simulator.place(self.rows, self.rows, np.array([each.start for each in scenarios]))
        self._record: list[tuple[Floats, Floats, Floats]] = []
        self._keep()

    def warm_up(self, planner: Planner) -> None:
        """Let the planner decide once, unheeded: compiling is no part of a decision's time."""
        planner.start(len(self.rows))
        planner.velocity_command(self._perception(self.rows))

    def step(self, planner: Planner) -> int:
        """One control period of all robots under way; how many have ended in it."""
        rows, simulator = self.rows, self._simulator
        perception = self._perception(rows)
        began = time.perf_counter()
        self._commands[rows] = planner.velocity_command(perception)
        self.spent_sec += time.perf_counter() - began
        self.decisions += len(rows)
        simulator.step(self._commands, rows)
        self._keep()
        distances = np.hypot(*(self._goals[rows] - simulator.poses[rows, :2]).T)
        terms = Terms.of(TaskConfig())._replace(
            xy_goal_tolerance=self._tolerances[rows], time_limit=self._limits[rows]
        )
        outcomes = outcome_of(
            distances, simulator.least_clearances[rows], simulator.times[rows], terms
        )
        self._steps[rows] += 1
        self._outcomes[rows] = outcomes
        self.rows = rows[outcomes == Outcome.RUNNING]
        return len(rows) - len(self.rows)

    def results(self) -> list[EpisodeResult]:
        poses, velocities, clearances = (
            np.stack(part, axis=1) for part in zip(*self._record, strict=True)
        )
        period = self._simulator.control_period
        return [
            EpisodeResult(
                scenario,
                Outcome(int(self._outcomes[row])),
                float(steps * period),
                poses[row, : steps + 1],
                velocities[row, : steps + 1],
                clearances[row, : steps + 1],
            )
            for row, (scenario, steps) in enumerate(
                zip(self._scenarios, self._steps.tolist(), strict=True)
            )
        ]

    def _keep(self) -> None:
        simulator = self._simulator
        self._record.append(
            (simulator.poses.copy(), simulator.velocities.copy(), simulator.clearances.copy())
        )

    def _perception(self, rows: NDArray[np.int64]) -> Perception:
        """What odometry says: the goal is given in its frame, which is the world's at the start."""
        simulator = self._simulator
        poses = simulator.odometry[rows]
        goals = self._goals[rows] if self._guide is None else self._guide.goals(rows, poses)
        return Perception(
            rows,
            simulator.ranges[rows],
            np.stack(to_robot_frame(*poses.T, *goals.T), axis=-1),
            simulator.measured_velocities[rows],
            self._commands[rows],
            poses,
        )
