from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.replay import Batch
from rl_planner.learning.td3 import TD3


def td3(**values: Any) -> TD3:
    sizes = {'hidden_size': 8, 'hidden_layers': 1}
    return TD3(3, LearningConfig(algorithm='td3', **{**sizes, **values}), 'cpu', 0)


def batch(size: int = 4, reward: float = 0.5, discount: float = 0.9) -> Batch:
    generator = torch.Generator().manual_seed(0)
    obs, next_obs = torch.randn(2, size, 3, generator=generator)
    action = torch.randn(size, 2, generator=generator).tanh()
    return Batch(obs, action, torch.full((size,), reward), torch.full((size,), discount), next_obs)


def make_linear_in_action(algorithm: TD3, index: int, slope: float, offset: float) -> None:
    """Let the target of a critic be Q'(s, a) = slope relu(a_0 + 2) + offset."""
    network = algorithm.critics[index].target
    network.parameters.zero_()
    network.weights[0][0, 3], network.biases[0][0] = 1.0, 2.0
    network.weights[1][0, 0], network.biases[1][0] = slope, offset


def set_target_action(algorithm: TD3, u: float) -> None:
    """Let the target actor give tanh(u), whatever it sees."""
    algorithm.target_actor.parameters.zero_()
    algorithm.target_actor.biases[-1].fill_(u)


def test_the_less_hopeful_critic_makes_the_target() -> None:
    algorithm = td3(target_noise=0.0)
    set_target_action(algorithm, 0.0)
    make_linear_in_action(algorithm, 0, slope=1.0, offset=3.0)  # 2 + 3
    make_linear_in_action(algorithm, 1, slope=2.0, offset=-1.0)  # 4 - 1
    assert algorithm.target(batch()).tolist() == pytest.approx([0.5 + 0.9 * 3.0] * 4)


def values_under_noise(u: float, **values: float) -> Tensor:
    """a_0 of the target's actions, (10000,), around tanh(u)."""
    algorithm = td3(**values)
    set_target_action(algorithm, u)
    for index in (0, 1):
        make_linear_in_action(algorithm, index, slope=1.0, offset=-2.0)  # Q' = a_0
    return algorithm.target(batch(10000, reward=0.0, discount=1.0))


def test_target_actions_are_disturbed_by_normal_noise() -> None:
    actions = values_under_noise(0.0, target_noise=0.2, target_noise_clip=10.0)
    assert actions.mean().item() == pytest.approx(0.0, abs=0.01)
    assert actions.std().item() == pytest.approx(0.2, rel=0.03)


def test_the_noise_is_clipped_and_so_is_the_action() -> None:
    actions = values_under_noise(0.0, target_noise=0.5, target_noise_clip=0.3)
    assert actions.max().item() == pytest.approx(0.3, abs=1e-6)
    assert actions.min().item() == pytest.approx(-0.3, abs=1e-6)
    beyond = values_under_noise(2.0, target_noise=0.5, target_noise_clip=0.3)  # tanh(2) = 0.964
    assert beyond.max().item() == pytest.approx(1.0, abs=1e-6)
    assert beyond.min().item() == pytest.approx(0.96403 - 0.3, abs=1e-4)


def test_actor_and_targets_move_once_in_policy_delay_updates() -> None:
    algorithm = td3(policy_delay=3)
    moved = []
    for _ in range(7):
        before = [
            network.parameters.clone()
            for network in (algorithm.actor, algorithm.target_actor, algorithm.critics[1].target)
        ]
        metrics = algorithm.update(batch())
        after = (algorithm.actor, algorithm.target_actor, algorithm.critics[1].target)
        changed = {
            not torch.equal(old, new.parameters) for old, new in zip(before, after, strict=True)
        }
        assert changed == {'actor_loss' in metrics}
        moved.append('actor_loss' in metrics)
    assert moved == [False, False, True, False, False, True, False]


def test_the_actor_climbs_the_first_critic() -> None:
    algorithm = td3(policy_delay=1, critic_learning_rate=1e-30)
    first, second = (critic.network for critic in algorithm.critics)
    for network, sign in ((first, 1.0), (second, -1.0)):  # Q = +-relu(a_0 + 2)
        network.parameters.zero_()
        network.weights[0][0, 3], network.biases[0][0] = 1.0, 2.0
        network.weights[1][0, 0] = sign
    given = batch()
    before = algorithm.act(given.obs)[:, 0].clone()
    algorithm.update(given)
    assert (algorithm.act(given.obs)[:, 0] > before).all()
