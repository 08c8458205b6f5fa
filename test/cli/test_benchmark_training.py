"""The contest of trainings: its clock, its judge, its contestants and what is said of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rl_planner.cli import benchmark_training, training_contest, training_peers, training_setup
from rl_planner.cli.training_contest import Conditions, Judge, Trained, TrainingClock
from rl_planner.learning.config import LearningConfig
from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.navigation.policy import Policy, PolicyMetadata
from rl_planner.simulation.navigation_env import make_vector_env

SIZE = 51  # of an observation


@contextmanager
def in_this_process() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contest of seconds, in this process."""
    monkeypatch.setattr(training_setup, 'NUM_WORLDS', 4)
    monkeypatch.setattr(training_setup, 'WORLDS_PER_FAMILY', 4)
    monkeypatch.setattr(benchmark_training, 'one_thread_process', in_this_process)

    def conditions(budget_sec: float) -> Conditions:
        return Conditions(budget_sec, every_sec=0.4, curve_episodes=2, final_episodes=2)

    monkeypatch.setattr(training_contest, 'Conditions', conditions)


def test_trainings_are_measured_and_drawn(command: Any, small: None, tmp_path: Path) -> None:
    path, picture = tmp_path / 'figures.json', tmp_path / 'curves.png'
    options = ['--algorithms', 'ddpg', '--seeds', 3, '--budget-sec', 1]
    answer = command('benchmark', 'training', *options, '--json', path, '--picture', picture)
    assert (answer.code, answer.err) == (0, '')
    assert [line.partition('  ')[0] for line in answer.out.splitlines()[1:4]] == [
        'rl_planner ddpg',
        'stable-baselines3 ddpg, our recipe',
        'stable-baselines3 ddpg, its defaults',
    ]
    assert picture.read_bytes().startswith(b'\x89PNG')
    figures = json.loads(path.read_text())
    assert (figures['benchmark'], figures['clock']) == ('training', 'CPU time')
    assert figures['budget_sec'] == 1.0
    assert [(each['library'], each['recipe']) for each in figures['results']] == [
        ('rl_planner', 'ours'),
        ('stable-baselines3', 'ours'),
        ('stable-baselines3', 'defaults'),
    ]
    for each in figures['results']:
        assert (each['algorithm'], each['seed']) == ('ddpg', 3)
        assert each['seconds'] >= 1.0
        assert each['transitions'] > 0
        assert 0.0 <= each['final_success'] <= 1.0
        seconds, rates = np.array(each['curve']).T
        assert (np.diff(seconds) > 0.0).all()
        assert (seconds >= 0.4).all()
        assert set(rates) <= {0.0, 0.5, 1.0}  # of two episodes


def test_all_train_in_the_same_worlds_on_the_same_task(small: None) -> None:
    settings = training_contest._settings('ddpg', 3, 1.0)
    ours = training_setup.make_environment(settings, training_setup.make_pool(settings, quiet=True))
    theirs = make_vector_env(2, seed=3, num_worlds=training_setup.NUM_WORLDS)
    for name in ('robot', 'task', 'observation'):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.simulator.lidar == theirs.simulator.lidar
    np.testing.assert_array_equal(ours.pool.starts, theirs.pool.starts)
    np.testing.assert_array_equal(ours.pool.goals, theirs.pool.goals)
    for one, other in zip(ours.pool.worlds, theirs.pool.worlds, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)


