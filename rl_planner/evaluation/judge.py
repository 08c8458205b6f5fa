"""Judges drives that were only watched: from the logged poses, by the rule of `runner.evaluate`.

Over ROS the robot ends a drive by what it senses: a collision is a return of the lidar within its
outline. That may be late, where it touches between two beams, or a false alarm, where the lidar is
noisy. Here the exact geometry decides, as it does in one process: a drive ends where it would have
ended there, or else where the robot itself gave up.
"""

from __future__ import annotations

import math

import numpy as np

from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import RobotConfig, TaskConfig
from rl_planner.navigation.footprint import Footprint
from rl_planner.navigation.geometry import wrap_angle
from rl_planner.navigation.task import Outcome, Terms, outcome_of
from rl_planner.simulation.clearance import Shape, measure, move
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.world import FloatArray, World


class JudgeError(ValueError):
    """A log that cannot be judged; the message says why."""


def judge(
    logged: EpisodeResult, scenario: Scenario, setting: Setting, rest: float = 0.0
) -> EpisodeResult:
    """What came of a scenario: from the last moment of rest at the start to the end of the drive.

    Args:
        logged: one pose per control period, and the outcome as the robot saw it.
        rest: how far from its start a robot at rest may be (m, rad).

    Raises:
        JudgeError: there are control periods without a pose.
    """
    period = setting.control_period
    if len(logged.poses) - 1 != round(logged.time_sec / period):
        raise JudgeError(
            f'there must be a pose every {period:g} s for {logged.time_sec:g} s, '
            f'got {len(logged.poses)}'
        )
    begin = _start_row(logged, setting, rest)
    poses, velocities = logged.poses[begin:], logged.velocities[begin:]
    times = period * np.arange(len(poses), dtype=np.float64)
    clearances = clearances_along(poses, times, scenario.world, setting.robot)
    distances = np.hypot(*(np.array(scenario.goal) - poses[:, :2]).T)
    terms = Terms.of(TaskConfig())._replace(
        xy_goal_tolerance=scenario.xy_goal_tolerance, time_limit=scenario.time_limit
    )
    outcomes = outcome_of(distances, clearances, times, terms)
    ended = np.flatnonzero(outcomes[1:])  # as in one process: after each step, not before the first
    steps = int(ended[0]) + 1 if len(ended) else len(poses) - 1
    return EpisodeResult(
        scenario,
        Outcome(int(outcomes[steps])) if len(ended) else logged.outcome,
        steps * period,
        poses[: steps + 1],
        velocities[: steps + 1],
        clearances[: steps + 1],
    )


def clearances_along(
    poses: FloatArray, times: FloatArray, world: World, robot: RobotConfig
) -> FloatArray:
    """(n,) how far the robot is from all obstacles at poses (n, 3), at times (n,) of the world."""
    count = len(poses)
    rows, worlds = np.arange(count), np.zeros(count, np.int64)
    obstacles = pack_worlds([world])
    moving = np.zeros((count, obstacles.movers.shape[2], 3), np.float32)
    clearances = np.empty(count)
    move(rows, times, worlds, obstacles, moving)
    shape = Shape.of(Footprint.of(robot))
    measure(rows, np.ascontiguousarray(poses), worlds, obstacles, moving, shape, clearances)
    return clearances


def _start_row(logged: EpisodeResult, setting: Setting, rest: float) -> int:
    """The row at which the first command was given.

    Before it the world stood still; after it the robot rested as long as commands are late.
    """
    off = logged.poses - logged.poses[0]
    off[:, 2] = wrap_angle(off[:, 2])
    moved = np.flatnonzero((np.abs(off) > rest).any(axis=1))
    if not len(moved):
        return 0
    late = math.floor(setting.disturbance.command_latency / setting.control_period + 1e-9)
    return max(int(moved[0]) - 1 - late, 0)
