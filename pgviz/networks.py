"""Networks of many seeds as ONE array theta [S, P]: row k is everything that seed k has learned.

The layers are views of theta, so a rollout and an update read the same memory, through the same
forward pass. No operation mixes rows: seeds cannot influence each other.

Axes: S seeds, P parameters of one seed, O numbers of an observation, H hidden units, K outputs;
"rows" are whatever one seed has many of: parallel environments, or time steps. A network whose
output_shape is () says one number for an observation: its outputs are [S, rows], else [S, rows, K].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array32 = NDArray[np.float32]
Layers = list[Array32]


class Network(Protocol):
    """What training asks of a network: a forward pass for rollouts, a differentiable one for losses."""

    @property
    def num_parameters(self) -> int:
        """P, the length of a row of theta."""

    def layers(self, theta: Array32) -> Layers:
        """Views of theta [S, P]."""

    def features(self, obs: Array32) -> Array32:
        """φ(o): observations [..., O] as the first layer takes them."""

    def forward(self, layers: Layers, features: Array32) -> tuple[Array32, Array32]:
        """f(o) [S, rows, …] for features [S, rows, …], and the hidden units [S, rows, H]."""

    def __call__(self, theta: Tensor, obs: Tensor) -> Tensor:
        """f(o) as a node of torch's graph."""


class Layered:
    """Parameters that lie in a row one after the other, in the shapes of the layers."""

    shapes: tuple[tuple[int, ...], ...]

    @cached_property
    def num_parameters(self) -> int:
        """P, the length of a row of theta."""
        return sum(prod(shape) for shape in self.shapes)

    def layers(self, theta: Array32) -> Layers:
        """Views of theta [S, P], one for each of `shapes`: [S, *shape]."""
        if theta.shape[1] != self.num_parameters:
            raise ValueError(f"expected {self.num_parameters} parameters, got {theta.shape[1]}")
        views, start = [], 0
        for shape in self.shapes:
            stop = start + prod(shape)
            views.append(theta[:, start:stop].reshape(-1, *shape))
            start = stop
        return views

    def __call__(self, theta: Tensor, obs: Tensor) -> Tensor:
        """f(o) as a node of torch's graph: theta [S, P], obs [S, rows, O] to outputs [S, rows, …]."""
        return _Forward.apply(self, theta, obs)


@dataclass(frozen=True)
class MLP(Layered):
    """A network of one hidden tanh layer, for all seeds at once.

    f(o) = k ∘ (W₂ᵀ tanh(W₁ᵀ φ(o)) + b₂),   φ(o) = (c ∘ o, 1),   c = obs_scale,   k = output_scale

    The last row of W₁ is the bias of the hidden units. The last `num_constant` outputs are entries
    of b₂ alone: they are learned, and do not depend on the observation.
    """

    obs_scale: tuple[float, ...]
    hidden: int = 32
    output_shape: tuple[int, ...] = ()
    output_scale: float | tuple[float, ...] = 1.0
    num_constant: int = 0

    @cached_property
    def num_outputs(self) -> int:
        """K."""
        return prod(self.output_shape)

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:  # type: ignore[override]
        """The shapes of W₁, W₂, b₂, in the order in which they lie in a row of theta."""
        seen = self.num_outputs - self.num_constant
        return (len(self.obs_scale) + 1, self.hidden), (self.hidden, seen), (1, self.num_outputs)

    @cached_property
    def scale(self) -> Array32:
        """k, one number or one for each output."""
        return np.asarray(self.output_scale, np.float32)

    def initial_theta(
        self, streams: Sequence[np.random.Generator], last_scale: float | Sequence[float]
    ) -> Array32:
        """Orthogonal layers, zero biases, W₂ × last_scale; seed k from stream k: [S, P]."""
        theta = np.zeros((len(streams), self.num_parameters), np.float32)
        first, last, _ = self.layers(theta)
        for k, stream in enumerate(streams):
            first[k, :-1] = orthogonal(stream, len(self.obs_scale), self.hidden)
            last[k] = orthogonal(stream, *self.shapes[1]) * np.asarray(last_scale)
        return theta

    def features(self, obs: Array32) -> Array32:
        """φ(o) = (c ∘ o, 1): observations [..., O] to features [..., O+1]."""
        features = np.empty((*obs.shape[:-1], obs.shape[-1] + 1), np.float32)
        features[..., -1] = 1
        np.multiply(obs, _in_rows(self.obs_scale, obs.shape[:-1]), out=features[..., :-1])
        return features

    def forward(self, layers: Layers, features: Array32) -> tuple[Array32, Array32]:
        """f(o) [S, rows, …] and the hidden units [S, rows, H] for features [S, rows, O+1].

        numpy's matmul goes matrix by matrix: row k of theta meets rows of seed k alone.
        """
        first, last, last_bias = layers
        hidden = np.matmul(features, first)
        np.tanh(hidden, out=hidden)
        outputs = np.matmul(hidden, last)
        if self.num_constant:
            outputs = np.concatenate(
                [outputs, np.zeros((*outputs.shape[:-1], self.num_constant), np.float32)], axis=-1
            )
        outputs += last_bias
        if self.output_scale != 1:
            outputs *= self.scale
        return (outputs if self.output_shape else outputs[..., 0]), hidden

    def backward(
        self, theta: Array32, features: Array32, hidden: Array32, slopes: Array32
    ) -> Array32:
        """Σ_rows slope · ∇θ f(o), [S, P], from what `forward` met and slopes like its outputs.

        ∂f/∂W₂ = k h,   ∂f/∂b₂ = k,   ∂f/∂W₁ = k φ(o) (W₂ ∘ (1 − h²))ᵀ
        """
        outer = slopes if self.output_shape else slopes[..., None]
        if self.output_scale != 1:
            outer = outer * self.scale
        gradient = np.empty(theta.shape, np.float32)
        first, last, last_bias = self.layers(gradient)
        last_bias[:, 0] = outer.swapaxes(1, 2).sum(axis=2)
        outer = outer[..., : last.shape[-1]]
        back = self.layers(theta)[1].swapaxes(1, 2)
        inner = torch.ops.aten.tanh_backward(
            # With one output the product is elementwise, and faster so.
            torch.from_numpy(outer * back if outer.shape[-1] == 1 else np.matmul(outer, back)),
            torch.from_numpy(hidden),
        )
        first[:] = np.matmul(features.swapaxes(1, 2), inner.numpy())
        last[:] = np.matmul(hidden.swapaxes(1, 2), outer)
        return gradient

    def slope_norms(self, theta: Array32, obs: Array32, slopes: NDArray) -> NDArray[np.float64]:
        """‖∇θ Σ_k u_k f_k(o)‖ for rows of ONE seed: theta [P], obs [rows, O], slopes u like f, k = 1.

        ‖·‖² = ‖u‖² (‖h‖² + 1) + ‖φ‖² ‖(W₂ u) ∘ (1 − h²)‖²   without constant outputs
        """
        layers = self.layers(theta[None])
        features = self.features(obs[None])
        hidden = self.forward(layers, features)[1][0].astype(np.float64)
        outer = slopes if self.output_shape else slopes[..., None]
        seen = outer[..., : layers[1].shape[-1]]
        inner = (seen @ layers[1][0].T.astype(np.float64)) * (1 - hidden**2)
        of_last = np.square(seen).sum(axis=-1) * np.square(hidden).sum(axis=-1)
        of_first = np.square(features[0], dtype=np.float64).sum(axis=-1) * np.square(inner).sum(-1)
        return np.sqrt(of_last + np.square(outer).sum(axis=-1) + of_first)


