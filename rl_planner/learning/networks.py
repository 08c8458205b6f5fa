"""Actor and critic: small multilayer perceptrons with ReLU."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


class Actor(nn.Module):
    """Observations (B, obs_size) to actions (B, action_size) in [-1, 1].

    The last layer starts 100 times smaller than the others: the first actions are near 0, far from
    where tanh is flat (Lillicrap et al. 2016 start it small for the same reason).
    """

    def __init__(
        self, obs_size: int, action_size: int, hidden: Sequence[int], generator: torch.Generator
    ) -> None:
        super().__init__()
        self.layers = _layers([obs_size, *hidden, action_size], generator)
        with torch.no_grad():
            for value in self.layers[-1].parameters():
                value.mul_(0.01)

    def preactivation(self, obs: Tensor) -> Tensor:
        """What tanh turns into actions (B, action_size), unbounded."""
        return _forward(self.layers, obs)

    def forward(self, obs: Tensor) -> Tensor:
        return torch.tanh(self.preactivation(obs))


class Critic(nn.Module):
    """Observations (B, obs_size) and actions (B, action_size) to values Q (B,)."""

    def __init__(
        self, obs_size: int, action_size: int, hidden: Sequence[int], generator: torch.Generator
    ) -> None:
        super().__init__()
        self.layers = _layers([obs_size + action_size, *hidden, 1], generator)

    def forward(self, obs: Tensor, action: Tensor) -> Tensor:
        return _forward(self.layers, torch.cat([obs, action], dim=1)).squeeze(1)


def actor_tensors(actor: Actor) -> dict[str, NDArray[np.float32]]:
    """The actor's weights, by the names of a policy file."""
    tensors = {}
    for index, layer in enumerate(actor.layers):
        for name, value in layer.named_parameters():
            tensors[f'actor.{index}.{name}'] = value.detach().cpu().numpy().copy()
    return tensors


def _layers(sizes: Sequence[int], generator: torch.Generator) -> nn.ModuleList:
    return nn.ModuleList(
        _linear(inputs, outputs, generator) for inputs, outputs in itertools.pairwise(sizes)
    )


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A layer drawn from U(-1/sqrt(inputs), 1/sqrt(inputs)): torch's default, but from our seed."""
    layer = nn.Linear(inputs, outputs, device='meta').to_empty(device='cpu')
    bound = 1.0 / math.sqrt(inputs)
    for value in layer.parameters():
        nn.init.uniform_(value, -bound, bound, generator=generator)
    return layer


def _forward(layers: nn.ModuleList, value: Tensor) -> Tensor:
    *hidden, last = layers
    for layer in hidden:
        value = functional.relu(layer(value))
    result: Tensor = last(value)
    return result
