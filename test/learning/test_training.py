from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rl_planner.learning import best_policy, training
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.learner import Learner
from rl_planner.learning.noise import ExplorationNoise
from rl_planner.learning.run import RunFolder, read_metrics
from rl_planner.learning.training import Budget, Summary
from rl_planner.navigation.policy import Policy

Train = Callable[..., Summary]


@pytest.fixture
def train(make_learner: Callable[..., Learner]) -> Train:
    def train(env: Any, path: Path, budget: Budget, resume: bool = False, **values: Any) -> Summary:
        learner = values.pop('learner', None) or make_learner()
        noise = ExplorationNoise(env.num_envs, learner.config, np.random.default_rng(0))
        with RunFolder(path, resume) as run:
            return training.train(env, learner, run, budget, noise, **values)

    return train


def test_it_learns(
    env: Any, run_path: Path, train: Train, make_learner: Callable[..., Learner]
) -> None:
    config = LearningConfig(
        hidden_size=32,
        n_step=1,
        discount=0.0,
        actor_learning_rate=3e-3,
        critic_learning_rate=3e-3,
        batch_size=64,
        replay_capacity=8000,
        warmup_transitions=200,
        updates_per_transition=0.1,
    )
    summary = train(env, run_path, Budget(steps=8000), learner=make_learner(config=config))
    assert summary.steps == 8000
    assert summary.updates == 780
    assert summary.episodes == 1600
    obs = np.random.default_rng(5).uniform(-0.8, 0.8, (200, 19)).astype(np.float32)
    actions = Policy.load(run_path / 'policy.safetensors').act(obs)
    error = np.abs(actions - np.stack([obs[:, 0], np.zeros(200)], axis=1))
    assert error.mean() < 0.15  # drawn at random it would be 0.5


def test_a_seed_decides_every_bit(env: Any, tmp_path: Path, train: Train) -> None:
    for name in ('first', 'second'):
        train(env, tmp_path / name, Budget(steps=800))
    first, second = (tmp_path / name / 'policy.safetensors' for name in ('first', 'second'))
    assert first.read_bytes() == second.read_bytes()


def test_another_seed_gives_another_policy(
    env: Any, tmp_path: Path, train: Train, make_learner: Callable[..., Learner]
) -> None:
    for seed in (0, 1):
        train(env, tmp_path / str(seed), Budget(steps=200), learner=make_learner(seed))
    policies = [(tmp_path / str(seed) / 'policy.safetensors').read_bytes() for seed in (0, 1)]
    assert policies[0] != policies[1]


def test_rows_of_metrics_are_logged_and_passed_on(
    env: Any, run_path: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, 'REPORT_SEC', 0.0)
    rows: list[dict[str, float]] = []
    train(env, run_path, Budget(steps=80), on_progress=lambda row: rows.append(dict(row)))
    with RunFolder(run_path, resume=True) as run:
        logged = run.metrics()
    assert [row['steps'] for row in rows] == [*range(8, 81, 8), 80]
    assert logged == rows
    assert 'critic_loss' not in rows[0]  # within the warm-up
    # the last row is of the updates that the last step was worth
    assert [row['updates'] for row in rows[-2:]] == [8, 10]
    assert {'success_rate', 'transitions_per_sec', 'critic_loss', 'actor_loss'} <= set(rows[-1])


def test_time_is_what_the_clock_says(env: Any, run_path: Path, train: Train) -> None:
    now = 100.0

    def pass_time() -> None:
        nonlocal now
        now += 0.25

    env.on_step = pass_time
    rows: list[float] = []
    summary = train(
        env,
        run_path,
        Budget(seconds=5.0),
        on_progress=lambda row: rows.append(row['elapsed_sec']),
        clock=lambda: now,
    )
    assert (summary.elapsed_sec, summary.steps) == (5.0, 20 * 8)
    assert rows == [1.0, 2.0, 3.0, 4.0, 5.0, 5.0]  # the end has a row of its own


def test_what_was_spent_before_counts_if_it_is_told(env: Any, run_path: Path, train: Train) -> None:
    summary = train(env, run_path, Budget(seconds=30.0), clock=lambda: 130.0, began=100.0)
    assert (summary.elapsed_sec, summary.steps) == (30.0, 0)


def test_the_robots_drive_while_the_learner_updates(
    env: Any, run_path: Path, train: Train, make_learner: Callable[..., Learner]
) -> None:
    learner = make_learner()
    updated = threading.Event()
    update = learner.update

    def update_and_tell() -> Any:
        updated.set()
        return update()

    def wait() -> None:
        if learner.updates_due():
            assert updated.wait(10.0)

    learner.update = update_and_tell  # type: ignore[method-assign]
    env.on_step = wait
    assert train(env, run_path, Budget(steps=80), learner=learner).updates == 10


def test_an_error_of_the_simulator_ends_the_training(
    env: Any, run_path: Path, train: Train
) -> None:
    def fail() -> None:
        raise RuntimeError('no robot left')

    env.on_step = fail
    with pytest.raises(RuntimeError, match='no robot left'):
        train(env, run_path, Budget(steps=80))


