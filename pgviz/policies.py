"""Policies: what a network's outputs say about actions. K actions, two of them, or a box.

Each is π(a|s) made of the outputs f(s): drawing actions from noise, log π, its slope, the entropy.
A new kind of policy is one class here. Axes: "…" are whatever outputs stand for, [S, rows] mostly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, log, pi
from typing import ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgviz.worlds.ensemble import Noise

Floats = NDArray[np.floating]
Streams = Sequence[np.random.Generator]


class Policy(Protocol):
    """What training asks of a kind of policy."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the outputs for one observation."""

    @property
    def num_constant(self) -> int:
        """How many of the last outputs do not depend on the observation."""

    def noise(self, streams: Streams, num_envs: int) -> Noise:
        """What actions are drawn with: for every step [S, num_envs, …], seed k's from stream k."""

    def act(self, outputs: Floats, noise: NDArray) -> NDArray:
        """Actions with probabilities π(·|s)."""

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """log π(a|s) of actions, as torch differentiates it."""

    def log_probs(self, outputs: Floats, actions: NDArray) -> Floats:
        """The same in numpy."""

    def slopes(self, outputs: Floats, actions: NDArray) -> Floats:
        """∂ log π(a|s) / ∂f, in the shape of the outputs."""

    def entropy(self, outputs: Floats) -> Floats:
        """H(π(·|s)) in nats."""


@dataclass(frozen=True)
class TwoActions:
    """One output f, the log-odds of action 1: π(1|s) = σ(f), the softmax of (0, f).

    The same policies as a softmax with two logits, with half the outputs and a faster draw.
    """

    output_shape: ClassVar[tuple[int, ...]] = ()
    num_constant: ClassVar[int] = 0

    def noise(self, streams: Streams, num_envs: int) -> Noise:
        """Logistic noise: P(f > log(u / (1 − u))) = P(u < σ(f)) = σ(f) for u uniform in (0, 1)."""
        return Noise(streams, (num_envs,), uniform32, _logistic)

    def act(self, outputs: Floats, noise: NDArray) -> NDArray[np.bool_]:
        """Action 1 where f > noise; actions are bool, which costs an eighth of a whole number."""
        return outputs > noise

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """log σ(f) for action 1, log σ(−f) for action 0."""
        return log_prob(outputs, actions)

    def log_probs(self, outputs: Floats, actions: NDArray) -> Floats:
        """The same in numpy."""
        return log_expit(np.where(actions, outputs, -outputs))

    def slopes(self, outputs: Floats, actions: NDArray) -> Floats:
        """a − σ(f), as ±π(the other action): 1 − σ(f) would be 0 from f = 37 on."""
        sign = 2 * np.asarray(actions, np.float64) - 1
        return sign * np.exp(log_expit(-sign * outputs))

    def entropy(self, outputs: Floats) -> Floats:
        """From 0 (certain) to log 2 ≈ .693 (a coin)."""
        return entropy(outputs)


