"""The policy file, and the policy: a small network that runs on numpy alone.

File format: safetensors (8 bytes little-endian header length, JSON header, raw tensors). Tensors
`actor.0.weight` (out, in), `actor.0.bias` (out), `actor.1.weight`, ...: layers with ReLU between
them and tanh at the end. The header's `__metadata__` holds one key, `rl_planner`, whose value is
JSON: format_version, algorithm, observation (config and layout), robot (the ranges trained on),
control_period, and provenance. Never a pickle: reading a policy runs no code.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.navigation.config import ConfigError, ObservationConfig, RobotConfig
from rl_planner.navigation.files import write_atomically
from rl_planner.navigation.observation import layout, observation_size

FORMAT_VERSION = 1
ACTION_SIZE = 2
Floats = NDArray[np.float32]
Layer = tuple[NDArray[np.float64], NDArray[np.float64]]  # weight (in, out), bias (out)


# What parsed JSON of the wrong shape can raise.
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


class PolicyError(ValueError):
    """A policy that cannot be read, or not be used here; the message names what differs."""


@dataclass(frozen=True)
class PolicyMetadata:
    """What a policy expects, and where it comes from.

    `robot_ranges` maps each number of the robot to the [lowest, highest] value trained on.
    """

    observation: ObservationConfig
    robot_ranges: dict[str, tuple[float, float]]
    control_period: float
    algorithm: str
    provenance: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def for_robot(
        cls,
        robot: RobotConfig,
        observation: ObservationConfig,
        control_period: float,
        algorithm: str,
        provenance: dict[str, Any] | None = None,
    ) -> PolicyMetadata:
        """Metadata of a policy trained on one robot."""
        ranges = {name: (value, value) for name, value in asdict(robot).items()}
        return cls(observation, ranges, control_period, algorithm, provenance or {})

    def to_json(self) -> str:
        return json.dumps(
            {
                'format_version': FORMAT_VERSION,
                'algorithm': self.algorithm,
                'observation': asdict(self.observation),
                'layout': layout(self.observation),
                'robot': self.robot_ranges,
                'control_period': self.control_period,
                'provenance': self.provenance,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> PolicyMetadata:
        data = json.loads(text)
        if data['format_version'] != FORMAT_VERSION:
            raise PolicyError(
                f'format_version must be {FORMAT_VERSION}, got {data["format_version"]}'
            )
        observation = ObservationConfig.from_mapping(data['observation'])
        if [tuple(part) for part in data['layout']] != layout(observation):
            raise PolicyError(
                f'observation layout must be {layout(observation)}, got {data["layout"]}'
            )
        known = list(asdict(RobotConfig()))
        if set(data['robot']) != set(known):
            raise PolicyError(f'robot must have {", ".join(known)}, got {", ".join(data["robot"])}')
        ranges = {name: (float(low), float(high)) for name, (low, high) in data['robot'].items()}
        return cls(
            observation,
            ranges,
            float(data['control_period']),
            data['algorithm'],
            data['provenance'],
        )


class Policy:
    """A deterministic policy: observations (N, size) in, actions (N, 2) in [-1, 1] out.

    Args:
        tensors: the actor's weights by name, as in the file.
        metadata: what it expects.

    Attributes:
        source: the file that it is from, for messages.

    Raises:
        PolicyError: tensors that do not make a network for this observation, or are not finite.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: PolicyMetadata) -> None:
        self.metadata, self.source = metadata, 'the policy'
        self._layers = _layers(tensors, observation_size(metadata.observation))
        self._buffers: list[NDArray[np.float64]] = []
        self._actions = np.empty((0, ACTION_SIZE), np.float32)

    @property
    def layers(self) -> list[Layer]:
        """Of the actor, from the observation to the action: weight (in, out) and bias (out)."""
        return self._layers

    @property
    def hidden_sizes(self) -> list[int]:
        """Units of each hidden layer."""
        return [len(bias) for _, bias in self._layers[:-1]]

    def act(self, observations: Floats) -> Floats:
        """Actions (N, 2); the array is reused by the next call.

        Computed in float64: the order of a sum, which depends on N and the machine, then leaves no
        trace in float32, and a robot drives the same path in whatever company.
        """
        if len(self._actions) != len(observations) or not self._buffers:
            sizes = [len(bias) for _, bias in self._layers]
            self._buffers = [np.empty((len(observations), size)) for size in sizes]
            self._actions = np.empty((len(observations), ACTION_SIZE), np.float32)
        value = np.asarray(observations, np.float64)
        for (weight, bias), out in zip(self._layers, self._buffers, strict=True):
            np.matmul(value, weight, out=out)
            out += bias
            if out is not self._buffers[-1]:
                np.maximum(out, 0.0, out=out)
            value = out
        return np.tanh(value, out=self._actions, casting='same_kind')

    def require(self, robot: RobotConfig, control_period: float) -> None:
        """Refuse a robot or a control period that this policy was not trained on.

        Raises:
            PolicyError: naming each number that differs.
        """
        wrong = [
            _unlike(f'robot.{name}', getattr(robot, name), low, high)
            for name, (low, high) in self.metadata.robot_ranges.items()
            if not low - 1e-6 <= getattr(robot, name) <= high + 1e-6
        ]
        period = self.metadata.control_period
        if not math.isclose(control_period, period, rel_tol=1e-3):
            wrong.append(_unlike('task.control_period', control_period, period, period))
        if wrong:
            raise PolicyError(f'{self.source} is for another robot: ' + '; '.join(wrong))

    def to_bytes(self) -> bytes:
        tensors = {}
        for index, (weight, bias) in enumerate(self._layers):
            tensors[f'actor.{index}.weight'] = weight.T
            tensors[f'actor.{index}.bias'] = bias
        return encode_tensors(tensors, {'rl_planner': self.metadata.to_json()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Policy:
        tensors, metadata = decode_tensors(data)
        if 'rl_planner' not in metadata:
            raise PolicyError('not a policy of rl_planner: its header has no rl_planner metadata')
        try:
            parsed = PolicyMetadata.from_json(metadata['rl_planner'])
        except (PolicyError, ConfigError) as error:
            raise PolicyError(str(error)) from error
        except MALFORMED as error:
            raise PolicyError(f'its rl_planner metadata is broken: {error!r}') from error
        return cls(tensors, parsed)

    def save(self, path: str | Path) -> None:
        """Write the policy file; an existing one is replaced only by a whole new one."""
        write_atomically(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a policy file.

        Raises:
            PolicyError: no such file, not a policy, truncated, or not for this version; names it.
        """
        try:
            policy = cls.from_bytes(Path(path).read_bytes())
        except OSError as error:
            raise PolicyError(f'cannot read policy {path}: {error.strerror}') from error
        except PolicyError as error:
            raise PolicyError(f'{path}: {error}') from error
        policy.source = str(path)
        return policy


def _unlike(name: str, here: float, low: float, high: float) -> str:
    trained = f'{low:g}' if low == high else f'{low:g} to {high:g}'
    return f'{name} is {here:g} here and was {trained} in training'


def _layers(tensors: Mapping[str, NDArray[Any]], inputs: int) -> list[Layer]:
    """[(weight (in, out), bias (out)), ...], checked to lead from `inputs` to an action."""
    names = [f'actor.{index}' for index in range((len(tensors) + 1) // 2)]
    expected = {f'{name}.{part}' for name in names for part in ('weight', 'bias')}
    if wrong := expected ^ tensors.keys():
        raise PolicyError(f'tensors missing or unknown: {", ".join(sorted(wrong))}')
    layers = []
    for name in names:
        weight = np.asarray(tensors[f'{name}.weight'], np.float32)
        bias = np.asarray(tensors[f'{name}.bias'], np.float32)
        if weight.ndim != 2 or weight.shape[1] != inputs:
            raise PolicyError(f'{name}.weight must be (out, {inputs}), got {weight.shape}')
        if bias.shape != weight.shape[:1]:
            raise PolicyError(f'{name}.bias must be {weight.shape[:1]}, got {bias.shape}')
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise PolicyError(f'{name}.weight and its bias must be finite')
        layers.append((np.ascontiguousarray(weight.T, np.float64), bias.astype(np.float64)))
        inputs = len(bias)
    if not layers or inputs != ACTION_SIZE:
        raise PolicyError(f'the last layer must have {ACTION_SIZE} outputs, got {inputs}')
    return layers


def encode_tensors(tensors: Mapping[str, NDArray[Any]], metadata: dict[str, str]) -> bytes:
    """float32 tensors and string metadata as safetensors."""
    header: dict[str, Any] = {'__metadata__': metadata}
    blocks, offset = [], 0
    for name, tensor in tensors.items():
        block = np.ascontiguousarray(tensor, dtype='<f4').tobytes()
        ends = [offset, offset + len(block)]
        header[name] = {'dtype': 'F32', 'shape': list(tensor.shape), 'data_offsets': ends}
        blocks.append(block)
        offset += len(block)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    return b''.join([struct.pack('<Q', len(text)), text, *blocks])


def decode_tensors(data: bytes) -> tuple[dict[str, Floats], dict[str, str]]:
    """(tensors, metadata) of safetensors that hold float32 only.

    Raises:
        PolicyError: not safetensors, or truncated.
    """
    if len(data) < 8:
        raise PolicyError(f'not a policy file: {len(data)} bytes')
    (length,) = struct.unpack_from('<Q', data)
    if length > len(data) - 8:
        raise PolicyError('not a policy file, or truncated: its header is longer than the file')
    try:
        header = json.loads(data[8 : 8 + length])
        metadata = dict(header.pop('__metadata__', {}))
        body = data[8 + length :]
        tensors = {name: _tensor(name, entry, body) for name, entry in header.items()}
    except PolicyError:
        raise
    except MALFORMED as error:
        raise PolicyError(f'not a policy file: its header is broken ({error})') from error
    return tensors, metadata


def _tensor(name: str, entry: Mapping[str, Any], body: bytes) -> Floats:
    if entry['dtype'] != 'F32':
        raise PolicyError(f'tensor {name} must be F32, got {entry["dtype"]}')
    shape = tuple(int(size) for size in entry['shape'])
    start, end = (int(offset) for offset in entry['data_offsets'])
    if min(shape, default=0) < 0 or not 0 <= start <= end or end - start != 4 * math.prod(shape):
        raise PolicyError(f'tensor {name}: shape {shape} does not fit its {end - start} bytes')
    if end > len(body):
        raise PolicyError(f'truncated: tensor {name} ends at byte {end} of {len(body)}')
    return np.frombuffer(body[start:end], '<f4').reshape(shape).copy()
