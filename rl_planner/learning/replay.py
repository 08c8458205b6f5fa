"""Experience replay: one-step transitions in a ring, n-step returns assembled when sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor


class Batch(NamedTuple):
    """B transitions of k steps each, k at most n.

    Attributes:
        obs: (B, obs_size) where the transition begins.
        action: (B, action_size) taken there.
        reward: (B,) r_0 + gamma r_1 + ... + gamma^(k-1) r_(k-1).
        discount: (B,) gamma^k, or 0 where the last step terminated: what Q(next_obs) is worth.
        next_obs: (B, obs_size) after the last step.
    """

    obs: Tensor
    action: Tensor
    reward: Tensor
    discount: Tensor
    next_obs: Tensor


class ReplayBuffer:
    """A ring of the youngest `capacity` transitions of any mixture of streams (robots).

    Each transition knows the slot of its successor, if it has one: the transition that the same
    stream added next, unless the episode ended or transitions between the two were lost. Following
    these links gives n-step returns that never run past an episode's end, a gap or what has been
    received so far. A successor is younger than its predecessor and so is overwritten after it: a
    link that can be followed is valid.

    Args:
        capacity: transitions held.
        obs_size: numbers in an observation.
        action_size: numbers in an action.
        device: where the transitions lie.
        seed: of the sampling, which draws on the CPU: the same slots on every device.
    """

    def __init__(
        self, capacity: int, obs_size: int, action_size: int, device: torch.device | str, seed: int
    ) -> None:
        self.capacity = capacity
        self.total = 0  # transitions ever added; number i lies in slot i % capacity
        self._device = torch.device(device)
        self._generator = torch.Generator().manual_seed(seed)
        self._tails: dict[int, tuple[int, int]] = {}  # stream: (number, step) it can continue from
        self._going_on: tuple[int, Tensor] | None = None  # as of `add_step`: total, and who may
        # One slot more than the capacity: "no successor", its own successor, reward 0. Walking on
        # from it stays there, so a walk needs no case distinction.
        self._data = {
            'obs': self._zeros(obs_size),
            'action': self._zeros(action_size),
            'reward': self._zeros(),
            'next_obs': self._zeros(obs_size),
            'terminated': self._zeros(),
            'successor': torch.full((capacity + 1,), capacity, device=self._device),
        }

    def __len__(self) -> int:
        return min(self.total, self.capacity)

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
        """Add one transition of each of M streams.

        Args:
            streams: (M,) ids, each at most once.
            steps: (M,) counters; a transition continues its stream's last one only if it counts one
                more, and that one did not end the episode.
            obs: (M, obs_size). actions: (M, action_size). rewards: (M,). next_obs: (M, obs_size).
            terminated: (M,) the episode ended and nothing comes after: worth 0.
            truncated: (M,) the episode was cut off: `next_obs` is still worth its value.

        Raises:
            ValueError: shapes that do not fit, numbers that are not finite, a stream named twice.
        """
        ids, counters = np.asarray(streams), np.asarray(steps)
        count = len(ids)
        if count > self.capacity or len(set(ids.tolist())) != count:
            raise ValueError(f'streams must be distinct and at most {self.capacity}, got {ids}')
        columns = {
            'obs': obs,
            'action': actions,
            'reward': rewards,
            'next_obs': next_obs,
            'terminated': terminated,
        }
        rows = {name: self._checked(name, column, count) for name, column in columns.items()}
        ended = np.asarray(terminated, bool) | np.asarray(truncated, bool)
        self._write(rows, count)
        self._link(ids, counters, ended)
        self.total += count

    def add_step(
        self,
        obs: Tensor,
        actions: Tensor,
        rewards: Tensor,
        next_obs: Tensor,
        terminated: Tensor,
        truncated: Tensor,
    ) -> None:
        """Add one transition of each of M streams, the same in the same order each time.

        Each continues what its stream added in the call before, unless that ended the episode: the
        same as `add` with steps that count up. All tensors are on the buffer's device, and nothing
        waits for them; so nobody looks whether they are finite.

        Raises:
            ValueError: shapes that do not fit.
        """
        count = len(obs)
        if count > self.capacity:
            raise ValueError(f'streams must be at most {self.capacity}, got {count}')
        if self._going_on is not None and len(self._going_on[1]) != count:
            raise ValueError(f'streams must be {len(self._going_on[1])} as before, got {count}')
        columns = {
            'obs': obs,
            'action': actions,
            'reward': rewards,
            'next_obs': next_obs,
            'terminated': terminated.float(),
        }
        for name, column in columns.items():
            self._check_shape(name, column.shape, count)
        slots = self._write(columns, count)
        self._continue(slots)
        self.total += count
        self._going_on = self.total, ~(terminated | truncated)

    def draw(self, batch_size: int) -> Tensor:
        """(batch_size,) slots, on the CPU, drawn uniformly, with repetition.

        Raises:
            ValueError: the buffer is empty.
        """
        if not self.total:
            raise ValueError('the replay buffer must hold a transition before it is sampled')
        return torch.randint(len(self), (batch_size,), generator=self._generator)

    def gather(self, slots: Tensor, n_step: int, discount: float) -> Batch:
        """The transitions that begin in `slots` (B,), each followed for `n_step` steps at most."""
        data = self._data
        walk = [slots]
        for _ in range(n_step - 1):
            walk.append(data['successor'].take(walk[-1]))
        path = torch.stack(walk)  # (n_step, B)
        powers = discount ** torch.arange(n_step + 1, device=self._device)
        length = (path < self.capacity).sum(dim=0)  # (B,) k
        last = path.gather(0, length[None] - 1)[0]
        return Batch(
            obs=data['obs'].index_select(0, slots),
            action=data['action'].index_select(0, slots),
            reward=powers[:-1] @ data['reward'].take(path),
            discount=powers.take(length) * (1.0 - data['terminated'].take(last)),
            next_obs=data['next_obs'].index_select(0, last),
        )

    def state(self) -> dict[str, Any]:
        """Copies of everything but where the streams stood, on the CPU.

        After `restore` every stream begins anew: whoever adds to a restored buffer was not there
        when the state was taken.
        """
        size = len(self)
        rows = {name: column[:size].to('cpu', copy=True) for name, column in self._data.items()}
        return {'total': self.total, 'rows': rows, 'generator': self._generator.get_state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state` of a buffer of the same capacity and sizes."""
        self.total = int(state['total'])
        self._tails.clear()
        self._going_on = None
        for name, rows in state['rows'].items():
            self._data[name][: len(self)] = rows.to(self._device)
        self._generator.set_state(state['generator'])

    def _write(self, rows: Mapping[str, Tensor], count: int) -> Tensor:
        """Write transitions without successors; their slots (count,)."""
        places = torch.arange(count, device=self._device)
        slots = (places + self.total % self.capacity) % self.capacity
        for name, row in rows.items():
            self._data[name].index_copy_(0, slots, row)
        self._data['successor'].index_fill_(0, slots, self.capacity)
        return slots

    def _continue(self, slots: Tensor) -> None:
        """Make the transitions in `slots` (M,) successors of those that `add_step` wrote before."""
        count = len(slots)
        if self._going_on is None or self._going_on[0] != self.total:
            return  # it wrote none before, or others have been added since
        going_on = self._going_on[1]
        before = (slots - count) % self.capacity
        # Where the ring is too small for both, the first ones before have just been overwritten:
        # their slots are those of new transitions, which have no successor yet.
        there = torch.arange(count, device=self._device) >= 2 * count - self.capacity
        links = torch.where(going_on & there, slots, self.capacity)
        self._data['successor'].index_copy_(0, before, links)

    def _link(self, streams: NDArray[Any], steps: NDArray[Any], ended: NDArray[np.bool_]) -> None:
        """Make the transitions just written the successors of those that they continue."""
        oldest = self.total + len(streams) - self.capacity  # what is older has been overwritten
        links = []
        moments = zip(streams.tolist(), steps.tolist(), ended.tolist(), strict=True)
        for number, (stream, step, end) in enumerate(moments, start=self.total):
            before, next_step = self._tails.pop(stream, (-1, None))
            if next_step == step and before >= oldest:
                links.append((before % self.capacity, number % self.capacity))
            if not end:
                self._tails[stream] = (number, step + 1)
        if links:
            slots = torch.tensor(links, device=self._device)
            self._data['successor'][slots[:, 0]] = slots[:, 1]

    def _zeros(self, *size: int) -> Tensor:
        return torch.zeros((self.capacity + 1, *size), device=self._device)

    def _checked(self, name: str, values: ArrayLike, count: int) -> Tensor:
        array = np.ascontiguousarray(values, np.float32)
        self._check_shape(name, array.shape, count)
        if not np.isfinite(array).all():
            raise ValueError(f'{name} must be finite')
        return torch.from_numpy(array).to(self._device)

    def _check_shape(self, name: str, shape: tuple[int, ...], count: int) -> None:
        expected = (count, *self._data[name].shape[1:])
        if tuple(shape) != expected:
            raise ValueError(f'{name} must be {expected}, got {tuple(shape)}')
