from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import safetensors.numpy
import torch

from rl_planner.learning.learner import Learner
from rl_planner.learning.networks import Actor, Critic, actor_tensors
from rl_planner.navigation.policy import Policy, PolicyMetadata


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spread_out(actor: Actor) -> Actor:
    """The actor with outputs over all of tanh, as training makes them."""
    with torch.no_grad():
        for value in actor.layers[-1].parameters():
            value.mul_(1000.0)
    return actor


def test_numpy_and_torch_agree_on_every_action(metadata: PolicyMetadata) -> None:
    actor = spread_out(Actor(19, 2, [128, 128], generator()))
    policy = Policy(actor_tensors(actor), metadata)
    obs = np.random.default_rng(0).uniform(-1.0, 1.0, (500, 19)).astype(np.float32)
    expected = actor(torch.from_numpy(obs)).detach().numpy()
    assert expected.std() > 0.3
    np.testing.assert_allclose(policy.act(obs), expected, atol=1e-5)


def test_the_safetensors_package_reads_a_policy(make_learner: Callable[..., Learner]) -> None:
    learner = make_learner()
    tensors = safetensors.numpy.load(learner.policy().to_bytes())
    own = actor_tensors(learner.algorithm.actor)
    assert sorted(tensors) == [
        f'actor.{layer}.{kind}' for layer in range(3) for kind in ('bias', 'weight')
    ]
    for name, tensor in own.items():
        np.testing.assert_array_equal(tensors[name], tensor)


def test_the_first_actions_are_near_zero() -> None:
    obs = torch.rand((100, 19), generator=generator(1))
    assert Actor(19, 2, [128, 128], generator())(obs).abs().max() < 0.01


def test_actions_are_tanh_of_the_preactivation() -> None:
    actor = spread_out(Actor(19, 2, [8], generator()))
    obs = torch.rand((10, 19), generator=generator(1))
    torch.testing.assert_close(torch.tanh(actor.preactivation(obs)), actor(obs))


def test_a_critic_gives_one_value_per_row() -> None:
    critic = Critic(3, 2, [8, 8], generator())
    assert critic(torch.zeros(5, 3), torch.zeros(5, 2)).shape == (5,)


def test_weights_come_from_the_generator_and_from_nothing_else() -> None:
    before = torch.random.get_rng_state()
    first, second, other = (Actor(5, 2, [8], generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.layers[0].weight, second.layers[0].weight)
    assert not torch.equal(first.layers[0].weight, other.layers[0].weight)


@pytest.mark.parametrize('inputs', [4, 100])
def test_initial_weights_fill_the_range_that_the_inputs_call_for(inputs: int) -> None:
    weight = Critic(inputs - 2, 2, [2000], generator()).layers[0].weight
    bound = inputs**-0.5
    assert 0.99 * bound < weight.abs().max() <= bound
