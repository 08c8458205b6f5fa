from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, TanhTransform, TransformedDistribution
from torch.nn import functional

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.networks import MLP
from rl_planner.learning.replay import Batch
from rl_planner.learning.sac import SAC


def sac(**values: Any) -> SAC:
    sizes = {'hidden_size': 12, 'hidden_layers': 2}
    return SAC(3, LearningConfig(algorithm='sac', **{**sizes, **values}), 'cpu', 0)


def spread_out(algorithm: SAC) -> SAC:
    """With means, scales and critics as training makes them."""
    for network, factor in (
        (algorithm.actor, 100.0),
        (algorithm.critics[0].network, 3.0),
        (algorithm.critics[1].network, 3.0),
    ):
        network.weights[-1].mul_(factor)
        network.biases[-1].mul_(factor)
    return algorithm


def batch(size: int = 64) -> Batch:
    generator = torch.Generator().manual_seed(0)
    obs, next_obs = torch.randn(2, size, 3, generator=generator)
    action = torch.randn(size, 2, generator=generator).tanh()
    reward, discount = torch.randn(2, size, generator=generator)
    return Batch(obs, action, reward, discount.sigmoid(), next_obs)


def forward(network: MLP, parameters: list[Tensor], x: Tensor) -> Tensor:
    for index in range(len(network.weights)):
        x = functional.linear(
            x if index == 0 else functional.relu(x), *parameters[2 * index : 2 * index + 2]
        )
    return x


def parameters_of(network: MLP) -> list[Tensor]:
    pairs = zip(network.weights, network.biases, strict=True)
    return [part.clone().requires_grad_() for pair in pairs for part in pair]


def by_torch(outputs: Tensor, epsilon: Tensor) -> tuple[Tensor, Tensor]:
    """(action, log pi) of actor outputs, by torch's distributions, in double precision."""
    mean, log_sigma = outputs.double().chunk(2, dim=1)
    normal = Normal(mean, log_sigma.exp())
    policy = TransformedDistribution(normal, [TanhTransform(cache_size=1)])
    action = torch.tanh(mean + log_sigma.exp() * epsilon.double())
    return action, policy.log_prob(action).sum(dim=1)


def next_draw(algorithm: SAC, rows: int) -> Tensor:
    """The normal numbers that the algorithm will draw next."""
    twin = torch.Generator()
    twin.set_state(algorithm.generator.get_state())
    return torch.randn(rows, 2, generator=twin)


