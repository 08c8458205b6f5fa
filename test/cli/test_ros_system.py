from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rl_planner.bringup.process import Process
from rl_planner.cli import ros_system
from rl_planner.cli.options import CommandError

ROW = '{"steps": %d, "elapsed_sec": 0.1, "transitions_per_sec": 100.0, "updates": %d}\n'

LEARNING = f"""
import time
rows = open(parameters['run_dir'] + '/metrics.jsonl', 'a', buffering=1)
rows.write({ROW % (0, 0)!r})
for step in range(1, 50):
    time.sleep(0.05)
    rows.write({ROW!r} % (step, step))
"""


def learner(run_dir: Path) -> list[Process]:
    run_dir.mkdir(exist_ok=True)
    return [Process('learner_node', 'learner_node', {'run_dir': str(run_dir)})]


def ignore(row: Mapping[str, float]) -> None:
    pass


def test_runs_until_the_learner_has_ended(fake_nodes: Any, tmp_path: Path) -> None:
    fake_nodes({'learner_node': 'import time; time.sleep(1.0)\n' + LEARNING})
    seen: list[float] = []
    rows = ros_system.train_over_ros(
        learner(tmp_path / 'run'),
        tmp_path / 'run',
        tmp_path / 'logs',
        lambda row: seen.append(row['steps']),
    )
    assert [row['steps'] for row in rows] == list(range(1, 50))
    assert seen
    assert seen == sorted(seen)


def test_a_node_that_fails_is_an_error(fake_nodes: Any, tmp_path: Path) -> None:
    fake_nodes({'learner_node': 'print("out of memory"); raise SystemExit(3)'})
    with pytest.raises(CommandError, match=f'failed with code 3: see {tmp_path}/logs'):
        ros_system.train_over_ros(
            learner(tmp_path / 'run'), tmp_path / 'run', tmp_path / 'logs', ignore
        )
    assert 'out of memory' in (tmp_path / 'logs' / 'learner_node.log').read_text()


def test_ending_without_a_transition_is_an_error(fake_nodes: Any, tmp_path: Path) -> None:
    fake_nodes({'learner_node': ''})
    with pytest.raises(CommandError, match='ended without a transition'):
        ros_system.train_over_ros(
            learner(tmp_path / 'run'), tmp_path / 'run', tmp_path / 'logs', ignore
        )


def test_no_transitions_are_an_error(
    fake_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ros_system, 'START_SEC', 0.3)
    fake_nodes({})
    with pytest.raises(CommandError, match=r'no transitions within 0 s: see'):
        ros_system.train_over_ros(
            learner(tmp_path / 'run'), tmp_path / 'run', tmp_path / 'logs', ignore
        )


def test_a_system_runs_to_its_end(fake_nodes: Any, tmp_path: Path) -> None:
    fake_nodes({'episode_node': ''})
    nodes = [Process(name, name) for name in ('simulator_node', 'episode_node')]
    ros_system.run_to_end(nodes, tmp_path, 20.0)
    fake_nodes({'episode_node': 'raise SystemExit(5)'})
    with pytest.raises(CommandError, match=f'a node failed with code 5: see {tmp_path}'):
        ros_system.run_to_end(nodes, tmp_path, 20.0)
    with pytest.raises(CommandError, match=r'did not end within 0\.2 s'):
        ros_system.run_to_end(nodes[:1], tmp_path, 0.2)


def test_the_domain_is_the_users_or_a_safe_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', '42')
    assert ros_system.domain_id() == 42
    for unset in ('', 'none'):
        monkeypatch.setenv('ROS_DOMAIN_ID', unset)
        assert 1 <= ros_system.domain_id() <= 101
    assert ros_system.domain_id() == ros_system.domain_id()


def test_the_nodes_live_in_that_domain(
    fake_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    fake_nodes({'episode_node': 'import os; print(os.environ["ROS_DOMAIN_ID"])'})
    ros_system.run_to_end([Process('episode_node', 'episode_node')], tmp_path, 20.0)
    assert (tmp_path / 'episode_node.log').read_text() == f'{1 + os.getpid() % 101}\n'
