"""Training with robots of tensors: the same loop, and the device is not waited for in it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.devices import DEVICES
from support.host_waits import HostWaits

from rl_planner.learning import best_policy, training
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.learner import Learner
from rl_planner.learning.noise import ExplorationNoise
from rl_planner.learning.robots import TensorRobots
from rl_planner.learning.run import RunFolder
from rl_planner.learning.tensor_noise import TensorNoise
from rl_planner.learning.training import Budget, Summary
from rl_planner.navigation.config import LidarConfig, ObservationConfig, TaskConfig
from rl_planner.navigation.policy import Policy
from rl_planner.simulation.environment import NavigationVectorEnv
from rl_planner.simulation.episodes import EpisodePool
from rl_planner.simulation.tensor_environment import TensorNavigationEnv
from rl_planner.simulation.world import World

N = 64
CONFIG = LearningConfig(
    hidden_size=32,
    batch_size=128,
    replay_capacity=500 * N,
    warmup_transitions=10 * N,
    updates_per_transition=2.0 / N,
)
OPTIONS: dict[str, Any] = {
    'lidar': LidarConfig(num_beams=4),
    'observation': ObservationConfig(num_sectors=4),
    'task': TaskConfig(time_limit=5.0),
}


def pool() -> EpisodePool:
    """Nothing in the way; the goal 1.5 m off, in any direction."""
    rng = np.random.default_rng(0)
    starts = np.zeros((1, 64, 3))
    starts[0, :, 2], bearings = rng.uniform(-math.pi, math.pi, (2, 64))
    goals = 1.5 * np.stack([np.cos(bearings), np.sin(bearings)], axis=-1)
    return EpisodePool([World()], starts, goals[None], np.zeros(1, int))


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def env(device: str) -> TensorNavigationEnv:
    return TensorNavigationEnv(N, pool(), device=device, **OPTIONS)


@pytest.fixture
def make_learner(make_learner: Callable[..., Learner], device: str) -> Callable[..., Learner]:
    return partial(make_learner, device=device)


@pytest.fixture
def learner(make_learner: Callable[..., Learner]) -> Learner:
    return make_learner(config=CONFIG)


def train(env: Any, learner: Learner, path: Path, budget: Budget, **values: Any) -> Summary:
    resume = values.pop('resume', False)
    with RunFolder(path, resume) as run:
        noise = TensorNoise(env.num_envs, learner.config, learner.device)
        return training.train(env, learner, run, budget, noise, **values)


def test_it_learns_to_reach_the_goal(
    env: TensorNavigationEnv, learner: Learner, run_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(best_policy, 'WINDOW', 100)
    summary = train(env, learner, run_path, Budget(steps=320 * N))
    assert summary.steps == 320 * N
    assert summary.updates == 2 * (320 - 10)
    # One episode in three ends at the goal by chance, before anything is learnt.
    assert summary.success_rate > 0.8
    rows = [json.loads(line) for line in (run_path / 'metrics.jsonl').read_text().splitlines()]
    assert rows[-1]['steps'] == 320 * N
    assert rows[-1]['episodes'] == summary.episodes > 200
    assert {'critic_loss', 'actor_loss', 'success_rate', 'best_success_rate'} <= set(rows[-1])
    best, final = (run_path / f'{name}.safetensors' for name in ('best_policy', 'policy'))
    assert Policy.load(best).metadata.provenance['updates'] > 0
    assert Policy.load(final).metadata.provenance['transitions'] == 320 * N


def test_a_seed_decides_every_bit(
    env: TensorNavigationEnv, make_learner: Callable[..., Learner], tmp_path: Path
) -> None:
    policies = []
    for name, seed in (('first', 0), ('second', 0), ('other', 1)):
        train(env, make_learner(seed=seed, config=CONFIG), tmp_path / name, Budget(steps=20 * N))
        policies.append((tmp_path / name / 'policy.safetensors').read_bytes())
    assert policies[0] == policies[1] != policies[2]


def test_a_step_and_its_updates_wait_for_nothing(
    env: TensorNavigationEnv, make_learner: Callable[..., Learner]
) -> None:
    learner = make_learner(config=CONFIG)
    robots = TensorRobots(env, TensorNoise(N, learner.config, learner.device))
    robots.reset(0)
    with HostWaits() as waits:
        for _ in range(15):
            learner.set_progress(0.5)
            robots.set_off(learner)
            for _ in range(learner.updates_due()):
                learner.update()
            robots.arrive(learner)
            assert len(robots.outcomes(wait=False)) == 0
    assert (learner.updates, waits.found) == (8, [])
    with HostWaits() as waits:
        robots.outcomes(wait=True)
    assert waits.found != []


def test_outcomes_are_told_once_and_in_order(learner: Learner) -> None:
    device = learner.device

    class Told:
        num_envs = 2
        generator = torch.Generator(device)
        steps = torch.tensor([[0, 3], [1, 0], [0, 0], [2, 2], [0, 1], [3, 0]], device=device)

        def __init__(self) -> None:
            self.parts = (self,)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            self.time = torch.zeros((), dtype=torch.int64, device=device)
            return torch.zeros(2, learner.obs_size, device=device), {}

        def step(self, actions: torch.Tensor) -> Any:
            outcomes = self.steps.index_select(0, self.time[None]).squeeze(0)
            self.time = self.time + 1
            obs, truncated = torch.zeros(2, learner.obs_size, device=device), outcomes == 3
            infos = {'final_obs': obs, 'outcome': outcomes}
            rewards = torch.zeros(2, device=device)
            return obs, rewards, (outcomes > 0) & ~truncated, truncated, infos

        def success_rates(self) -> dict[str, float]:
            return {}

    robots = TensorRobots(Told(), TensorNoise(2, learner.config, device))
    robots.reset(0)
    told = []
    for wait in (False, True, False, True, False, True):
        robots.set_off(learner)
        robots.arrive(learner)
        told.append(robots.outcomes(wait).tolist())
    assert told == [[], [3, 1], [], [2, 2], [], [1, 3]]
    assert robots.outcomes(wait=True).tolist() == []


def test_divergence_is_reported_and_not_saved(
    env: TensorNavigationEnv, learner: Learner, run_path: Path
) -> None:
    learner.algorithm.critics[0].network.biases[0][0] = torch.nan
    with pytest.raises(FloatingPointError, match='learning has diverged'):
        train(env, learner, run_path, Budget(steps=40 * N))
    assert not (run_path / 'policy.safetensors').exists()


def test_a_run_goes_on_with_tensors_or_arrays(
    env: TensorNavigationEnv, make_learner: Callable[..., Learner], run_path: Path
) -> None:
    """A run of a GPU goes on where there is none, and the other way round."""
    train(env, make_learner(config=CONFIG), run_path, Budget(steps=20 * N))
    learner = make_learner(config=CONFIG)
    arrays = NavigationVectorEnv(N, pool(), **OPTIONS)
    noise = ExplorationNoise(N, CONFIG, np.random.default_rng(0))
    with RunFolder(run_path, resume=True) as run:
        summary = training.train(arrays, learner, run, Budget(steps=30 * N), noise)
    assert (summary.steps, summary.updates) == (30 * N, 2 * (30 - 10))
    learner = make_learner(config=CONFIG)
    summary = train(env, learner, run_path, Budget(steps=40 * N), resume=True)
    assert (summary.steps, summary.updates) == (40 * N, 2 * (40 - 10))