def test_log_probabilities_are_those_of_torchs_tanh_normal() -> None:
    algorithm = sac()
    outputs = torch.rand(200, 4, generator=torch.Generator().manual_seed(1)) - 0.5
    action, log_prob = by_torch(outputs, next_draw(algorithm, 200))
    sample = algorithm.sample(outputs)
    torch.testing.assert_close(sample.action.double(), action, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(sample.log_prob.double(), log_prob, rtol=1e-3, atol=1e-3)


def test_log_probabilities_are_finite_where_tanh_rounds_to_one() -> None:
    sample = sac().sample(torch.tensor([[30.0, -30.0, -5.0, -5.0]]))
    assert sample.action.abs().tolist() == [[1.0, 1.0]]
    assert torch.isfinite(sample.log_prob).all()


def test_the_target_counts_the_entropy_of_the_state_after() -> None:
    algorithm, given = spread_out(sac(initial_temperature=0.3)), batch()
    epsilon = next_draw(algorithm, 64)
    outputs = forward(algorithm.actor, parameters_of(algorithm.actor), given.next_obs)
    action, log_prob = by_torch(outputs.detach(), epsilon)
    pairs = torch.cat([given.next_obs, action.float()], dim=1)
    first, second = (
        forward(each.target, parameters_of(each.target), pairs).squeeze(1).detach()
        for each in algorithm.critics
    )
    worth = torch.minimum(first, second) - 0.3 * log_prob
    expected = given.reward + given.discount * worth
    torch.testing.assert_close(algorithm.target(given).double(), expected, rtol=1e-4, atol=1e-4)


def test_actor_and_temperature_descend_the_gradients_of_autograd() -> None:
    algorithm, given = spread_out(sac(initial_temperature=0.3, target_entropy=-1.0)), batch()
    epsilon = next_draw(algorithm, 64)
    parameters = parameters_of(algorithm.actor)
    mean, log_sigma = forward(algorithm.actor, parameters, given.obs).chunk(2, dim=1)
    u = mean + log_sigma.exp() * epsilon
    normal = Normal(mean, log_sigma.exp()).log_prob(u)
    log_prob = (normal - torch.log(1.0 - torch.tanh(u).square() + 1e-12)).sum(dim=1)
    pairs = torch.cat([given.obs, torch.tanh(u)], dim=1)
    values = [
        forward(each.network, parameters_of(each.network), pairs).squeeze(1)
        for each in algorithm.critics
    ]
    assert 0.1 < (values[0] < values[1]).float().mean() < 0.9  # both critics have a say
    loss = (0.3 * log_prob - torch.minimum(*values)).mean()
    expected = torch.autograd.grad(loss, parameters)
    metrics = algorithm._improve_actor(given.obs)
    found = algorithm.actor.parameters.grad
    assert found is not None
    torch.testing.assert_close(
        found, torch.cat([each.flatten() for each in expected]), rtol=1e-4, atol=1e-5
    )
    assert metrics['actor_loss'].item() == pytest.approx(loss.item(), rel=1e-4)
    assert metrics['entropy'].item() == pytest.approx(-log_prob.mean().item(), rel=1e-4)
    gradient = algorithm.log_temperature.grad
    assert gradient is not None
    assert gradient.item() == pytest.approx(-(log_prob - 1.0).mean().item(), rel=1e-4)


def test_a_scale_beyond_its_bound_is_clamped_and_gets_no_gradient() -> None:
    algorithm = sac()
    algorithm.actor.parameters.zero_()
    algorithm.actor.biases[-1].copy_(torch.tensor([0.0, 0.0, 5.0, 1.0]))
    sample = algorithm.sample(algorithm.actor(torch.zeros(1, 3)))
    assert sample.free.tolist() == [[0.0, 1.0]]
    algorithm._improve_actor(torch.zeros(8, 3))
    gradient = algorithm.actor.parameters.grad
    assert gradient is not None
    of_last_bias = gradient[-4:].tolist()
    assert of_last_bias[2] == 0.0
    assert of_last_bias[3] != 0.0


@pytest.mark.parametrize(('aim', 'rises'), [(5.0, True), (-30.0, False)])
def test_the_temperature_moves_the_entropy_to_its_aim(aim: float, rises: bool) -> None:
    algorithm = sac(initial_temperature=0.1, temperature_learning_rate=0.01, target_entropy=aim)
    algorithm.update(batch())
    moved = algorithm.log_temperature.item() - math.log(0.1)
    assert moved == pytest.approx(0.01 if rises else -0.01, rel=1e-3)


def test_it_finds_the_optimum_of_a_one_dimensional_problem() -> None:
    rates = {'actor_learning_rate': 3e-3, 'critic_learning_rate': 3e-3}
    config = LearningConfig(algorithm='sac', hidden_size=64, target_entropy=-4.0, **rates)
    algorithm, generator = SAC(1, config, 'cpu', 0), torch.Generator().manual_seed(1)
    for step in range(500):
        algorithm.set_learning_rate_share(1.0 - step / 500)
        obs, action = (2.0 * torch.rand(128, n, generator=generator) - 1.0 for n in (1, 2))
        best = torch.cat([0.5 * obs, torch.full_like(obs, -0.3)], dim=1)
        reward = -(action - best).square().sum(dim=1)
        algorithm.update(Batch(obs, action, reward, torch.zeros(128), obs))
    obs = torch.linspace(-1.0, 1.0, 21)[:, None]
    error = (algorithm.act(obs) - torch.cat([0.5 * obs, torch.full_like(obs, -0.3)], dim=1)).abs()
    assert error.mean() < 0.1  # doing nothing errs by 0.28
