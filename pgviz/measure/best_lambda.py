"""Where the error of ĝ is least along λ, in every named world and for every wrong critic."""

from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.exact.n_steps import n_steps
from pgviz.exact.trust import LAMBDAS, Tradeoff, tradeoff
from pgviz.in_memory import in_memory
from pgviz.measure.trust import ERRORS, MANY
from pgviz.worlds.named import named_worlds

MAP_ERRORS = tuple(round(0.1 * k, 1) for k in range(11))
MAP_LAMBDAS = slice(None, None, 4)  # of the hundredths: enough for a map


@lru_cache(16)
def of_world(name: str, shape: str) -> Tradeoff:
    """Bias and variance of every hundredth of λ; of every second one where there is no horizon."""
    world = named_worlds[name]()
    if world.horizon is not None:
        return n_steps(world, shape).mixed()
    return tradeoff(world, shape, LAMBDAS[::2])


@in_memory
def by_episodes(name: str, shape: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The best λ against N: for every ε (at: its place in ERRORS), and for the exact V."""
    found = of_world(name, shape)

    def along(error: float) -> pd.DataFrame:
        best = [found.best_lambda(error, n) for n in MANY]
        return pd.DataFrame({"num_episodes": MANY, "gae_lambda": best})

    return pd.concat([along(e).assign(at=at) for at, e in enumerate(ERRORS)]), along(0.0)


@in_memory
def error_map(name: str, shape: str, numbers: tuple[int, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """cells (at: the place of N, gae_lambda, error, times the least error), best (at, …)."""
    found = of_world(name, shape)
    shown = np.isclose(found.lambdas[:, None], LAMBDAS[MAP_LAMBDAS][None]).any(axis=1)
    cells, best = [], []
    for at, num in enumerate(numbers):
        for error in MAP_ERRORS:
            size = found.mean_squared_error(error, num)
            times = np.minimum(size[shown] / size.min(), 1e6)
            place = {"at": at, "error": error}
            cells.append(
                pd.DataFrame({**place, "gae_lambda": found.lambdas[shown], "times": times})
            )
            best.append({**place, "gae_lambda": found.best_lambda(error, num)})
    return pd.concat(cells, ignore_index=True), pd.DataFrame(best)
