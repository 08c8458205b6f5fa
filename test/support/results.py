"""Results of episodes that nobody drove."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rl_planner.evaluation.result import EpisodeResult
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.episodes import Episode


def driven(
    episode: Episode,
    outcome: Outcome,
    time_sec: float,
    path: ArrayLike,
    velocities: ArrayLike = 0.0,
    clearances: ArrayLike = 1.0,
) -> EpisodeResult:
    """A result with this path (steps + 1, 2), looking along x; the rest is spread over it."""
    places = np.asarray(path, float).reshape(-1, 2)
    count = len(places)
    return EpisodeResult(
        episode,
        outcome,
        time_sec,
        np.column_stack([places, np.zeros(count)]),
        np.broadcast_to(np.asarray(velocities, float), (count, 2)),
        np.broadcast_to(np.asarray(clearances, float), (count,)),
    )
