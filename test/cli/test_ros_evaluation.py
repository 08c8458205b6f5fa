"""Evaluation via ROS as the command line sees it; a program plays the nodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.gazebo_root import lay_out_gazebo

from rl_planner.cli import ros_evaluation
from rl_planner.cli.options import CommandError
from rl_planner.cli.ros_evaluation import check_drivable, drive_over_ros
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.policy import PolicyError
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.disturbance import DisturbanceConfig
from rl_planner.simulation.world import World

SETTING = Setting()
TASKS = [
    Scenario(World(), (float(x), 0.0, 0.0), (x + 1.0, 0.0), tolerance, 40.0, 1.0)
    for x, tolerance in ((0, 0.25), (5, 0.5), (9, 0.25))
]

# Every robot is at its goal within one control period; the log has them in the other order.
DRIVEN = """
import json
tasks = [json.loads(line) for line in open(parameters['scenarios'])]
with open(parameters['episode_log'], 'w') as log:
    for number, task in reversed(list(enumerate(tasks))[:LIMIT]):
        states = [[*task['start'], 0, 0], [*task['goal'], 0, 0, 0]]
        row = {'scenario': number, 'outcome': 'goal', 'time_sec': 0.1, 'states': states}
        log.write(json.dumps({**row, **task}) + '\\n')
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the files between nodes and us are, kept."""
    folder = tmp_path / 'kept'
    folder.mkdir()
    monkeypatch.setattr(ros_evaluation.tempfile, 'mkdtemp', lambda prefix: str(folder))
    monkeypatch.setattr(ros_evaluation.shutil, 'rmtree', lambda path: None)
    return folder


def test_results_are_in_the_order_of_the_scenarios(
    fake_nodes: Any, policy_file: Path, kept: Path
) -> None:
    started = fake_nodes({'episode_node': f'LIMIT = 9\n{DRIVEN}'})
    ended: list[int] = []
    run = drive_over_ros(str(policy_file), TASKS, SETTING, 7, ended.append)
    assert [each.episode for each in run.results] == TASKS
    assert {each.outcome for each in run.results} == {Outcome.GOAL}
    assert (sum(ended), run.interrupted, run.decision_sec) == (3, False, None)
    # Two goal tolerances: the graph ran twice, with no more robots than scenarios.
    episode_nodes = [each for each in started if each.name == 'episode_node']
    assert [len(each.parameters['robots']) for each in episode_nodes] == [2, 1]
    assert {each.parameters['seed'] for each in episode_nodes} == {7}
    for index, tolerance in enumerate((0.25, 0.5)):
        text = (kept / str(index) / 'parameters.yaml').read_text()
        parameters = yaml.safe_load(text)['/**']['ros__parameters']
        assert parameters['task']['xy_goal_tolerance'] == tolerance
        assert RobotConfig(**parameters['robot']) == SETTING.robot
        assert DisturbanceConfig(**parameters['disturbance']) == SETTING.disturbance


def test_a_scenario_that_was_not_driven_is_named(
    fake_nodes: Any, policy_file: Path, kept: Path
) -> None:
    fake_nodes({'episode_node': f'LIMIT = 1\n{DRIVEN}'})
    with pytest.raises(CommandError, match='scenario 3 was not driven to its end'):
        drive_over_ros(str(policy_file), TASKS, SETTING)


def test_an_interruption_keeps_the_first_whole_ones(
    fake_nodes: Any, policy_file: Path, kept: Path
) -> None:
    fake_nodes({'episode_node': f'LIMIT = 1\n{DRIVEN}'})

    def interrupt(ended: int) -> None:
        raise KeyboardInterrupt

    run = drive_over_ros(str(policy_file), TASKS, SETTING, 0, interrupt)
    assert (run.interrupted, [each.episode for each in run.results]) == (True, TASKS[:1])


def test_a_node_that_fails_leaves_its_output(
    fake_nodes: Any, policy_file: Path, kept: Path
) -> None:
    fake_nodes({'episode_node': 'print("no room"); raise SystemExit(3)'})
    with pytest.raises(CommandError, match=f'failed with code 3: see {kept}/0/logs'):
        drive_over_ros(str(policy_file), TASKS, SETTING)
    assert 'no room' in (kept / '0' / 'logs' / 'episode_node.log').read_text()


def test_what_nodes_cannot_drive_is_refused(policy_file: Path) -> None:
    with pytest.raises(CommandError, match='policy files only, got greedy'):
        check_drivable('greedy', SETTING, {})
    drifting = replace(SETTING, disturbance=DisturbanceConfig(odometry_error=0.02))
    with pytest.raises(CommandError, match=r'odometry_error must be 0, got 0\.02'):
        check_drivable(str(policy_file), drifting, {})
    with pytest.raises(PolicyError, match=r'control_period is 0\.2 here and was 0\.1'):
        check_drivable(str(policy_file), replace(SETTING, control_period=0.2), {})


def test_evaluate_shows_what_the_nodes_drove(
    command: Any, fake_nodes: Any, policy_file: Path, tmp_path: Path
) -> None:
    fake_nodes({'episode_node': f'LIMIT = 9\n{DRIVEN}'})
    path = tmp_path / 'figures.json'
    options = ['--episodes', 2, '--via', 'ros', '--json', path]
    answer = command('evaluate', policy_file, *options)
    assert (answer.code, answer.err) == (0, '')
    assert json.loads(path.read_text())['results'][0]['success_rate'] == 1.0


@pytest.fixture
def gazebo_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chroot, to look at."""
    return lay_out_gazebo(tmp_path / 'root', monkeypatch)


