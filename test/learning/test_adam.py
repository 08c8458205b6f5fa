from __future__ import annotations

import pytest
import torch

from rl_planner.learning.adam import Adam


def test_the_first_step_is_the_learning_rate_against_the_gradients_sign() -> None:
    parameters = torch.tensor([1.0, 2.0, 3.0])
    parameters.grad = torch.tensor([5.0, -0.01, 0.0])
    Adam(parameters, 0.1).step()
    # m / (1 - b1) = g, sqrt(v / (1 - b2)) = |g|
    torch.testing.assert_close(parameters, torch.tensor([0.9, 2.1, 3.0]))


@pytest.mark.parametrize('share', [1.0, 0.25])
def test_steps_are_those_of_the_formula(share: float) -> None:
    generator = torch.Generator().manual_seed(0)
    parameters = torch.randn(50, generator=generator)
    optimizer = Adam(parameters, 0.01)
    optimizer.use(share)
    theta = parameters.double()
    m, v = torch.zeros(50).double(), torch.zeros(50).double()
    for step in range(1, 8):
        parameters.grad = torch.randn(50, generator=generator)
        optimizer.step()
        g = parameters.grad.double()
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        theta -= share * 0.01 * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
    torch.testing.assert_close(parameters.double(), theta, rtol=1e-5, atol=1e-6)
