"""The tests' own look-out for what makes the host wait sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.host_waits import HostWaits
from torch import Tensor


def write_masked(x: Tensor, mask: Tensor) -> None:
    x[mask] = 0.0


def write_masked_rows(x: Tensor, mask: Tensor) -> None:
    x[mask] = torch.ones(2)


@pytest.mark.parametrize(
    'waiting',
    [
        lambda x, mask: x.sum().item(),
        lambda x, mask: bool(mask.all()),
        lambda x, mask: x[mask],
        lambda x, mask: mask.nonzero(),
        write_masked,
        write_masked_rows,
    ],
)
def test_what_waits_is_found(waiting: Callable[[Tensor, Tensor], Any]) -> None:
    x, mask = torch.arange(4.0), torch.tensor([True, False, True, False])
    with HostWaits() as waits:
        waiting(x, mask)
    assert waits.found


def test_what_does_not_is_not() -> None:
    x, mask = torch.arange(4.0), torch.tensor([True, False, True, False])
    with HostWaits() as waits:
        torch.where(mask, x, 0.0).clamp(-1.0, 1.0).index_select(0, torch.tensor([3, 1]))
        x[torch.tensor([0, 2])] = 1.0
    assert waits.found == []