@dataclass(frozen=True)
class Linear(Layered):
    """f(o) = Wᵀ φ(o) with φ(o) = o: a table where observations are one-hot. No hidden layer, no bias."""

    num_features: int
    output_shape: tuple[int, ...] = ()
    output_scale: float = 1.0

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:  # type: ignore[override]
        """The shape of W."""
        return ((self.num_features, prod(self.output_shape)),)

    def features(self, obs: Array32) -> Array32:
        """φ(o) = o."""
        return obs

    def forward(self, layers: Layers, features: Array32) -> tuple[Array32, Array32]:
        """f(o) [S, rows, …] for features [S, rows, F]; the hidden units are none, [S, rows, 0]."""
        outputs = np.matmul(features, layers[0])
        if self.output_scale != 1:
            outputs *= np.float32(self.output_scale)
        return (outputs if self.output_shape else outputs[..., 0]), features[..., :0]

    def backward(
        self, theta: Array32, features: Array32, hidden: Array32, slopes: Array32
    ) -> Array32:
        """Σ_rows slope · ∇θ f(o) = k Σ_rows φ(o) slopeᵀ, [S, P]."""
        outer = slopes if self.output_shape else slopes[..., None]
        gradient = np.matmul(features.swapaxes(1, 2), outer) * np.float32(self.output_scale)
        return gradient.reshape(theta.shape)

    def slope_norms(self, theta: Array32, obs: Array32, slopes: NDArray) -> NDArray[np.float64]:
        """‖∇θ Σ_k u_k f_k(o)‖ = ‖φ(o)‖ ‖u‖ for rows of one seed: obs [rows, F], slopes [rows, …]."""
        outer = slopes if self.output_shape else slopes[..., None]
        return np.linalg.norm(obs, axis=-1) * np.linalg.norm(outer, axis=-1)


@dataclass(frozen=True)
class Head:
    """Some outputs of a network that has others too: two heads on one network share its hidden layer."""

    network: MLP
    which: int | slice

    @property
    def num_parameters(self) -> int:
        """P of the whole network."""
        return self.network.num_parameters

    def layers(self, theta: Array32) -> Layers:
        """The layers of the whole network."""
        return self.network.layers(theta)

    def features(self, obs: Array32) -> Array32:
        """φ(o)."""
        return self.network.features(obs)

    def forward(self, layers: Layers, features: Array32) -> tuple[Array32, Array32]:
        """These outputs [S, rows, …] and the hidden units."""
        outputs, hidden = self.network.forward(layers, features)
        return np.ascontiguousarray(outputs[..., self.which]), hidden

    def __call__(self, theta: Tensor, obs: Tensor) -> Tensor:
        """These outputs as a node of torch's graph."""
        return self.network(theta, obs)[..., self.which]


@lru_cache(32)
def _in_rows(scale: tuple[float, ...], rows: tuple[int, ...]) -> Array32:
    """The scale once for every row: numpy multiplies arrays of one shape twice as fast."""
    return np.tile(np.array(scale, np.float32), (*rows, 1))


class _Forward(torch.autograd.Function):
    """The forward pass of the rollouts, given a derivative: several times faster than torch's own
    batched products at these sizes, and equal bit for bit whatever the number of seeds."""

    @staticmethod
    def forward(ctx: Any, network: MLP | Linear, theta: Tensor, obs: Tensor) -> Tensor:
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


def orthogonal(stream: np.random.Generator, rows: int, columns: int) -> NDArray[np.float64]:
    """A random matrix with orthonormal rows or columns, whichever are fewer (Saxe et al., 2014)."""
    tall = stream.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T
