"""The best baseline of every kind, which is seldom the value function.

A baseline subtracts Z = Σ_t k^t b(t, s_t) ∇log π(a_t|s_t), whose mean is 0, so the best one of a
linear class is a least-squares fit of Z to the estimate Y. Scores of different steps do not
correlate, so the normal equations of "one number per (t, s)" are diagonal,

    b*(t, s) = n(t, s) / d(t, s),   d = k^{2t} P(s_t = s) E[‖s‖² | s],   n = E[Z_{t,s} · Y],

and a coarser class only sums both: over states for a number per time step, over time for a number
per state, over all of it for a constant. Source: Greensmith, Bartlett & Baxter, 2004, theorem 8.

Two things part b* from the mean weight, which is V(s) when Ψ is the reward-to-go: see `Parts`.

Axes: S states, A actions, F features, H horizon.
"""

import math
from dataclasses import dataclass
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
    sizes_ahead,
    td_error_at,
)
from pgviz.exact.values import settled, solve_chain, state_transitions
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

BaselineClass = Literal["constant", "time", "state", "time-state"]
# The axes of [H, S] that a class sums over.
SUMMED: dict[BaselineClass, tuple[int, ...]]
SUMMED = {"constant": (0, 1), "time": (1,), "state": (0,), "time-state": ()}


@dataclass(frozen=True, eq=False)
class Parts:
    """b* = mean + from_lengths + from_steps, each [...] as in `best_baseline`.

        mean          Σ d(t, s) E[Ψ_t | s_t = s] / Σ d(t, s)
        from_lengths  Σ k^{2t} P(s_t = s) Cov(‖∇log π‖², Ψ_t | s_t = s) / Σ d(t, s)
        from_steps    Σ Σ_{u ≠ t} Cov(k^t ∇log π(a_t|s), k^u Ψ_u ∇log π(a_u|s_u); s_t = s) / Σ d(t, s)

    Of Ψ_t = G_t the mean is V(s), with a horizon V_t(s) averaged over the steps.  from_lengths is
    what weighing Ψ with the squared length of the score adds to it; from_steps is 0 where an
    episode has one step.
    """

    mean: Floats
    from_lengths: Floats
    from_steps: Floats

    @property
    def best(self) -> Floats:
        """b*."""
        return self.mean + self.from_lengths + self.from_steps


