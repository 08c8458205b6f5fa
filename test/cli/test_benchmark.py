from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from rl_planner.cli import (
    benchmark_learner,
    benchmark_planner,
    benchmark_policy,
    benchmark_simulator,
    benchmark_transport,
    irsim_peer,
)
from rl_planner.cli.options import CommandError


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of the simulator that are worth nothing, at once."""
    monkeypatch.setattr(benchmark_simulator, 'MEASURED_SEC', 0.001)
    monkeypatch.setattr(benchmark_simulator, 'REPETITIONS', 1)
    monkeypatch.setattr(benchmark_simulator, 'ROBOTS', (64, 128))


def test_the_simulator_is_measured(command: Any, quick: None, tmp_path: Path) -> None:
    path = tmp_path / 'figures.json'
    options = ['--threads', 1, 2, '--no-peers', '--json', path]
    answer = command('benchmark', 'simulator', *options)
    assert (answer.code, answer.err) == (0, '')
    assert answer.out.splitlines()[0].split()[:3] == ['beams', 'robots', 'threads']
    assert 'IR-SIM' not in answer.out
    figures = json.loads(path.read_text())
    cases = {(each['beams'], each['robots'], each['threads']) for each in figures['results']}
    assert cases == {(b, n, t) for b in (36, 360) for n in (64, 128) for t in (1, 2)}
    for each in figures['results']:
        assert (each['segments'], each['circles']) == (22, 10)
        assert each['ray_casting_per_sec'] > 0.0
        assert each['steps_per_sec'] > 0.0
    assert (figures['benchmark'], figures['peers']) == ('simulator', [])


def test_tensors_are_measured_where_asked(command: Any, quick: None, tmp_path: Path) -> None:
    path = tmp_path / 'figures.json'
    options = ['--threads', 1, '--no-peers', '--device', 'cpu', '--json', path]
    answer = command('benchmark', 'simulator', *options)
    assert (answer.code, answer.err) == (0, '')
    assert '\nTensors on cpu:\n' in answer.out
    rows = json.loads(path.read_text())['tensors']
    cases = {(each['device'], each['beams'], each['robots']) for each in rows}
    assert cases == {('cpu', b, n) for b in (36, 360) for n in (64, 128)}
    assert all(each['steps_per_sec'] > 0.0 for each in rows)


def test_tensors_are_not_measured_without_a_gpu(
    command: Any, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    assert 'Tensors' not in command('benchmark', 'simulator', '--threads', 1, '--no-peers').out
    answer = command('benchmark', 'simulator', '--device', 'cuda')
    assert (answer.code, 'torch finds no CUDA device' in answer.err) == (2, True)


def test_the_worlds_measured_in_are_as_said() -> None:
    pool = benchmark_simulator._pool(seed=0)
    assert len(pool.worlds) == 64
    for world in pool.worlds:
        assert (len(world.segments), len(world.circles)) == (22, 10)


def test_the_simulator_is_compared(
    command: Any, quick: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(irsim_peer, 'installed', lambda: True)
    monkeypatch.setattr(irsim_peer, 'steps_per_sec', lambda *_: 0.5)
    path = tmp_path / 'figures.json'
    answer = command('benchmark', 'simulator', '--threads', 1, '--json', path)
    assert answer.code == 0
    figures = json.loads(path.read_text())
    best = max(each['steps_per_sec'] for each in figures['results'] if each['beams'] == 36)
    assert f'\n36 beams: 0 robot-steps per second; ours: {2.0 * best:,.0f} times\n' in answer.out
    peer = {'peer': 'ir-sim', 'segments': 22, 'circles': 10, 'steps_per_sec': 0.5}
    assert figures['peers'] == [{**peer, 'beams': beams} for beams in (36, 360)]


def test_without_irsim_there_is_a_word_about_it(
    command: Any, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(irsim_peer, 'installed', lambda: False)
    answer = command('benchmark', 'simulator', '--threads', 1)
    assert (answer.code, answer.err) == (0, '')
    assert answer.out.endswith("not compared with IR-SIM: pip install 'rl_planner[peers]'\n")


QUICK = {'median_ms': 1.5, 'p99_ms': 4.25, 'samples': 900}
NODE = {'cpu_percent_at_10_hz': 2.25, 'memory_mib': 71.6}
PROBED = {'scan_to_cmd_vel': QUICK, 'actor_node': NODE}
PROBE = f'import sys\nprint("starting", sys.argv[1])\nprint({json.dumps(PROBED)!r})\n'


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of a program in place of the probe node."""
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    monkeypatch.setattr(benchmark_policy, 'PROBE', 'fake_probe')
    monkeypatch.setattr(benchmark_policy, 'CALLS', 50)
    path = tmp_path / 'fake_probe.py'
    path.write_text(PROBE)
    return path


