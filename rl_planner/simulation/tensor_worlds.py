"""Worlds as tensors, and what stands and moves around each of many robots in them.

The tensor simulator is for a GPU: every operation is one on all robots, none depends on a value
that the host would have to wait for, and what is chosen is chosen by `torch.where`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.world import World


class Scene(NamedTuple):
    """The obstacles around each of N robots; padding is far off."""

    segments: Tensor  # (N, 4, S) x0, y0, x1, y1 (m)
    discs: Tensor  # (N, 3, D) x, y, radius of what stands and of what moves (m)


class TensorWorlds(NamedTuple):
    """W worlds, as `Obstacles` has them, padded to the world that has most of each kind."""

    segments: Tensor  # (W, 4, S)
    circles: Tensor  # (W, 3, C)
    movers: Tensor  # (W, 7, M) float64: times are

    @classmethod
    def of(cls, worlds: Sequence[World], device: torch.device | str) -> TensorWorlds:
        packed = pack_worlds(worlds)

        def on_device(rows: NDArray[Any], counts: NDArray[Any]) -> Tensor:
            most = max(int(counts.max()), 1)  # without the padding that only compiled loops need
            return torch.from_numpy(rows[:, :, :most].copy()).to(device)

        return cls(
            on_device(packed.segments, packed.num_segments),
            on_device(packed.circles, packed.num_circles),
            on_device(packed.movers, packed.num_movers).double(),
        )

    def around(self, worlds: Tensor, times: Tensor) -> Scene:
        """What is around robots in `worlds` (N,) at `times` (N,) since each began (s)."""
        circles, movers = self.circles[worlds], self.movers[worlds]
        return Scene(self.segments[worlds], torch.cat([circles, _moved(movers, times)], dim=2))


def _moved(movers: Tensor, times: Tensor) -> Tensor:
    """(N, 3, M) x, y, radius of movers (N, 7, M) at `times` (N,), as `world.mover_positions`."""
    x, y, x1, y1, radius, speed, offset = movers.unbind(1)
    dx, dy = x1 - x, y1 - y
    length = (dx * dx + dy * dy).sqrt().clamp(min=1e-9)
    travelled = torch.remainder(offset + speed * times[:, None], 2.0 * length)
    share = (length - (travelled - length).abs()) / length
    return torch.stack([x + share * dx, y + share * dy, radius], dim=1).float()
