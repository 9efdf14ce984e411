"""The best baseline of every kind, which is seldom the value function.

A baseline subtracts Z = Σ_t k^t b(t, s_t) ∇log π(a_t|s_t), whose mean is 0, so the best one of a
linear class is a least-squares fit of Z to the estimate Y. Scores of different steps do not
correlate, so the normal equations of "one number per (t, s)" are diagonal,

    b*(t, s) = n(t, s) / d(t, s),   d = k^{2t} P(s_t = s) E[‖s‖² | s],   n = E[Z_{t,s} · Y],

and a coarser class only sums both: over states for a number per time step, over time for a number
per state, over all of it for a constant. Source: Greensmith, Bartlett & Baxter, 2004, theorem 8.

Axes: S states, A actions, F features, H horizon.
"""

import math
from functools import partial
from typing import Literal

import numpy as np

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import (
    Scores,
    StepWeights,
    advantage_moments,
    backward_moments,
    discounted_visits,
    future_returns,
    past_returns,
    require_little_work,
    td_error_at,
)
from pgviz.exact.values import settled, size_of_returns, solve_chain, state_transitions
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

BaselineClass = Literal["constant", "time", "state", "time-state"]


def best_constant_baseline(world: TabularMDP, estimator: GradientEstimator) -> float:
    """b* = E[Z · Y] / E[‖Z‖²] with Z = Σ_t k^t ∇log π(a_t|s_t); NaN when there is no score."""
    return float(best_baseline(world, estimator, "constant"))


def best_baseline(world: TabularMDP, estimator: GradientEstimator, per: BaselineClass) -> Floats:
    """The baseline of this class with the smallest covariance trace.

    It is what to subtract from Ψ instead of `estimator.baseline`, given its critic. NaN stands
    where a baseline changes nothing: in states never visited, or without a choice.
    Shapes: constant [], time [H], state [S], time-state [H, S].
    """
    if per.startswith("time") and world.horizon is None:
        raise WorldError("a baseline per time step needs a horizon")
    numerator, denominator = normal_equations(world, estimator)
    axes: dict[str, tuple[int, ...]]
    axes = {"constant": (0, 1), "time": (1,), "state": (0,), "time-state": ()}
    numerator, denominator = numerator.sum(axis=axes[per]), denominator.sum(axis=axes[per])
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.where(denominator > 0, numerator / denominator, np.nan)
    critic = np.abs(estimator.values_in(world)).max(initial=0.0)
    return settled(best, size_of_returns(world) + float(critic))


def best_baseline_per_parameter(world: TabularMDP, estimator: GradientEstimator) -> Floats:
    """One constant for each parameter, b*_i = E[Z_i Y_i] / E[Z_i²], shape [F, A]."""
    _refuse_full_return(estimator)
    x, c, k = _recursion(world, estimator)
    noise = advantage_moments(world, np.ones_like(world.rewards), 0, k).variance
    shared = _score_covariance(world, x, c, k)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(noise > 0, shared / noise, np.nan)


def variance_per_parameter(world: TabularMDP, estimator: GradientEstimator) -> Floats:
    """Var(ĝ_i) when every parameter has its own best constant, shape [F, A]."""
    _refuse_full_return(estimator)
    x, c, k = _recursion(world, estimator)
    noise = advantage_moments(world, np.ones_like(world.rewards), 0, k).variance
    shared = _score_covariance(world, x, c, k)
    plain = advantage_moments(world, x, c, k).variance
    removed = np.divide(shared**2, noise, out=np.zeros_like(noise), where=noise > 0)
    return np.maximum(settled(plain - removed, plain), 0)


def score_norm_squared(world: TabularMDP, estimator: GradientEstimator) -> float:
    """E‖Z‖² = E‖Σ_t k^t ∇log π(a_t|s_t)‖²: how steep the parabola trVar(b) is."""
    return float(normal_equations(world, estimator)[1].sum())


