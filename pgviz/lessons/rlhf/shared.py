"""What the steps of this page share: the reference model, and numbers of the toy language."""

from functools import cache, lru_cache

import numpy as np

from pgviz.exact import language
from pgviz.exact.language import Floats
from pgviz.ui.controls import Choice

BETA = Choice("beta", "β", (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0))
GROUP = Choice("group", "Sentences of a group, K", (2, 4, 8, 16, 32))


@cache
def log_ref() -> Floats:
    """log π_ref of every sentence."""
    return language.log_probs(language.reference())


@lru_cache(len(BETA.options))
def best(beta: float) -> tuple[Floats, float]:
    """log π* of every sentence for the reward `counting`, and J*."""
    return language.best_policy(language.counting(), beta, log_ref())


def mean(log_p: Floats, values: Floats) -> float:
    """E[values] under a policy."""
    return float(np.exp(log_p) @ values)
