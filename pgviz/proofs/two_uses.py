"""The same critic, subtracted or bootstrapped from: two ends in the corridor, and the error anywhere.

The corridor's rooms look alike, so its critic predicts one number, V̂ = V(s₀) = J. In p = π(right),

    J(p) = (2p − 4) / (p (1 − p)),        ∂J/∂logit = p (1 − p) J′(p).

Bootstrapped from, every δ is −1, but the last one is −1 + 0 − J: only going right from the last
room is rewarded. That room is left once per episode and visited 1/p times, so

    E ĝ = (1/p) · p (1 − p) · (−J) = (4 − 2p) / p > 0:   p always grows.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pgviz.exact.trust import Tradeoff, tradeoff
from pgviz.proofs.ascent import LONGEST_EPISODE, LONGEST_STEP
from pgviz.worlds.named import logit, named_worlds
from pgviz.worlds.tabular import Floats


def corridor_objective(p: float) -> float:
    """J(p), minus the mean number of steps."""
    return (2 * p - 4) / (p * (1 - p))


def subtracting(p: float) -> float:
    """∂J/∂logit of "right": the mean of ĝ when the critic is subtracted, whatever it predicts."""
    slope = (2 * p * (1 - p) - (2 * p - 4) * (1 - 2 * p)) / (p * (1 - p)) ** 2
    return p * (1 - p) * slope


def bootstrapping(p: float) -> float:
    """The same component of the mean of ĝ when the critic J is bootstrapped from."""
    return (4 - 2 * p) / p


@dataclass(frozen=True, eq=False)
class Walk:
    """p and J after every step, the start included."""

    p: Floats
    objective: Floats


def corridor_walk(use: str, start: float, num_steps: int, learning_rate: float) -> Walk:
    """Follow the mean of ĝ of a use, "subtract" or "bootstrap", from p = start.

    A step of one logit is never longer than the ascents of this project allow, and the walk ends
    where an episode would last more than a thousand steps on average.
    """
    direction = {"subtract": subtracting, "bootstrap": bootstrapping}[use]
    gap, p = logit(start), start  # between the two logits: each takes half of a step
    path = [p]
    for _ in range(num_steps):
        moved = learning_rate * direction(p)
        gap += 2 * float(np.clip(moved, -LONGEST_STEP, LONGEST_STEP))
        p = float(1 / (1 + np.exp(-gap)))
        if not 0 < p < 1 or corridor_objective(p) < -LONGEST_EPISODE:
            break
        path.append(p)
    return Walk(np.array(path), np.array([corridor_objective(p) for p in path]))


@lru_cache(16)
def uses(world: str, shape: str) -> Tradeoff:
    """Bias and variance of both uses against the critic's error: [0] bootstrapped from (λ = 0),
    [1] subtracted (λ = 1, in episodes that nothing cuts)."""
    return tradeoff(named_worlds[world](), shape, (0.0, 1.0))
