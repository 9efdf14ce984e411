"""The surrogate loss of a batch on the two arms, and its slope: by formula and by autograd.

    L(θ) = −(1/N) Σ_episodes R log π_θ(a),   π(arm 1) = σ(θ)

A batch is how often each arm was chosen. θ is the log-odds of arm 1.
"""

import numpy as np
from scipy.special import log_expit

from pgviz.worlds.named import two_arms
from pgviz.worlds.tabular import Floats

PRESENT = float(two_arms().theta[0, 0] - two_arms().theta[0, 1])
PAYS = two_arms().rewards[0, :, -1]


def loss(first: int, second: int, theta: Floats) -> Floats:
    """L(θ) of a batch in which arm 1 was chosen `first` times and arm 2 `second` times."""
    log_first, log_second = log_expit(theta), log_expit(-theta)
    return -(first * PAYS[0] * log_first + second * PAYS[1] * log_second) / (first + second)


def estimate(first: int, second: int) -> float:
    """ĝ = (1/N) Σ R ∇log π(a) at the present θ: ∇log π is 1 − π for arm 1 and −π for arm 2."""
    p = 1 / (1 + np.exp(-PRESENT))
    total = first * PAYS[0] * (1 - p) - second * PAYS[1] * p
    return float(total / (first + second))


def by_autograd(first: int, second: int) -> tuple[float, float]:
    """L at the present θ and its derivative, by torch."""
    import torch
    from torch.distributions import Categorical

    theta = torch.tensor(PRESENT, dtype=torch.float64, requires_grad=True)
    actions = torch.tensor([0] * first + [1] * second)
    rewards = torch.tensor(PAYS.tolist(), dtype=torch.float64)[actions]
    pi = Categorical(logits=torch.stack([theta, torch.zeros_like(theta)]))
    loss = -(rewards * pi.log_prob(actions)).mean()
    loss.backward()
    assert theta.grad is not None
    return float(loss.detach()), float(theta.grad)