@dataclass(frozen=True)
class Softmax:
    """K outputs, the logits z: π(a|s) = exp(z_a) / Σ_b exp(z_b)."""

    num_actions: int
    num_constant: ClassVar[int] = 0

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(K,)."""
        return (self.num_actions,)

    def noise(self, streams: Streams, num_envs: int) -> Noise:
        """Gumbel noise g = −log(−log u): argmax_a (z_a + g_a) is a with probability π(a|s)."""
        return Noise(streams, (num_envs, self.num_actions), uniform32, _gumbel)

    def act(self, outputs: Floats, noise: NDArray) -> NDArray[np.intp]:
        """argmax_a (z_a + g_a)."""
        return (outputs + noise).argmax(axis=-1)

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """z_a − log Σ_b exp(z_b)."""
        chosen = torch.log_softmax(outputs, dim=-1).gather(-1, actions.long()[..., None])
        return chosen[..., 0]

    def log_probs(self, outputs: Floats, actions: NDArray) -> Floats:
        """The same in numpy."""
        chosen = np.asarray(actions, np.intp)[..., None]
        return np.take_along_axis(log_softmax(outputs), chosen, axis=-1)[..., 0]

    def slopes(self, outputs: Floats, actions: NDArray) -> Floats:
        """e_a − π(·|s), with Σ_{b≠a} π(b|s) for 1 − π(a|s), which would be 0 from a gap of 37 on."""
        chosen = np.asarray(actions)[..., None] == np.arange(self.num_actions)
        policy = softmax(outputs.astype(np.float64))
        others = (policy * ~chosen).sum(axis=-1, keepdims=True)
        return np.where(chosen, others, -policy)

    def entropy(self, outputs: Floats) -> Floats:
        """−Σ_a π log π, from 0 to log K."""
        log_p = log_softmax(outputs)
        return -(np.exp(log_p) * log_p).sum(axis=-1)


@dataclass(frozen=True)
class Gaussian:
    """A box of D numbers: a_d ~ N(μ_d, σ_d²), outputs (μ, log σ), where log σ is the same in all states.

    The world is given middle + half · a, cut off at the limits of the box. log π is that of a,
    before the cut.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def num_constant(self) -> int:
        """D, the log σ."""
        return len(self.low)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(2 D,)."""
        return (2 * len(self.low),)

    def noise(self, streams: Streams, num_envs: int) -> Noise:
        """Standard normal numbers."""
        return Noise(streams, (num_envs, len(self.low)), normal32)

    def act(self, outputs: Floats, noise: NDArray) -> Floats:
        """μ + σ · noise."""
        mean, log_std = np.split(outputs, 2, axis=-1)
        return mean + np.exp(log_std) * noise

    def in_the_box(self, actions: NDArray) -> Floats:
        """What the world is given, [..., D]."""
        low, high = np.array(self.low), np.array(self.high)
        return np.clip((low + high) / 2 + (high - low) / 2 * actions, low, high)

    def log_prob(self, outputs: Tensor, actions: Tensor) -> Tensor:
        """−Σ_d [½ ((a − μ)/σ)² + log σ + ½ log 2π]."""
        mean, log_std = outputs.chunk(2, dim=-1)
        far = (actions - mean) * torch.exp(-log_std)
        return -(0.5 * far.square() + log_std + 0.5 * log(2 * pi)).sum(dim=-1)

    def log_probs(self, outputs: Floats, actions: NDArray) -> Floats:
        """The same in numpy."""
        mean, log_std = np.split(outputs, 2, axis=-1)
        far = (actions - mean) * np.exp(-log_std)
        return -(0.5 * far**2 + log_std + 0.5 * log(2 * pi)).sum(axis=-1)

    def slopes(self, outputs: Floats, actions: NDArray) -> Floats:
        """((a − μ)/σ², ((a − μ)/σ)² − 1)."""
        mean, log_std = np.split(outputs.astype(np.float64), 2, axis=-1)
        far = (actions - mean) * np.exp(-log_std)
        return np.concatenate([far * np.exp(-log_std), far**2 - 1], axis=-1)

    def entropy(self, outputs: Floats) -> Floats:
        """Σ_d [log σ + ½ log 2πe]: of a density, so it may be negative."""
        log_std = np.split(outputs, 2, axis=-1)[1]
        return (log_std + 0.5 * log(2 * pi * e)).sum(axis=-1)


def log_expit(x: Floats) -> Floats:
    """log σ(x) = −log(1 + e^{−x}), without overflow."""
    return -np.logaddexp(0, -x)


def softmax(logits: Floats) -> Floats:
    """exp(z_a) / Σ_b exp(z_b) along the last axis."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def log_softmax(logits: Floats) -> Floats:
    """z_a − log Σ_b exp(z_b) along the last axis."""
    below = logits - logits.max(axis=-1, keepdims=True)
    return below - np.log(np.exp(below).sum(axis=-1, keepdims=True))


def uniform32(stream: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float32]:
    """Uniform in [0, 1)."""
    return stream.random(size, np.float32)


def normal32(stream: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float32]:
    """Standard normal."""
    return stream.standard_normal(size, np.float32)


def _logistic(uniform: NDArray) -> NDArray:
    with np.errstate(divide="ignore"):  # u = 0, once in 2²⁴ draws, is −∞: action 1 whatever f is
        return np.log(uniform) - np.log1p(-uniform)


def _gumbel(uniform: NDArray) -> NDArray:
    with np.errstate(divide="ignore"):  # u = 0 gives −∞: never that action, as it should be
        return -np.log(-np.log(uniform))


def log_prob(logits: Tensor, actions: Tensor) -> Tensor:
    """log π(a|s) of the actions taken (1 = right, 0 = left).

    log π(right|s) = log σ(f),   log π(left|s) = log σ(−f)
    """
    return torch.nn.functional.logsigmoid((2 * actions - 1) * logits)


def entropy(logits: Floats) -> Floats:
    """The entropy of π(·|s) in nats, from 0 (certain) to log 2 ≈ .693 (a coin).

    H = −Σ_a π log π = log(1 + e^{−|f|}) + |f| σ(−|f|)
    """
    size = np.abs(logits)
    decay = np.exp(-size)
    return np.log1p(decay) + size * decay / (1 + decay)


def probability(logits: Floats) -> Floats:
    """π(right|s) = σ(f), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))
