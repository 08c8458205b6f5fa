"""The robots that a training learns from: they act, drive, and hand over what they experience."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rl_planner.learning.learner import Learner
from rl_planner.learning.noise import ExplorationNoise
from rl_planner.learning.recorded import Recorded
from rl_planner.learning.tensor_noise import TensorNoise
from rl_planner.navigation.task import Outcome

Array = NDArray[Any]


class VectorEnvironment(Protocol):
    """A gymnasium vector environment in SAME_STEP autoreset.

    `infos` of `step` hold `final_obs` (N, D), the true next observation of every environment (equal
    to the observation where the episode goes on), and `outcome` (N,), `Outcome` values. Returned
    arrays are the caller's until the step after the next. `step` is called in another thread.
    `success_rates` tells, by family of worlds, of recent episodes; `reset` takes them as an option.
    """

    num_envs: int

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]: ...

    def success_rates(self) -> dict[str, float]: ...

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]: ...


class TensorEnvironment(Protocol):
    """As `VectorEnvironment`, of tensors on the learner's device, which are the caller's.

    A step is the same operations each time. It replaces tensors that are attributes of `parts`, and
    draws from `generator`.
    """

    num_envs: int
    parts: tuple[object, ...]
    generator: torch.Generator

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, dict[str, Any]]: ...

    def success_rates(self) -> dict[str, float]: ...

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]: ...


class Robots(ABC):
    """N robots that drive by a learner's policy, exploring.

    robots.reset(seed)
    while True:
        robots.set_off(learner)    # act
        ...                        # whatever is done while they drive one step
        robots.arrive(learner)     # the step's transitions are the learner's
        robots.outcomes(wait=False)
    """

    def __init__(self, env: VectorEnvironment | TensorEnvironment) -> None:
        self._success_rates = env.success_rates
        self._known: dict[str, float] = {}  # success rates to go on from

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Begin new episodes."""

    @abstractmethod
    def set_off(self, learner: Learner) -> None:
        """Act once.

        Raises:
            FloatingPointError: learning has diverged.
        """

    @abstractmethod
    def arrive(self, learner: Learner) -> None:
        """Complete the step, and give the learner its transitions."""

    @abstractmethod
    def outcomes(self, wait: bool) -> Array:
        """How episodes have ended, (n,), that ended since those that were told of before.

        Args:
            wait: tell of all of them; else only of those that are known without waiting.

        Raises:
            FloatingPointError: learning has diverged.
        """

    def metrics(self) -> dict[str, float]:
        """The success rate in each family of worlds, if there are several."""
        rates = self._success_rates()
        return {f'success_rate/{name}': rates[name] for name in rates if len(rates) > 1}

    def state(self) -> dict[str, Any]:
        """What `restore` needs besides a reset."""
        return {'success_rates': self._success_rates()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on, with the next reset, from a mapping that holds a `state` of either kind."""
        self._known = state.get('success_rates', {})  # older checkpoints have none


class ArrayRobots(Robots):
    """Robots of an environment of arrays, which drive in a thread of their own."""

    def __init__(
        self, env: VectorEnvironment, noise: ExplorationNoise, simulation: Executor
    ) -> None:
        super().__init__(env)
        self._env, self._noise, self._simulation = env, noise, simulation
        self._ticks = 0  # steps of the whole vector
        self._streams = np.arange(env.num_envs)
        self._ended: Array = np.empty(0, np.int64)

    def reset(self, seed: int) -> None:
        self._obs, _ = self._env.reset(seed=seed, options={'success_rates': self._known})

    def set_off(self, learner: Learner) -> None:
        actions = np.clip(learner.act(self._obs) + self._noise.sample(), -1.0, 1.0)
        if not np.isfinite(actions).all():
            raise FloatingPointError(
                f'learning has diverged after {learner.updates} updates: an action is not finite'
            )
        self._actions = actions
        self._stepped: Future[Any] = self._simulation.submit(self._env.step, actions)

    def arrive(self, learner: Learner) -> None:
        obs, steps = self._obs, np.full(len(self._obs), self._ticks)
        self._obs, rewards, terminated, truncated, infos = self._stepped.result()
        transitions = (obs, self._actions, rewards, infos['final_obs'], terminated, truncated)
        learner.add(self._streams, steps, *transitions)
        ended = terminated | truncated
        if ended.any():
            self._noise.restart(ended)
        self._ended = infos['outcome'][ended]
        self._ticks += 1

    def outcomes(self, wait: bool) -> Array:
        ended, self._ended = self._ended, self._ended[:0]
        return ended

    def state(self) -> dict[str, Any]:
        return {**super().state(), 'noise': self._noise.state(), 'ticks': self._ticks}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        if 'noise' in state:
            self._noise.restore(state['noise'])
            self._ticks = state['ticks']


class TensorRobots(Robots):
    """Robots of an environment of tensors: what they do is queued on the device.

    The host reads nothing but, when it asks to wait, how episodes have ended and whether all
    actions were finite; so of an update that diverged it learns only then. Nothing but the
    learner and success rates outlives a training: all robots begin new episodes when it is resumed.
    """

    def __init__(self, env: TensorEnvironment, noise: TensorNoise) -> None:
        super().__init__(env)
        self._env, self._noise = env, noise
        self._told: list[Tensor] = []  # outcomes (N,) of each step that have not been read

    def reset(self, seed: int) -> None:
        of_env, of_noise = np.random.SeedSequence(seed).generate_state(2).tolist()
        self._noise.reset(of_noise)
        self._obs, _ = self._env.reset(seed=of_env, options={'success_rates': self._known})
        self._finite = torch.ones((), dtype=torch.bool, device=self._obs.device)
        self._drive: Recorded[tuple[Tensor, ...]] | None = None

    def set_off(self, learner: Learner) -> None:
        if self._drive is None:
            self._drive = Recorded(
                lambda: self._step(learner),
                self._obs.device,
                (self, self._noise, *self._env.parts),
                (self._noise.generator, self._env.generator),
            )
        *self._transitions, outcomes = self._drive()
        self._told.append(outcomes.to(torch.int8))

    def arrive(self, learner: Learner) -> None:
        learner.add_step(*self._transitions)

    def outcomes(self, wait: bool) -> Array:
        if not (wait and self._told):
            return np.empty(0, np.int64)
        finite, told = bool(self._finite), torch.stack(self._told).cpu()
        self._told = []
        if not finite:
            raise FloatingPointError('learning has diverged: an action was not finite')
        return told[told != Outcome.RUNNING].numpy()

    def _step(self, learner: Learner) -> tuple[Tensor, ...]:
        """Act and drive once: the transitions, as `Learner.add_step` takes them, and outcomes."""
        obs = self._obs.clone()
        actions = (learner.algorithm.act(obs) + self._noise.sample()).clamp(-1.0, 1.0)
        self._finite = self._finite & actions.isfinite().all()
        self._obs, rewards, terminated, truncated, infos = self._env.step(actions)
        self._noise.restart(terminated | truncated)
        transitions = (obs, actions, rewards, infos['final_obs'], terminated, truncated)
        return *transitions, infos['outcome']
