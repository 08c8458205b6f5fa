"""The policy file: what is written is read, by us and by others; nothing else gets in."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.navigation.observation import layout, observation_size
from rl_planner.navigation.policy import (
    Policy,
    PolicyError,
    PolicyMetadata,
    decode_tensors,
    encode_tensors,
)

OBSERVATION = ObservationConfig(num_sectors=4, range_clip=3.0)
SIZE = observation_size(OBSERVATION)  # 19
METADATA = PolicyMetadata.for_robot(
    RobotConfig(), OBSERVATION, 0.1, 'ddpg', {'seed': 3, 'steps': 1000}
)
Tensors = dict[str, NDArray[np.float32]]


def make_tensors(sizes: tuple[int, ...] = (SIZE, 8, 2), seed: int = 0) -> Tensors:
    rng = np.random.default_rng(seed)
    tensors = {}
    for index, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        tensors[f'actor.{index}.weight'] = rng.normal(size=(outputs, inputs)).astype(np.float32)
        tensors[f'actor.{index}.bias'] = rng.normal(size=outputs).astype(np.float32)
    return tensors


def metadata_with(**changes: Any) -> dict[str, str]:
    return {'rl_planner': json.dumps({**json.loads(METADATA.to_json()), **changes})}


POLICY = Policy(make_tensors(), METADATA)
FILE = POLICY.to_bytes()


def test_layers_with_relu_between_and_tanh_at_the_end() -> None:
    tensors = {
        'actor.0.weight': np.zeros((3, SIZE), np.float32),
        'actor.0.bias': np.array([0.0, 0.5, -2.0], np.float32),
        'actor.1.weight': np.array([[1.0, 2.0, 9.0], [-1.0, 0.0, 9.0]], np.float32),
        'actor.1.bias': np.array([-0.25, 0.0], np.float32),
    }
    tensors['actor.0.weight'][0, 2] = 2.0
    observation = np.zeros((2, SIZE), np.float32)
    observation[0, 2], observation[1, 2] = 0.75, -0.75
    # the hidden layer is (1.5, 0.5, 0) and (0, 0.5, 0): the outputs add up before tanh
    expected = np.tanh([[2.25, -1.5], [0.75, 0.0]])
    np.testing.assert_allclose(Policy(tensors, METADATA).act(observation), expected, rtol=1e-6)


@pytest.mark.parametrize('sizes', [(SIZE, 2), (SIZE, 5, 2), (SIZE, 16, 8, 4, 2)])
def test_any_depth_acts_as_its_definition(sizes: tuple[int, ...]) -> None:
    tensors = make_tensors(sizes)
    observations = np.random.default_rng(1).normal(size=(7, SIZE)).astype(np.float32)
    value = observations.astype(np.float64)
    for index in range(len(sizes) - 1):
        value = value @ tensors[f'actor.{index}.weight'].T + tensors[f'actor.{index}.bias']
        value = np.maximum(value, 0.0) if index < len(sizes) - 2 else np.tanh(value)
    actions = Policy(tensors, METADATA).act(observations)
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, value, rtol=1e-4, atol=1e-5)


def test_the_company_in_a_batch_makes_no_difference() -> None:
    observations = np.random.default_rng(1).normal(size=(100, SIZE)).astype(np.float32)
    all_of_them = POLICY.act(observations).copy()
    for count in (1, 2, 3, 7, 33):
        some = POLICY.act(observations[:count])
        np.testing.assert_array_equal(some, all_of_them[:count])


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / 'runs' / 'policy.safetensors'
    POLICY.save(path)
    loaded = Policy.load(path)
    assert loaded.metadata == METADATA
    assert loaded.to_bytes() == FILE
    observations = np.random.default_rng(2).normal(size=(3, SIZE)).astype(np.float32)
    np.testing.assert_array_equal(loaded.act(observations), POLICY.act(observations))


def test_the_safetensors_package_reads_it(tmp_path: Path) -> None:
    path = tmp_path / 'policy.safetensors'
    POLICY.save(path)
    tensors = safetensors.numpy.load_file(path)
    assert tensors.keys() == make_tensors().keys()
    for name, tensor in make_tensors().items():
        np.testing.assert_array_equal(tensors[name], tensor)
    with safetensors.safe_open(path, 'numpy') as file:
        metadata = json.loads(file.metadata()['rl_planner'])
    assert metadata['algorithm'] == 'ddpg'
    assert metadata['observation'] == {
        'num_sectors': 4,
        'range_clip': 3.0,
        'goal_distance_clip': 5.0,
        'history_steps': 0,
    }
    assert metadata['robot']['radius'] == [0.17, 0.17]
    assert metadata['provenance'] == {'seed': 3, 'steps': 1000}


def test_what_the_safetensors_package_writes_is_read() -> None:
    data = safetensors.numpy.save(make_tensors(), metadata_with())
    assert Policy.from_bytes(data).to_bytes() == FILE


@pytest.mark.parametrize(
    ('robot', 'period', 'names'),
    [
        (RobotConfig(radius=0.25), 0.1, ['robot.radius is 0.25 here and was 0.17 in training']),
        (RobotConfig(), 0.2, ['task.control_period is 0.2 here and was 0.1 in training']),
        (
            RobotConfig(max_linear_vel=1.0, max_angular_accel=1.0),
            0.1,
            ['max_linear_vel is 1 here and was 0.5', 'max_angular_accel is 1 here and was 3.2'],
        ),
    ],
)
def test_another_robot_is_refused(robot: RobotConfig, period: float, names: list[str]) -> None:
    POLICY.require(RobotConfig(), 0.1)
    with pytest.raises(PolicyError, match='the policy is for another robot: ') as error:
        POLICY.require(robot, period)
    for name in names:
        assert name in str(error.value)


def test_a_policy_of_many_robots_takes_those_in_its_ranges() -> None:
    ranges = {**METADATA.robot_ranges, 'radius': (0.1, 0.3)}
    metadata = PolicyMetadata(OBSERVATION, ranges, 0.1, 'ddpg')
    policy = Policy(make_tensors(), metadata)
    for radius in (0.1, 0.2, 0.3):
        policy.require(RobotConfig(radius=radius), 0.1)
    with pytest.raises(PolicyError, match=r'radius is 0\.31 here and was 0\.1 to 0\.3 in'):
        policy.require(RobotConfig(radius=0.31), 0.1)


def test_the_file_of_a_refused_policy_is_named(tmp_path: Path) -> None:
    POLICY.save(tmp_path / 'mine.safetensors')
    with pytest.raises(PolicyError, match=rf'^{tmp_path}/mine\.safetensors is for another robot'):
        Policy.load(tmp_path / 'mine.safetensors').require(RobotConfig(radius=0.25), 0.1)


def changed(name: str, tensor: Any) -> Tensors:
    return {**make_tensors(), name: np.asarray(tensor, np.float32)}


def without(name: str) -> Tensors:
    return {key: value for key, value in make_tensors().items() if key != name}


NAN_WEIGHT = make_tensors()['actor.0.weight']
NAN_WEIGHT[3, 3] = np.nan
OTHER_LAYOUT = [['sectors', 4], ['goal', 2]]
ROBOT_OF_TOMORROW = {**json.loads(METADATA.to_json())['robot'], 'max_jerk': [1, 1]}
NO_RADIUS = {k: v for k, v in METADATA.robot_ranges.items() if k != 'radius'}


@pytest.mark.parametrize(
    ('tensors', 'metadata', 'message'),
    [
        (make_tensors(), {}, 'not a policy of rl_planner'),
        (make_tensors(), {'rl_planner': 'no JSON'}, 'its rl_planner metadata is broken'),
        (make_tensors(), {'rl_planner': '[]'}, 'its rl_planner metadata is broken'),
        (make_tensors(), {'rl_planner': '{}'}, 'its rl_planner metadata is broken'),
        (make_tensors(), {'rl_planner': '[' * 100000}, 'its rl_planner metadata is broken'),
        (make_tensors(), metadata_with(format_version=2), 'format_version must be 1, got 2'),
        (make_tensors(), metadata_with(layout=OTHER_LAYOUT), 'observation layout must be'),
        (make_tensors(), metadata_with(layout=None), 'its rl_planner metadata is broken'),
        (
            make_tensors(),
            metadata_with(observation={'num_sectors': 4, 'stacked_scans': 3}),
            'unknown parameter stacked_scans',
        ),
        (
            make_tensors(),
            metadata_with(observation={'range_clip': 10**400}),
            'range_clip must be finite',
        ),
        (
            make_tensors(),
            metadata_with(robot=ROBOT_OF_TOMORROW),
            'robot must have radius, footprint_length, .*, got .*max_jerk',
        ),
        (make_tensors(), metadata_with(robot=NO_RADIUS), 'robot must have radius, '),
        (
            make_tensors(),
            metadata_with(robot={**METADATA.robot_ranges, 'radius': [10**400, 1]}),
            'its rl_planner metadata is broken',
        ),
        (
            make_tensors((SIZE + 1, 8, 2)),
            metadata_with(),
            r'actor.0.weight must be \(out, 19\), got \(8, 20\)',
        ),
        (make_tensors((SIZE, 8, 3)), metadata_with(), 'last layer must have 2 outputs, got 3'),
        ({}, metadata_with(), 'the last layer must have 2 outputs'),
        (without('actor.0.bias'), metadata_with(), 'actor.0.bias'),
        (without('actor.1.bias'), metadata_with(), 'actor.1.bias'),
        (changed('critic.0.bias', [1.0]), metadata_with(), 'critic.0.bias'),
        (
            changed('actor.0.bias', np.zeros(7)),
            metadata_with(),
            r'actor.0.bias must be \(8,\), got \(7,\)',
        ),
        (changed('actor.0.bias', 1.0), metadata_with(), 'actor.0.bias must be'),
        (changed('actor.1.bias', np.zeros((2, 8))), metadata_with(), 'actor.1.bias must be'),
        (changed('actor.1.weight', np.zeros((2, 9))), metadata_with(), 'actor.1.weight must be'),
        (changed('actor.0.weight', NAN_WEIGHT), metadata_with(), 'actor.0.weight .* finite'),
        (changed('actor.1.bias', [np.inf, 0.0]), metadata_with(), 'actor.1.weight .* finite'),
    ],
    ids=itertools.count(),
)
def test_what_is_no_policy(tensors: Tensors, metadata: dict[str, str], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Policy.from_bytes(encode_tensors(tensors, metadata))


def file_with(header: Any, body: bytes = b'') -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + body


def entry(dtype: Any = 'F32', shape: Any = (1,), offsets: Any = (0, 4)) -> dict[str, Any]:
    return {'t': {'dtype': dtype, 'shape': shape, 'data_offsets': offsets}}


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (b'', 'not a policy file: 0 bytes'),
        (b'1234567', 'not a policy file: 7 bytes'),
        (b'#!/usr/bin/env python3\n', 'its header is longer than the file'),
        (b'\xff' * 100, 'its header is longer than the file'),
        (file_with(b'not json'), 'its header is broken'),
        (file_with(b'\xff\xfe\x00'), 'its header is broken'),
        (file_with(b'[' * 100000), 'its header is broken'),
        (file_with([]), 'its header is broken'),
        (file_with({'__metadata__': 3}), 'its header is broken'),
        (file_with({'t': 3}), 'its header is broken'),
        (file_with({'t': {}}), 'its header is broken'),
        (file_with(entry(dtype='F16')), 'tensor t must be F32, got F16'),
        (file_with(entry(shape='x')), 'its header is broken'),
        (file_with(entry(shape=[1e999])), 'its header is broken'),
        (file_with(entry(shape=[-1], offsets=[0, -4])), 'tensor t: shape'),
        (file_with(entry(shape=[2]), b'1234'), 'does not fit its 4 bytes'),
        (file_with(entry(offsets=[4, 0]), b'1234'), 'tensor t: shape'),
        (file_with(entry(offsets=[0, 4, 8]), b'1234'), 'its header is broken'),
        (file_with(entry(), b'123'), 'truncated: tensor t ends at byte 4 of 3'),
        (file_with(entry(shape=[0, 2**80], offsets=[0, 0])), 'its header is broken'),
    ],
    ids=itertools.count(),
)
def test_what_is_no_file_of_tensors(data: bytes, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Policy.from_bytes(data)


@given(st.integers(0, len(FILE) - 1))
def test_a_file_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(PolicyError):
        Policy.from_bytes(FILE[:length])


@given(st.integers(0, len(FILE) - 1), st.integers(0, 255))
def test_a_file_with_any_byte_changed_is_read_or_refused(position: int, value: int) -> None:
    data = bytearray(FILE)
    data[position] = value
    with contextlib.suppress(PolicyError):
        Policy.from_bytes(bytes(data))


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError):
        Policy.from_bytes(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(json.loads(METADATA.to_json()))), JSON)
def test_any_metadata_is_read_or_refused(key: str, value: Any) -> None:
    data = encode_tensors(make_tensors(), metadata_with(**{key: value}))
    with contextlib.suppress(PolicyError):
        Policy.from_bytes(data).require(RobotConfig(), 0.1)


@given(JSON)
def test_any_header_is_read_or_refused(header: Any) -> None:
    with contextlib.suppress(PolicyError):
        decode_tensors(file_with(header))


def test_errors_name_the_file(tmp_path: Path) -> None:
    missing = tmp_path / 'missing.safetensors'
    with pytest.raises(PolicyError, match=f'cannot read policy {missing}: No such file'):
        Policy.load(missing)
    with pytest.raises(PolicyError, match=f'cannot read policy {tmp_path}: Is a directory'):
        Policy.load(tmp_path)
    broken = tmp_path / 'broken.safetensors'
    broken.write_bytes(FILE[:50])
    with pytest.raises(PolicyError, match=f'{broken}: not a policy file, or truncated'):
        Policy.load(broken)


def test_a_failing_save_leaves_the_old_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'policy.safetensors'
    POLICY.save(path)

    def fail(*args: object) -> None:
        raise OSError('disk full')

    monkeypatch.setattr(os, 'replace', fail)
    with pytest.raises(OSError, match='disk full'):
        Policy(make_tensors(seed=1), METADATA).save(path)
    assert path.read_bytes() == FILE
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('hostile', [lambda: os.getcwd, lambda: Policy])
def test_a_pickle_is_never_opened(hostile: Callable[[], Any], monkeypatch: Any) -> None:
    data = pickle.dumps(hostile())
    monkeypatch.setattr(pickle, 'loads', lambda *args: pytest.fail('unpickled'))
    with pytest.raises(PolicyError):
        Policy.from_bytes(data)


def test_the_layout_is_in_the_file() -> None:
    metadata = json.loads(decode_tensors(FILE)[1]['rl_planner'])
    assert [tuple(part) for part in metadata['layout']] == layout(OBSERVATION)
