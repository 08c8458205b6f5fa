from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from rl_planner.cli import train, training_setup
from rl_planner.learning.config import LearningConfig
from rl_planner.navigation.policy import Policy

ROOM = Path(__file__).parents[2] / 'worlds' / 'rooms.sdf'
STEPS = 4096  # 32 steps of 128 robots: the last two are worth updates


@pytest.fixture(autouse=True)
def few_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_setup, 'NUM_WORLDS', 4)
    monkeypatch.setattr(training_setup, 'WORLDS_PER_FAMILY', 4)


def test_a_run_leaves_its_folder_and_figures(command: Any, tmp_path: Path) -> None:
    out, figures_path = tmp_path / 'run', tmp_path / 'figures.json'
    options = ['--steps', STEPS, '--seed', 3, '--device', 'cpu', '--out', out]
    answer = command('train', '--algorithm', 'ddpg', *options, '--json', figures_path)
    assert (answer.code, answer.err) == (0, '')
    assert 'Trained on 4,096 transitions' in answer.out
    assert f'rl_planner evaluate {out}/policy.safetensors' in answer.out
    figures = json.loads(figures_path.read_text())
    assert (figures['steps'], figures['updates'], figures['seed']) == (STEPS, 4, 3)
    assert (figures['device'], figures['interrupted']) == ('cpu', False)
    policy = Policy.load(figures['policy'])
    assert policy.metadata.provenance == {
        'world': 'random',
        'seed': 3,
        'transitions': STEPS,
        'updates': 4,
    }
    assert {path.name for path in out.iterdir()} == {
        'config.yaml',
        'checkpoints',
        'metrics.jsonl',
        'tensorboard',
        'policy.safetensors',
    }
    config = yaml.safe_load((out / 'config.yaml').read_text())
    assert (config['algorithm'], config['world'], config['seed']) == ('ddpg', 'random', 3)
    assert (config['steps'], config['budget_sec']) == (STEPS, None)
    assert config['robot']['radius'] == 0.17


def test_the_same_seed_trains_the_same_policy(command: Any, tmp_path: Path) -> None:
    def policy(seed: int, name: str) -> bytes:
        out = tmp_path / name
        options = ['--seed', seed, '--steps', STEPS, '--device', 'cpu', '--out', out]
        assert command('train', *options).code == 0
        return (out / 'policy.safetensors').read_bytes()

    first = policy(1, 'first')
    assert first == policy(1, 'second')
    assert first != policy(2, 'other')


