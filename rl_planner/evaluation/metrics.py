"""Figures of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl_planner.evaluation import motion
from rl_planner.evaluation.intervals import wilson_interval
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.scenario import Scenario
from rl_planner.navigation.task import Outcome

BARN_SPEED = 2.0  # m/s


@dataclass(frozen=True)
class Metrics:
    """How a planner did; None is what its episodes do not tell.

    Attributes:
        success_interval: where the true success rate lies with 95 % confidence.
        mean_time_sec: from start to goal, over the successes.
        spl: success weighted by path length, see `spl`.
        mean_path_length: over the successes (m).
        min_clearance: the least clearance of an episode, on average (m).
        min_clearance_5th: its 5th percentile: one episode in twenty came nearer (m).
        close_share: of all time, closer to an obstacle than `motion.CLOSE`.
        linear_jerk: root mean square (m/s3).
        angular_jerk: likewise (rad/s3).
        sign_changes_per_sec: between turning left and right (1/s).
        mean_speed: m/s.
    """

    episodes: int
    success_rate: float
    success_interval: tuple[float, float]
    collision_rate: float
    timeout_rate: float
    mean_time_sec: float | None
    spl: float
    mean_path_length: float | None
    min_clearance: float | None
    min_clearance_5th: float | None
    close_share: float | None
    linear_jerk: float | None
    angular_jerk: float | None
    sign_changes_per_sec: float | None
    mean_speed: float | None


def summarize(results: Sequence[EpisodeResult], control_period: float) -> Metrics:
    """The figures of one or more results.

    Args:
        results: of scenarios.
        control_period: from one velocity of a result to the next (s).
    """
    count = len(results)
    outcomes = [result.outcome for result in results]
    successes = [result for result in results if result.outcome is Outcome.GOAL]
    near = [each for each in map(motion.least_clearance, results) if each is not None]
    linear_jerk, angular_jerk = motion.rms_jerk(results, control_period)
    return Metrics(
        episodes=count,
        success_rate=len(successes) / count,
        success_interval=wilson_interval(len(successes), count),
        collision_rate=outcomes.count(Outcome.COLLISION) / count,
        timeout_rate=outcomes.count(Outcome.TIMEOUT) / count,
        mean_time_sec=_mean([result.time_sec for result in successes]),
        spl=spl(results),
        mean_path_length=_mean([result.path_length for result in successes]),
        min_clearance=_mean(near),
        min_clearance_5th=float(np.percentile(near, 5.0)) if near else None,
        close_share=motion.close_share(results),
        linear_jerk=linear_jerk,
        angular_jerk=angular_jerk,
        sign_changes_per_sec=motion.sign_changes_per_sec(results),
        mean_speed=motion.mean_speed(results),
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def spl(results: Sequence[EpisodeResult]) -> float:
    """Success weighted by path length (Anderson et al. 2018, arXiv:1807.06757): the mean of
    S l / max(p, l) with S 1 for a success and 0 else, l the shortest path and p the driven one.
    """
    weights = [
        (result.outcome is Outcome.GOAL) * shortest / max(result.path_length, shortest)
        for result, shortest in zip(results, map(_shortest_path, results), strict=True)
    ]
    return float(np.mean(weights))


def barn_score(results: Sequence[EpisodeResult]) -> float:
    """The score of the BARN challenge: the mean of S T / clip(t, 2 T, 8 T), 0.5 at best.

    S is 1 for a success and 0 else, t the time it took, T that of the shortest path at 2 m/s (Xiao
    et al. 2022, arXiv:2208.10473, who begin to count at 4 T; later challenges do at 2 T).
    """
    scores = []
    for result in results:
        best = _shortest_path(result) / BARN_SPEED
        taken = min(max(result.time_sec, 2.0 * best), 8.0 * best)
        scores.append((result.outcome is Outcome.GOAL) * best / taken)
    return float(np.mean(scores))


def _shortest_path(result: EpisodeResult) -> float:
    """Of the scenario that was driven (m).

    Raises:
        TypeError: what was driven is an episode that does not tell it.
    """
    if not isinstance(result.episode, Scenario):
        raise TypeError(f'result must be of a Scenario, got {type(result.episode).__name__}')
    return result.episode.shortest_path