def parts_of_the_best_baseline(
    world: TabularMDP, estimator: GradientEstimator, per: BaselineClass
) -> Parts:
    """Why the best baseline of this class is not the mean weight; NaN where it changes nothing."""
    _refuse_time_without_a_horizon(estimator.seen_of(world), per)
    mean, lengths, steps, denominator = (
        x.sum(axis=SUMMED[per]) for x in _parts_of_the_equations(world, estimator)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = (
            np.where(denominator > 0, x / denominator, np.nan) for x in (mean, lengths, steps)
        )
        return Parts(*shares)


def best_constant_baseline(world: TabularMDP, estimator: GradientEstimator) -> float:
    """b* = E[Z · Y] / E[‖Z‖²] with Z = Σ_t k^t ∇log π(a_t|s_t); NaN when there is no score."""
    return float(best_baseline(world, estimator, "constant"))


def best_baseline(world: TabularMDP, estimator: GradientEstimator, per: BaselineClass) -> Floats:
    """The baseline of this class with the smallest covariance trace.

    It is what to subtract from Ψ instead of `estimator.baseline`, given its critic. NaN stands
    where a baseline changes nothing: in states never visited, or without a choice.
    Shapes: constant [], time [H], state [S], time-state [H, S].
    """
    _refuse_time_without_a_horizon(estimator.seen_of(world), per)
    numerator, denominator = (x.sum(axis=SUMMED[per]) for x in normal_equations(world, estimator))
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.where(denominator > 0, numerator / denominator, np.nan)
        size = _size_of_the_numerator(world, estimator).sum(axis=SUMMED[per]) / denominator
    return settled(best, size)


def _size_of_the_numerator(world: TabularMDP, estimator: GradientEstimator) -> Floats:
    """n(t, s) with every weight taken positive: what is far smaller than this is rounding."""
    scores = Scores(world)
    if estimator.name == "full-return":
        x: StepWeights = np.abs(world.rewards)
        c = world.gamma
        earned = past_returns(world, 0.0, 1, x)
        visits, before = earned[0], earned[1] * scores.norm(np.ones_like(world.rewards))
    else:
        world, x, c, k = _recursion(world, estimator)
        visits = discounted_visits(world, k * k, estimator.window)
        before = np.zeros_like(visits)
    size = np.zeros_like(visits)
    for t, weight in sizes_ahead(world, x, c):
        here = slice(None) if world.horizon is None else t  # without a horizon all steps look alike
        size[here] = visits[here] * scores.norm(weight) + before[here]
    return size


def best_baseline_per_parameter(world: TabularMDP, estimator: GradientEstimator) -> Floats:
    """One constant for each parameter, b*_i = E[Z_i Y_i] / E[Z_i²], shape [F, A]."""
    _refuse_full_return(estimator)
    world, x, c, k = _recursion(world, estimator)
    noise = advantage_moments(world, np.ones_like(world.rewards), 0, k).variance
    shared = _score_covariance(world, x, c, k, estimator.window)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(noise > 0, shared / noise, np.nan)


def variance_per_parameter(world: TabularMDP, estimator: GradientEstimator) -> Floats:
    """Var(ĝ_i) when every parameter has its own best constant, shape [F, A]."""
    _refuse_full_return(estimator)
    world, x, c, k = _recursion(world, estimator)
    noise = advantage_moments(world, np.ones_like(world.rewards), 0, k).variance
    shared = _score_covariance(world, x, c, k, estimator.window)
    plain = advantage_moments(world, x, c, k, window=estimator.window).variance
    removed = np.divide(shared**2, noise, out=np.zeros_like(noise), where=noise > 0)
    return np.maximum(settled(plain - removed, plain), 0)


def score_norm_squared(world: TabularMDP, estimator: GradientEstimator) -> float:
    """E‖Z‖² = E‖Σ_t k^t ∇log π(a_t|s_t)‖²: how steep the parabola trVar(b) is."""
    return float(normal_equations(world, estimator)[1].sum())


def normal_equations(world: TabularMDP, estimator: GradientEstimator) -> tuple[Floats, Floats]:
    """n(t, s) and d(t, s), shape [H, S], or their sums over time, [1, S], without a horizon.

    With windows of T steps and no horizon the sums are kept apart by the place in the window, [T, S].
    """
    mean, lengths, steps, denominator = _parts_of_the_equations(world, estimator)
    return mean + lengths + steps, denominator


def _parts_of_the_equations(
    world: TabularMDP, estimator: GradientEstimator
) -> tuple[Floats, Floats, Floats, Floats]:
    """The three parts of n(t, s) as in `Parts`, and d(t, s), each as above."""
    window = estimator.window
    require_little_work(estimator.seen_of(world), window)
    if estimator.name == "full-return":
        return _full_return_equations(world)
    world, x, c, k = _recursion(world, estimator)
    scores = Scores(world)
    visits = discounted_visits(world, k * k, window)
    denominator = visits * scores.norm(np.ones_like(world.rewards))
    mean, lengths, steps = (np.zeros_like(visits) for _ in range(3))
    past = _past_scores(world, k * k, k * c, window)
    for t, step_weight, after in backward_moments(world, x, c, k, 0.0, window):
        weight = step_weight + c * after.weight
        typical = (world.flow * weight).sum(axis=(1, 2))
        mean[t] = denominator[t] * typical
        lengths[t] = visits[t] * scores.norm(weight - typical[:, None, None])
        steps[t] = visits[t] * k * scores.dot(after.estimate)
        steps[t] += (past[t] * scores.logits(weight)).sum(axis=1)
    return mean, lengths, steps, denominator


def _full_return_equations(world: TabularMDP) -> tuple[Floats, Floats, Floats, Floats]:
    """As above for Ψ_t = R(τ): the same with k = 1, and the past return of every state."""
    scores, gamma = Scores(world), world.gamma
    visits = discounted_visits(world, 1.0)
    long = scores.norm(np.ones_like(world.rewards))
    first, earned = past_returns(world, 0.0, order=1)
    mean, lengths, steps = (np.zeros_like(visits) for _ in range(3))
    past = _past_scores(world, gamma, gamma)
    for t, after in future_returns(world):
        future = world.rewards + gamma * after.weight
        typical = (world.flow * future).sum(axis=(1, 2))
        mean[t] = (first[t] * typical + earned[t]) * long
        lengths[t] = first[t] * scores.norm(future - typical[:, None, None])
        steps[t] = first[t] * gamma * scores.dot(after.estimate)
        steps[t] += (past[t] * scores.logits(future)).sum(axis=1)
    return mean, lengths, steps, visits * long


def _past_scores(
    world: TabularMDP, start_discount: float, step_discount: float, window: int | None = None
) -> Floats:
    """φ(s) · Σ_{u<t} x^u z^{t−u} E[∇log π(a_u|s_u); s_t = s], shape [H, S, A].

    x = start_discount, z = step_discount; without a horizon the sum over t, [1, S, A].  This is
    the part of an early weight's noise that a later baseline can remove, because the early
    weight holds the later rewards: in windows, those of its own window.
    """
    features, moves = world.features, state_transitions(world)
    visits = discounted_visits(world, start_discount, window)
    scored = Scores(world).weighted(np.ones_like(world.rewards))[:, :, :-1]  # [S, A, S']

    def arriving(visited: Floats) -> Floats:
        weighted = visited[:, None] * features
        return np.tensordot(scored, weighted, axes=(0, 0)).transpose(1, 2, 0)  # [S', F, A]

    def seen(past: Floats) -> Floats:
        return np.einsum("sf,sfa->sa", features, past)

    if world.horizon is None and window is None:
        local = step_discount * arriving(visits[0])
        past = solve_chain(world, step_discount, local, forward=True)
        return seen(past)[None]
    past = np.zeros((world.num_states, world.num_features, world.num_actions))
    result = np.zeros((len(visits), world.num_states, world.num_actions))
    for t in range(len(visits) - 1):
        if window is not None and (t + 1) % window == 0:
            past = np.zeros_like(past)
            continue
        past = step_discount * (np.tensordot(moves.T, past, 1) + arriving(visits[t]))
        result[t + 1] = seen(past)
    return result


def _score_covariance(
    world: TabularMDP, x: StepWeights, c: float, k: float, window: int | None
) -> Floats:
    """E[Z_i Y_i] for every parameter, from the parabola: Y − bZ at two b far apart, shape [F, A].

    (Var(Y + bZ) − Var(Y − bZ)) / 4b, with a b of the size of the weights: beside 1, weights of
    1e-9 would be rounding.
    """
    plain = advantage_moments(world, x, c, k, window=window)
    scores = advantage_moments(world, np.ones_like(world.rewards), 0, k)
    if plain.covariance_trace == 0 or scores.covariance_trace == 0:
        return np.zeros_like(plain.variance)
    b = math.sqrt(plain.covariance_trace / scores.covariance_trace)
    up, down = (advantage_moments(world, x, c, k, sign * b, window=window) for sign in (1, -1))
    return (down.variance - up.variance) / (4 * b)


def _recursion(
    world: TabularMDP, estimator: GradientEstimator
) -> tuple[TabularMDP, StepWeights, float, float]:
    """The world up to its time limit, x, c and k."""
    values, world = estimator.values_in(world), estimator.seen_of(world)
    x = partial(td_error_at, world, values)
    return world, x, world.gamma * estimator.weight_lambda, estimator.step_discount(world.gamma)


def _refuse_time_without_a_horizon(world: TabularMDP, per: BaselineClass) -> None:
    if per.startswith("time") and world.horizon is None:
        raise WorldError("a baseline per time step needs a horizon")


def _refuse_full_return(estimator: GradientEstimator) -> None:
    if estimator.name == "full-return":
        raise WorldError("a baseline per parameter is worked out for weights that look ahead only")
