"""A baseline set by hand, one number b(s) per state: what it does to the bias and to the spread.

    tr Cov[ĝ_b] = tr Cov[ĝ_{b*}] + Σ_s d(s) (b(s) − b*(s))²

d(s) is how often the state is visited times E‖∇log π‖² there. So each state has a parabola of its
own, whose lowest point does not move when the other states are changed.

Axes: S states, F features, A actions.
"""

from dataclasses import dataclass

import numpy as np

from pgviz.exact.baselines import best_constant_baseline, normal_equations
from pgviz.exact.direction import episodes_for_cosine
from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.moments import (
    Moments,
    moments,
)
from pgviz.exact.values import gradient, objective, settled
from pgviz.worlds.tabular import Floats, TabularMDP

PLAIN = GradientEstimator("reward-to-go")


@dataclass(frozen=True, eq=False)
class Landmark:
    """A baseline worth knowing: its name, b(s) [S] (nan where it knows the time too), its spread."""

    name: str
    values: Floats
    covariance_trace: float


@dataclass(frozen=True, eq=False)
class Parabolas:
    """The spread as a function of b(s): best [S], steepness d [S] and the lowest trace of all."""

    best: Floats
    steepness: Floats
    lowest: float

    def trace(self, values: Floats) -> float:
        """tr Cov at b(s) [S]."""
        return self.lowest + float((self.steepness * (values - self.best) ** 2).sum())

    def along(self, state: int, values: Floats, b: Floats) -> Floats:
        """tr Cov [n] when b(state) is each of b [n] and the other states stay where they are."""
        moved = np.repeat(np.asarray(values, float)[None], len(b), axis=0)
        moved[:, state] = b
        return self.lowest + (self.steepness * (moved - self.best) ** 2).sum(axis=1)


def parabolas(world: TabularMDP) -> Parabolas:
    """Of the reward-to-go minus b(s). A state without a choice or never visited has d = 0."""
    numerator, denominator = (x.sum(axis=0) for x in normal_equations(world, PLAIN))
    best = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
    plain = moments(world, PLAIN).covariance_trace
    lowest = settled(plain - (denominator * best**2).sum(), plain)
    return Parabolas(best, denominator, float(lowest))


@dataclass(frozen=True, eq=False)
class Subtracted:
    """b(s) in a world: the exact moments, the bias they leave and the episodes they need."""

    moments: Moments
    bias_squared: float
    episodes: int | None


def subtracted(world: TabularMDP, values: Floats) -> Subtracted:
    """What b(s) [S] does to Σ_t γ^t (G_t − b(s_t)) ∇log π(a_t|s_t)."""
    found = moments(world, GradientEstimator("reward-to-go", values=np.asarray(values, float)))
    true = gradient(world)
    return Subtracted(
        found,
        found.bias_squared(true),
        episodes_for_cosine(found.mean, found.covariance_trace, true),
    )


def landmarks(world: TabularMDP) -> dict[str, Landmark]:
    """Nothing, the true V(s), the best constant and the best number per state.

    With a horizon V depends on the time too: what is subtracted then is V(s, t), and no number per
    state says it.
    """
    found = parabolas(world)
    ones = np.ones(world.num_states)
    true = true_values(world)
    timed = world.horizon is not None
    constant = best_constant_baseline(world, PLAIN)
    with_v = moments(world, GradientEstimator("reward-to-go", values=true))
    mean = objective(world)
    return {
        "none": Landmark("nothing", 0 * ones, found.trace(0 * ones)),
        "mean": Landmark("the mean return J", mean * ones, found.trace(mean * ones)),
        "value": Landmark(
            "the true V(s, t), which also knows the time" if timed else "the true V(s)",
            np.nan * ones if timed else true,
            with_v.covariance_trace,
        ),
        "constant": Landmark("the best constant", constant * ones, found.trace(constant * ones)),
        "state": Landmark("the best b(s)", found.best, found.lowest),
    }