def test_without_peers_none_is_needed(
    command: Any, small: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hide_peers(monkeypatch)
    path = tmp_path / 'figures.json'
    options = ['--no-peers', '--algorithms', 'ddpg', '--seeds', 2, 1, '--budget-sec', 0.5]
    answer = command('benchmark', 'training', *options, '--json', path)
    assert (answer.code, answer.err) == (0, '')
    assert 'stable-baselines3' not in answer.out
    results = json.loads(path.read_text())['results']
    assert [(each['library'], each['seed']) for each in results] == [
        ('rl_planner', 2),
        ('rl_planner', 1),
    ]


def test_missing_peers_are_named_at_once(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_peers(monkeypatch)
    answer = command('benchmark', 'training')
    missing = "stable_baselines3 is missing: pip install 'rl_planner[peers]', or --no-peers"
    assert (answer.code, answer.err) == (2, f'rl_planner: error: {missing}\n')


def hide_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Python find no stable-baselines3."""
    for name in list(sys.modules):
        if name.startswith('stable_baselines3'):
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, 'stable_baselines3', None)
    monkeypatch.delitem(sys.modules, training_peers.__name__)
    monkeypatch.delattr('rl_planner.cli.training_peers')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--algorithms', 'luck'], "invalid choice: 'luck'"),
        (['--seeds', '-1'], "must be a whole number, 0 or above, got '-1'"),
        (['--picture', 'curves.gif'], "picture must end in .png, .svg, .pdf, got 'curves.gif'"),
    ],
)
def test_a_wrong_option_is_named(command: Any, arguments: list[str], message: str) -> None:
    answer = command('benchmark', 'training', *arguments)
    assert (answer.code, message in answer.err) == (2, True)


def test_the_table_tells_median_and_range() -> None:
    def row(to_90: float | None, to_95: float | None, success: float) -> dict[str, Any]:
        times = {'seconds_to_90': to_90, 'seconds_to_95': to_95, 'wall_seconds_to_95': to_95}
        return {**times, 'final_success': success, 'transitions': 4000, 'seconds': 2.0}

    rows = [row(8.0, 12.0, 0.97), row(4.0, None, 0.93), row(6.04, None, 0.95)]
    assert benchmark_training._cells('we', rows) == [
        'we',
        '6.0 (4.0 to 8.0)',
        'never (12.0 to never)',
        'never (12.0 to never)',
        '95.0 (93.0 to 97.0)',
        '2,000',
    ]
    assert benchmark_training._cells('we', rows[1:])[1:3] == ['5.0 (4.0 to 6.0)', 'never']
    assert benchmark_training._cells('we', rows[:1])[1:3] == ['8.0', '12.0']


def test_the_other_process_has_one_thread() -> None:
    before = dict(os.environ)
    with benchmark_training.one_thread_process() as process:
        assert process.submit(os.getenv, 'OPENBLAS_NUM_THREADS').result() == '1'
        assert process.submit(os.getpid).result() != os.getpid()
    assert dict(os.environ) == before


def test_the_clock_counts_what_is_not_within_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {'process_time': 100.0, 'monotonic': 7000.0}
    monkeypatch.setattr(training_contest.time, 'process_time', lambda: now['process_time'])
    monkeypatch.setattr(training_contest.time, 'monotonic', lambda: now['monotonic'])

    def work(cpu: float, wall: float) -> None:
        now['process_time'] += cpu
        now['monotonic'] += wall

    clock = TrainingClock()
    work(2.0, 3.0)
    with clock.stopped():
        work(16.0, 32.0)
    work(0.5, 0.25)
    assert (clock(), clock.wall()) == (2.5, 3.25)
    clock.start()
    assert (clock(), clock.wall()) == (0.0, 0.0)


def straight_on() -> Policy:
    tensors = {'actor.0.weight': np.zeros((2, SIZE)), 'actor.0.bias': np.array([9.0, 0.0])}
    metadata = PolicyMetadata.for_robot(RobotConfig(), ObservationConfig(), 0.1, 'none')
    return Policy(tensors, metadata)


def test_a_threshold_is_reached_when_it_is_first_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge(Conditions(60.0, every_sec=0.05, curve_episodes=2, final_episodes=3))
    assert [len(judge._of_curve), len(judge._of_end)] == [2, 3]
    assert not {id(each) for each in judge._of_curve} & {id(each) for each in judge._of_end}
    rates = iter([0.5, 0.92, 0.89, 0.97, 0.91, 0.925])
    monkeypatch.setattr(judge, '_success_rate', lambda *_: next(rates))
    judge.clock.start()
    for _ in range(5):
        while not judge.due():
            pass
        judge.watch(straight_on())
    row = judge.row(Trained(straight_on(), 128, 2))
    seconds, success = zip(*row['curve'], strict=True)
    assert success == (0.5, 0.92, 0.89, 0.97, 0.91)
    assert (row['seconds_to_90'], row['seconds_to_95']) == (seconds[1], seconds[3])
    assert all(0.05 * (k + 1) <= at for k, at in enumerate(seconds))
    assert (row['final_success'], row['transitions'], row['updates']) == (0.925, 128, 2)
    assert row['wall_seconds_to_95'] > row['wall_seconds_to_90'] > 0.0


def test_the_peers_actor_is_the_same_as_a_policy_of_ours() -> None:
    env = make_vector_env(2, num_worlds=2)
    model = training_peers.TD3(
        'MlpPolicy', training_peers.StableBaselinesVecEnv(env), seed=1, device='cpu'
    )
    observations, _ = env.reset(seed=1)
    expected, _ = model.predict(observations, deterministic=True)
    actions = training_peers.policy_of(model).act(observations)
    np.testing.assert_allclose(actions, expected, atol=1e-5)


def test_the_peers_get_our_recipe() -> None:
    config = LearningConfig()
    judge = Judge(Conditions(1000.0, curve_episodes=1, final_episodes=1))
    options = training_peers._our_recipe(training_contest._settings('ddpg', 0, 1000.0), judge)
    env = training_peers.StableBaselinesVecEnv(make_vector_env(128, num_worlds=2))
    model = training_peers.DDPG('MlpPolicy', env, device='cpu', **options)
    sizes = [layer.out_features for layer in model.actor.mu if isinstance(layer, torch.nn.Linear)]
    assert sizes == [config.hidden_size] * config.hidden_layers + [2]
    assert (model.batch_size, model.tau, model.gamma) == (
        config.batch_size,
        config.tau,
        config.discount,
    )
    assert model.gradient_steps == round(128 * config.updates_per_transition)
    replay = model.replay_buffer
    assert (replay.n_steps, replay.gamma) == (config.n_step, config.discount)
    assert replay.buffer_size * replay.n_envs == config.replay_capacity
    assert model.lr_schedule(1.0) == pytest.approx(config.critic_learning_rate, rel=0.02)
    noise = model.action_noise()
    assert noise.shape == (128, 2)
    model.action_noise.reset([0, 5])
    model.action_noise.reset()
    assert not np.array_equal(model.action_noise(), noise)
