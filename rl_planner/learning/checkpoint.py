"""Checkpoints: the whole state of a training in one file that is complete or not there.

The newest two are kept. A process killed at any moment leaves them, and at worst a temporary file
that the next save removes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from rl_planner.navigation.files import write_atomically

FORMAT = 'rl_planner checkpoint 2'
KEPT = 2
PATTERN = 'checkpoint_*.pt'


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or used; the message names the file."""


def save(folder: Path, number: int, state: Mapping[str, Any]) -> Path:
    """Write checkpoint `number` and remove all but the newest two.

    Args:
        number: grows from one checkpoint to the next.
        state: nested dicts, lists and tuples of numbers, strings, tensors and arrays.
    """
    path = folder / f'checkpoint_{number:012d}.pt'
    buffer = io.BytesIO()
    torch.save({'format': FORMAT, 'state': _with_tensors(state)}, buffer)
    write_atomically(path, buffer.getvalue())
    for old in checkpoints(folder)[:-KEPT]:
        old.unlink()
    for abandoned in folder.glob('.' + PATTERN + '.*'):
        abandoned.unlink()
    return path


def load(path: Path) -> Any:
    """The state of a checkpoint, its arrays as tensors, on the CPU. Reading it runs no code.

    Raises:
        CheckpointError: no such file, truncated, or not a checkpoint of this version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f'cannot read checkpoint {path}: {error.strerror}') from error
    try:
        content = _decode(data)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, UnpicklingError) as error:
        raise CheckpointError(f'{path} is truncated or not a checkpoint') from error
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise CheckpointError(f'{path} must be of format {FORMAT!r}')
    return content['state']


def _decode(data: bytes) -> Any:
    if not data.startswith(b'PK'):  # torch would take it for one of its older formats, and warn
        raise ValueError('not a zip archive')
    return torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)


def checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints in a folder, oldest first."""
    return sorted(folder.glob(PATTERN))


def number_of(path: Path) -> int:
    """The number that a checkpoint was saved under."""
    return int(path.stem.rpartition('_')[2])


def _with_tensors(value: Any) -> Any:
    """`value` with arrays as tensors: numpy's own pickles are not plain data to `weights_only`."""
    if isinstance(value, Mapping):
        return {key: _with_tensors(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_with_tensors(item) for item in value)
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    return value
