from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_planner.learning.replay import Batch, ReplayBuffer


def buffer(capacity: int = 100) -> ReplayBuffer:
    return ReplayBuffer(capacity, 1, 1, 'cpu', 0)


def add(
    replay: ReplayBuffer,
    step: int,
    reward: float,
    terminated: bool = False,
    truncated: bool = False,
    stream: int = 0,
) -> None:
    """One transition of one stream, from observation `step` to `step + 1` by action `-step`."""
    replay.add(
        [stream], [step], [[step]], [[-step]], [reward], [[step + 1]], [terminated], [truncated]
    )


def look(replay: ReplayBuffer, slot: int, n_step: int, discount: float) -> list[float]:
    """[obs, action, reward, discount, next_obs] of the transition that begins in a slot."""
    batch = replay.gather(torch.tensor([slot]), n_step, discount)
    return [float(value.item()) for value in batch]


def test_rewards_of_n_steps_are_summed_and_discounted() -> None:
    replay = buffer()
    for step, reward in enumerate([1.0, 10.0, 100.0, 1000.0]):
        add(replay, step, reward)
    # 1 + 0.5 * 10 + 0.25 * 100 = 31, then 0.5^3 of the value three steps on
    assert look(replay, 0, 3, 0.5) == [0.0, 0.0, 31.0, 0.125, 3.0]
    assert look(replay, 1, 3, 0.5) == [1.0, -1.0, 10.0 + 50.0 + 250.0, 0.125, 4.0]


def test_the_live_tail_gives_as_many_steps_as_there_are() -> None:
    replay = buffer()
    for step, reward in enumerate([1.0, 10.0]):
        add(replay, step, reward)
    assert look(replay, 0, 5, 0.5) == [0.0, 0.0, 6.0, 0.25, 2.0]
    assert look(replay, 1, 5, 0.5) == [1.0, -1.0, 10.0, 0.5, 2.0]


def test_a_terminated_episode_is_worth_nothing_more() -> None:
    replay = buffer()
    add(replay, 0, 1.0)
    add(replay, 1, 10.0, terminated=True)
    add(replay, 2, 100.0)
    assert look(replay, 0, 3, 0.5) == [0.0, 0.0, 6.0, 0.0, 2.0]
    assert look(replay, 2, 3, 0.5) == [2.0, -2.0, 100.0, 0.5, 3.0]


def test_a_truncated_episode_is_worth_what_would_have_come() -> None:
    replay = buffer()
    add(replay, 0, 1.0)
    add(replay, 1, 10.0, truncated=True)
    add(replay, 2, 100.0)
    assert look(replay, 0, 3, 0.5) == [0.0, 0.0, 6.0, 0.25, 2.0]


def test_a_lost_transition_is_not_summed_over() -> None:
    replay = buffer()
    add(replay, 0, 1.0)
    add(replay, 2, 100.0)
    add(replay, 3, 1000.0)
    assert look(replay, 0, 3, 0.5) == [0.0, 0.0, 1.0, 0.5, 1.0]
    assert look(replay, 1, 3, 0.5) == [2.0, -2.0, 600.0, 0.25, 4.0]


def test_streams_do_not_mix() -> None:
    replay = buffer()
    replay.add([7, 8], [0, 0], [[0], [0]], [[0], [0]], [1, 2], [[1], [1]], [0, 0], [0, 0])
    replay.add([8, 7], [1, 1], [[1], [1]], [[0], [0]], [20, 10], [[2], [2]], [0, 0], [0, 0])
    assert look(replay, 0, 2, 0.5)[2] == 1.0 + 0.5 * 10.0
    assert look(replay, 1, 2, 0.5)[2] == 2.0 + 0.5 * 20.0


def test_an_overwritten_transition_gains_no_successor() -> None:
    replay = buffer(capacity=2)
    add(replay, 0, 1.0, stream=1)
    add(replay, 0, 10.0, stream=2)
    add(replay, 1, 20.0, stream=2)  # takes the slot of stream 1's only transition
    add(replay, 1, 2.0, stream=1)
    assert look(replay, 0, 2, 0.5)[2] == 20.0
    assert look(replay, 1, 2, 0.5)[2] == 2.0


