"""Clouds of estimates of one policy: the mean of N episodes, many times, seen in two directions.

Axes: N episodes of a dot, D dots, P parameters.
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.values import gradient
from pgviz.measure.noise import NUM_DOTS, directions
from pgviz.sampled.episodes import paired_estimates
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import Floats

SIZES = (1, 4, 16, 64)
WEIGHTS = {"full return": "full-return", "reward-to-go": "reward-to-go"}


@lru_cache(8)
def dots(name: str, rng_seed: int = 0) -> dict[str, list[Floats]]:
    """For each weight and each N of SIZES the estimates [D, P]: the same episodes for both weights.

    A dot of fewer episodes uses the first of those of a dot of more.
    """
    world = named_worlds[name]()
    described = [GradientEstimator(kind) for kind in WEIGHTS.values()]
    most = SIZES[-1]
    found = paired_estimates(world, described, NUM_DOTS * most, rng_seed)
    result = {}
    for kind, estimates in zip(WEIGHTS, found, strict=True):
        grouped = estimates.reshape(NUM_DOTS, most, -1)
        result[kind] = [grouped[:, :size].mean(axis=1) for size in SIZES]
    return result


def cloud(name: str, weight: str, rng_seed: int = 0) -> pd.DataFrame:
    """Every dot at every N: at (the position of N), along ∇J and across it."""
    along, across, _ = directions(named_worlds[name]())
    return pd.concat(
        [
            pd.DataFrame({"at": at, "along": found @ along, "across": found @ across})
            for at, found in enumerate(dots(name, rng_seed)[weight])
        ],
        ignore_index=True,
    )


def distances(name: str, weight: str, rng_seed: int = 0) -> pd.DataFrame:
    """At each N: the root mean squared distance of the dots from ∇J, and that of their mean."""
    true = gradient(named_worlds[name]()).ravel()
    found = dots(name, rng_seed)[weight]
    return pd.DataFrame(
        {
            "num_episodes": SIZES,
            "one": [float(np.sqrt(((x - true) ** 2).sum(axis=1).mean())) for x in found],
            "mean": [float(np.linalg.norm(x.mean(axis=0) - true)) for x in found],
        }
    )


@lru_cache(16)
def trace(name: str, weight: str) -> float:
    """The exact covariance trace of one episode's estimate."""
    described = GradientEstimator(WEIGHTS[weight])
    return moments(named_worlds[name](), described).covariance_trace
