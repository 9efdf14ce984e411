"""Values, occupancies, the objective and its gradient in a finite world.

Axes: S states, A actions, F features, H horizon. With a horizon, values are indexed by time
first; V_H = 0, because reaching the horizon ends the episode.
"""

import warnings

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from pgviz.worlds.tabular import (
    Floats,
    TabularMDP,
    WorldError,
    never_ending_states,
    once_per_world,
    require_an_end,
)

# What is smaller than this part of the terms it was computed from is rounding.
ROUNDING = 1e-12


def settled(difference: ArrayLike, size: ArrayLike) -> Floats:
    """A difference, with 0 where it is no more than what rounding leaves of terms of this size.

    A test for zero must not depend on the unit in which rewards are paid: it compares with the
    terms, never with a fixed number.
    """
    return np.where(np.abs(difference) <= ROUNDING * np.asarray(size), 0.0, difference)


def objective(world: TabularMDP) -> float:
    """J = E[Σ_t γ^t r_t] = Σ_s d_0(s) V(s)."""
    values = state_values(world)
    return float(world.start @ (values if world.horizon is None else values[0]))


def state_values(world: TabularMDP, rewards: Floats | None = None) -> Floats:
    """V(s) = Σ_a π(a|s) Q(s, a), shape [S], or [H, S] with a horizon.

    Without a horizon V = (I − γ P_π)⁻¹ r_π.  A state that no episode visits and from which none
    would end has no undiscounted value; it is reported as 0.  `rewards` [S, A, S+1] are other ones
    than the world's.
    """
    rewards = (world.flow * (world.rewards if rewards is None else rewards)).sum(axis=(1, 2))
    if world.horizon is None:
        return solve_chain(world, world.gamma, rewards)
    moves = state_transitions(world)
    values = np.zeros((world.horizon + 1, world.num_states))
    for t in reversed(range(world.horizon)):
        values[t] = rewards + world.gamma * moves @ values[t + 1]
    return values[:-1]


def size_of_returns(world: TabularMDP) -> float:
    """max_s E[Σ_t γ^t |r_t|]: the unit in which a difference of returns is small or large."""
    return float(state_values(world, np.abs(world.rewards)).max())


def action_values(world: TabularMDP) -> Floats:
    """Q(s, a) = Σ_s' p(s'|s, a) (r + γ V(s')), shape [S, A], or [H, S, A] with a horizon."""
    values = state_values(world)
    if world.horizon is not None:
        values = np.concatenate([values[1:], np.zeros((1, world.num_states))])
    rewards = (world.transitions * world.rewards).sum(axis=-1)
    return rewards + world.gamma * np.einsum(
        "sak,...k->...sa", world.transitions[:, :, :-1], values
    )


def state_distributions(world: TabularMDP) -> Floats:
    """d_t(s) = P(s_t = s), shape [H, S]: only with a horizon."""
    if world.horizon is None:
        raise ValueError("without a horizon there is no last time step to list up to")
    moves = state_transitions(world)
    distributions = np.empty((world.horizon, world.num_states))
    distribution = world.start
    for t in range(world.horizon):
        distributions[t] = distribution
        distribution = distribution @ moves
    return distributions


def occupancy(world: TabularMDP, discount: float) -> Floats:
    """η_x(s) = Σ_t x^t P(s_t = s), shape [S].  Without a horizon (I − x P_πᵀ)⁻¹ d_0."""
    if world.horizon is None:
        return solve_chain(world, discount, world.start, forward=True)
    return discount ** np.arange(world.horizon) @ state_distributions(world)


def gradient(world: TabularMDP, drop_gamma_t: bool = False) -> Floats:
    """∇J = Σ_t γ^t Σ_s d_t(s) Σ_a π(a|s) ∇log π(a|s) Q_t(s, a), shape [F, A].

    `drop_gamma_t` leaves the factor γ^t out, as most code does: η_1 with Q_γ, which is the
    gradient of neither the discounted nor the undiscounted objective.
    Source: Sutton et al., 2000, theorem 1; Nota & Thomas, 2020, arXiv:1906.07073.
    """
    discount = 1.0 if drop_gamma_t else world.gamma
    q = action_values(world)
    if world.horizon is None:
        visits = occupancy(world, discount)[:, None]
        weights, size = visits * q, visits * np.abs(q)
    else:
        by_time = (discount ** np.arange(world.horizon))[:, None] * state_distributions(world)
        weights = np.einsum("ts,tsa->sa", by_time, q)
        size = np.einsum("ts,tsa->sa", by_time, np.abs(q))
    return settled(
        weighted_scores(world, world.policy * weights), score_size(world, world.policy * size)
    )