def normal_equations(world: TabularMDP, estimator: GradientEstimator) -> tuple[Floats, Floats]:
    """n(t, s) and d(t, s), shape [H, S], or their sums over time, [1, S], without a horizon."""
    require_little_work(world)
    if estimator.name == "full-return":
        return _full_return_equations(world)
    scores = Scores(world)
    x, c, k = _recursion(world, estimator)
    visits = discounted_visits(world, k * k)
    numerator = np.zeros_like(visits)
    past = _past_scores(world, k * k, k * c)
    for t, step_weight, after in backward_moments(world, x, c, k, 0.0):
        weight = step_weight + c * after.weight
        numerator[t] = visits[t] * (scores.norm(weight) + k * scores.dot(after.estimate))
        numerator[t] += (past[t] * scores.logits(weight)).sum(axis=1)
    return numerator, visits * scores.norm(np.ones_like(world.rewards))


def _full_return_equations(world: TabularMDP) -> tuple[Floats, Floats]:
    """As above for Ψ_t = R(τ): the same with k = 1, and the past return of every state."""
    scores, gamma = Scores(world), world.gamma
    visits = discounted_visits(world, 1.0)
    first, earned = past_returns(world, 0.0, order=1)
    numerator = np.zeros_like(visits)
    past = _past_scores(world, gamma, gamma)
    for t, after in future_returns(world):
        future = world.rewards + gamma * after.weight
        numerator[t] = first[t] * (scores.norm(future) + gamma * scores.dot(after.estimate))
        numerator[t] += earned[t] * scores.norm(np.ones_like(future))
        numerator[t] += (past[t] * scores.logits(future)).sum(axis=1)
    return numerator, visits * scores.norm(np.ones_like(world.rewards))


def _past_scores(world: TabularMDP, start_discount: float, step_discount: float) -> Floats:
    """φ(s) · Σ_{u<t} x^u z^{t−u} E[∇log π(a_u|s_u); s_t = s], shape [H, S, A].

    x = start_discount, z = step_discount; without a horizon the sum over t, [1, S, A].  This is
    the part of an early weight's noise that a later baseline can remove, because the early
    weight holds the later rewards.
    """
    features, moves = world.features, state_transitions(world)
    visits = discounted_visits(world, start_discount)
    scored = Scores(world).weighted(np.ones_like(world.rewards))[:, :, :-1]  # [S, A, S']

    def arriving(visited: Floats) -> Floats:
        weighted = visited[:, None] * features
        return np.tensordot(scored, weighted, axes=(0, 0)).transpose(1, 2, 0)  # [S', F, A]

    def seen(past: Floats) -> Floats:
        return np.einsum("sf,sfa->sa", features, past)

    if world.horizon is None:
        local = step_discount * arriving(visits[0])
        past = solve_chain(world, step_discount, local, forward=True)
        return seen(past)[None]
    past = np.zeros((world.num_states, world.num_features, world.num_actions))
    result = np.zeros((world.horizon, world.num_states, world.num_actions))
    for t in range(world.horizon - 1):
        past = step_discount * (np.tensordot(moves.T, past, 1) + arriving(visits[t]))
        result[t + 1] = seen(past)
    return result


def _score_covariance(world: TabularMDP, x: StepWeights, c: float, k: float) -> Floats:
    """E[Z_i Y_i] for every parameter, from the parabola: Y − bZ at two b far apart, shape [F, A].

    (Var(Y + bZ) − Var(Y − bZ)) / 4b, with a b of the size of the weights: beside 1, weights of
    1e-9 would be rounding.
    """
    plain, scores = (advantage_moments(world, *weights) for weights in (
        (x, c, k), (np.ones_like(world.rewards), 0, k)
    ))
    if plain.covariance_trace == 0 or scores.covariance_trace == 0:
        return np.zeros_like(plain.variance)
    b = math.sqrt(plain.covariance_trace / scores.covariance_trace)
    up, down = (advantage_moments(world, x, c, k, sign * b) for sign in (1, -1))
    return (down.variance - up.variance) / (4 * b)


def _recursion(world: TabularMDP, estimator: GradientEstimator) -> tuple[StepWeights, float, float]:
    x = partial(td_error_at, world, estimator.values_in(world))
    return x, world.gamma * estimator.weight_lambda, estimator.step_discount(world.gamma)


def _refuse_full_return(estimator: GradientEstimator) -> None:
    if estimator.name == "full-return":
        raise WorldError("a baseline per parameter is worked out for weights that look ahead only")