@dataclass(frozen=True)
class Moment:
    stream: int
    step: int
    reward: float
    terminated: bool
    truncated: bool

    @property
    def ended(self) -> bool:
        return self.terminated or self.truncated


def expected(moments: list[Moment], start: int, n_step: int, discount: float) -> list[float]:
    """[reward, discount, next_obs] as the definition says: one stream, step by step."""
    path = [moments[start]]
    following = (m for m in moments[start + 1 :] if m.stream == path[0].stream)
    for moment in following:
        if len(path) == n_step or path[-1].ended or moment.step != path[-1].step + 1:
            break
        path.append(moment)
    reward = sum(moment.reward * discount**power for power, moment in enumerate(path))
    worth = 0.0 if path[-1].terminated else discount ** len(path)
    return [reward, worth, path[-1].step + 1]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Moment]]:
    """Calls of `add`: each some of four streams, whose steps are sometimes lost or repeated."""
    steps = dict.fromkeys(range(4), 0)
    calls = []
    for _ in range(draw(st.integers(1, 25))):
        call = []
        for stream in draw(st.permutations(range(4)))[: draw(st.integers(1, 4))]:
            steps[stream] += draw(st.sampled_from([1, 1, 1, 1, 1, 2, 0]))
            reward = draw(st.integers(-9, 9))
            ends = draw(st.sampled_from([(False, False)] * 6 + [(True, False), (False, True)]))
            call.append(Moment(stream, steps[stream], reward, *ends))
        calls.append(call)
    return calls


def add_call(replay: ReplayBuffer, call: list[Moment]) -> None:
    steps = np.array([m.step for m in call])
    replay.add(
        [m.stream for m in call],
        steps,
        steps[:, None],
        -steps[:, None],
        [m.reward for m in call],
        steps[:, None] + 1,
        [m.terminated for m in call],
        [m.truncated for m in call],
    )


@settings(max_examples=150, deadline=None)
@given(histories(), st.integers(4, 40), st.integers(1, 6))
def test_every_live_transition_is_as_the_definition_says(
    calls: list[list[Moment]], capacity: int, n_step: int
) -> None:
    replay = buffer(capacity)
    moments: list[Moment] = []
    for call in calls:
        add_call(replay, call)
        moments += call
        assert len(replay) == min(len(moments), capacity)
        live = range(max(len(moments) - capacity, 0), len(moments))
        batch = replay.gather(torch.tensor([number % capacity for number in live]), n_step, 0.5)
        found = np.column_stack([column.numpy() for column in batch])
        wanted = [
            [moments[number].step, -moments[number].step, *expected(moments, number, n_step, 0.5)]
            for number in live
        ]
        np.testing.assert_array_equal(found, wanted)


@settings(max_examples=30, deadline=None)
@given(histories(), st.integers(4, 40))
def test_a_restored_buffer_samples_the_same(calls: list[list[Moment]], capacity: int) -> None:
    first, second = buffer(capacity), ReplayBuffer(capacity, 1, 1, 'cpu', seed=9)
    for call in calls:
        add_call(first, call)
    second.restore(first.state())
    assert torch.equal(second.draw(50), first.draw(50))


def assert_equal(first: Batch, second: Batch) -> None:
    for mine, yours in zip(first, second, strict=True):
        assert torch.equal(mine, yours)


def test_a_state_does_not_change_with_the_buffer() -> None:
    replay = buffer(capacity=2)
    add(replay, 0, 1.0)
    state = replay.state()
    add(replay, 1, 2.0)
    add(replay, 2, 3.0)
    restored = buffer(capacity=2)
    restored.restore(state)
    assert len(restored) == 1
    assert look(restored, 0, 3, 0.5) == [0.0, 0.0, 1.0, 0.5, 1.0]


def test_a_stream_begins_anew_in_a_restored_buffer() -> None:
    replay, restored = buffer(), buffer()
    add(replay, 0, 1.0)
    restored.restore(replay.state())
    add(restored, 1, 10.0)
    assert look(restored, 0, 2, 0.5)[2] == 1.0


