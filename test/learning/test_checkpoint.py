from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from rl_planner.learning import checkpoint
from rl_planner.learning.checkpoint import CheckpointError
from rl_planner.learning.config import ExplorationConfig
from rl_planner.learning.noise import ExplorationNoise


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    noise = ExplorationNoise(3, ExplorationConfig(), np.random.default_rng(0))
    state = {'noise': noise.state(), 'weights': torch.arange(4.0), 'list': [1, 2.5, 'three', None]}
    loaded = checkpoint.load(checkpoint.save(tmp_path, 7, state))
    assert loaded['list'] == [1, 2.5, 'three', None]
    assert torch.equal(loaded['weights'], torch.arange(4.0))
    expected = noise.sample()
    other = ExplorationNoise(3, ExplorationConfig(), np.random.default_rng(1))
    other.restore(loaded['noise'])
    np.testing.assert_array_equal(other.sample(), expected)


def test_only_the_newest_two_are_kept(tmp_path: Path) -> None:
    for number in (8, 9, 10, 100):
        checkpoint.save(tmp_path, number, {'number': number})
    numbers = [checkpoint.number_of(path) for path in checkpoint.checkpoints(tmp_path)]
    assert numbers == [10, 100]


def test_what_a_killed_save_left_is_neither_found_nor_kept(tmp_path: Path) -> None:
    abandoned = tmp_path / '.checkpoint_000000000009.pt.abcd1234'
    abandoned.write_bytes(b'half')
    assert checkpoint.checkpoints(tmp_path) == []
    checkpoint.save(tmp_path, 10, {})
    assert not abandoned.exists()


@pytest.mark.parametrize('size', [0, 1, 100, -1])
def test_a_truncated_file_is_named(tmp_path: Path, size: int) -> None:
    path = checkpoint.save(tmp_path, 1, {'weights': torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CheckpointError, match=f'{path.name} is truncated or not a checkpoint'):
        checkpoint.load(path)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    text, foreign, pickled = tmp_path / 'a.pt', tmp_path / 'b.pt', tmp_path / 'c.pt'
    text.write_text('not a checkpoint')
    torch.save({'model': 1}, foreign)
    pickled.write_bytes(pickle.dumps(Path('/')))
    for path in (text, foreign, pickled):
        with pytest.raises(CheckpointError, match=path.name):
            checkpoint.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r'cannot read checkpoint .*gone\.pt: No such file'):
        checkpoint.load(tmp_path / 'gone.pt')


SAVE_FOREVER = """
import itertools, pathlib, sys, torch
from rl_planner.learning import checkpoint
for number in itertools.count(1):
    weights = torch.full((500_000,), float(number))
    checkpoint.save(pathlib.Path(sys.argv[1]), number, {'number': number, 'weights': weights})
"""


def test_after_kill_9_the_newest_checkpoint_is_complete(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, '-c', SAVE_FOREVER, str(tmp_path)])
    try:
        while len(checkpoint.checkpoints(tmp_path)) < checkpoint.KEPT:
            assert process.poll() is None
            time.sleep(0.001)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    newest = checkpoint.checkpoints(tmp_path)[-1]
    state = checkpoint.load(newest)
    assert state['number'] == checkpoint.number_of(newest)
    assert (state['weights'] == state['number']).all()
