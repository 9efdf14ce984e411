"""How many single episodes push uphill: P(ĝ · ∇J > 0), summed over every episode of a world."""

from collections.abc import Callable, Mapping

import numpy as np

from pgviz.estimators import reward_to_go
from pgviz.exact.trajectories import Trajectory, trajectories
from pgviz.exact.values import gradient, objective, settled, state_values
from pgviz.worlds.tabular import Floats, TabularMDP

Weights = Callable[[Trajectory], Floats]


def uphill_shares(world: TabularMDP, weights: Mapping[str, Weights]) -> dict[str, float]:
    """For weights Ψ_t of an episode [T]: the probability that Σ_t Ψ_t ∇log π points uphill.

    An estimate at a right angle to ∇J, the zero one included, does not. Needs a horizon; γ = 1.
    """
    true = gradient(world)
    shares = dict.fromkeys(weights, 0.0)
    for tau in trajectories(world):
        for name, weight in weights.items():
            products = tau.score(world, weight(tau)) * true
            along = settled(np.asarray(products.sum()), float(np.abs(products).sum()))
            shares[name] += tau.probability * float(along > 0)
    return shares


def four_weights(world: TabularMDP) -> dict[str, Weights]:
    """The weights of the story so far: the names are those of `measure.bench`."""
    mean, values = objective(world), state_values(world)

    def to_go(tau: Trajectory) -> Floats:
        return reward_to_go(np.array(tau.rewards), 1.0)

    def value(tau: Trajectory) -> Floats:
        states = list(tau.states)
        return values[states] if world.horizon is None else values[range(len(states)), states]

    return {
        "full-return": lambda tau: np.full(len(tau.rewards), sum(tau.rewards)),
        "reinforce": to_go,
        "constant": lambda tau: to_go(tau) - mean,
        "baseline": lambda tau: to_go(tau) - value(tau),
    }
