from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.gazebo_root import lay_out_gazebo

from rl_planner.bringup.process import Process
from rl_planner.cli import bringup


@pytest.fixture
def brought_up(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """Collects what would be started; its exit code is 7."""
    processes: list[Process] = []

    def run(given: list[Process]) -> int:
        processes.extend(given)
        return 7

    monkeypatch.setattr('rl_planner.bringup.supervisor.run', run)
    monkeypatch.setattr(bringup, 'require_ros', lambda: None)
    return processes


def test_training_is_brought_up(command: Any, brought_up: list[Process], tmp_path: Path) -> None:
    answer = command('bringup', 'train', '--robots', 3, '--seed', 9, '--out', tmp_path / 'run')
    assert answer.code == 7
    nodes = {process.name: process.parameters for process in brought_up}
    assert set(nodes) == {'simulator_node', 'actor_node', 'learner_node', 'episode_node'}
    assert nodes['learner_node']['run_dir'] == str(tmp_path / 'run')
    assert nodes['episode_node']['robots'] == ['robot_0', 'robot_1', 'robot_2']
    assert nodes['episode_node']['seed'] == 9


def test_a_simulation_is_brought_up(
    command: Any, brought_up: list[Process], policy_file: Path
) -> None:
    command('bringup', 'simulation', '--policy', policy_file, '--real-time-factor', '2.5')
    nodes = {process.name: process.parameters for process in brought_up}
    assert set(nodes) == {'simulator_node', 'actor_node', 'episode_node'}
    assert nodes['actor_node']['policy_file'] == str(policy_file)
    assert nodes['simulator_node']['real_time_factor'] == 2.5


def test_a_gazebo_is_brought_up(
    command: Any, brought_up: list[Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out_gazebo(tmp_path, monkeypatch)
    options = ['--simulator', 'gazebo_bridge', '--robots', 2, '--gazebo-root', tmp_path]
    assert command('bringup', 'gazebo', *options).code == 7
    (bridge,) = brought_up
    assert bridge.parameters['gazebo_root'] == str(tmp_path)
    assert bridge.parameters['robots'] == ['robot_0', 'robot_1']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['simulation'], 'policy must name a policy file'),
        (['simulation', '--policy', 'none'], "policy must be an existing file, got 'none'"),
        (['train', '--world', 'none.sdf'], "world must be an existing file, got 'none.sdf'"),
        (['train', '--resume'], 'resume must come with out'),
        (['train', '--robots', '0'], 'robots must be at least 1, got 0'),
        (['train', '--no-headless'], 'headless must come with simulator gazebo_classic or'),
        (['gazebo', '--simulator', 'embedded'], 'simulator must be one of gazebo_bridge'),
        (['train', '--device', 'tpu'], "device must be one of auto, cpu, cuda, got 'tpu'"),
    ],
)
def test_nothing_is_started_with_a_wrong_argument(
    command: Any, brought_up: list[Process], arguments: list[str], message: str
) -> None:
    answer = command('bringup', *arguments)
    assert answer.code == 2
    assert message in answer.err
    assert brought_up == []


def test_without_ros_it_says_so(
    command: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    answer = command('bringup', 'train', '--out', tmp_path / 'run')
    assert answer.code == 2
    assert 'error: ROS 2 is not here: source its setup.bash, or pip install' in answer.err