def test_the_policy_is_measured(command: Any, probe: Path, tmp_path: Path) -> None:
    path = tmp_path / 'figures.json'
    answer = command('benchmark', 'policy', '--json', path)
    assert (answer.code, answer.err) == (0, '')
    figures = json.loads(path.read_text())
    assert (figures['scan_to_cmd_vel'], figures['actor_node']) == (QUICK, NODE)
    assert figures['forward_pass']['samples'] == 50
    for name in ('observation_and_forward_pass', 'decision_with_safety_layer'):
        assert 0.0 < figures[name]['median_ms'] <= figures[name]['p99_ms']
    assert re.search(r'\nscan to cmd vel +1,500\.0 us +4,250\.0 us +900\n', answer.out)
    assert figures['decision_with_safety_layer']['changed'] > 0.9  # it has something to do
    assert '\nactor_node: 2.2 % of a core at 10 Hz, 72 MiB of memory\n' in answer.out


def test_a_robot_needs_nothing_more_to_measure_its_policy(
    command: Any, probe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ('torch', 'numba', 'gymnasium', 'matplotlib', 'tqdm'):
        monkeypatch.setitem(sys.modules, module, None)
    assert command('benchmark', 'policy').code == 0
    answer = command('benchmark', 'planner')
    missing = "rl_planner: error: tqdm must be installed: pip install 'rl_planner[training]'\n"
    assert (answer.code, answer.err) == (2, missing)


@pytest.mark.parametrize('name', ['default', 'jackal', 'turtlebot3_burger'])
def test_any_policy_is_measured_on_its_robot(command: Any, probe: Path, name: str) -> None:
    policy = Path(__file__).parents[2] / 'config' / 'policies' / f'{name}.safetensors'
    assert command('benchmark', 'policy', '--no-ros', '--policy', policy).code == 0
    answer = command('benchmark', 'policy', '--no-ros', '--policy', 'none.safetensors')
    assert (answer.code, 'cannot read policy none.safetensors' in answer.err) == (2, True)


def test_the_policy_is_measured_without_ros(command: Any, probe: Path) -> None:
    probe.write_text('raise SystemExit(1)')
    answer = command('benchmark', 'policy', '--no-ros')
    assert (answer.code, 'cmd vel' in answer.out) == (0, False)


@pytest.mark.parametrize(
    ('program', 'message'),
    [
        ('import sys; sys.exit("no actor answers")', 'fake_probe failed: no actor answers'),
        ('raise SystemExit(3)', 'fake_probe failed: no message'),
        ('print("fine")', "fake_probe must print a line of JSON, got 'fine"),
        ('', "fake_probe must print a line of JSON, got ''"),
    ],
)
def test_a_probe_that_fails_is_named(command: Any, probe: Path, program: str, message: str) -> None:
    probe.write_text(program)
    answer = command('benchmark', 'policy')
    assert answer.code == 2
    assert f'rl_planner: error: {message}' in answer.err


def test_a_probe_that_hangs_is_named(
    command: Any, probe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_policy, 'PROBE_LIMIT_SEC', 0.2)
    probe.write_text('import time; time.sleep(60)')
    assert 'did not end within 0.2 s' in command('benchmark', 'policy').err


COUNTS = {'received': 40.0, 'lost': 1.0, 'duplicated': 2.0}


def test_the_rate_is_that_of_learning() -> None:
    rows = [
        {'updates': updates, 'transitions_per_sec': rate, **COUNTS}
        for updates, rate in [(0, 9000.0), (5, 1000.0), (9, 3000.0), (20, 2000.0)]
    ]
    figures = benchmark_transport.summarize(rows)
    assert figures == {'transitions_per_sec': 2000.0, 'updates': 20, **COUNTS}
    with pytest.raises(CommandError, match='the learner has not begun to learn'):
        benchmark_transport.summarize(rows[:1])


LEARNER = """
import os, time
os.makedirs(parameters['run_dir'])
rows = open(parameters['run_dir'] + '/metrics.jsonl', 'w', buffering=1)
for step in range(1, 20):
    rows.write('{"steps": %d, "elapsed_sec": 1.0, "transitions_per_sec": 5000.0, "updates": %d, '
               '"received": 9, "lost": 0, "duplicated": 0}\\n' % (step, step))
    time.sleep(0.05)
"""


def test_the_transport_is_measured(command: Any, fake_nodes: Any, tmp_path: Path) -> None:
    started = fake_nodes({'learner_node': LEARNER})
    path = tmp_path / 'figures.json'
    options = ['--robots', 3, '--budget-sec', 0.3, '--seed', 2, '--json', path]
    answer = command('benchmark', 'transport', *options)
    assert (answer.code, answer.err) == (0, '')
    assert '3 robots: 5,000 transitions per second' in answer.out
    assert '9 messages of experience received, 0 lost, 0 duplicated' in answer.out
    figures = json.loads(path.read_text())
    assert (figures['robots'], figures['transitions_per_sec']) == (3, 5000.0)
    learner = next(each for each in started if each.name == 'learner_node')
    assert not Path(str(learner.parameters['run_dir'])).exists()


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {'ROUNDS': 1, 'MEASURED_SEC': 0.001, 'CHUNK': 1, 'STEPS': 2}.items():
        monkeypatch.setattr(benchmark_learner, name, value)


def test_the_learner_is_measured_beside_its_peers(
    command: Any, short_rounds: None, tmp_path: Path
) -> None:
    path = tmp_path / 'figures.json'
    answer = command('benchmark', 'learner', '--hidden-size', 8, '--batch-size', 16, '--json', path)
    assert (answer.code, answer.err) == (0, '')
    figures = json.loads(path.read_text())
    rates = {each['name']: each['updates_per_sec'] for each in figures['results']}
    assert len(rates) == 9
    for each in figures['results']:
        sizes = {name: each[name] for name in ('hidden_size', 'hidden_layers', 'batch_size')}
        assert sizes == {'hidden_size': 8, 'hidden_layers': 2, 'batch_size': 16}
        assert (each['device'], each['updates_per_sec'] > 0.0) == ('cpu', True)
    for algorithm in ('ddpg', 'td3', 'sac'):
        for peer in (f'sb3 {algorithm}', f'sb3 {algorithm}, our products'):
            ratio = figures['ratios'][peer]
            assert ratio == pytest.approx(rates[algorithm] / rates[peer])


def test_the_peers_networks_are_as_large_as_ours() -> None:
    options = argparse.Namespace(hidden_size=24, batch_size=16, device='cpu', seed=0)
    model = benchmark_learner._peer_model('td3', options)
    learner = benchmark_learner._learner('td3', options)
    ours = [learner.algorithm.actor, *(each.network for each in learner.algorithm.critics)]
    policy: Any = model.policy
    theirs = [policy.actor, *policy.critic.q_networks]
    for mine, yours in zip(ours, theirs, strict=True):
        shapes = [tuple(weight.shape) for weight in mine.weights]
        assert shapes == [tuple(each.shape) for each in yours.parameters() if each.dim() == 2]


def test_a_missing_peer_is_named_with_the_remedy(
    command: Any, short_rounds: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, 'stable_baselines3', None)
    answer = command('benchmark', 'learner', '--hidden-size', 8)
    assert answer.code == 2
    assert "stable_baselines3 is not installed: pip install 'rl_planner[peers]'" in answer.err


def test_a_wrong_option_is_named(command: Any) -> None:
    answer = command('benchmark', 'simulator', '--threads', '0')
    assert (answer.code, 'must be a whole number above 0' in answer.err) == (2, True)
    answer = command('benchmark', 'everything')
    assert (answer.code, "invalid choice: 'everything'" in answer.err) == (2, True)


def test_the_global_planner_is_measured(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_planner, 'REPETITIONS', 1)
    path = tmp_path / 'figures.json'
    answer = command('benchmark', 'planner', '--json', path)
    assert (answer.code, answer.err) == (0, '')
    figures = json.loads(path.read_text())
    maps = [each for each in figures if isinstance(figures[each], dict)]
    assert maps == ['empty', '200 pillars', 'serpentine of 10 corridors']
    assert figures['empty']['length'] == pytest.approx(18.0 * 2.0**0.5, abs=0.2)
    assert figures['serpentine of 10 corridors']['length'] > 9 * 15.0
    assert all(figures[each]['median_ms'] > 0.0 for each in maps)
