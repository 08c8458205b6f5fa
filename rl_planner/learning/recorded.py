"""Work on a GPU that is told once and then repeated, instead of told anew each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

Result = TypeVar('Result', tuple[Tensor, ...], dict[str, Tensor])

WARM_UPS = 3  # calls before one is recorded: libraries set themselves up in the first ones


class Recorded(Generic[Result]):
    """A function without arguments whose operations are the same in every call.

    On CUDA they are recorded as a graph, which one launch repeats: hundreds of small operations
    take the host longer to launch than the GPU to do. On other devices the function is simply
    called.

    A graph reads and writes the tensors that it was recorded with. Where the function puts a new
    tensor into an attribute instead, the graph copies it into the one that was there before.

    Args:
        function: what is done. Nothing in it depends on a value on the device.
        device: where.
        owners: objects whose attributes the function may give new tensors.
        generators: what it draws random numbers from, on the device.
    """

    def __init__(
        self,
        function: Callable[[], Result],
        device: torch.device,
        owners: Sequence[object] = (),
        generators: Sequence[torch.Generator] = (),
    ) -> None:
        self._function: Callable[[], Result] = function
        self._owners, self._generators = owners, generators
        self._calls_left = WARM_UPS if device.type == 'cuda' else -1  # till one is recorded
        self._graph: Any = None
        self._result: Result

    def __call__(self) -> Result:
        """What the function returns; its tensors are the caller's."""
        if self._graph is None:
            if self._calls_left:
                self._calls_left -= 1
                return self._function()
            self._record()
        self._graph.replay()
        result: Result = self._result
        return _copied(result)

    def _record(self) -> None:
        """Have the operations of one call noted; none of them is done."""
        places = [
            (owner, name, value.clone())
            for owner in self._owners
            for name, value in vars(owner).items()
            if isinstance(value, Tensor)
        ]
        _put(places)
        graph: Any = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph):
            self._result = self._function()
            # All of them before the first is overwritten: one may be another's old tensor.
            changes = [
                (tensor, getattr(owner, name).clone())
                for owner, name, tensor in places
                if getattr(owner, name) is not tensor
            ]
            for tensor, new in changes:
                tensor.copy_(new)
        _put(places)
        self._graph = graph


def _put(places: list[tuple[object, str, Tensor]]) -> None:
    for owner, name, tensor in places:
        setattr(owner, name, tensor)


def _copied(result: Result) -> Result:
    if isinstance(result, dict):
        return {name: value.clone() for name, value in result.items()}
    return tuple(value.clone() for value in result)
