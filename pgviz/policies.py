"""Policies of many seeds as ONE array theta[S, P]: row k is everything that seed k has learned.

The layers are views of theta, so a rollout and an update read the same memory, through the same
forward pass. No operation mixes rows: seeds cannot influence each other.

Axes: S seeds, P parameters of one seed, D observations, H hidden units; "rows" are whatever
one seed has many of: parallel environments, or time steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

Array32 = NDArray[np.float32]

# CartPole's observations divided by the size they have when an episode is about to end.
CARTPOLE_OBS_SCALE = (1 / 2.4, 1 / 2, 1 / 0.2095, 1 / 2)


@dataclass(frozen=True)
class MLP:
    """A network of one hidden tanh layer and one output, for all seeds at once.

    f(o) = k (w₂ᵀ tanh(W₁ᵀ φ(o)) + b₂),   φ(o) = (c ∘ o, 1),   c = obs_scale,   k = output_scale

    As a policy its output is the logit of "right": π(right|o) = σ(f(o)), the softmax of (0, f(o)).
    As a critic it is the value: V̂(o) = f(o). The last row of W₁ is the bias of the hidden units.
    """

    obs_scale: tuple[float, ...] = CARTPOLE_OBS_SCALE
    hidden: int = 32
    output_scale: float = 1.0

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of W₁, w₂, b₂, in the order in which they lie in a row of theta."""
        return (len(self.obs_scale) + 1, self.hidden), (self.hidden, 1), (1, 1)

    @cached_property
    def num_parameters(self) -> int:
        """P, the length of a row of theta."""
        return sum(prod(shape) for shape in self.shapes)

    def initial_theta(self, streams: Sequence[np.random.Generator], last_scale: float) -> Array32:
        """Orthogonal layers, zero biases, w₂ × last_scale; seed k from stream k: [S, P]."""
        theta = np.zeros((len(streams), self.num_parameters), np.float32)
        first, last, _ = self.layers(theta)
        for k, stream in enumerate(streams):
            first[k, :-1] = orthogonal(stream, len(self.obs_scale), self.hidden)
            last[k] = orthogonal(stream, self.hidden, 1) * last_scale
        return theta

    def layers(self, theta: Array32) -> list[Array32]:
        """Views of theta [S, P] as W₁ [S, D+1, H], w₂ [S, H, 1] and b₂ [S, 1, 1]."""
        if theta.shape[1] != self.num_parameters:
            raise ValueError(f"expected {self.num_parameters} parameters, got {theta.shape[1]}")
        views, start = [], 0
        for shape in self.shapes:
            stop = start + prod(shape)
            views.append(theta[:, start:stop].reshape(-1, *shape))
            start = stop
        return views

    def features(self, obs: Array32) -> Array32:
        """φ(o) = (c ∘ o, 1): observations [..., D] to features [..., D+1]."""
        features = np.empty((*obs.shape[:-1], obs.shape[-1] + 1), np.float32)
        features[..., -1] = 1
        features[..., :-1] = obs * _in_rows(self.obs_scale, obs.shape[:-1])
        return features

    def forward(self, layers: list[Array32], features: Array32) -> tuple[Array32, Array32]:
        """f(o) [S, rows] and the hidden units [S, rows, H] for features [S, rows, D+1].

        numpy's matmul goes matrix by matrix: row k of theta meets rows of seed k alone.
        """
        first, last, last_bias = layers
        hidden = np.matmul(features, first)
        np.tanh(hidden, out=hidden)
        outputs = (np.matmul(hidden, last) + last_bias)[..., 0]
        if self.output_scale != 1:
            outputs *= np.float32(self.output_scale)
        return outputs, hidden

    def backward(
        self, theta: Array32, features: Array32, hidden: Array32, slopes: Array32
    ) -> Array32:
        """Σ_rows slope · ∇θ f(o), [S, P], from what `forward` met and slopes [S, rows].

        ∂f/∂w₂ = k h,   ∂f/∂b₂ = k,   ∂f/∂W₁ = k φ(o) (w₂ ∘ (1 − h²))ᵀ
        """
        outer = slopes[..., None]
        if self.output_scale != 1:
            outer = outer * np.float32(self.output_scale)
        gradient = np.empty(theta.shape, np.float32)
        first, last, last_bias = self.layers(gradient)
        inner = torch.ops.aten.tanh_backward(
            torch.from_numpy(outer * self.layers(theta)[1].transpose(0, 2, 1)),
            torch.from_numpy(hidden),
        )
        first[:] = np.matmul(features.transpose(0, 2, 1), inner.numpy())
        last[:] = np.matmul(hidden.transpose(0, 2, 1), outer)
        last_bias[:, 0, 0] = outer[..., 0].sum(axis=1)
        return gradient

    def score_norms(self, theta: Array32, obs: Array32, actions: NDArray) -> NDArray[np.float64]:
        """‖∇θ log π(a|s)‖ for the rows of ONE seed: theta [P], obs [rows, D], actions [rows], k = 1.

        ∇θ log π = (a − σ(f)) ∇θ f,   ‖∇θ f‖² = ‖h‖² + 1 + ‖φ‖² ‖w₂ ∘ (1 − h²)‖²
        """
        layers = self.layers(theta[None])
        features = self.features(obs[None])
        outputs, hidden = self.forward(layers, features)
        inner = layers[1][..., 0][:, None] * (1 - hidden**2)
        squares = [
            np.square(x[0], dtype=np.float64).sum(axis=-1) for x in (hidden, features, inner)
        ]
        # |a − σ(f)| is the probability of the other action: 1 − σ(f) would be 0 from f = 37 on.
        towards = (1 - 2 * np.asarray(actions, np.float64)) * outputs[0].astype(np.float64)
        surprise = expit(towards)
        return surprise * np.sqrt(squares[0] + 1 + squares[1] * squares[2])

    def __call__(self, theta: Tensor, obs: Tensor) -> Tensor:
        """f(o) as a node of torch's graph: theta [S, P], obs [S, rows, D] to outputs [S, rows]."""
        return _Forward.apply(self, theta, obs)


@lru_cache(32)
def _in_rows(scale: tuple[float, ...], rows: tuple[int, ...]) -> Array32:
    """The scale once for every row: numpy multiplies arrays of one shape twice as fast."""
    return np.tile(np.array(scale, np.float32), (*rows, 1))


class _Forward(torch.autograd.Function):
    """The forward pass of the rollouts, given a derivative: several times faster than torch's own
    batched products at these sizes, and equal bit for bit whatever the number of seeds."""

    @staticmethod
    def forward(ctx: Any, network: MLP, theta: Tensor, obs: Tensor) -> Tensor:
        features = network.features(obs.numpy())
        outputs, hidden = network.forward(network.layers(theta.numpy()), features)
        ctx.network = network
        ctx.save_for_backward(theta, torch.from_numpy(features), torch.from_numpy(hidden))
        return torch.from_numpy(outputs)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[None, Tensor, None]:
        theta, features, hidden = (x.numpy() for x in ctx.saved_tensors)
        slopes = grad_outputs[0].numpy()
        return None, torch.from_numpy(ctx.network.backward(theta, features, hidden, slopes)), None


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
