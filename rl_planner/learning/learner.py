"""The learner: replay buffer, algorithm and schedule, wherever the transitions come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.ddpg import DDPG
from rl_planner.learning.networks import fast_matmul
from rl_planner.learning.recorded import Recorded
from rl_planner.learning.replay import Batch, ReplayBuffer
from rl_planner.learning.sac import SAC
from rl_planner.learning.td3 import TD3
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import ACTION_SIZE, Policy, PolicyError, PolicyMetadata

ALGORITHMS: dict[str, type[DDPG] | type[SAC]] = {'ddpg': DDPG, 'td3': TD3, 'sac': SAC}

# What the shape of the saved state depends on; everything else may change when a run is resumed.
STRUCTURE = ('algorithm', 'hidden_size', 'hidden_layers', 'replay_capacity')


class Learner:
    """Turns transitions into a policy.

        learner.add(...)
        for _ in range(learner.updates_due()):
            metrics = learner.update()
        policy = learner.policy()

    Args:
        metadata: what the policy is for; `policy` completes algorithm and provenance.
        config: the recipe.
        device: where to compute, and where the replay buffer lies.
        seed: of the initial weights and of the sampling.
    """

    def __init__(
        self,
        metadata: PolicyMetadata,
        config: LearningConfig,
        device: torch.device | str,
        seed: int,
    ) -> None:
        self.metadata, self.config, self.seed = metadata, config, seed
        self.device = torch.device(device)
        self.updates = 0
        self._resting_updates = 0  # the first ones, in which the actor rests
        self.obs_size = observation_size(metadata.observation)
        weights, sampling = np.random.SeedSequence(seed).generate_state(2).tolist()
        self.algorithm = ALGORITHMS[config.algorithm](self.obs_size, config, self.device, weights)
        self.replay = ReplayBuffer(
            config.replay_capacity, self.obs_size, ACTION_SIZE, self.device, sampling
        )
        self._slots = torch.zeros(config.batch_size, dtype=torch.int64, device=self.device)
        self._learn: Callable[[], dict[str, Tensor]]
        self._learn = lambda: self.algorithm.update(self._batch())
        if self.algorithm.is_steady:
            self._learn = Recorded(self._learn, self.device)

    @property
    def transitions(self) -> int:
        """Transitions ever added."""
        return self.replay.total

    def begin_with(self, policy: Policy) -> None:
        """Go on with a trained policy, which some updates of new critics leave as it is.

        Critics that know nothing yet would lead it astray: it rests for the first
        `critic_warmup_updates`, which are made of what it drives itself.

        Raises:
            PolicyError: it is of another size, or for another observation.
        """
        if policy.metadata.observation != self.metadata.observation:
            raise PolicyError(
                f'observation must be {self.metadata.observation}, '
                f'got {policy.metadata.observation}'
            )
        self.algorithm.begin_with(policy)
        self._resting_updates = self.updates + self.config.critic_warmup_updates

    def add(
        self,
        streams: ArrayLike,
        steps: ArrayLike,
        obs: ArrayLike,
        actions: ArrayLike,
        rewards: ArrayLike,
        next_obs: ArrayLike,
        terminated: ArrayLike,
        truncated: ArrayLike,
    ) -> None:
        """Add one transition of each of M streams, as `ReplayBuffer.add` describes them."""
        self.replay.add(streams, steps, obs, actions, rewards, next_obs, terminated, truncated)

    def add_step(
        self,
        obs: Tensor,
        actions: Tensor,
        rewards: Tensor,
        next_obs: Tensor,
        terminated: Tensor,
        truncated: Tensor,
    ) -> None:
        """Add one transition of each of M streams, as `ReplayBuffer.add_step` describes them."""
        self.replay.add_step(obs, actions, rewards, next_obs, terminated, truncated)

    def updates_due(self) -> int:
        """How many updates the transitions so far ask for that have not been made."""
        ready = self.transitions - self.config.warmup_transitions
        return max(int(ready * self.config.updates_per_transition) - self.updates, 0)

    def update(self) -> dict[str, Tensor]:
        """Make one update. The metrics stay on the device, so that nothing waits for it."""
        self._slots.copy_(self.replay.draw(self.config.batch_size), non_blocking=True)
        with fast_matmul():
            if self.updates < self._resting_updates:
                metrics = self.algorithm.update_critics(self._batch())
            else:
                metrics = self._learn()
        self.updates += 1
        return metrics

    def _batch(self) -> Batch:
        """The transitions that are drawn for this update."""
        return self.replay.gather(self._slots, self.config.n_step, self.config.discount)

    def set_progress(self, fraction: float) -> None:
        """Say which share of the training, in [0, 1], is over: learning rates decay with it."""
        final = self.config.final_learning_rate
        self.algorithm.set_learning_rate_share(1.0 - (1.0 - final) * min(max(fraction, 0.0), 1.0))

    def act(self, obs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The policy's actions (N, 2) for observations (N, obs_size), without noise."""
        actions = self.algorithm.act(torch.from_numpy(obs).to(self.device))
        return np.asarray(actions.cpu().numpy())

    def policy(self) -> Policy:
        """The policy as it is now, for numpy.

        Raises:
            PolicyError: learning has diverged: the weights are not finite.
        """
        trained = {'seed': self.seed, 'transitions': self.transitions, 'updates': self.updates}
        metadata = replace(
            self.metadata,
            algorithm=self.config.algorithm,
            provenance={**self.metadata.provenance, **trained},
        )
        return Policy(self.algorithm.actor_tensors(), metadata)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs: plain values and tensors."""
        return {
            'structure': self._structure(),
            'updates': self.updates,
            'resting_updates': self._resting_updates,
            'algorithm': self.algorithm.state(),
            'replay': self.replay.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`.

        Raises:
            ValueError: the state is of another algorithm or size; names what differs.
        """
        for name, value in self._structure().items():
            if state['structure'][name] != value:
                raise ValueError(f'{name} must be {state["structure"][name]} as saved, got {value}')
        self.updates = int(state['updates'])
        self._resting_updates = int(state.get('resting_updates', 0))  # older states have none
        self.algorithm.restore(state['algorithm'])
        self.replay.restore(state['replay'])

    def _structure(self) -> dict[str, Any]:
        values = asdict(self.config)
        return {'obs_size': self.obs_size, **{name: values[name] for name in STRUCTURE}}
