from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rl_planner.learning.learner import Learner
from rl_planner.learning.run import RunError, RunFolder, read_metrics
from rl_planner.navigation.policy import Policy


def test_a_run_is_not_overwritten(run_path: Path) -> None:
    with RunFolder(run_path) as run:
        run.save_config({'seed': 1})
    with pytest.raises(RunError, match='holds a run already: choose another folder, or resume'):
        RunFolder(run_path)


def test_what_is_not_there_is_not_resumed(run_path: Path) -> None:
    with pytest.raises(RunError, match='holds no run to resume: leave out resume'):
        RunFolder(run_path, resume=True)
    assert not run_path.exists()


def test_a_folder_with_other_things_in_it_can_take_a_run(run_path: Path) -> None:
    run_path.mkdir()
    (run_path / 'notes.txt').write_text('mine')
    RunFolder(run_path).close()
    assert (run_path / 'notes.txt').read_text() == 'mine'


def test_the_configuration_is_read_back(run_path: Path) -> None:
    config = {'seed': 1, 'world': 'random', 'learning': {'tau': 0.01, 'algorithm': 'ddpg'}}
    with RunFolder(run_path) as run:
        assert run.load_config() == {}
        run.save_config(config)
        assert run.load_config() == config


@pytest.mark.parametrize('text', ['- 1\n- 2\n', 'a: [', 'ä'.encode('latin-1')])
def test_a_broken_configuration_is_named(run_path: Path, text: str | bytes) -> None:
    with RunFolder(run_path) as run:
        data = text if isinstance(text, bytes) else text.encode()
        (run_path / 'config.yaml').write_bytes(data)
        with pytest.raises(RunError, match=r'config\.yaml'):
            run.load_config()


def test_every_row_is_in_the_file_when_it_is_logged(run_path: Path) -> None:
    rows = [{'steps': 10, 'success_rate': 0.5}, {'steps': 20, 'success_rate': 0.75}]
    with RunFolder(run_path) as run:
        for count, row in enumerate(rows, start=1):
            run.log(row)
            lines = (run_path / 'metrics.jsonl').read_text().splitlines()
            assert [json.loads(line) for line in lines] == rows[:count]
        assert run.metrics() == rows


def test_tensorboard_reads_the_rows(run_path: Path) -> None:
    with RunFolder(run_path) as run:
        run.log({'steps': 10, 'success_rate': 0.5})
    events = EventAccumulator(str(run_path / 'tensorboard'))
    events.Reload()
    (event,) = events.Scalars('success_rate')
    assert (event.step, event.value) == (10, 0.5)


def test_a_cut_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / 'metrics.jsonl'
    path.write_text('{"steps": 1}\n{"steps": 2}\n{"ste')
    assert read_metrics(path) == [{'steps': 1}, {'steps': 2}]


def test_another_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'metrics.jsonl'
    path.write_text('{"steps": 1}\n{"ste\n{"steps": 3}\n')
    with pytest.raises(RunError, match=r'metrics\.jsonl, line 2'):
        read_metrics(path)


def test_resuming_forgets_the_rows_that_the_checkpoint_does_not_cover(run_path: Path) -> None:
    with RunFolder(run_path) as run:
        run.log({'steps': 10})
        run.save_checkpoint(10, {'anything': 1})
        run.log({'steps': 20})
    with (run_path / 'metrics.jsonl').open('a') as file:
        file.write('{"st')
    with RunFolder(run_path, resume=True) as run:
        run.log({'steps': 15})
        assert run.metrics() == [{'steps': 10}, {'steps': 15}]


def test_the_newest_checkpoint_is_found(run_path: Path) -> None:
    with RunFolder(run_path) as run:
        assert run.load_checkpoint() is None
        for step in (10, 20, 30):
            run.save_checkpoint(step, {'step': step})
        assert run.load_checkpoint() == {'step': 30}


def test_the_policy_is_read_back(run_path: Path, make_learner: Callable[..., Learner]) -> None:
    policy = make_learner().policy()
    with RunFolder(run_path) as run:
        run.save_policy(policy)
    assert Policy.load(run_path / 'policy.safetensors').to_bytes() == policy.to_bytes()