def test_a_run_is_resumed_as_it_began(command: Any, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    begun = ['--steps', STEPS, '--world', ROOM, '--seed', 5, '--device', 'cpu']
    assert command('train', *begun, '--out', out).code == 0
    again = command('train', '--resume', '--out', out, '--steps', 2 * STEPS, '--device', 'cpu')
    assert again.code == 0
    assert 'Trained on 8,192 transitions' in again.out
    config = yaml.safe_load((out / 'config.yaml').read_text())
    assert (config['world'], config['seed'], config['steps']) == (str(ROOM), 5, 2 * STEPS)
    spent = command('train', '--resume', '--out', out)
    assert 'Trained on 8,192 transitions' in spent.out


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is done on a GPU is done on the CPU: by another name, and with fewer robots."""
    monkeypatch.setattr(train, '_device', lambda _: 'cpu:0')
    monkeypatch.setattr(train, 'CUDA_ROBOTS', 32)
    schedule = {'batch_size': 64, 'warmup_transitions': 320, 'updates_per_transition': 1 / 16}
    monkeypatch.setattr(train, 'CUDA_LEARNING', schedule)


def test_a_gpu_has_robots_and_a_schedule_of_its_own(
    command: Any, tmp_path: Path, as_on_a_gpu: None
) -> None:
    out, params = tmp_path / 'run', tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {learning: {hidden_size: 50}}}')
    options = ['--world', ROOM, '--params-file', params, '--out', out]
    assert command('train', '--steps', 640, *options).code == 0
    config = yaml.safe_load((out / 'config.yaml').read_text())
    learning = config['learning']
    assert config['num_robots'] == 32
    assert (learning['warmup_transitions'], learning['updates_per_transition']) == (320, 1 / 16)
    assert (learning['batch_size'], learning['hidden_size']) == (64, 50)
    answer = command('train', '--resume', '--steps', 960, '--out', out)
    assert 'Trained on 960 transitions' in answer.out
    assert '40 updates' in answer.out  # (960 - 320) / 16


def test_a_schedule_of_a_file_is_not_mixed_with_that_of_a_gpu(
    command: Any, tmp_path: Path, as_on_a_gpu: None
) -> None:
    out, params = tmp_path / 'run', tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {learning: {updates_per_transition: 0.125}}}')
    options = ['--world', ROOM, '--params-file', params, '--out', out]
    assert command('train', '--steps', 32, *options).code == 0
    learning = LearningConfig(updates_per_transition=0.125)
    config = yaml.safe_load((out / 'config.yaml').read_text())
    assert LearningConfig.from_mapping(config['learning']) == learning


def test_a_run_of_a_gpu_goes_on_without_one(
    command: Any, tmp_path: Path, as_on_a_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / 'run'
    assert command('train', '--world', ROOM, '--steps', 640, '--out', out).code == 0
    monkeypatch.undo()
    answer = command('train', '--resume', '--steps', 960, '--device', 'cpu', '--out', out)
    assert 'Trained on 960 transitions' in answer.out  # in steps of 32 robots


def test_a_run_of_before_has_as_many_robots_as_it_had(command: Any, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    begun = ['--world', ROOM, '--device', 'cpu', '--out', out]
    assert command('train', '--steps', 128, *begun).code == 0
    config = yaml.safe_load((out / 'config.yaml').read_text())
    assert config.pop('num_robots') == 128
    (out / 'config.yaml').write_text(yaml.safe_dump(config))
    answer = command('train', '--resume', '--steps', 129, '--device', 'cpu', '--out', out)
    assert 'Trained on 256 transitions' in answer.out


def test_the_schedule_of_a_gpu_is_as_documented() -> None:
    config = LearningConfig(**training_setup.CUDA_LEARNING)
    per_step = config.updates_per_transition * training_setup.CUDA_ROBOTS
    assert per_step == 8.0
    text = (ROOM.parents[1] / 'docs' / 'gpu.md').read_text(encoding='utf-8')
    assert f'| 8, of {config.batch_size} |' in text
    assert f'transitions | {config.replay_capacity:,} |' in text
    assert f'on the GPU, {training_setup.CUDA_ROBOTS} robots |' in text


def test_a_run_is_not_resumed_as_another(command: Any, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    assert command('train', '--steps', 128, '--out', out).code == 0
    answer = command('train', '--resume', '--out', out, '--seed', 1)
    assert answer.err == 'rl_planner: error: seed must be 0, as the run began, got 1\n'
    answer = command('train', '--resume', '--out', out, '--world', ROOM)
    assert f'world must be random, as the run began, got {ROOM}' in answer.err
    config = yaml.safe_load((out / 'config.yaml').read_text())
    del config['lidar']
    (out / 'config.yaml').write_text(yaml.safe_dump(config))
    answer = command('train', '--resume', '--out', out)
    assert (answer.code, 'config.yaml has no lidar' in answer.err) == (2, True)


def test_a_run_is_not_overwritten(command: Any, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    assert command('train', '--steps', 128, '--out', out).code == 0
    answer = command('train', '--steps', 128, '--out', out, '--world', tmp_path / 'none.sdf')
    assert (answer.code, 'holds a run already' in answer.err) == (2, True)  # before any world


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--resume'], '--resume needs --out'),
        (['--resume', '--out', 'none'], 'none holds no run to resume'),
        (['--world', 'none.sdf', '--out', 'run'], 'none.sdf: cannot be read'),
        (['--world', __file__, '--out', 'run'], 'test_train.py'),
    ],
)
def test_an_error_is_one_line_and_leaves_nothing(
    command: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = command('train', *arguments)
    assert (answer.code, answer.out) == (2, '')
    assert answer.err.startswith('rl_planner: error: ')
    assert message in answer.err
    assert answer.err.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--algorithm', 'dreams'], "--algorithm: invalid choice: 'dreams'"),
        (['--device', 'tpu'], "--device: invalid choice: 'tpu'"),
        (['--budget-sec', '0'], "--budget-sec: must be a finite number above 0, got '0'"),
        (['--steps', '-5'], "--steps: must be a whole number above 0, got '-5'"),
        (['--steps', '5', '--budget-sec', '5'], 'not allowed with argument'),
    ],
)
def test_a_wrong_option_is_named(command: Any, arguments: list[str], message: str) -> None:
    answer = command('train', *arguments)
    assert answer.code == 2
    assert message in answer.err


def test_a_missing_gpu_is_named(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    answer = command('train', '--device', 'cuda')
    assert answer.code == 2
    assert 'device must be cpu or auto, as torch finds no CUDA device; got cuda' in answer.err


def test_ctrl_c_keeps_what_was_learnt(tmp_path: Path) -> None:
    out = tmp_path / 'run'
    options = ['--world', str(ROOM), '--device', 'cpu', '--out', str(out)]
    program = [sys.executable, '-m', 'rl_planner.cli.main', 'train', *options]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        metrics, deadline = out / 'metrics.jsonl', time.monotonic() + 60.0
        while not (metrics.exists() and metrics.read_text()):
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        printed, complaint = run.communicate(timeout=60.0)
    assert (run.returncode, complaint) == (130, '')
    assert printed.startswith('Interrupted after ')
    assert Policy.load(out / 'policy.safetensors').metadata.provenance['transitions'] > 0
    assert list((out / 'checkpoints').iterdir())


@pytest.mark.parametrize(
    ('option', 'trained'), [([], 'td3'), (['--algorithm', 'ddpg'], 'ddpg')], ids=['file', 'option']
)
def test_a_params_file_names_the_algorithm_unless_the_option_does(
    command: Any, tmp_path: Path, option: list[str], trained: str
) -> None:
    path = tmp_path / 'params.yaml'
    path.write_text('/**:\n  ros__parameters:\n    learning:\n      algorithm: td3\n')
    options = ['--steps', STEPS, '--device', 'cpu', '--params-file', path, '--world', ROOM]
    answer = command('train', *options, *option, '--out', tmp_path / 'run')
    assert answer.code == 0
    assert f'policy.safetensors greedy --params-file {path}\n' in answer.out
    config = yaml.safe_load((tmp_path / 'run' / 'config.yaml').read_text())
    assert (config['algorithm'], config['learning']['algorithm']) == (trained, trained)
    assert Policy.load(tmp_path / 'run' / 'policy.safetensors').metadata.algorithm == trained
