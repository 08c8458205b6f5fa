from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rl_planner.learning.networks import MLP, fast_matmul

SIZES = (7, 16, 12, 3)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def by_autograd(network: MLP, x: Tensor, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(y, gradient in x, gradient in all parameters) of sum(slope y), by torch itself."""
    x = x.clone().requires_grad_()
    value, parameters = x, []
    for index, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        parameters += [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
        value = functional.linear(value if index == 0 else functional.relu(value), *parameters[-2:])
    of_x, *of_parameters = torch.autograd.grad((slope * value).sum(), [x, *parameters])
    return value.detach(), of_x, torch.cat([each.flatten() for each in of_parameters])


@pytest.mark.parametrize('sizes', [SIZES, (5, 8, 1), (4, 2)])
def test_values_and_gradients_are_those_of_autograd(sizes: tuple[int, ...]) -> None:
    network = MLP(sizes, generator(), 'cpu')
    x = torch.randn(50, sizes[0], generator=generator(1))
    slope = torch.randn(50, sizes[-1], generator=generator(2))
    y, of_x, of_parameters = by_autograd(network, x, slope)
    layers = network.forward(x)
    torch.testing.assert_close(layers[-1], y, rtol=1e-5, atol=1e-5)
    network.backward(layers, slope)
    torch.testing.assert_close(network.parameters.grad, of_parameters, rtol=1e-5, atol=1e-5)
    columns = slice(1, 3)
    found = network.input_slope(network.forward(x), slope, columns)
    torch.testing.assert_close(found, of_x[:, columns], rtol=1e-5, atol=1e-5)


def test_the_gradient_in_the_inputs_leaves_that_in_the_parameters_alone() -> None:
    network = MLP(SIZES, generator(), 'cpu')
    x, slope = torch.ones(4, 7), torch.ones(4, 3)
    network.backward(network.forward(x), slope)
    before = network.parameters.grad
    assert before is not None
    before = before.clone()
    network.input_slope(network.forward(x), 5.0 * slope, slice(0, 7))
    assert torch.equal(network.parameters.grad, before)


def test_batches_of_different_sizes_do_not_disturb_each_other() -> None:
    network = MLP(SIZES, generator(), 'cpu')
    x = torch.randn(9, 7, generator=generator(1))
    whole = network(x)
    parts = [network(x[:4]).clone(), network(x[4:]).clone()]
    torch.testing.assert_close(torch.cat(parts), whole)


def test_layers_are_views_of_the_one_tensor() -> None:
    network = MLP(SIZES, generator(), 'cpu')
    network.parameters.copy_(torch.arange(len(network.parameters)))
    assert [weight.shape for weight in network.weights] == [(16, 7), (12, 16), (3, 12)]
    numbers = zip(network.weights, network.biases, strict=True)
    flat = torch.cat([part.flatten() for layer in numbers for part in layer])
    assert torch.equal(flat, torch.arange(7.0 * 16 + 16 + 16 * 12 + 12 + 12 * 3 + 3))


def test_a_copy_is_equal_and_apart() -> None:
    network = MLP(SIZES, generator(), 'cpu')
    copy = network.copy()
    assert torch.equal(copy.parameters, network.parameters)
    network.weights[0][0, 0] = 9.0
    assert copy.weights[0][0, 0] != 9.0


def test_following_is_polyak_averaging() -> None:
    slow, fast = (MLP(SIZES, generator(seed), 'cpu') for seed in (0, 1))
    expected = 0.25 * fast.parameters + 0.75 * slow.parameters
    slow.follow(fast, 0.25)
    torch.testing.assert_close(slow.parameters, expected)


def test_weights_come_from_the_generator_and_from_nothing_else() -> None:
    before = torch.random.get_rng_state()
    first, second, other = (MLP(SIZES, generator(seed), 'cpu') for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.parameters, second.parameters)
    assert not torch.equal(first.parameters, other.parameters)


@pytest.mark.parametrize('inputs', [4, 100])
def test_initial_weights_fill_the_range_that_the_inputs_call_for(inputs: int) -> None:
    network = MLP([inputs, 2000, 1], generator(), 'cpu')
    bound = inputs**-0.5
    assert 0.99 * bound < network.weights[0].abs().max() <= bound
    assert 0.9 * bound < network.biases[0].abs().max() <= bound


def test_fast_products_are_nearly_exact_and_the_setting_ends_with_the_block() -> None:
    matmul = torch.backends.mkldnn.matmul
    before = matmul.fp32_precision
    a, b = torch.randn((2, 128, 128), generator=generator())
    exact = a.double() @ b.double()
    with fast_matmul():
        fast = a @ b
    assert matmul.fp32_precision == before
    # products of 128 pairs of normal numbers, of 8 bits each at worst
    torch.testing.assert_close(fast.double(), exact, rtol=0.0, atol=0.3)
