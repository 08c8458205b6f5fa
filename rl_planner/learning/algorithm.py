"""What the algorithms have in common: an actor, critics, and their state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rl_planner.learning.adam import Adam
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.critic import Critic
from rl_planner.learning.networks import MLP
from rl_planner.learning.replay import Batch
from rl_planner.navigation.policy import ACTION_SIZE, Policy, PolicyError

SATURATED = 2.0  # tanh(2) = 0.96: beyond this an action hardly depends on the network any more
FIRST_SCALE = 0.01  # of the actor's last layer: first actions near 0, far from where tanh is flat


class Algorithm(ABC):
    """Actor-critic learning from batches of transitions, wherever they come from.

    The actor's first ACTION_SIZE outputs, u, make the deterministic action tanh(u).

    Args:
        obs_size: numbers in an observation.
        config: sizes, rates and penalties.
        device: where to compute.
        seed: of the initial weights and of what an update draws, the same on every device.
        outputs: of the actor.
        critics: how many there are.

    Attributes:
        is_steady: every update is the same operations, and the host draws nothing for them.
        anchor: the policy that training began with, if any, which stays as it was.
    """

    is_steady: ClassVar[bool] = False

    def __init__(
        self,
        obs_size: int,
        config: LearningConfig,
        device: torch.device | str,
        seed: int,
        outputs: int,
        critics: int,
    ) -> None:
        self.config = config
        self.device = torch.device(device)
        self.generator = torch.Generator().manual_seed(seed)
        hidden = [config.hidden_size] * config.hidden_layers
        self.actor = MLP([obs_size, *hidden, outputs], self.generator, device)
        for last in (self.actor.weights[-1], self.actor.biases[-1]):
            last.mul_(FIRST_SCALE)
        self.actor_optimizer = Adam(self.actor.parameters, config.actor_learning_rate)
        self.anchor: MLP | None = None
        self.critics = [Critic(obs_size, config, self.generator, device) for _ in range(critics)]

    @abstractmethod
    def update(self, batch: Batch) -> dict[str, Tensor]:
        """One update of the networks on `batch`.

        Returns:
            critic_loss, q_mean, and of an update that moves the actor also actor_loss and
            saturation, the share of saturated actions.
        """

    def update_critics(self, batch: Batch) -> dict[str, Tensor]:
        """One update of the critics alone, while the actor rests; the metrics of `update`, less."""
        metrics = self._regress(batch)
        for critic in self.critics:
            critic.follow(self.config.tau)
        return metrics

    @abstractmethod
    def target(self, batch: Batch) -> Tensor:
        """What the critics should say of (obs, action), (B,): y of the algorithm's docstring."""

    def act(self, obs: Tensor) -> Tensor:
        """The deterministic actions (B, ACTION_SIZE) for observations (B, obs_size)."""
        return torch.tanh(self.actor(obs)[:, :ACTION_SIZE])

    def actor_tensors(self) -> dict[str, NDArray[np.float32]]:
        """The deterministic actor's weights, by the names of a policy file."""
        tensors = {}
        for index, (weight, bias) in enumerate(
            zip(self.actor.weights, self.actor.biases, strict=True)
        ):
            tensors[f'actor.{index}.weight'] = weight
            tensors[f'actor.{index}.bias'] = bias
        tensors |= {name: tensors[name][:ACTION_SIZE] for name in list(tensors)[-2:]}
        return {name: tensor.cpu().numpy().copy() for name, tensor in tensors.items()}

    def begin_with(self, policy: Policy) -> None:
        """Take over the weights of a policy: the actor then acts as it does, and stays near.

        Raises:
            PolicyError: its layers are of another size.
        """
        layers = list(zip(self.actor.weights, self.actor.biases, strict=True))
        hidden = [len(bias) for _, bias in layers[:-1]]
        if policy.hidden_sizes != hidden:
            raise PolicyError(f'hidden layers must have {hidden} units, got {policy.hidden_sizes}')
        for (weight, bias), (given_weight, given_bias) in zip(layers, policy.layers, strict=True):
            weight[: len(given_bias)] = torch.from_numpy(given_weight.T).to(weight)
            bias[: len(given_bias)] = torch.from_numpy(given_bias).to(bias)
        self.anchor = self.actor.copy()

    def set_learning_rate_share(self, share: float) -> None:
        """Use this share of the configured learning rates from now on."""
        for optimizer in self.optimizers():
            optimizer.use(share)

    def optimizers(self) -> list[Adam]:
        return [self.actor_optimizer, *(critic.optimizer for critic in self.critics)]

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """All that changes with learning, part by part: live, not copies."""
        critics = {f'critic_{index}': each.tensors() for index, each in enumerate(self.critics)}
        anchor = {} if self.anchor is None else {'anchor': {'parameters': self.anchor.parameters}}
        return {'actor': self.actor_optimizer.tensors(), **anchor, **critics}

    def state(self) -> dict[str, Any]:
        """Copies of all that `restore` needs to go on with the very same updates."""
        parts = {
            part: {name: tensor.clone() for name, tensor in tensors.items()}
            for part, tensors in self.tensors().items()
        }
        return {'parts': parts, 'generator': self.generator.get_state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state` of the same algorithm and sizes."""
        self.anchor = self.actor.copy() if 'anchor' in state['parts'] else None
        for part, tensors in self.tensors().items():
            for name, tensor in tensors.items():
                tensor.copy_(state['parts'][part][name])
        self.generator.set_state(state['generator'])

    def _regress(self, batch: Batch) -> dict[str, Tensor]:
        """Move every critic toward the target; the metrics of the first, as one is like another."""
        target = self.target(batch)
        first, *_ = [critic.regress(batch, target) for critic in self.critics]
        return first

    def _slope_of_distance(self, obs: Tensor, action: Tensor) -> Tensor | float:
        """The gradient in u, (B, ACTION_SIZE), of w |tanh(u) - a_0|^2, tanh(u) = `action`.

        a_0 is the action of the anchor, w the configured weight: what keeps a policy from actions
        that the critics know too little of (the term of S. Fujimoto, S. Gu, "A minimalist approach
        to offline reinforcement learning", NeurIPS 2021, toward a policy instead of data).
        """
        if self.anchor is None:
            return 0.0
        distance = action - torch.tanh(self.anchor(obs)[:, :ACTION_SIZE])
        return 2.0 * self.config.anchor_weight * distance * (1.0 - action.square())

    def _draw(self, rows: int) -> Tensor:
        """Standard normal numbers (rows, ACTION_SIZE), the same on every device."""
        drawn = torch.randn(rows, ACTION_SIZE, generator=self.generator)
        return drawn.to(self.device, non_blocking=True)


def saturation(u: Tensor) -> Tensor:
    """The share of actions tanh(u) that are saturated."""
    return (u.abs() > SATURATED).float().mean()
