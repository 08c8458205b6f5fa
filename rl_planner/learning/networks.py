"""Multilayer perceptrons, differentiated by hand.

Of an update by autograd at this size a third is bookkeeping and gradients that nobody asked for.
The chain rule of a perceptron is three lines; written out, an update computes what it needs and no
more. No tensor here requires a gradient of torch's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor

NARROW = 16  # oneDNN is left out for matrices with fewer rows or columns


class MLP:
    """A multilayer perceptron with ReLU between its layers:

        h_0 = x,   h_l = relu(h_(l-1) W_l^T + b_l) for l < L,   y = h_(L-1) W_L^T + b_L

    All parameters lie in one tensor, of which those of a layer are views: an optimiser's step or a
    Polyak average is one operation.

    Args:
        sizes: numbers in x, in each hidden layer, and in y.
        generator: draws the parameters from U(-1/sqrt(inputs), 1/sqrt(inputs)), torch's default.
        device: where to compute. The parameters are drawn on the CPU: the same on every device.

    Attributes:
        parameters: (P,) all weights and biases; `parameters.grad` (P,) is what `backward` writes.
        weights, biases: of each layer, (outputs, inputs) and (outputs,).
    """

    def __init__(
        self, sizes: Sequence[int], generator: torch.Generator, device: torch.device | str
    ) -> None:
        self.sizes = tuple(sizes)
        drawn = []
        for inputs, outputs in itertools.pairwise(sizes):
            bound = 1.0 / math.sqrt(inputs)
            layer = torch.empty(outputs * inputs + outputs)
            drawn.append(layer.uniform_(-bound, bound, generator=generator))
        self.parameters = torch.cat(drawn).to(device)
        self.parameters.grad = torch.zeros_like(self.parameters)
        self.weights, self.biases = self._views(self.parameters)
        self._transposed = [weight.t() for weight in self.weights]
        self._weight_slopes, self._bias_slopes = self._views(self.parameters.grad)
        # By batch size: to ask for new memory each time costs 3 % of an update or more.
        self._buffers: dict[int, tuple[list[Tensor], list[Tensor]]] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """y (B, outputs) for x (B, inputs); the next call may overwrite it."""
        return self.forward(x)[-1]

    def forward(self, x: Tensor) -> list[Tensor]:
        """[h_0, h_1, ..., y] for x (B, inputs), from which gradients are computed.

        They hold until the next call with as many rows.
        """
        outputs, _ = self._buffers_for(len(x))
        layers = [x]
        for weight, bias, out in zip(self._transposed, self.biases, outputs, strict=True):
            if len(layers) > 1:
                layers[-1].relu_()
            layers.append(_product(layers[-1], weight, out).add_(bias))
        return layers

    def backward(self, layers: list[Tensor], slope: Tensor) -> None:
        """Set `parameters.grad` to the gradient of a loss:

            dloss/dW_l = d_l^T h_(l-1),   dloss/db_l = the sum of d_l over the batch

        Args:
            layers: what `forward` returned; used up.
            slope: (B, outputs) the loss's gradient in y.
        """
        for index, d in self._slopes(layers, slope):
            _product(d.t(), layers[index], self._weight_slopes[index])
            torch.sum(d, 0, out=self._bias_slopes[index])

    def input_slope(self, layers: list[Tensor], slope: Tensor, columns: slice) -> Tensor:
        """The loss's gradient in some columns of x, d_1 W_1, and in nothing else. As `backward`."""
        *_, (_, d) = self._slopes(layers, slope)
        return _product(d, self.weights[0][:, columns])

    def copy(self) -> MLP:
        """A network of its own with the same parameters."""
        twin = MLP(self.sizes, torch.Generator(), self.parameters.device)
        twin.parameters.copy_(self.parameters)
        return twin

    def follow(self, other: MLP, tau: float) -> None:
        """Polyak averaging: theta <- tau theta_other + (1 - tau) theta."""
        self.parameters.lerp_(other.parameters, tau)

    def _slopes(self, layers: list[Tensor], slope: Tensor) -> Iterator[tuple[int, Tensor]]:
        """(l - 1, d_l), d_l the loss's gradient in the sums of layer l, from the last to the first:

        d_L = slope,   d_(l-1) = (d_l W_l) * [h_(l-1) > 0]
        """
        _, slopes = self._buffers_for(len(slope))
        d = slope
        for index in range(len(self.weights) - 1, 0, -1):
            yield index, d
            d = _product(d, self.weights[index], slopes[index - 1])
            d.mul_(layers[index].sign_())  # the sign of relu(z) is its derivative
        yield 0, d

    def _buffers_for(self, rows: int) -> tuple[list[Tensor], list[Tensor]]:
        """What `forward` and `_slopes` write to: h_1, ..., y and d_1, ..., d_(L-1)."""
        if rows not in self._buffers:
            outputs = [self.parameters.new_empty(rows, size) for size in self.sizes[1:]]
            self._buffers[rows] = outputs, [torch.empty_like(out) for out in outputs[:-1]]
        return self._buffers[rows]

    def _views(self, flat: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Weights and biases of each layer in a tensor (P,): W_1, b_1, W_2, ..."""
        weights, biases, begin = [], [], 0
        for inputs, outputs in itertools.pairwise(self.sizes):
            middle, end = begin + outputs * inputs, begin + outputs * inputs + outputs
            weights.append(flat[begin:middle].view(outputs, inputs))
            biases.append(flat[middle:end])
            begin = end
        return weights, biases


def _product(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """a b. Narrow matrices are left to torch's default: setting up oneDNN would take longer."""
    if min(a.shape) >= NARROW <= b.shape[1]:
        return torch.mm(a, b, out=out)
    with _precision('ieee'):
        return torch.mm(a, b, out=out)


def fast_matmul() -> AbstractContextManager[None]:
    """Within the block, large matrix products on the CPU go through oneDNN where that is faster.

    By default torch multiplies float32 matrices with MKL, which gets 110 GFLOPS out of a core of an
    AMD EPYC with AVX-512 where oneDNN gets 230. What makes torch turn to oneDNN is the permission
    to multiply in bfloat16. oneDNN makes no use of it on such a CPU: the products are true float32.
    On a CPU with AMX it may (8 bits of each factor, sums in float32); trainings whose factors were
    rounded that way ended as well as others. Without AVX-512, and on CUDA, nothing changes.
    """
    return _precision('bf16')


@contextmanager
def _precision(value: str) -> Iterator[None]:
    """The precision that torch asks of oneDNN within the block; 'ieee' leaves oneDNN out."""
    mkldnn: Any = torch.backends.mkldnn  # its type lacks what its documentation has
    matmul = mkldnn.matmul
    before, matmul.fp32_precision = matmul.fp32_precision, value
    try:
        yield
    finally:
        matmul.fp32_precision = before