def test_the_best_policy_is_kept_beside_the_final_one(
    env: Any, run_path: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(best_policy, 'WINDOW', 20)
    train(env, run_path, Budget(steps=800))
    with RunFolder(run_path, resume=True) as run:
        best = Policy.load(run.best_policy_path).metadata.provenance
        final = Policy.load(run.policy_path).metadata.provenance
        rate = run.metrics()[-1]['best_success_rate']
    assert 0.0 < rate <= 1.0
    assert 0 < best['transitions'] <= final['transitions'] == 800


def test_the_success_rate_counts_the_last_episodes(
    env: Any, run_path: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, 'RECENT_EPISODES', 4)
    outcomes = iter([3, 2, 2, 1, 1, 3, 1, 2])

    def step(actions: Any) -> Any:
        obs, ended = np.zeros((1, 19), np.float32), np.array([True])
        infos = {'final_obs': obs, 'outcome': np.array([next(outcomes)])}
        return obs, np.zeros(1), ended, ~ended, infos

    env.num_envs, env.step = 1, step
    summary = train(env, run_path, Budget(steps=7))
    assert (summary.episodes, summary.success_rate) == (7, 0.75)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_and_returns(
    env: Any, run_path: Path, train: Train, number: signal.Signals
) -> None:
    handler = signal.getsignal(number)
    steps = iter(range(1000))
    env.on_step = lambda: signal.raise_signal(number) if next(steps) == 29 else None
    summary = train(env, run_path, Budget(steps=10**9))
    assert summary.interrupted
    assert summary.steps == 240  # the step that was under way is completed
    assert Policy.load(run_path / 'policy.safetensors').metadata.provenance['transitions'] == 240
    assert signal.getsignal(number) is handler
    with RunFolder(run_path, resume=True) as run:
        state = run.load_checkpoint()
    assert state is not None
    assert state['learner']['replay']['total'] == 240


def test_a_second_ctrl_c_does_not_wait(
    env: Any, run_path: Path, train: Train, make_learner: Callable[..., Learner]
) -> None:
    def interrupt_twice() -> int:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return 0

    learner = make_learner()
    learner.updates_due = interrupt_twice  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        train(env, run_path, Budget(steps=100), learner=learner)


def test_resuming_goes_on_to_the_end_of_the_budget(
    env: Any, run_path: Path, train: Train, make_learner: Callable[..., Learner]
) -> None:
    first = train(env, run_path, Budget(steps=400))
    learner = make_learner(seed=1)
    second = train(env, run_path, Budget(steps=1000), resume=True, learner=learner)
    assert second.steps == learner.transitions == 1000
    assert second.updates == 240
    assert second.episodes > first.episodes
    assert second.elapsed_sec > first.elapsed_sec
    assert len(set(env.seeds)) == 2  # not the same episodes again


def test_resuming_goes_on_with_the_success_rates_of_the_families(
    env: Any, run_path: Path, train: Train
) -> None:
    env.rates = {'near': 0.75, 'far': 0.25}
    train(env, run_path, Budget(steps=400))
    train(env, run_path, Budget(steps=800), resume=True)
    assert env.options == [{'success_rates': {}}, {'success_rates': env.rates}]
    last = read_metrics(run_path / 'metrics.jsonl')[-1]
    assert (last['success_rate/near'], last['success_rate/far']) == (0.75, 0.25)


def test_resuming_a_finished_run_changes_nothing(env: Any, run_path: Path, train: Train) -> None:
    def kept() -> list[bytes]:
        return [(run_path / name).read_bytes() for name in ('policy.safetensors', 'metrics.jsonl')]

    train(env, run_path, Budget(steps=400))
    before = kept()
    train(env, run_path, Budget(steps=400), resume=True)
    assert kept() == before


def test_an_environment_of_another_size_is_refused_on_resuming(
    env: Any, run_path: Path, train: Train
) -> None:
    train(env, run_path, Budget(steps=40))
    env.num_envs = 4
    with pytest.raises(ValueError, match='num_robots must be 8 as saved, got 4'):
        train(env, run_path, Budget(steps=80), resume=True)


def test_divergence_is_reported_and_not_saved(
    env: Any, run_path: Path, train: Train, make_learner: Callable[..., Learner]
) -> None:
    learner = make_learner()
    learner.algorithm.critics[0].network.biases[0][0] = torch.nan
    with pytest.raises(FloatingPointError, match='learning has diverged'):
        train(env, run_path, Budget(steps=400), learner=learner)
    assert not (run_path / 'policy.safetensors').exists()


@pytest.mark.parametrize(
    ('budget', 'share'),
    [
        (Budget(seconds=10.0), 0.4),
        (Budget(steps=1000), 0.5),
        (Budget(seconds=10.0, steps=1000), 0.5),
        (Budget(seconds=5.0, steps=1000), 0.8),
    ],
)
def test_a_budget_is_spent_by_whichever_is_nearer_its_end(budget: Budget, share: float) -> None:
    assert budget.spent(seconds=4.0, steps=500) == pytest.approx(share)


def test_a_budget_needs_an_end() -> None:
    with pytest.raises(ValueError, match='a budget must have seconds or steps'):
        Budget()


def test_metrics_are_averaged_over_the_updates_that_have_them() -> None:
    rows = [{'critic_loss': 1.0}, {'critic_loss': 2.0, 'actor_loss': 5.0}, {'critic_loss': 6.0}]
    tensors = [{name: torch.tensor(value) for name, value in row.items()} for row in rows]
    assert training.mean_metrics(tensors) == {'critic_loss': 3.0, 'actor_loss': 5.0}
    assert training.mean_metrics([]) == {}
