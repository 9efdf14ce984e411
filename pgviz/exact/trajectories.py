"""Every episode a small world can produce, listed: the slow twin of all that is exact.

Here an expectation is what its name says, Σ_τ P(τ) f(τ), with nothing clever in between.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pgviz.exact.values import weighted_scores
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

MAX_TRAJECTORIES = 200_000


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One episode and its probability; next_states[t] = S is the end."""

    probability: float
    states: tuple[int, ...] = ()
    actions: tuple[int, ...] = ()
    next_states: tuple[int, ...] = ()
    rewards: tuple[float, ...] = ()

    def score(self, world: TabularMDP, weights: Floats | None = None) -> Floats:
        """Σ_t w_t ∇log π(a_t|s_t), shape [F, A]; ∇log P(τ) without weights."""
        table = np.zeros((world.num_states, world.num_actions))
        np.add.at(
            table, (list(self.states), list(self.actions)), 1.0 if weights is None else weights
        )
        return weighted_scores(world, table)


def trajectories(world: TabularMDP, num_steps: int | None = None) -> list[Trajectory]:
    """All episodes of positive probability, up to the horizon or, if sooner, `num_steps` steps."""
    limits = [limit for limit in (world.horizon, num_steps) if limit is not None]
    if not limits:
        raise ValueError("without a horizon give num_steps: there may be endlessly many episodes")
    found: list[Trajectory] = []
    for trajectory in _grow(world, min(limits)):
        found.append(trajectory)
        if len(found) > MAX_TRAJECTORIES:
            raise WorldError(f"this world has more than {MAX_TRAJECTORIES} different episodes")
    return found


def num_trajectories(world: TabularMDP, num_steps: int) -> int:
    """How many episodes `trajectories` would list, counted without listing them."""
    limit = num_steps if world.horizon is None else min(num_steps, world.horizon)
    return next(islice(numbers_of_trajectories(world), limit, None))


def numbers_of_trajectories(world: TabularMDP) -> Iterator[int]:
    """How many different episodes there are, cut after 0, 1, 2, … steps; never fewer than before.

    The number of ways to go on from s: n(s) = Σ_{a, s'} n(s'), with n = 1 at the end and the limit.
    """
    edges = (world.flow > 0).sum(axis=1).astype(object)  # Python's integers: they have no largest
    ways = np.ones(world.num_states + 1, object)
    while True:
        yield ways[:-1][world.start > 0].sum()
        ways = np.append(edges @ ways, 1)


def expectation(
    episodes: list[Trajectory], quantity: Callable[[Trajectory], Floats | float]
) -> Floats:
    """E[f(τ)] = Σ_τ P(τ) f(τ)."""
    return np.sum([tau.probability * np.asarray(quantity(tau)) for tau in episodes], axis=0)


def _grow(world: TabularMDP, num_steps: int) -> Iterator[Trajectory]:
    policy, end = world.policy, world.num_states
    stack = [(Trajectory(float(p)), s) for s, p in enumerate(world.start) if p > 0]
    while stack:
        begun, s = stack.pop()
        if s == end or len(begun.states) == num_steps:
            yield begun
            continue
        for a, next_state in np.argwhere(world.transitions[s] > 0):
            probability = policy[s, a] * world.transitions[s, a, next_state]
            if probability == 0:
                continue
            longer = Trajectory(
                begun.probability * float(probability),
                (*begun.states, s),
                (*begun.actions, int(a)),
                (*begun.next_states, int(next_state)),
                (*begun.rewards, float(world.rewards[s, a, next_state])),
            )
            stack.append((longer, int(next_state)))
