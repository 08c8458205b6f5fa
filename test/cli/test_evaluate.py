from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rl_planner.evaluation import runner

ARENA = Path(__file__).parents[2] / 'worlds' / 'arena.sdf'  # 8 x 8 m of floor, and nothing on it


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    """Four tasks in the empty arena: near, far, out of time, and behind the robot."""
    common = {'world': str(ARENA), 'goal_tolerance': 0.25, 'time_limit': 40.0}
    tasks = [
        {'start': [0.0, 0.0, 0.0], 'goal': [2.0, 0.0]},
        {'start': [-3.0, -3.0, 0.0], 'goal': [3.0, 3.0]},
        {'start': [-3.0, -3.0, 0.0], 'goal': [3.0, 3.0], 'time_limit': 2.0},
        {'start': [0.0, 0.0, 3.0], 'goal': [2.0, 0.0]},
    ]
    path = tmp_path / 'tasks.yaml'
    path.write_text(yaml.safe_dump([{**common, **task} for task in tasks]))
    return path


def test_greedy_on_scenarios_of_ones_own(command: Any, scenarios: Path, tmp_path: Path) -> None:
    figures_path = tmp_path / 'figures.json'
    answer = command('evaluate', 'greedy', '--scenarios', scenarios, '--json', figures_path)
    assert (answer.code, answer.err) == (0, '')
    assert 'tasks.yaml: 4 episodes' in answer.out
    assert 'greedy     75.0%' in answer.out
    figures = json.loads(figures_path.read_text())
    assert (figures['suite'], figures['scenarios']) == (None, str(scenarios))
    (result,) = figures['results']
    assert list(result)[:9] == [
        'planner',
        'suite',
        'episodes',
        'success_rate',
        'success_interval',
        'collision_rate',
        'timeout_rate',
        'mean_time_sec',
        'spl',
    ]
    assert (result['planner'], result['episodes'], result['success_rate']) == ('greedy', 4, 0.75)
    assert (result['collision_rate'], result['timeout_rate']) == (0.0, 0.25)
    assert result['success_interval'] == pytest.approx([0.3006, 0.9544], abs=1e-4)


def test_the_same_seed_gives_the_same_file(command: Any, policy_file: Path, tmp_path: Path) -> None:
    def figures(seed: int, name: str) -> Any:
        path = tmp_path / name
        options = ['--suite', 'static,dynamic', '--episodes', 20, '--seed', seed, '--json', path]
        assert command('evaluate', policy_file, 'greedy', *options).code == 0
        content = json.loads(path.read_text())
        timing = content.pop('timing')
        assert len(timing) == 4
        assert all(each['decision_sec'] > 0.0 for each in timing)
        return content

    first = figures(3, 'first.json')
    assert json.dumps(first) == json.dumps(figures(3, 'second.json'))
    assert first['seed'] == 3
    assert [each['suite'] for each in first['results']] == ['static'] * 2 + ['dynamic'] * 2
    assert first['results'] != figures(4, 'other.json')['results']


def test_planners_are_compared_on_the_same_scenarios(
    command: Any, policy_file: Path, tmp_path: Path
) -> None:
    """Twice the same policy must give the same figures."""
    path, copy = tmp_path / 'figures.json', tmp_path / 'copy.safetensors'
    copy.write_bytes(policy_file.read_bytes())
    names = [policy_file, 'greedy', copy]
    assert command('evaluate', *names, '--episodes', 15, '--json', path).code == 0
    figures = json.loads(path.read_text())
    first, greedy, second = figures['results']
    assert (first.pop('planner'), second.pop('planner')) == (str(policy_file), str(copy))
    assert first == second
    assert greedy['planner'] == 'greedy'
    assert (figures['suite'], greedy['episodes']) == ('static', 15)


def test_each_planner_drives_once_more_with_the_map(
    command: Any, policy_file: Path, tmp_path: Path
) -> None:
    path, report = tmp_path / 'figures.json', tmp_path / 'report'
    options = ['--suite', 'rooms', '--episodes', 3, '--guided', '--report', report]
    answer = command('evaluate', policy_file, 'astar', *options, '--json', path)
    assert (answer.code, answer.err) == (0, '')
    figures = json.loads(path.read_text())
    assert figures['guided'] is True
    names = [str(policy_file), f'{policy_file} guided', 'astar', 'astar guided']
    assert [each['planner'] for each in figures['results']] == names
    assert 'astar guided' in (report / 'report.html').read_text()


def test_over_ros_nobody_is_guided(command: Any, policy_file: Path) -> None:
    answer = command('evaluate', policy_file, '--guided', '--via', 'ros')
    assert answer.code == 2
    assert 'guided must come with --via process, got ros' in answer.err


