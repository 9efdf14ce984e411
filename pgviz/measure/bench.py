"""The estimator bench: every estimator on the SAME episodes of one policy that stands still.

On a finite world the truth is exact; on CartPole it is itself an estimate, from other and more
episodes, and carries its interval. γ = 1 on CartPole, and
nothing is normalised: both would change what is being estimated.

Axes: K estimators, N episodes, P parameters.
"""

import math
from dataclasses import dataclass

from pgviz.sampled.statistics import (
    Estimate,
    GradientStatistics,
    Reference,
    statistics_against,
    too_few_choices,
    trace_ratio,
)
from pgviz.worlds.tabular import Floats

UNBIASED = ("full-return", "reinforce", "constant", "baseline")


@dataclass(frozen=True, eq=False)
class Row:
    """One estimator: what was measured, and its noise beside that of another.

    ratio is tr Cov of this one over tr Cov of reward-to-go, on the same episodes.
    """

    name: str
    measured: GradientStatistics
    ratio: Estimate


def rows_of(
    estimates: dict[str, Floats], reference: Reference, num_choices: float = math.inf
) -> tuple[Row, ...]:
    """Statistics of each estimator's gradients [N, P], all from the same N episodes.

    num_choices: see `statistics.too_few_choices`.
    """
    to_go = estimates["reinforce"]
    doubt = too_few_choices(num_choices, len(to_go))
    return tuple(
        Row(
            name,
            statistics_against(of_one, reference, name in UNBIASED, num_choices),
            trace_ratio(of_one, to_go).doubted(doubt),
        )
        for name, of_one in estimates.items()
    )