def test_sampling_is_uniform_over_what_is_there() -> None:
    replay = buffer(capacity=10)
    for step in range(14):
        add(replay, step, 0.0)
    counts = np.bincount(
        replay.gather(replay.draw(20000), 1, 0.9).obs[:, 0].int().numpy(), minlength=14
    )
    assert counts[:4].sum() == 0
    assert counts[4:] == pytest.approx(2000, rel=0.12)  # 5 standard deviations


def test_an_empty_buffer_cannot_be_sampled() -> None:
    with pytest.raises(ValueError, match='must hold a transition'):
        buffer().draw(1)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'obs': [[0.0, 1.0]]}, r'obs must be \(1, 1\), got \(1, 2\)'),
        ({'rewards': [[1.0]]}, r'reward must be \(1,\), got \(1, 1\)'),
        ({'next_obs': [[np.nan]]}, 'next_obs must be finite'),
        ({'rewards': [np.inf]}, 'reward must be finite'),
        ({'streams': [0, 0]}, 'streams must be distinct'),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    change: dict[str, Any], message: str
) -> None:
    replay = buffer()
    good: dict[str, Any] = {
        'streams': [0],
        'steps': [0],
        'obs': [[0.0]],
        'actions': [[0.0]],
        'rewards': [0.0],
        'next_obs': [[0.0]],
        'terminated': [False],
        'truncated': [False],
    }
    with pytest.raises(ValueError, match=message):
        replay.add(**{**good, **change})
    assert len(replay) == 0


def step_of(rng: np.random.Generator, count: int) -> dict[str, torch.Tensor]:
    """One transition of each of `count` streams; a fifth of the episodes end."""
    terminated, truncated = rng.random((2, count)) < 0.1
    return {
        'obs': torch.from_numpy(rng.normal(size=(count, 1)).astype(np.float32)),
        'actions': torch.from_numpy(rng.normal(size=(count, 1)).astype(np.float32)),
        'rewards': torch.from_numpy(rng.normal(size=count).astype(np.float32)),
        'next_obs': torch.from_numpy(rng.normal(size=(count, 1)).astype(np.float32)),
        'terminated': torch.from_numpy(terminated & ~truncated),
        'truncated': torch.from_numpy(truncated),
    }


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 12), st.integers(1, 15), st.integers(0, 99))
def test_a_step_of_tensors_is_the_same_as_one_of_arrays(
    count: int, more: int, steps: int, seed: int
) -> None:
    """Whether the ring holds one step of all streams, or not quite two, or some."""
    rng = np.random.default_rng(seed)
    tensors, arrays = buffer(count + more), buffer(count + more)
    for step in range(steps):
        moment = step_of(rng, count)
        tensors.add_step(**moment)
        arrays.add(np.arange(count), np.full(count, step), **moment)
        slots = torch.arange(len(arrays))
        assert (len(tensors), tensors.total) == (len(arrays), arrays.total)
        assert_equal(tensors.gather(slots, 4, 0.9), arrays.gather(slots, 4, 0.9))


def test_a_step_of_tensors_continues_neither_what_was_restored_nor_others() -> None:
    rng, replay, restored = np.random.default_rng(0), buffer(), buffer()
    going_on = {**step_of(rng, 2), 'terminated': torch.zeros(2).bool()}
    going_on['truncated'] = going_on['terminated']
    replay.add_step(**going_on)
    restored.restore(replay.state())
    add(replay, 0, 1.0)
    for each, first in ((replay, 0), (restored, 0)):
        each.add_step(**going_on)
        assert look(each, first, 2, 0.5)[3] == 0.5  # one step
    replay.add_step(**going_on)
    assert look(replay, 3, 2, 0.5)[3] == 0.25


def test_a_step_of_tensors_that_does_not_fit_is_refused() -> None:
    rng, replay = np.random.default_rng(0), buffer(4)
    replay.add_step(**step_of(rng, 3))
    with pytest.raises(ValueError, match='streams must be at most 4, got 5'):
        replay.add_step(**step_of(rng, 5))
    with pytest.raises(ValueError, match='streams must be 3 as before, got 2'):
        replay.add_step(**step_of(rng, 2))
    with pytest.raises(ValueError, match=r'obs must be \(3, 1\), got \(3, 2\)'):
        replay.add_step(**{**step_of(rng, 3), 'obs': torch.zeros(3, 2)})
    assert replay.total == 3