def test_ctrl_c_keeps_what_whole_chunks_have_brought(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 150 scenarios, 100 to a chunk, the first chunk is kept, and no planner after it begins."""
    step = runner._Drive.step

    def interrupted(self: Any, planner: Any) -> int:
        if len(self._scenarios) == 50 and len(self.rows) < 50:
            raise KeyboardInterrupt
        return step(self, planner)

    monkeypatch.setattr(runner._Drive, 'step', interrupted)
    path = tmp_path / 'figures.json'
    answer = command(
        'evaluate', 'greedy', '--suite', 'static,dense', '--episodes', 150, '--json', path
    )
    assert answer.code == 130
    figures = json.loads(path.read_text())
    assert figures['interrupted'] is True
    assert [(each['suite'], each['episodes']) for each in figures['results']] == [('static', 100)]


def test_the_first_scenarios_of_a_file(command: Any, scenarios: Path) -> None:
    answer = command('evaluate', 'greedy', '--scenarios', scenarios, '--episodes', 2)
    assert '2 episodes' in answer.out
    assert '100.0%' in answer.out


def test_without_a_success_there_is_no_time(command: Any, scenarios: Path, tmp_path: Path) -> None:
    """Straight on at half speed leads past a goal behind."""
    scenarios.write_text(yaml.safe_dump(yaml.safe_load(scenarios.read_text())[2:3]))
    path = tmp_path / 'figures.json'
    answer = command('evaluate', 'greedy', '--scenarios', scenarios, '--json', path)
    assert json.loads(path.read_text())['results'][0]['mean_time_sec'] is None
    assert answer.out.splitlines()[-1].split()[-2:] == ['-', '0.000']


def test_the_file_tells_what_was_driven(
    command: Any, scenarios: Path, policy_file: Path, tmp_path: Path
) -> None:
    params = tmp_path / 'slow.yaml'
    params.write_text('/**: {ros__parameters: {robot: {max_linear_vel: 0.3}}}')
    path = tmp_path / 'figures.json'
    options = ['--scenarios', scenarios, '--params-file', params, '--json', path]
    assert command('evaluate', 'greedy', *options).code == 0
    figures = json.loads(path.read_text())
    assert figures['params_file'] == str(params)
    assert (figures['via'], figures['condition'], figures['barn_data']) == ('process', None, None)
    assert figures['results'][0]['mean_speed'] < 0.3
    answer = command('evaluate', policy_file, *options)
    assert 'robot.max_linear_vel is 0.3 here and was 0.5 in training' in answer.err
    params.write_text('/**: {ros__parameters: {task: {time_limit: 5.0}}}')
    assert 'of task only control_period counts here' in command('evaluate', 'greedy', *options).err


def test_a_report_and_a_recording_are_written(
    command: Any, scenarios: Path, tmp_path: Path
) -> None:
    report, recording = tmp_path / 'report', tmp_path / 'driven.rrd'
    options = ['--scenarios', scenarios, '--report', report, '--rerun', recording]
    answer = command('evaluate', 'greedy', 'dwa', *options)
    assert answer.code == 0
    assert f'report: {report}/report.html' in answer.out
    assert '<html' in (report / 'report.html').read_text()
    assert recording.stat().st_size > 1000


@pytest.mark.parametrize('policies', [0, 1])
def test_a_picture_is_drawn(
    command: Any, scenarios: Path, policy_file: Path, tmp_path: Path, policies: int
) -> None:
    path, planners = tmp_path / 'driven.png', ['greedy', policy_file][: 1 + policies]
    assert command('evaluate', *planners, '--scenarios', scenarios, '--picture', path).code == 0
    assert path.read_bytes().startswith(b'\x89PNG')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['flying'], "or a policy file, got 'flying'"),
        (['greedy', '--suite', 'hard'], 'suite must be one of static, dynamic'),
        (['greedy', '--suite', 'static,hard'], "barn, got 'hard'"),
        (['greedy', 'greedy'], 'planner greedy is named twice'),
        (['greedy', '--suite', 'barn'], 'suite barn needs barn-data'),
        (
            ['greedy', '--suite', 'barn', '--barn-data', 'none.json'],
            'cannot read BARN worlds none.json: No such file',
        ),
        (['greedy', '--condition', 'hard'], 'condition is for the suite barn, got static'),
        (['greedy', '--barn-data', 'barn.json'], 'barn_data is for the suite barn, got static'),
        (
            ['greedy', '--suite', 'barn', '--condition', 'hard', '--params-file', 'x.yaml'],
            'condition must not come with params-file',
        ),
        (['greedy', '--suite', 'static,static'], 'each suite must be named once'),
        (['greedy', '--robustness'], '--robustness needs --report'),
        (['greedy', '--json', '/proc/none/figures.json'], '/proc/none: No such file'),
        (['greedy', '--json', '/tmp'], '/tmp must be a file, it is a folder'),
        (['greedy', '--report', '/proc/none'], '/proc/none: No such file'),
        (['greedy', '--planner-params', 'none.yaml'], 'cannot read none.yaml: No such file'),
        (['greedy', '--params-file', 'none.yaml'], 'cannot read none.yaml: No such file'),
        (['greedy', '--scenarios', 'none.yaml'], 'cannot read scenarios none.yaml: No such file'),
        (['greedy', '--picture', 'a.gif'], "picture must end in .png, .svg, .pdf, got 'a.gif'"),
        ([ARENA], 'arena.sdf: not a policy file'),
        (['greedy', '--via', 'ros'], 'via ros drives policy files only, got greedy'),
    ],
)
def test_an_error_is_one_line(command: Any, arguments: list[object], message: str) -> None:
    answer = command('evaluate', *arguments)
    assert (answer.code, answer.out) == (2, '')
    assert answer.err.startswith('rl_planner: error: ')
    assert message in answer.err
    assert answer.err.count('\n') == 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'the following arguments are required: PLANNER'),
        (['greedy', '--episodes', '0'], "--episodes: must be a whole number above 0, got '0'"),
        (['greedy', '--seed', '-1'], "--seed: must be a whole number, 0 or above, got '-1'"),
        (['greedy', '--suite', 'static', '--scenarios', 'a.yaml'], 'not allowed with argument'),
    ],
)
def test_a_wrong_option_is_named(command: Any, arguments: list[str], message: str) -> None:
    answer = command('evaluate', *arguments)
    assert answer.code == 2
    assert message in answer.err


def test_a_truncated_policy_is_named(command: Any, policy_file: Path) -> None:
    policy_file.write_bytes(policy_file.read_bytes()[:-8])
    answer = command('evaluate', policy_file)
    assert answer.code == 2
    assert f'{policy_file}: truncated' in answer.err
