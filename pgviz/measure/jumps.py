"""Single returns jump as θ moves; their average does not: the same dice at every θ.

θ is the logit of one action, moved alike in all states, with the other logits at 0.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pgviz.exact.landscape import knob, landscape
from pgviz.proofs.ascent import capped
from pgviz.sampled.common_random_numbers import returns_with_common_random_numbers
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

MOST_STEPS = 200  # an episode is cut there


def policies(world: TabularMDP, action: int, thetas: Sequence[float]) -> Floats:
    """π at every θ, [P, S, A]."""
    return landscape(world, _points(world, action, thetas)).policy


def objectives(world: TabularMDP, action: int, thetas: Sequence[float]) -> Floats:
    """J at every θ, of the world as it is drawn: cut after MOST_STEPS steps."""
    return landscape(capped(world, MOST_STEPS), _points(world, action, thetas)).objective


def averages(
    world: TabularMDP,
    action: int,
    thetas: Sequence[float],
    counts: Sequence[int],
    rng_seed: int,
) -> pd.DataFrame:
    """The average return of the first N draws at every θ: at (the position of N), theta, average."""
    returns = returns_with_common_random_numbers(
        world, policies(world, action, thetas), max(counts), rng_seed, MOST_STEPS
    )
    sums = returns.cumsum(axis=1)
    return pd.concat(
        [
            pd.DataFrame({"at": at, "theta": thetas, "average": sums[:, num - 1] / num})
            for at, num in enumerate(counts)
        ],
        ignore_index=True,
    )


def _points(world: TabularMDP, action: int, thetas: Sequence[float]) -> Floats:
    turn = knob(world, action)
    if turn is None:
        raise WorldError("the features of this world leave no policy to turn")
    return turn.thetas(1 / (1 + np.exp(-np.asarray(thetas, float))))
