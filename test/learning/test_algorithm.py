from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from torch.nn import functional

from rl_planner.learning.algorithm import Algorithm
from rl_planner.learning.config import LearningConfig
from rl_planner.learning.learner import ALGORITHMS, Learner
from rl_planner.learning.replay import Batch
from rl_planner.navigation.policy import Policy, PolicyMetadata

OBS_SIZE = 19  # of the fixture `metadata`


@pytest.fixture(params=ALGORITHMS)
def make(request: pytest.FixtureRequest) -> Callable[..., Algorithm]:
    def make(seed: int = 0, device: str = 'cpu', **values: Any) -> Algorithm:
        config = LearningConfig(algorithm=request.param, **{'hidden_size': 16, **values})
        return ALGORITHMS[request.param](OBS_SIZE, config, device, seed)

    return make


def batches(count: int, seed: int = 0) -> list[Batch]:
    """The same random batches for every caller."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*size: int) -> torch.Tensor:
        return torch.randn(32, *size, generator=generator)

    return [
        Batch(draw(OBS_SIZE), draw(2).tanh(), draw(), draw().sigmoid(), draw(OBS_SIZE))
        for _ in range(count)
    ]


def learn(algorithm: Algorithm, given: list[Batch]) -> Algorithm:
    for batch in given:
        algorithm.update(batch)
    return algorithm


def assert_equal_states(one: Algorithm, other: Algorithm) -> None:
    mine, yours = one.state(), other.state()
    assert torch.equal(mine['generator'], yours['generator'])
    assert mine['parts'].keys() == yours['parts'].keys()
    for part, tensors in mine['parts'].items():
        for name, tensor in tensors.items():
            assert torch.equal(tensor, yours['parts'][part][name]), (part, name)


def spread_out(algorithm: Algorithm) -> Algorithm:
    """With actions over all of tanh, as training makes them."""
    for last in (algorithm.actor.weights[-1], algorithm.actor.biases[-1]):
        last.mul_(1000.0)
    return algorithm


def test_a_seed_decides_every_bit(make: Callable[..., Algorithm]) -> None:
    given = batches(7)
    assert_equal_states(learn(make(), given), learn(make(), given))
    first, other = make(0), make(1)
    assert not torch.equal(first.actor.parameters, other.actor.parameters)


def test_a_restored_algorithm_goes_on_bit_for_bit(make: Callable[..., Algorithm]) -> None:
    given = batches(10)
    whole = learn(make(), given)
    first = learn(make(), given[:5])
    state = first.state()
    learn(first, given)  # the state is a copy, and knows nothing of this
    second = make(seed=1)
    second.restore(state)
    assert_equal_states(learn(second, given[5:]), whole)


def test_an_update_stays_on_its_device_and_waits_for_nothing(
    make: Callable[..., Algorithm],
) -> None:
    # tensors on `meta` have no numbers: to look at one, or to bring in one of the CPU, is an error
    given = [Batch(*(tensor.to('meta') for tensor in batch)) for batch in batches(2)]
    metrics = [make(device='meta').update(batch) for batch in given]
    assert {value.device.type for row in metrics for value in row.values()} == {'meta'}


def test_every_part_learns(make: Callable[..., Algorithm]) -> None:
    algorithm = make()
    before = algorithm.state()['parts']
    learn(algorithm, batches(3))
    for part, tensors in algorithm.tensors().items():
        for name, tensor in tensors.items():
            assert torch.isfinite(tensor).all()
            assert not torch.equal(tensor, before[part][name]), (part, name)


def test_the_first_actions_are_near_zero(make: Callable[..., Algorithm]) -> None:
    obs = torch.rand((100, OBS_SIZE), generator=torch.Generator().manual_seed(1))
    actions = make(hidden_size=128).act(obs)
    assert actions.shape == (100, 2)
    assert actions.abs().max() < 0.01


def test_numpy_and_torch_agree_on_every_action(
    make: Callable[..., Algorithm], metadata: PolicyMetadata
) -> None:
    algorithm = spread_out(make(hidden_size=128))
    policy = Policy(algorithm.actor_tensors(), metadata)
    obs = np.random.default_rng(0).uniform(-1.0, 1.0, (500, OBS_SIZE)).astype(np.float32)
    expected = algorithm.act(torch.from_numpy(obs)).numpy()
    assert expected.std() > 0.2
    np.testing.assert_allclose(policy.act(obs), expected, atol=1e-5)


def test_learning_rates_are_scaled_together(make: Callable[..., Algorithm]) -> None:
    still, moved = make(), make()
    still.set_learning_rate_share(0.0)
    moved.set_learning_rate_share(1.0)
    before = still.state()['parts']['actor']['parameters']
    for algorithm in (still, moved):
        learn(algorithm, batches(2))  # TD3 moves its actor at the second
    assert torch.equal(still.actor.parameters, before)
    assert not torch.equal(moved.actor.parameters, before)


def test_the_safetensors_package_reads_a_policy(make_learner: Callable[..., Learner]) -> None:
    learner = make_learner()
    tensors = safetensors.numpy.load(learner.policy().to_bytes())
    own = learner.algorithm.actor_tensors()
    assert sorted(tensors) == [
        f'actor.{layer}.{kind}' for layer in range(3) for kind in ('bias', 'weight')
    ]
    for name, tensor in own.items():
        np.testing.assert_array_equal(tensors[name], tensor)


def test_an_anchor_adds_the_slope_of_the_distance_from_it(
    make: Callable[..., Algorithm], metadata: PolicyMetadata
) -> None:
    policy = Policy(spread_out(make(seed=5)).actor_tensors(), metadata)
    obs = batches(1)[0].obs
    found = []
    for weight in (0.7, 0.0):
        algorithm = make(anchor_weight=weight)
        algorithm.begin_with(policy)
        algorithm.actor.parameters.mul_(1.05)
        parameters = algorithm.actor.parameters.clone()
        algorithm._improve_actor(obs)  # type: ignore[attr-defined]
        assert algorithm.actor.parameters.grad is not None
        found.append(algorithm.actor.parameters.grad.clone())
    twin = algorithm.actor.copy()
    twin.parameters.copy_(parameters).requires_grad_()
    weights, biases = twin._views(twin.parameters)
    x = obs
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        x = functional.linear(x if index == 0 else x.relu(), weight, bias)
    anchored = torch.from_numpy(policy.act(obs.numpy()))
    loss = 0.7 * (torch.tanh(x[:, :2]) - anchored).square().sum(dim=1).mean()
    (expected,) = torch.autograd.grad(loss, twin.parameters)
    assert expected.abs().max() > 1e-2
    torch.testing.assert_close(found[0] - found[1], expected, rtol=1e-3, atol=1e-6)


def test_an_anchor_is_kept_with_the_state(
    make: Callable[..., Algorithm], metadata: PolicyMetadata
) -> None:
    policy = Policy(spread_out(make(seed=5)).actor_tensors(), metadata)
    given = batches(8)
    first, second = make(), make(seed=1)
    first.begin_with(policy)
    learn(first, given[:4])
    second.restore(first.state())
    assert_equal_states(learn(second, given[4:]), learn(first, given[4:]))
    assert second.anchor is not None
    kept = Policy(policy_tensors(second), metadata)
    np.testing.assert_array_equal(kept.act(given[0].obs.numpy()), policy.act(given[0].obs.numpy()))
    plain = make()
    second.restore(plain.state())  # of a training that began from nothing
    assert second.anchor is None


def policy_tensors(algorithm: Algorithm) -> dict[str, Any]:
    """The anchor's weights, by the names of a policy file."""
    assert algorithm.anchor is not None
    algorithm.actor.parameters.copy_(algorithm.anchor.parameters)
    return algorithm.actor_tensors()
