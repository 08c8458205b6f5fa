"""Drives planners through scenarios, all scenarios at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.planners import Floats, Perception, Planner
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.scenario import Scenario
from rl_planner.navigation.config import LidarConfig, RobotConfig, TaskConfig
from rl_planner.navigation.geometry import to_robot_frame
from rl_planner.navigation.task import Outcome, Terms, outcome_of
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.simulator import BatchSimulator


def evaluate(
    planner: Planner,
    scenarios: Sequence[Scenario],
    robot: RobotConfig,
    lidar: LidarConfig,
    control_period: float,
    seed: int = 0,
    on_ended: Callable[[int], object] | None = None,
) -> list[EpisodeResult]:
    """Drive every scenario once, from rest; result i is of scenario i.

    Args:
        seed: of the lidar's noise, the one thing that is random here.
        on_ended: called each control period with how many scenarios have ended in it.
    """
    drive = _Drive(scenarios, robot, lidar, control_period, seed)
    while drive.under_way:
        ended = drive.step(planner)
        if on_ended is not None:
            on_ended(ended)
    return drive.results()


class _Drive:
    """Robot i in scenario i. One that has ended drives on, unjudged, till the last one has."""

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        robot: RobotConfig,
        lidar: LidarConfig,
        control_period: float,
        seed: int,
    ) -> None:
        self._scenarios = scenarios
        worlds = pack_worlds([each.world for each in scenarios])
        count = len(scenarios)
        self._simulator = BatchSimulator(robot, lidar, worlds, count, control_period, seed)
        self._goals = np.array([each.goal for each in scenarios])
        self._terms = Terms.of(TaskConfig())._replace(
            xy_goal_tolerance=np.array([each.xy_goal_tolerance for each in scenarios]),
            time_limit=np.array([each.time_limit for each in scenarios]),
        )
        self._commands: Floats = np.zeros((count, 2))
        self._outcomes = np.full(count, Outcome.RUNNING)
        self._steps = np.zeros(count, np.int64)
        rows = self._simulator.rows
        self._simulator.place(rows, rows, np.array([each.start for each in scenarios]))
        self._places = [self._simulator.poses[:, :2].copy()]  # steps + 1 times (N, 2)

    @property
    def under_way(self) -> bool:
        return bool((self._outcomes == Outcome.RUNNING).any())

    def step(self, planner: Planner) -> int:
        """One control period of all robots; how many have ended in it."""
        simulator = self._simulator
        self._commands = planner.velocity_command(self._perception())
        simulator.step(self._commands)
        self._places.append(simulator.poses[:, :2].copy())
        distances = np.hypot(*(self._goals - simulator.poses[:, :2]).T)
        outcomes = outcome_of(distances, simulator.clearances, simulator.times, self._terms)
        running = self._outcomes == Outcome.RUNNING
        self._steps += running
        self._outcomes[running] = outcomes[running]
        return int((running & (outcomes != Outcome.RUNNING)).sum())

    def results(self) -> list[EpisodeResult]:
        places: NDArray[np.float64] = np.stack(self._places, axis=1)  # (N, steps + 1, 2)
        times = self._steps * self._simulator.control_period
        return [
            EpisodeResult(scenario, Outcome(outcome), time, path[: steps + 1])
            for scenario, outcome, time, path, steps in zip(
                self._scenarios,
                self._outcomes.tolist(),
                times.tolist(),
                places,
                self._steps.tolist(),
                strict=True,
            )
        ]

    def _perception(self) -> Perception:
        simulator = self._simulator
        goal = np.stack(to_robot_frame(*simulator.poses.T, *self._goals.T), axis=-1)
        return Perception(simulator.ranges, goal, simulator.velocities, self._commands)
