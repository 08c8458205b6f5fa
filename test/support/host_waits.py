"""What would make the host wait for a GPU, noticed where there is none."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# Reading a number, and shapes that depend on values: `.item()`, `bool()`, and likewise.
WAITS = {
    '_local_scalar_dense',
    'nonzero',
    'masked_select',
    'unique',
    'equal',
    'is_nonzero',
    'repeat_interleave',
}
INDEXED = {'index', 'index_put', 'index_put_', '_index_put_impl_'}  # wait if a mask is the index


class HostWaits(TorchDispatchMode):
    """Within the block, names the operations that wait, and those that mix devices.

    Attributes:
        device: of all tensors but plain numbers; not looked at if None.
        found: their names.
    """

    def __init__(self, device: str | None = None) -> None:
        super().__init__()
        self.device = device
        self.found: list[str] = []

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = operation.overloadpacket.__name__
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        mixed = self.device and any(
            each.dim() and each.device.type != self.device for each in tensors
        )
        if name in WAITS or mixed or (name in INDEXED and _has_mask(args[1])):
            self.found.append(str(operation))
        return operation(*args, **(kwargs or {}))


def _has_mask(indices: Any) -> bool:
    return any(
        isinstance(each, torch.Tensor) and each.dtype == torch.bool for each in tree_leaves(indices)
    )
