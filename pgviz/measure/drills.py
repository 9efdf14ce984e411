"""Two arms with fresh numbers: what the workbook asks about baselines, and the answers.

π = softmax(θ₁, θ₂); the update is ĝ = (r − b) ∂ log π(a)/∂θ₁, whose score is 1 − p for arm 1 and −p
for arm 2.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Arms:
    """π(arm 1) = p, what the arms pay, and a number b that is subtracted."""

    p: float
    first: float
    second: float
    b: float

    @property
    def value(self) -> float:
        """V = p r₁ + (1 − p) r₂."""
        return self.p * self.first + (1 - self.p) * self.second

    @property
    def mean(self) -> float:
        """E[ĝ] = p (1 − p) (r₁ − r₂), whatever b is."""
        return self.p * (1 - self.p) * (self.first - self.second)

    def variance(self, b: float) -> float:
        """Var[ĝ] when b is subtracted."""
        terms = (1 - self.p) * (self.first - b), -self.p * (self.second - b)
        square = self.p * terms[0] ** 2 + (1 - self.p) * terms[1] ** 2
        return float(square - self.mean**2)

    @property
    def best(self) -> float:
        """b* = E[s² r] / E[s²] = (1 − p) r₁ + p r₂: the rewards weighted by squared scores."""
        return (1 - self.p) * self.first + self.p * self.second


def arms(number: int) -> Arms:
    """The numbers drawn under this number: p in tenths, never ½; whole rewards, never equal."""
    rng = np.random.default_rng(number)
    p = float(rng.choice([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]))
    first, second = rng.choice(np.arange(-4, 10), 2, replace=False)
    return Arms(p, float(first), float(second), float(rng.integers(1, 9)))


def kept_by_group(size: int) -> float:
    """The share of ∇J that the mean of all K returns leaves, the sample's own among them: (K − 1)/K."""
    return (size - 1) / size


def kept_by_running_mean(rate: float) -> float:
    """The share that a running mean leaves when it is moved by α first and subtracted then: 1 − α."""
    return 1 - rate
