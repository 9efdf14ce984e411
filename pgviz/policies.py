"""Policies of many seeds as ONE array theta[S, P]: row k is everything that seed k has learned.

The layers are views of theta, so a rollout (numpy) and an update (torch) read the same memory and
nothing is ever copied between them. No operation mixes rows: seeds cannot influence each other.

Axes: S seeds, P parameters of one seed, D observation features, H hidden units; … stands for
the rows of one seed (parallel environments, or time steps).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array32 = NDArray[np.float32]

# CartPole's observations divided by the size they have when an episode is about to end.
CARTPOLE_OBS_SCALE = (1 / 2.4, 1 / 2, 1 / 0.2095, 1 / 2)


@dataclass(frozen=True)
class MLP:
    """A network of one hidden tanh layer and one output, for all seeds at once.

    f(o) = w₂ᵀ tanh(W₁ᵀ (c ∘ o) + b₁) + b₂,   c = obs_scale

    As a policy its output is the logit of "right": π(right|o) = σ(f(o)), the softmax of (0, f(o)).
    """

    obs_scale: tuple[float, ...] = CARTPOLE_OBS_SCALE
    hidden: int = 32

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of W₁, b₁, w₂, b₂, in the order in which they lie in a row of theta."""
        return (len(self.obs_scale), self.hidden), (1, self.hidden), (self.hidden, 1), (1, 1)

    @property
    def num_parameters(self) -> int:
        """P, the length of a row of theta."""
        return sum(prod(shape) for shape in self.shapes)

    def initial_theta(self, streams: Sequence[np.random.Generator], last_scale: float) -> Array32:
        """Orthogonal layers, zero biases, the last layer × last_scale; seed k from stream k: [S, P]."""
        theta = np.zeros((len(streams), self.num_parameters), np.float32)
        first, _, last, _ = self.layers(theta)
        for k, stream in enumerate(streams):
            first[k] = orthogonal(stream, *self.shapes[0])
            last[k] = orthogonal(stream, *self.shapes[2]) * last_scale
        return theta

    def layers(self, theta: Any) -> list[Any]:
        """Views of theta [S, P] (numpy or torch) as W₁ [S,D,H], b₁ [S,1,H], w₂ [S,H,1], b₂ [S,1,1]."""
        views, start = [], 0
        for shape in self.shapes:
            stop = start + prod(shape)
            views.append(theta[:, start:stop].reshape(-1, *shape))
            start = stop
        return views

    def forward(self, layers: list[Array32], obs: Array32) -> Array32:
        """f(o) in numpy, for rollouts: obs [S, …, D] to outputs [S, …]."""
        first, first_bias, last, last_bias = layers
        hidden = np.matmul(obs * np.array(self.obs_scale, np.float32), first)
        hidden += first_bias
        np.tanh(hidden, out=hidden)
        return (np.matmul(hidden, last) + last_bias)[..., 0]

    def __call__(self, theta: Tensor, obs: Tensor) -> Tensor:
        """f(o) in torch, for updates: theta [S, P], obs [S, rows, D] to outputs [S, rows]."""
        first, first_bias, last, last_bias = self.layers(theta)
        hidden = tanh(torch.baddbmm(first_bias, obs * torch.tensor(self.obs_scale), first))
        return torch.baddbmm(last_bias, hidden, last)[..., 0]


def log_prob(logits: Tensor, actions: Tensor) -> Tensor:
    """log π(a|s) of the actions taken (1 = right, 0 = left).

    log π(right|s) = log σ(f),   log π(left|s) = log σ(−f)
    """
    return torch.nn.functional.logsigmoid((2 * actions - 1) * logits)


def entropy(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """The entropy of π(·|s) in nats, from 0 (certain) to log 2 ≈ .693 (a coin).

    H = −Σ_a π log π = log(1 + e^{−|f|}) + |f| σ(−|f|)
    """
    size = np.abs(logits)
    decay = np.exp(-size)
    return np.log1p(decay) + size * decay / (1 + decay)


def probability(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """π(right|s) = σ(f), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def orthogonal(stream: np.random.Generator, rows: int, columns: int) -> NDArray[np.float64]:
    """A random matrix with orthonormal rows or columns, whichever are fewer (Saxe et al., 2014)."""
    tall = stream.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T


class _NumpyTanh(torch.autograd.Function):
    """tanh by numpy, which on a CPU is several times faster than torch's; same derivative 1 − y²."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = torch.from_numpy(np.tanh(x.detach().numpy()))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad_outputs[0] * (1 - y * y)


tanh = _NumpyTanh.apply
