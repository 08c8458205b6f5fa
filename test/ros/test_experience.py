"""The experience message, and what is counted of it."""

from __future__ import annotations

import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Float32MultiArray

from rl_planner.navigation.step import Transitions
from rl_planner.navigation.task import Outcome
from rl_planner.ros.experience import (
    ExperienceError,
    decode,
    encode,
    one_per_robot,
)

SIZE = 3


def transitions(robots: list[int], first: float = 0.0) -> Transitions:
    """Every number in it is another one."""
    count = len(robots)
    numbers = first + np.arange(count * (2 * SIZE + 4), dtype=np.float32).reshape(
        count, 2 * SIZE + 4
    )
    return Transitions(
        np.array(robots, np.int64),
        numbers[:, 0].astype(np.int64),
        numbers[:, 1 : 1 + SIZE],
        numbers[:, 4:6],
        numbers[:, 6],
        numbers[:, 7:10],
        np.arange(count) % 4,
    )


def test_what_is_sent_is_what_arrives() -> None:
    first, second = transitions([0, 1]), transitions([1, 0, 2], 100.0)
    message = encode('12-34', 7, [first, second])
    message = deserialize_message(serialize_message(message), Float32MultiArray)
    run_id, sequence, batch = decode(message, SIZE)
    assert (run_id, sequence) == ('12-34', 7)
    for name in ('robots', 'steps', 'obs', 'actions', 'rewards', 'next_obs', 'outcomes'):
        expected = np.concatenate([getattr(first, name), getattr(second, name)])
        np.testing.assert_array_equal(getattr(batch, name), expected)


def test_the_largest_numbers_survive() -> None:
    batch = transitions([0])
    batch.steps[0] = (1 << 24) - 1
    _, sequence, arrived = decode(encode('run', (1 << 32) + 5, [batch]), SIZE)
    assert sequence == 5
    assert arrived.steps[0] == (1 << 24) - 1


def test_outcomes_say_what_terminated_and_what_was_cut_short() -> None:
    batch = transitions([0, 1, 2, 3])
    batch.outcomes[:] = [Outcome.RUNNING, Outcome.GOAL, Outcome.COLLISION, Outcome.TIMEOUT]
    _, _, arrived = decode(encode('run', 0, [batch]), SIZE)
    assert arrived.terminated.tolist() == [False, True, True, False]
    assert arrived.truncated.tolist() == [False, False, False, True]


def broken(change) -> Float32MultiArray:
    message = encode('run', 0, [transitions([0, 1])])
    change(message)
    return message


@pytest.mark.parametrize(
    ('change', 'rule'),
    [
        (lambda m: m.layout.dim.clear(), 'must have the columns'),
        (lambda m: setattr(m.layout.dim[1], 'label', 'else'), 'must have the columns'),
        (lambda m: setattr(m.layout.dim[1], 'size', 11), 'must have 12 columns .* got 11'),
        (lambda m: setattr(m.layout.dim[0], 'size', 3), 'must hold 3 x 12 numbers, got 24'),
        (lambda m: m.data.__setitem__(5, float('nan')), 'must be finite'),
        (lambda m: setattr(m, 'data', array.array('f')), 'must hold 2 x 12 numbers, got 0'),
    ],
)
def test_a_broken_message_is_refused(change, rule: str) -> None:
    with pytest.raises(ExperienceError, match=rule):
        decode(broken(change), SIZE)


@given(st.lists(st.integers(0, 3), max_size=20))
def test_parts_hold_each_robot_once_and_all_in_order(robots: list[int]) -> None:
    parts = list(one_per_robot(transitions(robots)))
    for part in parts:
        assert len(set(part.robots.tolist())) == len(part.robots)
    for robot in range(4):
        steps = [s for p in parts for r, s in zip(p.robots, p.steps, strict=True) if r == robot]
        whole = transitions(robots)
        assert steps == whole.steps[whole.robots == robot].tolist()
