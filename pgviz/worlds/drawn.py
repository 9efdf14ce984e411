"""Small worlds drawn at random, in numbers that can be read: no theorem knows them beforehand."""

from functools import lru_cache

import numpy as np

from pgviz.worlds.tabular import TabularMDP

MOST = 999
HORIZON = 3


@lru_cache(64)
def drawn(number: int) -> TabularMDP:
    """World `number`: two states, two actions, at most three steps, γ = 1.

    Probabilities are tenths, rewards whole numbers from −3 to 5, θ tenths from −1 to 1.
    """
    rng = np.random.default_rng(number)
    transitions = rng.multinomial(10, (0.35, 0.35, 0.3), (2, 2)) / 10
    start = rng.integers(2, 9) / 10
    return TabularMDP(
        name=f"drawn-{number}",
        transitions=transitions,
        rewards=rng.integers(-3, 6, (2, 2)).astype(float),
        start=np.array([start, 1 - start]),
        horizon=HORIZON,
        theta=rng.integers(-10, 11, (2, 2)) / 10,
    )
