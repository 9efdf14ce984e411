"""Runs compared on common seeds: environment steps until solved, and differences seed by seed.

Axes: S seeds.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.measure.ensembles import bootstrap_band, interquartile_mean
from pgviz.runs.recording import Recording

Floats = NDArray[np.float64]


def steps_to_solved(recording: Recording) -> Floats:
    """Environment steps at the update in which each seed solved the world, [S]; NaN if it has not."""
    metrics = recording.metrics()
    solved, steps = metrics["solved"], metrics["env_steps"]
    if not len(solved):
        return np.full(recording.num_seeds, np.nan)
    first = solved.argmax(axis=0)
    when = np.take_along_axis(steps, first[None], axis=0)[0]
    return np.where(solved[-1] > 0, when, np.nan)


def within(steps: Floats, budget: float) -> Floats:
    """Steps until solved or until the budget was spent, whichever came first."""
    return np.where(np.isnan(steps), budget, np.minimum(steps, budget))


def interval(x: Floats) -> tuple[float, float, float]:
    """IQM over seeds [S] and its 95 % bootstrap interval."""
    return _interval(tuple(x.tolist()))


@lru_cache(200)  # steps of the site draw the same runs again and again
def _interval(x: tuple[float, ...]) -> tuple[float, float, float]:
    low, high = bootstrap_band(np.array(x)[None])
    return float(interquartile_mean(np.array(x))), float(low[0]), float(high[0])


def paired_difference(a: Floats, b: Floats) -> tuple[float, float, float]:
    """Mean of a − b over common seeds and its 95 % bootstrap interval."""
    return _difference(tuple((a - b).tolist()))


@lru_cache(200)
def _difference(of_seeds: tuple[float, ...]) -> tuple[float, float, float]:
    gaps = np.array(of_seeds)
    rng = np.random.default_rng(0)
    means = rng.choice(gaps, (4000, len(gaps))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(gaps.mean()), float(low), float(high)


def curve(metrics: Mapping[str, Floats], num_points: int = 80) -> pd.DataFrame:
    """IQM over seeds of the mean return of the last 100 training episodes, against steps per seed.

    env_steps, trailing_return. Seeds are read at common numbers of steps; one that has stopped
    because it solved the world stays where it stopped.
    """
    steps, returns = metrics["env_steps"], metrics["trailing_return"]
    if not len(steps):
        return pd.DataFrame({"env_steps": pd.Series(dtype=float), "trailing_return": 0.0})
    grid = np.linspace(float(steps[0].max()), float(steps[-1].max()), num_points)
    returns = from_the_first(returns)
    read = np.stack(
        [np.interp(grid, x, y) for x, y in zip(steps.T, returns.T, strict=True)], axis=1
    )
    return pd.DataFrame({"env_steps": grid, "trailing_return": interquartile_mean(read, axis=1)})


def from_the_first(returns: Floats) -> Floats:
    """Returns [U, S] with the first known one of each seed where no episode has ended yet; else 0."""
    first = np.argmax(np.isfinite(returns), axis=0)
    known = np.nan_to_num(np.take_along_axis(returns, first[None], axis=0))
    return np.where(np.isnan(returns), known, returns)


def seed_curves(metrics: Mapping[str, Floats], num_points: int = 30) -> pd.DataFrame:
    """The same for every seed: seed, env_steps, trailing_return."""
    steps, returns = metrics["env_steps"], from_the_first(metrics["trailing_return"])
    stride = max(1, -(-len(steps) // num_points))
    kept = np.unique(np.append(np.arange(0, len(steps), stride), max(len(steps) - 1, 0)))
    kept = kept[kept < len(steps)]
    update, seed = np.meshgrid(kept, np.arange(steps.shape[1]), indexing="ij")
    return pd.DataFrame(
        {
            "seed": seed.ravel(),
            "env_steps": steps[kept].ravel()[: update.size],
            "trailing_return": returns[kept].ravel()[: update.size],
        }
    )


def summary(names: Sequence, found: Sequence[Floats], budget: float) -> pd.DataFrame:
    """name, steps (IQM), low, high, solved, seeds: one row for each run that has ended."""
    rows = []
    for name, steps in zip(names, found, strict=True):
        middle, low, high = interval(within(steps, budget))
        rows.append(
            {
                "name": name,
                "steps": middle,
                "low": low,
                "high": high,
                "solved": int((~np.isnan(steps)).sum()),
                "seeds": len(steps),
            }
        )
    return pd.DataFrame(rows)
