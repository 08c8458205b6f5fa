from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

# What the learner node leaves: metrics and, at its end, a policy.
LEARNER = """
import os, shutil, time
run = parameters['run_dir']
os.makedirs(run, exist_ok=True)
rows = open(run + '/metrics.jsonl', 'w', buffering=1)
for steps in range(0, 10000, 500):
    rows.write('{"steps": %d, "elapsed_sec": 1.0, "transitions_per_sec": 5000.0, "updates": %d, '
               '"success_rate": 0.5, "critic_loss": 0.1, "received": 9, "lost": 0, '
               '"duplicated": 0}\\n' % (steps, steps))
    time.sleep(0.05)
shutil.copy(POLICY, run + '/policy.safetensors')
"""

# What the episode node leaves of a simulation.
EPISODES = """
import json
world = {'boxes': [[2.0, 0.0, 0.0, 1.0, 1.0]], 'circles': [], 'walls': [], 'movers': []}
row = {'robot': 'robot_0', 'time_sec': 4.0, 'start': [0, 0, 0], 'goal': [1, 1], 'world': world}
with open(parameters['episode_log'], 'w') as log:
    states = [[0, 0, 0, 0, 0], [1, 1, 0, 0, 0]]
    for episode in range(12):
        outcome = 'collision' if episode == 0 else 'goal'
        row |= {'episode': episode, 'scenario': episode, 'outcome': outcome, 'states': states}
        log.write(json.dumps(row) + '\\n')
"""


@pytest.fixture
def learner(policy_file: Path) -> str:
    return f'POLICY = {str(policy_file)!r}\n{LEARNER}'


def test_the_demo_from_start_to_end(
    command: Any, fake_nodes: Any, learner: str, tmp_path: Path
) -> None:
    started = fake_nodes({'learner_node': learner, 'episode_node': EPISODES})
    out = tmp_path / 'demo'
    options = ['--budget-sec', 0.5, '--episodes', 10, '--robots', 2, '--seed', 4, '--out', out]
    answer = command('demo', *options, '--json', tmp_path / 'figures.json')
    assert answer.code == 0
    assert answer.err == ''
    for part in ('Everything goes to', '[1/4]', 'lost 0', '[2/4]', 'learnt', 'greedy', '[3/4]'):
        assert part in answer.out
    assert '11 of 12 episodes ended at the goal' in answer.out
    assert f'tensorboard --logdir {out}' in answer.out
    for picture in ('trajectories.png', 'learning_curve.png'):
        assert (out / picture).read_bytes().startswith(b'\x89PNG')
    figures = json.loads((out / 'figures.json').read_text())
    assert figures == json.loads((tmp_path / 'figures.json').read_text())
    assert [each['planner'] for each in figures['results']] == ['learnt', 'greedy']
    assert figures['training']['steps'] > 0
    for folder, count in (('train', 4), ('drive', 3)):
        assert len(list((out / 'logs' / folder).glob('*_node.log'))) == count
    seeds = [each.parameters['seed'] for each in started if each.name == 'episode_node']
    assert seeds == [4, 4]
    assert [each.parameters.get('training') for each in started if each.name == 'actor_node'] == [
        True,
        False,
    ]


def test_a_crash_is_an_error(command: Any, fake_nodes: Any, tmp_path: Path) -> None:
    fake_nodes({'actor_node': 'raise SystemExit(1)'})
    answer = command('demo', '--out', tmp_path / 'demo')
    assert answer.code == 2
    assert f'a node failed with code 1: see {tmp_path}/demo/logs' in answer.err


def test_a_crash_while_it_drives_is_an_error(
    command: Any, fake_nodes: Any, learner: str, tmp_path: Path
) -> None:
    crash = EPISODES.replace('world =', 'raise SystemExit(6)\nworld =')
    fake_nodes({'learner_node': learner, 'episode_node': crash})
    options = ['--budget-sec', 0.2, '--episodes', 2, '--out', tmp_path / 'demo']
    answer = command('demo', *options)
    assert answer.code == 2
    assert 'a node failed with code 6' in answer.err


def test_the_demo_keeps_off_other_files(command: Any, tmp_path: Path) -> None:
    (tmp_path / 'mine').write_text('precious')
    answer = command('demo', '--out', tmp_path)
    assert (answer.code, list(tmp_path.iterdir())) == (2, [tmp_path / 'mine'])
    assert f'out must be a new or an empty folder, got {tmp_path}' in answer.err


@pytest.mark.parametrize(
    ('option', 'value'),
    [('--budget-sec', '-1'), ('--episodes', '0'), ('--robots', 'many'), ('--seed', '1.5')],
)
def test_a_wrong_option_is_named(command: Any, option: str, value: str) -> None:
    answer = command('demo', option, value)
    assert answer.code == 2
    assert f'argument {option}: must be a ' in answer.err


def test_without_ros_it_says_so(
    command: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    answer = command('demo', '--out', tmp_path / 'demo')
    assert (answer.code, 'ROS 2 is not here' in answer.err) == (2, True)
    assert not (tmp_path / 'demo').exists()
