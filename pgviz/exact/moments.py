"""Mean and covariance of every estimator, exactly, at any horizon, without listing episodes.

Let s be the score ∇log π(a_t|s_t) and x = δ_t a number of the step (s_t, a_t, s_{t+1}), and let
primes mark what is seen from the next state on:

    X = x + c X'            the advantage,           c = γλ
    Y = s (X − b) + k Y'    the estimator,           k = γ, or 1 when γ^t is dropped

E[X], Var[X], E[Y], Cov[X, Y] solve backward recursions, each linear in the next: a loop when there
is a horizon, a linear system when there is none. With w = x + c E[X'] − b, the law of total
covariance then makes Cov[Y] from the start a sum over states,

    Cov[Y] = Σ_t k^{2t} Σ_s d_t(s) (Cov(s w | s) + E[s w | s] E[s w | s]ᵀ
             + E[c² ssᵀ Var[X'] + s mᵀ + m sᵀ | s]) − E[Y] E[Y]ᵀ,   m = k w E[Y'] + c k Cov[X', Y'],

so that nothing of size parameters² is kept per state. A variance is a mean of squared deviations:
E[x²] − E[x]² of a policy that is all but certain would be rounding.

In windows of T steps the sum X ends where a window does: X' = 0 behind steps T−1, 2T−1, …, while
Y goes on. A step is then known by its place in the window, and without a horizon

    E[Y_0] = a + (k P)^T E[Y_0],   Σ_n k^{2nT} d_{nT} = (I − (k² P_πᵀ)^T)⁻¹ d_0

close the circle, a being what one window gives. The full return runs the same way, with
the moments of the PAST return ρ_t = Σ_{u<t} γ^u r_u − b beside those of the future one.

Axes: S states, A actions, F features, P = F·A parameters. Cost: a few products S × S × P, once,
or per time step with a horizon; trace and diagonal need no more, the covariance P × S × P.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.values import (
    action_values,
    logit_scores,
    occupancy,
    score_size,
    settled,
    solve_chain,
    state_distributions,
    state_transitions,
    state_values,
)
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

# One table for every step, or a table for each: a whole list of them would not fit in memory.
StepWeights = Floats | Callable[[int], Floats]

# Multiplications of one question: 1e11 take about half a minute on one core.
MAX_WORK = 1e11
# Parameters whose covariance is 32 MB, and held a few times over on the way.
MAX_COVARIANCE = 2000


@dataclass(frozen=True, eq=False)
class Moments:
    """Of the estimate from ONE episode: mean and per-parameter variance [F, A].

    covariance is [P, P] with P = F·A counted row by row, and None unless asked for. size [F, A] is
    how large the mean could be if none of its terms cancelled: what is far smaller is rounding.
    """

    mean: Floats
    variance: Floats
    covariance: Floats | None = None
    size: Floats | float = 0.0

    @property
    def covariance_trace(self) -> float:
        """tr Cov[ĝ] = E‖ĝ − E ĝ‖², the variance of a vector in one number."""
        return float(self.variance.sum())

    def bias_squared(self, gradient: Floats) -> float:
        """‖E[ĝ] − ∇J‖²."""
        return float((settled(self.mean - gradient, self.size) ** 2).sum())

    def mean_squared_error(self, gradient: Floats, num_episodes: int) -> float:
        """E‖ĝ_N − ∇J‖² = bias² + tr Cov / N for the mean of N episodes."""
        return self.bias_squared(gradient) + self.covariance_trace / num_episodes


def moments(world: TabularMDP, estimator: GradientEstimator, covariance: bool = False) -> Moments:
    """E[ĝ] and Cov[ĝ] of one episode's estimate.

    With a window or a time limit it is the sum over the steps of the whole episode, or of those
    before the limit, where each Â ends with V̂ of the state it was cut at.
    """
    values, world = estimator.values_in(world), estimator.seen_of(world)
    require_little_work(world, estimator.window)
    if covariance and world.theta.size > MAX_COVARIANCE:
        raise WorldError(
            f"the covariance of {world.theta.size} parameters does not fit in memory, its trace does"
        )
    if estimator.name == "full-return" and not lasts_one_step(world):
        found = _full_return_moments(world, estimator.baseline, covariance)
    else:  # in an episode of one step the full return is the reward-to-go
        found = advantage_moments(
            world,
            partial(td_error_at, world, values),
            world.gamma * estimator.weight_lambda,
            estimator.step_discount(world.gamma),
            estimator.baseline,
            covariance,
            estimator.window,
        )
    size = _size_of_the_mean(world, estimator, values)
    return replace(found, mean=settled(found.mean, size), size=size)


def lasts_one_step(world: TabularMDP) -> bool:
    """Whether every episode ends after one step."""
    return world.horizon == 1 or not world.transitions[:, :, :-1].any()


def _size_of_the_mean(world: TabularMDP, estimator: GradientEstimator, values: Floats) -> Floats:
    """Σ_t k^t E[|∇log π| (|Q_t| + |V̂_t(s_t)| + γ |V̂_{t+1}(s_{t+1})| + |b|)], elementwise, [F, A]."""
    k = world.gamma if estimator.name == "full-return" else estimator.step_discount(world.gamma)
    visits, q, critic = discounted_visits(world, k), np.abs(action_values(world)), np.abs(values)
    q = q[None] if world.horizon is None else q
    now, following = (critic[None],) * 2 if world.horizon is None else (critic[:-1], critic[1:])
    heard = np.einsum("sak,tk->tsa", world.transitions, following)
    weights = q + world.gamma * heard + now[:, :-1, None] + abs(estimator.baseline)
    return score_size(world, world.policy * np.einsum("ts,tsa->sa", visits, weights))


def td_error_at(world: TabularMDP, values: Floats, t: int) -> Floats:
    """δ_t(s, a, s') = r + γ V̂_{t+1}(s') − V̂_t(s), shape [S, A, S+1]; no t without a horizon."""
    now, following = (values, values) if world.horizon is None else (values[t], values[t + 1])
    before, after = now[:-1, None, None], world.gamma * following
    size = np.abs(world.rewards) + np.abs(after) + np.abs(before)
    return settled(world.rewards + after - before, size)


def advantage_moments(
    world: TabularMDP,
    step_weights: StepWeights,
    trace_discount: float,
    step_discount: float,
    baseline: float = 0.0,
    covariance: bool = False,
    window: int | None = None,
) -> Moments:
    """Moments of Σ_t k^t (X_t − b) ∇log π(a_t|s_t) where X_t = x_t + c X_{t+1}.

    Any weight that is a sum of numbers of single steps is of this form: with x = Q(s, a) and
    c = 0 it is the estimator that knows the true action values.
    Windows of `window` steps begin with the episode; no X looks beyond its own.
    Shapes: step_weights x [S, A, S+1], or a function of t that returns it.
    """
    c, k = trace_discount, step_discount
    scores = Scores(world)
    visits = discounted_visits(world, k * k, window)
    second = SecondMoment.zero(scores, covariance)
    mean: Floats = np.zeros((world.num_features, world.num_actions))
    first: Floats = mean
    for t, x, after in backward_moments(world, step_weights, c, k, baseline, window):
        seen, w = visits[t][:, None, None], mean_weight(x, baseline, c, after)
        second += scores.second_moment(
            seen * (c * c * after.weight_variance + scores.spread_of_an_action(w)[:, :, None]),
            [(k * seen * w, after.estimate), (k * c * seen, after.product)],
            covariance,
        )
        later = visits[t] - world.start if t == 0 else visits[t]
        second += scores.spread_between_actions(w, visits[t], later, covariance)
        mean, first = np.tensordot(world.start, after.estimate_here, 1), scores.expected(w)
    return second.centred(mean, world.start, first)


def mean_weight(x: Floats, baseline: float, c: float, after: "After") -> Floats:
    """E[X − b | s, a, s'] = x + c E[X'] − b, shape [S, A, S+1]."""
    ahead = c * after.weight
    return settled(x - baseline + ahead, np.abs(x) + abs(baseline) + np.abs(ahead))


@dataclass(frozen=True, eq=False)
class After:
    """What the next state promises: E[X], Var[X] [S+1]; E[Y], Cov[X, Y] [S, F, A]."""

    weight: Floats
    weight_variance: Floats
    estimate: Floats
    product: Floats
    estimate_here: Floats


def backward_moments(
    world: TabularMDP,
    step_weights: StepWeights,
    c: float,
    k: float,
    baseline: float,
    window: int | None = None,
) -> Iterator[tuple[int, Floats, After]]:
    """(t, x_t, the moments seen from after the step), from the last step to the first.

    Without a horizon every step looks the same, so there is one item, with t = 0; in windows
    there is one for each step of a window.

        E[X]      = E[x] + c E[X']
        Var[X]    = Var(w) + c² E[Var[X']]                       w = x + c E[X'] − b
        E[Y]      = E[s w] + k E[Y']
        Cov[X, Y] = E[(w − E[w]) (s w + k E[Y'])] + E[c² s Var[X'] + c k Cov[X', Y']]
    """
    behind: Floats = np.zeros((world.num_states, world.num_features, world.num_actions))
    if world.horizon is None and window is not None:
        one = replace(world, horizon=window)  # one window, as an episode of its own
        for _, _, after in _backward(one, step_weights, c, k, baseline, window, behind):
            in_one = after.estimate_here  # of the window's first step when the loop ends
        behind, world = solve_chain(world, k, in_one, num_steps=window), one
    yield from _backward(world, step_weights, c, k, baseline, window, behind)


def _backward(
    world: TabularMDP,
    step_weights: StepWeights,
    c: float,
    k: float,
    baseline: float,
    window: int | None,
    behind: Floats,
) -> Iterator[tuple[int, Floats, After]]:
    """The recursions of `backward_moments`; `behind` is E[Y] after the last step, [S, F, A]."""
    scores, flow = Scores(world), world.flow
    no_weight: Floats = np.zeros(world.num_states)
    no_product: Floats = np.zeros_like(behind)
    weight, weight_variance, estimate, product = no_weight, no_weight, behind, no_product
    step = _Step(world)
    for t in reversed(range(world.horizon or 1)):
        if window is not None and (t + 1) % window == 0:  # X ends here, Y goes on
            weight, weight_variance, product = no_weight, no_weight, no_product
        x = step_weights(t) if callable(step_weights) else step_weights
        weight_here, weight = step(c, (flow * x).sum((1, 2)), weight)
        ends_weight = np.append(weight, 0)
        w = mean_weight(x, baseline, c, After(ends_weight, weight, estimate, product, estimate))
        apart = scores.deviations(w)
        variance_here, weight_variance = step(c * c, (flow * apart**2).sum((1, 2)), weight_variance)
        ends_variance = np.append(weight_variance, 0)
        estimate_here, estimate = step(k, scores.expected(w), estimate)
        local = scores.expected(apart * w + c * c * ends_variance)
        going_on = (flow[:, :, :-1] * apart[:, :, :-1]).sum(axis=1)
        local += k * np.tensordot(going_on, estimate, 1)
        product_here, product = step(c * k, local, product)
        yield t, x, After(ends_weight, ends_variance, estimate, product, estimate_here)
        weight, weight_variance = weight_here, variance_here
        estimate, product = estimate_here, product_here


def sizes_ahead(world: TabularMDP, paid: StepWeights, c: float) -> Iterator[tuple[int, Floats]]:
    """(t, E[Σ_k c^k |x_{t+k}| | s, a, s']), [S, A, S+1], from the last step to the first."""
    step: _Step = _Step(world)
    weight: Floats = np.zeros(world.num_states)
    for t in reversed(range(world.horizon or 1)):
        x = np.abs(paid(t) if callable(paid) else paid)
        here, weight = step(c, (world.flow * x).sum((1, 2)), weight)
        yield t, x + c * np.append(weight, 0)
        weight = here


class _Step:
    """One backward step of M = local + z P M'.

    With a horizon it returns (M, M'); without one M = M' solves the equation, and is both.
    """

    def __init__(self, world: TabularMDP) -> None:
        self.world = world
        self.moves = state_transitions(world)

    def __call__(self, z: float, local: Floats, following: Floats) -> tuple[Floats, Floats]:
        if self.world.horizon is None:
            both = local if z == 0 else solve_chain(self.world, z, local)
            return both, both
        return local + z * np.tensordot(self.moves, following, 1), following


def discounted_visits(world: TabularMDP, discount: float, window: int | None = None) -> Floats:
    """x^t d_t(s), [H, S]; without a horizon their sum, [1, S], or for each step of a window, [T, S]."""
    if world.horizon is None and window is not None:
        moves, visits = state_transitions(world), np.empty((window, world.num_states))
        visits[0] = solve_chain(world, discount, world.start, forward=True, num_steps=window)
        for t in range(window - 1):
            visits[t + 1] = discount * visits[t] @ moves
        return visits
    if world.horizon is None:
        return occupancy(world, discount)[None]
    return (discount ** np.arange(world.horizon))[:, None] * state_distributions(world)


# --- the full return: past and future of every step ---


def _full_return_moments(world: TabularMDP, baseline: float, covariance: bool) -> Moments:
    """Moments of Σ_t ∇log π(a_t|s_t) · (R(τ) − b).

    With the true V, R − b = V(s_0) − b + Σ_t γ^t δ_t: the TD errors have mean 0 in every state, so
    their moments are centred. Seen from step t, R − b = ρ_t + γ^t R_t with ρ_t what is known by
    then and R_t = δ_t + γ R', and given s_t past and future are independent:

        E[SSᵀ(R − b)²] = Σ_t E[(s sᵀ + s S'ᵀ + S' sᵀ)(ρ² + 2 ρ γ^t R_t + γ^{2t} R_t²)]

    with S' the scores still to come, E[S'] = 0.
    """
    gamma = world.gamma
    scores, values = Scores(world), GradientEstimator("td", values=state_values(world))
    errors = partial(td_error_at, world, values.values_in(world))
    begin = state_values(world) if world.horizon is None else state_values(world)[0]
    second = SecondMoment.zero(scores, covariance)
    mean = np.zeros((world.num_features, world.num_actions))
    past = past_returns(world, begin - baseline, 2, errors)
    for t, after in future_returns(world, errors):
        now, linear, square = (moment[t][:, None, None] for moment in past)
        error = errors(t)
        second += scores.second_moment(
            square + 2 * linear * error + now * (error**2 + gamma**2 * after.weight_variance),
            [
                (2 * gamma * (linear + now * error), after.estimate),
                (gamma**2 * now, after.product),
            ],
            covariance,
        )
        mean = np.tensordot(world.start, after.estimate_here, 1)
    return second.centred(mean)


def past_returns(
    world: TabularMDP, begin: Floats | float, order: int, paid: StepWeights | None = None
) -> list[Floats]:
    """M_j(t, s) = E[γ^{(n−j)t} ρ_t^j; s_t = s] for j = 0 … n, n = order, each [H, S].

    Without a horizon they are summed over time, [1, S].  ρ_0 = begin(s_0), ρ_{t+1} = ρ_t + γ^t r_t, so

        M_j ← γ^{n−j} Σ_{i ≤ j} (j choose i) P_πᵀ[r^{j−i}] M_i.

    `paid` is what stands for the rewards r, [S, A, S+1] or a function of t.
    """
    horizon, flow = world.horizon or 1, world.flow[:, :, :-1]
    moments: list[Floats] = [np.zeros((horizon, world.num_states)) for _ in range(order + 1)]

    def arriving(t: int, j: int, most: int) -> Floats:
        """Σ_{i ≤ most} of the above, [S]."""
        r = _at(paid, world, t)[:, :, :-1]
        terms = (
            math.comb(j, i) * moments[i][t] @ (flow * r ** (j - i)).sum(axis=1)
            for i in range(most + 1)
        )
        return sum(terms, np.zeros(world.num_states))

    for j, moment in enumerate(moments):
        discount = world.gamma ** (order - j)
        start = (begin + np.zeros(world.num_states)) ** j * world.start
        if world.horizon is None:
            right = start + discount * arriving(0, j, j - 1)
            moment[0] = solve_chain(world, discount, right, forward=True)
            continue
        moment[0] = start
        for t in range(horizon - 1):
            moment[t + 1] = discount * arriving(t, j, j)
    return moments


def future_returns(
    world: TabularMDP, paid: StepWeights | None = None
) -> Iterator[tuple[int, After]]:
    """E[R'], Var[R'] and, as `estimate` and `product`, E[S'R'], E[S'(R' − E R')²], backward in time.

    With w = r + γ E[R'] and u = w − E[w | s]:

    E[SR]         = E[s w] + γ E[S'R']
    Var[R]        = E[u²] + γ² E[Var R']
    E[S(R − ER)²] = E[s (u² + γ² Var R')] + 2 γ E[u S'R'] + γ² E[S'(R' − E R')²]
    """
    gamma, flow = world.gamma, world.flow
    scores, step = Scores(world), _Step(world)
    shape = (world.num_states, world.num_features, world.num_actions)
    weight: Floats = np.zeros(world.num_states)
    estimate: Floats = np.zeros(shape)
    weight_variance, product = weight, estimate
    for t in reversed(range(world.horizon or 1)):
        rewards = _at(paid, world, t)
        weight_here, weight = step(gamma, (flow * rewards).sum((1, 2)), weight)
        ends_weight = np.append(weight, 0)
        w = rewards + gamma * ends_weight
        apart = scores.deviations(w)
        variance_here, weight_variance = step(
            gamma**2, (flow * apart**2).sum((1, 2)), weight_variance
        )
        ends_variance = np.append(weight_variance, 0)
        estimate_here, estimate = step(gamma, scores.expected(w), estimate)
        local = scores.expected(apart**2 + gamma**2 * ends_variance)
        going_on = (flow * apart)[:, :, :-1].sum(axis=1)
        local += 2 * gamma * np.tensordot(going_on, estimate, 1)
        product_here, product = step(gamma**2, local, product)
        yield t, After(ends_weight, ends_variance, estimate, product, estimate_here)
        weight, weight_variance = weight_here, variance_here
        estimate, product = estimate_here, product_here


def _at(paid: StepWeights | None, world: TabularMDP, t: int) -> Floats:
    """What is paid at step t, [S, A, S+1]: the world's rewards unless told otherwise."""
    if paid is None:
        return world.rewards
    return paid(t) if callable(paid) else paid


# --- expectations that hold a score, ∇log π(a|s) = φ(s) ⊗ (e_a − π(·|s)) ---


@dataclass(eq=False)
class SecondMoment:
    """E[YYᵀ] as it is summed up: its diagonal [F, A] and, if wanted, all of it [P, P].

    size [F, A] is the same sum as the diagonal with every term taken positive.
    """

    diagonal: Floats
    full: Floats | None
    size: Floats

    @classmethod
    def zero(cls, scores: "Scores", full: bool) -> "SecondMoment":
        shape = (scores.world.num_features, scores.world.num_actions)
        size = shape[0] * shape[1]
        return cls(np.zeros(shape), np.zeros((size, size)) if full else None, np.zeros(shape))

    def __iadd__(self, other: "SecondMoment") -> "SecondMoment":
        self.diagonal = self.diagonal + other.diagonal
        self.size = self.size + other.size
        if self.full is not None and other.full is not None:
            self.full = self.full + other.full
        return self

    def centred(
        self, mean: Floats, start: Floats | None = None, first: Floats | None = None
    ) -> Moments:
        """Cov[Y] = E[YYᵀ] − E[Y]E[Y]ᵀ.  A variance of 0 may come out as ±1e-17: it is cut off.

        first [S, F, A]: what the first step adds to the mean, still missing in E[YYᵀ] as the sum
        Σ_s d_0(s) first firstᵀ. Its spread over the states is taken here, and the rest cancels with
        E[Y]E[Y]ᵀ in a product: with one step there is nothing left of it.
        """
        add: Floats = -(mean**2)
        full: Floats | None = None if self.full is None else -np.outer(mean, mean)
        if start is not None and first is not None:
            middle = np.tensordot(start, first, 1)
            apart = first - middle
            add = np.tensordot(start, apart**2, 1) + (middle - mean) * (middle + mean)
            if full is not None:
                flat = apart.reshape(len(start), -1)
                both = np.outer(middle - mean, middle + mean)
                full = (flat.T * start) @ flat + (both + both.T) / 2
        variance = settled(np.maximum(self.diagonal + add, 0), self.size + np.abs(add))
        if self.full is None or full is None:
            return Moments(mean, variance)
        return Moments(mean, variance, self.full + full)


class Scores:
    """Expectations with scores in them, over the actions and next states of every state."""

    def __init__(self, world: TabularMDP) -> None:
        self.world = world
        self.policy = world.policy
        self.flow = world.flow
        self.table = logit_scores(world)  # [S, A, A]
        self.likeliest = self.policy.argmax(axis=1)[:, None]

    def weighted(self, weights: Floats) -> Floats:
        """Σ_a π p w (e_a − π), shape [S, A, S+1]: the score's logits, next state kept apart."""
        return np.matmul(self.table.transpose(0, 2, 1), self.flow * weights)

    def deviations(self, weights: Floats) -> Floats:
        """w − E[w | s], shape [S, A, S+1].

        From the mean of the likeliest action first: that is where E[w | s] is if the policy is all
        but certain, so that what is left of the difference is not rounding.
        """
        means = (self.world.transitions * weights).sum(axis=2)
        about = np.take_along_axis(means, self.likeliest, 1)[:, :, None]
        apart = settled(weights - about, np.abs(weights) + np.abs(about))
        return apart - (self.flow * apart).sum(axis=(1, 2))[:, None, None]

    def spread_of_an_action(self, weights: Floats) -> Floats:
        """Var(w | s, a) over the next state, shape [S, A]."""
        chances = self.world.transitions
        means = (chances * weights).sum(axis=2)[:, :, None]
        apart = settled(weights - means, np.abs(weights) + np.abs(means))
        return (chances * apart**2).sum(axis=2)

    def spread_between_actions(
        self, weights: Floats, visits: Floats, later: Floats, full: bool = False
    ) -> SecondMoment:
        """Σ_s d(s) Cov(s E[w | s, a] | s) + Σ_s l(s) E[s w | s] E[s w | s]ᵀ, visits d, later l [S]."""
        weights = (self.world.transitions * weights).sum(axis=2)
        scored = self.table * weights[:, :, None]  # [S, a, A]
        about = np.take_along_axis(scored, self.likeliest[:, :, None], 1)
        apart = settled(scored - about, np.abs(scored) + np.abs(about))
        apart = apart - (self.policy[:, :, None] * apart).sum(axis=1, keepdims=True)
        chances = visits[:, None] * self.policy
        means = np.einsum("sa,sai->si", self.policy * weights, self.table)
        squares = np.einsum("sa,sai->si", chances, apart**2) + later[:, None] * means**2
        diagonal = (self.world.features**2).T @ squares
        if not full:
            return SecondMoment(diagonal, None, diagonal)
        kernel = np.einsum("sa,sai,saj->sij", chances, apart, apart)
        kernel += later[:, None, None] * means[:, :, None] * means[:, None, :]
        return SecondMoment(diagonal, self._blocks(kernel), diagonal)

    def logits(self, weights: Floats) -> Floats:
        """E[(e_a − π) w | s], shape [S, A]."""
        return self.weighted(weights).sum(axis=2)

    def expected(self, weights: Floats) -> Floats:
        """E[∇log π(a|s) w(s, a, s') | s] from w [S, A, S+1], shape [S, F, A]."""
        return self.world.features[:, :, None] * self.logits(weights)[:, None, :]

    def norm(self, weights: Floats) -> Floats:
        """E[‖∇log π(a|s)‖² w | s], shape [S]."""
        return (self.world.features**2).sum(axis=1) * self.squared(weights).sum(axis=1)

    def dot(self, following: Floats) -> Floats:
        """E[∇log π(a|s) · M(s') | s] from M [S, F, A], shape [S]."""
        seen = np.tensordot(self.world.features, following, axes=(1, 1))  # [S, S', A]
        unweighted = self.weighted(np.ones_like(self.flow))[:, :, :-1]
        return np.einsum("sak,ska->s", unweighted, seen)

    def squared(self, weights: Floats) -> Floats:
        """E[(e_a − π)² w | s], elementwise, shape [S, A]."""
        return np.einsum("sa,sai->si", (self.flow * weights).sum(axis=2), self.table**2)

    def second_moment(
        self, weights: Floats, products: list[tuple[Floats, Floats]], full: bool = False
    ) -> SecondMoment:
        """Σ_s E[ssᵀ w + s mᵀ + m sᵀ | s] with m = Σ_j coef_j(s, a, s') M_j(s').

        Shapes: weights and every coef [S, A, S+1] (they carry the weight of the state), every M
        [S, F, A].
        """
        features = self.world.features
        diagonal = size = (features**2).T @ self.squared(weights)
        matrix = self._outer(weights) if full else None
        for coefficients, following in products:
            scored = self.weighted(coefficients)[:, :, :-1]
            by_next = np.tensordot(features, scored, axes=(0, 0))  # [F, A, S']
            crossed = 2 * np.einsum("fak,kfa->fa", by_next, following)
            diagonal, size = diagonal + crossed, size + np.abs(crossed)
            if matrix is not None:
                half = by_next.reshape(len(matrix), -1) @ following.reshape(-1, len(matrix))
                matrix = matrix + half + half.T
        return SecondMoment(diagonal, matrix, size)

    def _outer(self, weights: Floats) -> Floats:
        """Σ_s φφᵀ ⊗ E[(e_a − π)(e_a − π)ᵀ w], shape [P, P]."""
        probable = (self.flow * weights).sum(axis=2)
        return self._blocks(np.einsum("sa,sai,saj->sij", probable, self.table, self.table))

    def _blocks(self, kernel: Floats) -> Floats:
        """Σ_s φφᵀ ⊗ K(s), shape [P, P], from K [S, A, A]."""
        num_actions, num_features = self.world.num_actions, self.world.num_features
        blocks = np.zeros((num_features, num_actions, num_features, num_actions))
        for phi, block in zip(self.world.features, kernel, strict=True):
            on = np.flatnonzero(phi)  # one entry of a one-hot state, all of a dense one
            pairs = np.outer(phi[on], phi[on])[:, :, None, None]
            blocks[on[:, None], :, on[None, :], :] += pairs * block
        return blocks.reshape(num_features * num_actions, -1)


def require_little_work(world: TabularMDP, window: int | None = None) -> None:
    """Raise when a question would keep a computer busy for minutes."""
    num_tables = world.horizon or (3 if window is None else 2 * window)
    parameters = world.num_features * world.num_actions
    per_step = world.num_states**2 * (5.0 * parameters + 20.0 * world.num_actions)
    work = num_tables * per_step
    if work > MAX_WORK:
        raise WorldError(
            f"{world.num_states} states, {parameters} parameters and a horizon of {world.horizon} "
            "are too much to solve exactly: shorten the horizon or measure by sampling"
            if world.horizon is not None or window is None
            else f"{world.num_states} states, {parameters} parameters and windows of {window} steps "
            "are too much to solve exactly: shorten the windows"
        )
