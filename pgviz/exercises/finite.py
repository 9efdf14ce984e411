"""The ladder, climbed in every possible way: means of estimates are sums, and exact."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from pgviz.exact.trajectories import Trajectory, trajectories
from pgviz.exact.values import gradient, state_values
from pgviz.worlds.named import ladder
from pgviz.worlds.tabular import Floats, TabularMDP

THETA = np.array([[0.0, 1.0], [0.5, 0.0], [1.0, 0.0]])


def ladders() -> Iterator[TabularMDP]:
    """The ladder under a policy that is not uniform, for 1, 2 and 3 steps."""
    for horizon in (1, 2, 3):
        for gamma in (1.0, 0.5):
            yield replace(ladder(), horizon=horizon, gamma=gamma, theta=THETA)


def mean(world: TabularMDP, estimate: Callable[[Trajectory], Floats]) -> Floats:
    """E[ĝ] = Σ_τ P(τ) ĝ(τ), [F, A]."""
    found: Floats = np.sum([tau.probability * estimate(tau) for tau in trajectories(world)], axis=0)
    return found


def exact(world: TabularMDP) -> Floats:
    """The exact gradient, for γ < 1 without the γ^t in front, as everybody trains."""
    return gradient(world, drop_gamma_t=True)


def values_along(world: TabularMDP, tau: Trajectory) -> tuple[Floats, Floats, Floats]:
    """The exact V of each step's state, of the next one, and whether the episode ended there."""
    table = state_values(world)
    values = np.array([table[t, s] for t, s in enumerate(tau.states)])
    terminated = np.arange(len(values)) == len(values) - 1
    return values, np.append(values[1:], 7.0), terminated  # 7: nothing follows the end


def described(world: TabularMDP) -> str:
    """Which of the ladders."""
    return f"Over all episodes of {world.horizon} steps on the ladder, γ = {world.gamma:g},"
