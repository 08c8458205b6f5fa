from __future__ import annotations

import numpy as np
import pytest

from rl_planner.learning.config import ExplorationConfig
from rl_planner.learning.noise import ExplorationNoise


def noise(num_robots: int = 4, seed: int = 0, **values: float) -> ExplorationNoise:
    return ExplorationNoise(num_robots, ExplorationConfig(**values), np.random.default_rng(seed))


def test_the_shares_add_up_to_the_variance_they_say() -> None:
    samples = noise(20000, sigma_min=0.5, sigma_max=0.5, white_noise=0.6, ou_noise=0.8).sample()
    assert samples.shape == (20000, 2)
    assert samples.dtype == np.float32
    # 0.5^2 (0.6^2 + 0.8^2) = 0.25; the standard error of a variance is sqrt(2 / n) of it
    assert samples.var() == pytest.approx(0.25, rel=0.04)
    assert samples.mean() == pytest.approx(0.0, abs=0.02)


def test_the_carried_part_forgets_theta_of_itself_each_step_at_constant_variance() -> None:
    shares = {'white_noise': 0.0, 'ou_noise': 1.0, 'ou_theta': 0.2}
    carried = noise(50000, sigma_min=1.0, sigma_max=1.0, **shares)
    first, second, third = carried.sample(), carried.sample(), carried.sample()
    assert np.mean(first * second) == pytest.approx(0.8, abs=0.02)
    assert np.mean(first * third) == pytest.approx(0.64, abs=0.02)
    assert third.var() == pytest.approx(1.0, abs=0.02)


def test_the_white_part_carries_nothing_over() -> None:
    white = noise(50000, sigma_min=1.0, sigma_max=1.0, white_noise=1.0, ou_noise=0.0)
    assert np.mean(white.sample() * white.sample()) == pytest.approx(0.0, abs=0.02)


def test_every_episode_draws_a_scale_of_its_own() -> None:
    state = noise(1000, sigma_min=0.1, sigma_max=0.4).state()
    assert state['sigma'].min() >= 0.1
    assert state['sigma'].max() <= 0.4
    assert state['sigma'].mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize('robots', [np.array([True, False, True, False]), np.array([0, 2])])
def test_restart_touches_only_the_robots_it_names(robots: np.ndarray) -> None:
    exploration = noise()
    before = exploration.state()
    exploration.restart(robots)
    changed = exploration.state()['sigma'] != before['sigma']
    assert changed[:, 0].tolist() == [True, False, True, False]
    kept = (exploration.state()['carried'] == before['carried']).all(axis=1)
    assert kept.tolist() == [False, True, False, True]


def test_a_restored_state_goes_on_with_the_same_noise() -> None:
    first = noise(seed=1)
    first.sample()
    state = first.state()
    expected = [first.sample() for _ in range(3)]
    second = noise(seed=2)
    second.restore(state)
    np.testing.assert_array_equal([second.sample() for _ in range(3)], expected)


def test_a_state_of_another_number_of_robots_is_refused() -> None:
    with pytest.raises(ValueError, match='num_robots must be 4 as saved, got 5'):
        noise(5).restore(noise(4).state())
