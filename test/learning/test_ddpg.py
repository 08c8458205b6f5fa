from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.ddpg import DDPG
from rl_planner.learning.networks import MLP
from rl_planner.learning.replay import Batch

Array = NDArray[np.float64]


def set_layers(network: MLP, *values: list[list[float]] | list[float]) -> None:
    """Give a network's parameters, weight and bias of each layer in turn, these values."""
    for parameter, value in zip(layers(network), values, strict=True):
        parameter.copy_(torch.tensor(value))


def layers(network: MLP) -> list[Tensor]:
    """Weight and bias of each layer in turn."""
    pairs = zip(network.weights, network.biases, strict=True)
    return [part for pair in pairs for part in pair]


def tiny(**values: float) -> DDPG:
    return DDPG(1, LearningConfig(hidden_size=1, hidden_layers=1, **values), 'cpu', 0)


def batch(rewards: list[float], discounts: list[float], next_obs: list[float]) -> Batch:
    size = len(rewards)
    return Batch(
        obs=torch.ones(size, 1),
        action=torch.zeros(size, 2),
        reward=torch.tensor(rewards),
        discount=torch.tensor(discounts),
        next_obs=torch.tensor(next_obs)[:, None],
    )


def test_the_target_is_the_reward_and_what_the_target_networks_expect_after_it() -> None:
    ddpg = tiny()
    # mu'(s) = tanh([relu(2 s), -relu(2 s)]), Q'(s, a) = 3 relu(s + 10 a_0) + 1
    set_layers(ddpg.target_actor, [[2.0]], [0.0], [[1.0], [-1.0]], [0.0, 0.0])
    set_layers(ddpg.critics[0].target, [[1.0, 10.0, 0.0]], [0.0], [[3.0]], [1.0])
    target = ddpg.target(batch([0.5, 0.5, 7.0], [0.9, 0.0, 0.9], [0.2, 0.2, -20.0]))
    value = 3.0 * (0.2 + 10.0 * np.tanh(0.4)) + 1.0
    # the last one: mu'(-20) = 0 and relu(-20) = 0, so that Q' is its bias
    assert target.tolist() == pytest.approx([0.5 + 0.9 * value, 0.5, 7.0 + 0.9 * 1.0], rel=1e-6)


def test_the_critic_loss_is_the_mean_squared_error_to_the_target() -> None:
    ddpg = tiny()
    for critic in (ddpg.critics[0].network, ddpg.critics[0].target):
        set_layers(critic, [[1.0, 0.0, 0.0]], [0.0], [[1.0]], [0.0])
    # Q(1, 0) = 1 against the targets 3 (terminated) and 0.5 + 0.5 * Q'(5) = 3
    metrics = ddpg.update(batch([3.0, 0.5], [0.0, 0.5], [0.0, 5.0]))
    assert metrics['critic_loss'].item() == pytest.approx(4.0)
    assert metrics['q_mean'].item() == pytest.approx(1.0)


def objective(
    parameters: list[Array],
    critic: list[Array],
    obs: Array,
) -> float:
    """E[Q(s, mu(s)) - 0.01 max(|u| - 2, 0)^2] in numpy, u the actor before tanh."""
    w0, b0, w1, b1 = parameters
    u = np.maximum(obs @ w0.T + b0, 0.0) @ w1.T + b1
    v0, c0, v1, c1 = critic
    hidden = np.maximum(np.hstack([obs, np.tanh(u)]) @ v0.T + c0, 0.0)
    penalty = 0.01 * np.maximum(np.abs(u) - 2.0, 0.0) ** 2
    return float((hidden @ v1.T + c1).mean() - penalty.mean())


def slopes(function: Callable[[], float], values: list[Array]) -> list[float]:
    """Central differences of `function` in every number of `values`."""
    found = []
    for value in values:
        for index in np.ndindex(value.shape):
            kept = value[index]
            ends = []
            for step in (1e-6, -1e-6):
                value[index] = kept + step
                ends.append(function())
            value[index] = kept
            found.append((ends[0] - ends[1]) / 2e-6)
    return found


