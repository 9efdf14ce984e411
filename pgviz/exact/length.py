"""Sentences of any length up to six: what dividing each sentence's gradient by its length does.

One knob: after each token the model goes on with probability p = σ(θ), and stops at the sixth.

    P(n) = p^{n−1} (1 − p),  n < 6;   P(6) = p^5

The mean of (r(n)/n) ∇log P(n) is the gradient of E[r/n]: for r = n it is that of a constant, 0.
"""

from collections.abc import Callable

import numpy as np

from pgviz.worlds.tabular import Floats

LONGEST = 6
LENGTHS = np.arange(1, LONGEST + 1)
REWARDS: dict[str, Callable[[], Floats]] = {
    "its length": lambda: LENGTHS.astype(float),
    "1 from three tokens on": lambda: (LENGTHS >= 3).astype(float),
    "1 if it is one token": lambda: (LENGTHS == 1).astype(float),
}


def chances(p: float) -> Floats:
    """P(n), [6]."""
    going = p ** (LENGTHS - 1.0)
    return np.where(LENGTHS < LONGEST, going * (1 - p), going)


def scores(p: float) -> Floats:
    """∂ log P(n) / ∂θ with p = σ(θ), [6]: 1 − p for each token after which it went on, −p for the stop."""
    return (LENGTHS - 1) * (1 - p) - np.where(LENGTHS < LONGEST, p, 0.0)


def slope(p: float, rewards: Floats, divided: bool = False) -> float:
    """E[r ∇log P(n)] = dE[r]/dθ; with `divided` E[(r/n) ∇log P(n)]."""
    paid = rewards / LENGTHS if divided else rewards
    return float((chances(p) * paid) @ scores(p))
