"""When a policy is the best of its training so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.task import Outcome

WINDOW = 1000  # episodes: one percentage point of success is their standard error at 90 %


class BestPolicy:
    """Compares windows of episodes, one after the other, by their share that reached the goal.

    The robots explored in them: the rate is a lower one than an evaluation finds, and of many
    windows the best is in part the luckiest. The last policy is the one to quote.

    Attributes:
        success_rate: of the best window, 0 before the first is full.
    """

    def __init__(self) -> None:
        self.success_rate = 0.0
        self._episodes = self._goals = 0

    def improved_by(self, outcomes: NDArray[Any]) -> bool:
        """Add the outcomes (n,) of ended episodes; whether they complete the best window so far."""
        self._episodes += len(outcomes)
        self._goals += int(np.count_nonzero(outcomes == Outcome.GOAL))
        if self._episodes < WINDOW:
            return False
        rate = self._goals / self._episodes
        self._episodes = self._goals = 0
        improved = rate > self.success_rate
        self.success_rate = max(rate, self.success_rate)
        return improved

    def state(self) -> dict[str, float]:
        return {
            'success_rate': self.success_rate,
            'episodes': self._episodes,
            'goals': self._goals,
        }

    def restore(self, state: Mapping[str, float]) -> None:
        self.success_rate = float(state['success_rate'])
        self._episodes, self._goals = int(state['episodes']), int(state['goals'])
