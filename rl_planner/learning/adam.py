"""Adam, for one tensor of parameters."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015 (arXiv:1412.6980).

    By torch's own function: the object that torch puts around it takes longer than the step itself.

    Args:
        parameters: (P,) changed in place by each step, along `parameters.grad`.
        learning_rate: at the start.

    Attributes:
        rate: the learning rate that is used.
    """

    def __init__(self, parameters: Tensor, learning_rate: float) -> None:
        self.parameters, self.learning_rate = parameters, learning_rate
        # On a GPU steps may be recorded, and what changes must be a tensor.
        on_gpu = parameters.device.type == 'cuda'
        self.rate = parameters.new_tensor(learning_rate) if on_gpu else learning_rate
        self.mean = torch.zeros_like(parameters)
        self.square = torch.zeros_like(parameters)
        self.steps = torch.zeros((), device=parameters.device)

    def use(self, share: float) -> None:
        """Use this share of the learning rate from now on."""
        rate = share * self.learning_rate
        if isinstance(self.rate, Tensor):
            self.rate.fill_(rate)
        else:
            self.rate = rate

    def step(self) -> None:
        """Descend along `parameters.grad`."""
        assert self.parameters.grad is not None
        adam(
            [self.parameters],
            [self.parameters.grad],
            [self.mean],
            [self.square],
            [],
            [self.steps],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )

    def tensors(self) -> dict[str, Tensor]:
        """What a step depends on besides the gradient and the rate: live, not copies."""
        return {
            'parameters': self.parameters,
            'mean': self.mean,
            'square': self.square,
            'steps': self.steps,
        }
