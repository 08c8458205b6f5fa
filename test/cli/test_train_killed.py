"""kill -9 costs a training no more than what came after its newest checkpoint."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rl_planner.learning import checkpoint
from rl_planner.learning.learner import Learner

ROOM = Path(__file__).parents[2] / 'worlds' / 'rooms.sdf'
ROBOTS = 128
PATIENCE_SEC = 60.0

Condition = Callable[[Path], bool]


def start(out: Path, *options: object) -> subprocess.Popen[str]:
    """`rl_planner train` in the run folder `out`, in a process of its own."""
    arguments = [*options, '--device', 'cpu', '--out', out]
    program = [sys.executable, '-m', 'rl_planner.cli.main', 'train', *map(str, arguments)]
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_when(condition: Condition, out: Path, *options: object) -> None:
    """Start a training, wait until `condition` holds of its run folder, and kill it at once."""
    with start(out, *options) as process:
        deadline = time.monotonic() + PATIENCE_SEC
        while not condition(out):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.0005)  # a checkpoint takes some milliseconds to write
        process.kill()
        process.communicate()
    assert process.returncode == -9


def saved(out: Path) -> list[Path]:
    return checkpoint.checkpoints(out / 'checkpoints')


def rows(out: Path) -> list[dict[str, float]]:
    """Those lines of metrics.jsonl that are whole."""
    *lines, _ = (out / 'metrics.jsonl').read_text().split('\n')
    return [json.loads(line) for line in lines]


def writing_a_checkpoint(out: Path) -> Condition:
    """True while one is being written, once there is another to go on from."""
    return lambda out: bool(saved(out)) and any((out / 'checkpoints').glob('.checkpoint_*'))


def between_checkpoints(out: Path) -> Condition:
    """True when a row of metrics has been logged that a new checkpoint does not cover."""
    newest = saved(out)[-1:]

    def condition(out: Path) -> bool:
        if saved(out)[-1:] == newest:
            return False
        logged = rows(out)
        return bool(logged) and logged[-1]['steps'] > checkpoint.number_of(saved(out)[-1])

    return condition


def differences(one: Any, other: Any, place: str = '') -> list[str]:
    """Where two states differ."""
    if isinstance(one, dict):
        keys = one.keys() | other.keys()
        return [
            each
            for key in keys
            for each in differences(one.get(key), other.get(key), f'{place}.{key}')
        ]
    if isinstance(one, (list, tuple)):
        found = [] if len(one) == len(other) else [f'{place}: length']
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            found += differences(left, right, f'{place}[{index}]')
        return found
    same = torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    return [] if same else [place]


@pytest.mark.parametrize('moment', [writing_a_checkpoint, between_checkpoints])
def test_a_killed_run_goes_on_from_its_newest_checkpoint(
    command: Any, tmp_path: Path, moment: Callable[[Path], Condition]
) -> None:
    out = tmp_path / 'run'
    often = ['--checkpoint-sec', 1.4 if moment is between_checkpoints else 0.05]
    begun = ['--world', ROOM, '--seed', 3, '--steps', 10**7, *often]
    kill_when(moment(out), out, *begun)
    kill_when(moment(out), out, '--resume', *often)  # a resumed run may be killed too
    newest, before = saved(out)[-1], rows(out)
    number, state = checkpoint.number_of(newest), checkpoint.load(newest)
    assert state['learner']['replay']['total'] == number > 0

    # With nothing left to do, it saves what it has restored: all of the checkpoint. Only that the
    # updates that the last step is worth come first.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, 'updates_due', lambda _: 0)
        idle = command('train', '--resume', '--out', out, '--steps', number, '--device', 'cpu')
    assert (idle.code, idle.err) == (0, '')
    again = checkpoint.load(saved(out)[-1])
    assert saved(out)[-1] == newest
    assert again.pop('elapsed_sec') >= state.pop('elapsed_sec')
    assert differences(state, again) == []

    # And then it trains on, to the transition.
    steps = number + 20 * ROBOTS
    done = command('train', '--resume', '--out', out, '--steps', steps, '--device', 'cpu')
    assert (done.code, done.err) == (0, '')
    final = checkpoint.load(saved(out)[-1])
    assert final['learner']['replay']['total'] == steps == checkpoint.number_of(saved(out)[-1])
    assert final['ticks'] == state['ticks'] + 20
    kept = [row for row in before if row['steps'] <= number]
    after = rows(out)
    assert after[: len(kept)] == kept
    counts = [(row['steps'], row['updates']) for row in after]
    assert counts == sorted(set(counts))
    assert counts[-1][0] == steps
    assert not list((out / 'checkpoints').glob('.*'))


def test_two_processes_train_the_same_policy(tmp_path: Path) -> None:
    folders = [tmp_path / 'one', tmp_path / 'other']
    options = ['--world', ROOM, '--seed', 4, '--steps', 60 * ROBOTS]
    for process in [start(out, *options) for out in folders]:
        with process:
            printed, complaint = process.communicate(timeout=PATIENCE_SEC)
        assert (process.returncode, complaint) == (0, ''), printed
    one, other = ((out / 'policy.safetensors').read_bytes() for out in folders)
    assert one == other