def numbers(network: MLP) -> list[Array]:
    return [value.double().numpy() for value in layers(network)]


def test_the_actor_climbs_the_deterministic_policy_gradient() -> None:
    # a critic that does not move, so that the gradient is that of the critic seen here
    rates = {'actor_learning_rate': 1e-3, 'critic_learning_rate': 1e-30}
    config = LearningConfig(hidden_size=5, hidden_layers=1, **rates)
    ddpg = DDPG(3, config, 'cpu', 0)
    rng = np.random.default_rng(0)
    for value in (ddpg.actor.weights[-1], ddpg.actor.biases[-1]):
        # u on both sides of the penalty's knee
        value.copy_(torch.from_numpy(rng.normal(0.0, 3.0, tuple(value.shape))))
    obs = rng.normal(size=(20, 3)).astype(np.float32)
    before = numbers(ddpg.actor)
    expected = slopes(
        lambda: objective(before, numbers(ddpg.critics[0].network), obs.astype(np.float64)), before
    )
    zeros = torch.zeros(20)
    tensors = torch.from_numpy(obs)
    ddpg.update(Batch(tensors, torch.zeros(20, 2), zeros, zeros, tensors))
    found = ddpg.actor.parameters.grad
    assert found is not None
    np.testing.assert_allclose(-found.numpy(), expected, atol=1e-6, rtol=1e-4)
    # Adam's first step is one learning rate along each gradient's sign: uphill
    steps = np.concatenate(
        [(after - value).ravel() for after, value in zip(numbers(ddpg.actor), before, strict=True)]
    )
    clear = np.abs(expected) > 1e-4
    np.testing.assert_allclose(steps[clear], 1e-3 * np.sign(expected)[clear], rtol=1e-2)


def test_target_networks_follow_by_tau() -> None:
    ddpg = tiny(tau=0.25)
    before = numbers(ddpg.critics[0].target)
    ddpg.update(batch([3.0], [0.0], [0.0]))
    for slow, fast, old in zip(
        numbers(ddpg.critics[0].target), numbers(ddpg.critics[0].network), before, strict=True
    ):
        np.testing.assert_allclose(slow, 0.25 * fast + 0.75 * old, rtol=1e-5)


def test_saturation_is_the_share_of_actions_beyond_the_knee() -> None:
    ddpg = tiny()
    set_layers(ddpg.actor, [[1.0]], [0.0], [[3.0], [0.0]], [0.0, 0.0])  # u(1) = (3, 0)
    assert ddpg.update(batch([0.0], [0.0], [0.0]))['saturation'].item() == 0.5


def one_step_batch(generator: torch.Generator) -> Batch:
    """Random actions in one-step episodes: the best are a_0 = s / 2 and a_1 = -0.3."""
    obs = 2.0 * torch.rand((128, 1), generator=generator) - 1.0
    action = 2.0 * torch.rand((128, 2), generator=generator) - 1.0
    reward = -((action - optimum(obs)) ** 2).sum(dim=1)
    return Batch(obs, action, reward, torch.zeros(128), obs)


def optimum(obs: Tensor) -> Tensor:
    return torch.cat([0.5 * obs, torch.full_like(obs, -0.3)], dim=1)


def test_it_finds_the_optimum_of_a_one_dimensional_problem() -> None:
    rates = {'actor_learning_rate': 3e-3, 'critic_learning_rate': 3e-3}
    ddpg = DDPG(1, LearningConfig(hidden_size=64, **rates), 'cpu', 0)
    generator = torch.Generator().manual_seed(1)
    for step in range(500):
        ddpg.set_learning_rate_share(1.0 - step / 500)
        ddpg.update(one_step_batch(generator))
    obs = torch.linspace(-1.0, 1.0, 21)[:, None]
    error = (ddpg.act(obs) - optimum(obs)).abs()
    assert error.mean() < 0.1  # doing nothing errs by 0.28
    assert error.max() < 0.25
