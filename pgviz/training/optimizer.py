"""Adam for an ensemble: elementwise on [S, P], so no seed's step can touch another's.

torch.optim.Adam computes the same numbers (the tests hold it to that), but its first use imports
torch's compiler, which takes longer than a whole training run.
"""

import numpy as np
from numpy.typing import NDArray

from pgviz.networks import Array32

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """θ ← θ + α m̂ / (√v̂ + ε): gradient ASCENT with running moments of the gradient.

    m ← β₁ m + (1 − β₁) ĝ      v ← β₂ v + (1 − β₂) ĝ²      m̂ = m/(1 − β₁ᵏ)      v̂ = v/(1 − β₂ᵏ)

    Shapes: theta, gradient, m and v [S, P]; α a number or [P]; k counts the steps.
    Source: Kingma & Ba, 2015, arXiv:1412.6980, algorithm 1, with the sign of ascent.
    """

    def __init__(self, shape: tuple[int, int], learning_rate: float | Array32) -> None:
        self.learning_rate = learning_rate
        self.num_steps = 0
        self.m = np.zeros(shape, np.float32)
        self.v = np.zeros(shape, np.float32)

    def ascend(self, theta: Array32, gradient: Array32) -> None:
        """One step up the gradient; theta is changed in place."""
        self.num_steps += 1
        self.m += (1 - BETA_1) * (gradient - self.m)
        self.v += (1 - BETA_2) * (np.square(gradient) - self.v)
        m_hat = self.m / (1 - BETA_1**self.num_steps)
        v_hat = self.v / (1 - BETA_2**self.num_steps)
        theta += self.learning_rate * m_hat / (np.sqrt(v_hat) + EPSILON)

    def keep(self, seeds: NDArray[np.bool_]) -> None:
        """Go on with these seeds only."""
        self.m, self.v = self.m[seeds], self.v[seeds]


class SGD:
    """θ ← θ + α ĝ: plain gradient ascent. Shapes as in Adam."""

    def __init__(self, shape: tuple[int, int], learning_rate: float | Array32) -> None:
        self.learning_rate = learning_rate

    def ascend(self, theta: Array32, gradient: Array32) -> None:
        """One step up the gradient; theta is changed in place."""
        theta += self.learning_rate * gradient

    def keep(self, seeds: NDArray[np.bool_]) -> None:
        """Nothing is remembered of any seed."""


Optimizer = Adam | SGD
optimizers: dict[str, type[Adam] | type[SGD]] = {"adam": Adam, "sgd": SGD}


def clipped(gradient: Array32, max_grad_norm: float) -> tuple[Array32, NDArray[np.float64]]:
    """Each seed's gradient shortened to at most max_grad_norm, and its length before, [S]."""
    norms = np.sqrt(np.square(gradient, dtype=np.float64).sum(axis=1))
    scale = np.minimum(1.0, max_grad_norm / np.maximum(norms, 1e-12))
    return gradient * scale[:, None].astype(np.float32), norms
