from __future__ import annotations

import pytest
import torch

from rl_planner.learning.config import ExplorationConfig
from rl_planner.learning.tensor_noise import TensorNoise


def noise(num_robots: int = 4, seed: int = 0, **values: float) -> TensorNoise:
    made = TensorNoise(num_robots, ExplorationConfig(**values), 'cpu')
    made.reset(seed)
    return made


def test_the_shares_add_up_to_the_variance_they_say() -> None:
    samples = noise(20000, sigma_min=0.5, sigma_max=0.5, white_noise=0.6, ou_noise=0.8).sample()
    assert samples.shape == (20000, 2)
    # 0.5^2 (0.6^2 + 0.8^2) = 0.25; the standard error of a variance is sqrt(2 / n) of it
    assert samples.var().item() == pytest.approx(0.25, rel=0.04)
    assert samples.mean().item() == pytest.approx(0.0, abs=0.02)


def test_the_carried_part_forgets_theta_of_itself_each_step_at_constant_variance() -> None:
    shares = {'white_noise': 0.0, 'ou_noise': 1.0, 'ou_theta': 0.2}
    carried = noise(50000, sigma_min=1.0, sigma_max=1.0, **shares)
    first, second, third = carried.sample(), carried.sample(), carried.sample()
    assert (first * second).mean().item() == pytest.approx(0.8, abs=0.02)
    assert (first * third).mean().item() == pytest.approx(0.64, abs=0.02)
    assert third.var().item() == pytest.approx(1.0, abs=0.02)


def test_every_episode_draws_a_scale_of_its_own() -> None:
    shares = {'white_noise': 0.0, 'ou_noise': 1.0, 'ou_theta': 1e-9}  # nothing but the scale
    exploration = noise(20000, sigma_min=0.1, sigma_max=0.4, **shares)
    # E[sigma^2] of U(0.1, 0.4) = 0.25^2 + 0.3^2 / 12; the carried part has variance 1
    assert exploration.sample().var().item() == pytest.approx(0.07, rel=0.05)


def test_restart_touches_only_the_robots_it_names() -> None:
    shares = {'white_noise': 0.0, 'ou_noise': 1.0, 'ou_theta': 1e-9}
    exploration = noise(**shares)
    before = exploration.sample()
    exploration.restart(torch.tensor([True, False, True, False]))
    after = exploration.sample()
    changed = ((after - before).abs() > 1e-3).any(dim=1)
    assert changed.tolist() == [True, False, True, False]


def test_a_seed_decides_the_noise() -> None:
    first, second = noise(seed=1), noise(seed=2)
    expected = [first.sample() for _ in range(3)]
    assert not torch.equal(second.sample(), expected[0])
    second.reset(1)
    assert all(torch.equal(second.sample(), each) for each in expected)
