"""A pool of episodes on a device, and the curriculum that chooses from it there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rl_planner.navigation.task import Outcome
from rl_planner.simulation.compiled import Indices
from rl_planner.simulation.curriculum import chances_of, remembered
from rl_planner.simulation.episodes import EpisodePool
from rl_planner.simulation.tensor_simulator import TensorSimulator


class Beginnings(NamedTuple):
    """Where episodes begin, what is seen there, and where they lead."""

    worlds: Tensor  # (N,)
    starts: Tensor  # (N, 3)
    goals: Tensor  # (N, 2)
    ranges: Tensor  # (N, B)
    clearances: Tensor  # (N,)


class TensorEpisodes:
    """All episodes of a pool, with the scan at the start of each.

    The pool holds as many starts as a few steps of thousands of robots: cast once, a robot's first
    scan need not be cast in the step in which another one ends.

    Attributes:
        success_rates: (F,) as `Curriculum` has them, of F families, whose `names` are the pool's.
    """

    def __init__(self, pool: EpisodePool, simulator: TensorSimulator) -> None:
        device = self._device = simulator.device
        self._starts = torch.from_numpy(pool.starts).to(device)  # (W, P, 3)
        self._goals = torch.from_numpy(pool.goals).to(device)  # (W, P, 2)
        count, self._pairs = pool.starts.shape[:2]
        worlds = torch.arange(count, device=device).repeat_interleave(self._pairs)
        ranges, clearances = simulator.look(worlds, self._starts.flatten(0, 1))
        self._ranges = ranges.view(count, self._pairs, -1)
        self._clearances = clearances.view(count, self._pairs)
        self._families = torch.from_numpy(pool.families).to(device)
        self._members, self._sizes = (
            torch.from_numpy(each).to(device) for each in _members(pool.families)
        )
        self.names = pool.names
        self.forget()

    def forget(self, known: Mapping[str, float] | None = None) -> None:
        """Begin the curriculum anew, or with success rates that are known."""
        self.success_rates = torch.full_like(self._sizes, 0.5, dtype=torch.float64)
        if known:
            self.success_rates.copy_(torch.tensor([known[name] for name in self.names]))

    def add(self, worlds: Tensor, outcomes: Tensor) -> None:
        """Take in the outcomes (N,) of a step in `worlds` (N,); those that run do not count."""
        families, none = self._families[worlds], torch.zeros_like(self.success_rates)
        ended = none.index_add(0, families, (outcomes != Outcome.RUNNING).double())
        reached = none.index_add(0, families, (outcomes == Outcome.GOAL).double())
        self.success_rates = remembered(self.success_rates, ended, reached)

    def draw(self, count: int, generator: torch.Generator | None) -> Beginnings:
        """`count` episodes."""
        source: dict[str, Any] = {'generator': generator, 'device': self._device}
        shares = torch.rand(2, count, dtype=torch.float64, **source)
        bounds = chances_of(self.success_rates).cumsum(0)
        families = torch.searchsorted(bounds, shares[0]).clamp(max=len(bounds) - 1)
        worlds = self._members[families, (shares[1] * self._sizes[families]).long()]
        pairs = torch.randint(self._pairs, (count,), **source)
        return Beginnings(
            worlds,
            self._starts[worlds, pairs],
            self._goals[worlds, pairs],
            self._ranges[worlds, pairs],
            self._clearances[worlds, pairs],
        )


def _members(families: Indices) -> tuple[Indices, Indices]:
    """(F, most) the worlds of each family, padded, and (F,) how many it has."""
    members = [np.flatnonzero(families == family) for family in range(families.max() + 1)]
    sizes = np.array([len(each) for each in members])
    return np.stack([np.pad(each, (0, sizes.max() - len(each))) for each in members]), sizes