def test_gazebo_and_the_embedded_simulator_side_by_side(
    command: Any, fake_nodes: Any, policy_file: Path, gazebo_root: Path, tmp_path: Path
) -> None:
    """As it is faked, every robot in Gazebo is at its goal at once; in fact hardly one is ever."""
    started = fake_nodes({'episode_node': f'LIMIT = 99\n{DRIVEN}'})
    path, report = tmp_path / 'figures.json', tmp_path / 'report'
    options = ['--via', 'gazebo', '--gazebo-root', gazebo_root, '--servers', 12, '--episodes', 20]
    answer = command('evaluate', policy_file, *options, '--json', path, '--report', report)
    assert (answer.code, answer.err) == (0, '')
    (bridge,) = [each for each in started if each.name == 'gazebo_bridge_node']
    assert (bridge.parameters['servers'], len(bridge.parameters['robots'])) == (12, 12)
    figures = json.loads(path.read_text())
    assert (figures['via'], figures['servers']) == ('gazebo', 12)
    there, here = figures['results']
    assert [there['planner'], here['planner']] == [f'{policy_file} in Gazebo', str(policy_file)]
    assert there['success_rate'] == 1.0
    assert here['success_rate'] < 0.5
    (pairs,) = figures['comparisons']
    assert pairs['both'] + pairs['first_only'] == 20
    assert pairs['both'] == round(20 * here['success_rate'])
    assert f'first {pairs["first_only"]}, second 0, none 0' in answer.out
    assert 'in Gazebo' in (report / 'report.html').read_text()


def test_options_of_gazebo_without_it_are_refused(command: Any, policy_file: Path) -> None:
    answer = command('evaluate', policy_file, '--servers', 2)
    assert answer.code == 2
    assert 'servers must come with --via gazebo, got 2' in answer.err


def test_a_gazebo_that_is_not_there_is_told_of_before_anything_is_driven(
    command: Any, fake_nodes: Any, policy_file: Path
) -> None:
    started = fake_nodes({})
    answer = command('evaluate', policy_file, '--via', 'gazebo', '--gazebo-root', 'none')
    assert answer.code == 2
    assert 'gazebo_root must be a folder that has usr/bin/gzserver' in answer.err
    assert started == []