def weighted_scores(world: TabularMDP, weights: Floats) -> Floats:
    """Σ_s Σ_a w(s, a) ∇log π(a|s), where ∇log π(a|s) = φ(s) ⊗ (e_a − π(·|s)).

    Shapes: weights [..., S, A], the result [..., F, A].
    """
    return _to_parameters(world, logit_push(world.policy, weights))


def score_size(world: TabularMDP, weights: Floats) -> Floats:
    """The same with every term taken positive, [F, A]: how large it could be without cancelling."""
    policy, weights = world.policy, np.abs(weights)
    logits = weights * the_others(policy) + policy * the_others(weights)
    return _to_parameters(world, logits, np.abs(world.features))


def _to_parameters(world: TabularMDP, logits: Floats, features: Floats | None = None) -> Floats:
    """Σ_s φ(s) ⊗ x(s), [..., S, A] to [..., F, A]."""
    if world.is_one_hot:  # Taxi's 500 × 500 ones and zeros would cost a minute of multiplications
        return logits[..., : world.num_features, :]
    return (world.features if features is None else features).T @ logits


def logit_push(policy: Floats, weights: Floats) -> Floats:
    """Σ_a w(a) (e_a − π) = (1 − π(b)) w(b) − π(b) Σ_{a≠b} w(a) for each action b, [..., A].

    1 − π(b) is summed up from the other actions: for an action that is all but certain the
    difference would be rounding, and 0 from a gap of 37 between the logits on.
    """
    return weights * the_others(policy) - policy * the_others(weights)


def the_others(values: Floats) -> Floats:
    """Σ_{a≠b} x(a) for each b, along the last axis."""
    return values @ (1 - np.eye(values.shape[-1]))


def logit_scores(world: TabularMDP) -> Floats:
    """∂log π(a|s)/∂z_b = 1[a = b] − π(b|s) for logits z, shape [S, A, A] as [s, a, b]."""
    policy = world.policy
    own = np.eye(world.num_actions, dtype=bool)
    return np.where(own, the_others(policy)[:, None, :], -policy[:, None, :])


def state_transitions(world: TabularMDP) -> Floats:
    """P_π(s'|s) = Σ_a π(a|s) p(s'|s, a), shape [S, S]; what is missing to 1 is the end."""
    return world.flow[:, :, :-1].sum(axis=1)


def solve_chain(
    world: TabularMDP,
    discount: float,
    right: Floats,
    forward: bool = False,
    num_steps: int = 1,
) -> Floats:
    """(I − (x P_π)ⁿ)⁻¹ y, or with P_πᵀ when `forward`: the sum over an endless chain.

    n = num_steps: only every n-th step counts. Shapes: right [S, ...], and so is the result.
    """
    if discount == 1:
        require_an_end(world)
        if not forward:  # never visited, or the line above would have raised
            endless = never_ending_states(world)
            right = np.where(endless.reshape(-1, *[1] * (right.ndim - 1)), 0, right)
    flat = right.reshape(world.num_states, -1)
    with np.errstate(all="ignore"):
        solution = scipy.linalg.lu_solve(
            _factors(world, discount, num_steps), flat, trans=int(not forward), check_finite=False
        )
    if not np.isfinite(solution).all():
        raise WorldError("the sums over this world's episodes are too large to compute")
    return solution.reshape(right.shape)


@once_per_world
def _factors(world: TabularMDP, discount: float, num_steps: int) -> tuple[Floats, Floats]:
    """I − (x P_πᵀ)ⁿ as a product of triangles, once for all questions about a world.

    The columns of I − x P_πᵀ are diagonally dominant: elimination then exchanges no rows and adds
    numbers of one sign only, so that a state that is reached once in 1e100 episodes is exact too.
    """
    moves = discount * state_transitions(world)
    if discount == 1:
        moves[never_ending_states(world)] = 0
    chain = np.eye(world.num_states) - np.linalg.matrix_power(moves, num_steps).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)
        return scipy.linalg.lu_factor(chain, check_finite=False)
