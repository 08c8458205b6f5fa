"""Which family of worlds the next episode is of: more often one that teaches something now."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

EPISODES = 200.0  # that a family's success rate is remembered over
FLOOR = 0.05  # of p (1 - p), which is 0.25 at most: mastered families are not forgotten

Rows = NDArray[np.int64]


class Curriculum:
    """Draws worlds, and follows how episodes end in each family of them.

    The chance of a family is in proportion to p (1 - p) + FLOOR, p its rate of success: the
    variance of an episode's outcome. Of a family in which all episodes end alike, be it at the
    goal or not, there is little to learn: one that is too hard yet waits until easier ones have
    taught enough. (Sampling for learnability: A. Rutherford et al., "No regrets: Investigating and
    improving regret approximations for curriculum discovery", NeurIPS 2024, of levels instead of
    families.)

    Attributes:
        success_rates: (F,) of each family, in recent episodes; 0.5 at the beginning.
    """

    def __init__(self, families: Rows) -> None:
        """`families` (W,) is the family, from 0 on, that each world is of."""
        self._families = families
        self._worlds = [np.flatnonzero(families == family) for family in range(families.max() + 1)]
        self.success_rates = np.full(len(self._worlds), 0.5)

    def add(self, worlds: Rows, succeeded: NDArray[np.bool_]) -> None:
        """Take in how episodes in `worlds` (n,) have ended."""
        families = self._families[worlds]
        ended = np.bincount(families, minlength=len(self._worlds))
        reached = np.bincount(families[succeeded], minlength=len(self._worlds))
        self.success_rates = remembered(self.success_rates, ended, reached)

    def chances(self) -> NDArray[np.float64]:
        """(F,) how likely the next episode is of each family."""
        return np.asarray(chances_of(self.success_rates))

    def draw(self, rng: np.random.Generator, count: int) -> Rows:
        """(count,) worlds for the next episodes."""
        if len(self._worlds) == 1:
            return rng.integers(len(self._families), size=count)
        families = rng.choice(len(self._worlds), count, p=self.chances())
        shares = rng.random(count)
        drawn = [
            self._worlds[family][int(share * len(self._worlds[family]))]
            for family, share in zip(families.tolist(), shares.tolist(), strict=True)
        ]
        return np.array(drawn, np.int64)


def remembered(success_rates: Any, ended: Any, reached: Any) -> Any:
    """(F,) success rates after so many more episodes ended, of which so many reached the goal.

    This and `chances_of` take arrays and tensors alike.
    """
    keep = (1.0 - 1.0 / EPISODES) ** ended
    observed = reached / (ended + (ended == 0))
    return keep * success_rates + (1.0 - keep) * observed


def chances_of(success_rates: Any) -> Any:
    """(F,) how likely the next episode is of each family."""
    weights = success_rates * (1.0 - success_rates) + FLOOR
    return weights / weights.sum()
