"""Figures of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.scenario import Scenario
from rl_planner.navigation.task import Outcome

NORMAL_QUANTILE = 1.959963984540054  # 97.5 %: intervals of 95 %


@dataclass(frozen=True)
class Metrics:
    """How a planner did.

    Attributes:
        success_interval: where the true success rate lies with 95 % confidence.
        mean_time_sec: from start to goal, over the successes; None without one.
        spl: success weighted by path length, see `spl`.
    """

    episodes: int
    success_rate: float
    success_interval: tuple[float, float]
    collision_rate: float
    timeout_rate: float
    mean_time_sec: float | None
    spl: float


def summarize(scenarios: Sequence[Scenario], results: Sequence[EpisodeResult]) -> Metrics:
    """The figures of `results`, result i of scenario i; at least one."""
    count = len(results)
    outcomes = [result.outcome for result in results]
    successes = outcomes.count(Outcome.GOAL)
    times = [result.time_sec for result in results if result.outcome is Outcome.GOAL]
    return Metrics(
        episodes=count,
        success_rate=successes / count,
        success_interval=wilson_interval(successes, count),
        collision_rate=outcomes.count(Outcome.COLLISION) / count,
        timeout_rate=outcomes.count(Outcome.TIMEOUT) / count,
        mean_time_sec=float(np.mean(times)) if times else None,
        spl=spl(scenarios, results),
    )


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """The 95 % confidence interval of a rate, `successes` out of `count` (Wilson 1927, JASA 22).

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n): unlike p -+ z sqrt(p(1-p)/n) it stays
    within [0, 1] and holds its level for rates near the ends and for few episodes.
    """
    rate, share = successes / count, NORMAL_QUANTILE**2 / count
    middle = rate + share / 2.0
    half = math.sqrt(share * (rate * (1.0 - rate) + share / 4.0))
    low, high = (middle - half) / (1.0 + share), (middle + half) / (1.0 + share)
    return max(low, 0.0), min(high, 1.0)


def spl(scenarios: Sequence[Scenario], results: Sequence[EpisodeResult]) -> float:
    """Success weighted by path length (Anderson et al. 2018, arXiv:1807.06757): the mean of
    S l / max(p, l) with S 1 for a success and 0 else, l the shortest path and p the driven one.
    """
    weights = [
        (result.outcome is Outcome.GOAL)
        * scenario.shortest_path
        / max(result.path_length, scenario.shortest_path)
        for scenario, result in zip(scenarios, results, strict=True)
    ]
    return float(np.mean(weights))
