"""Mean and covariance of every estimator, exactly, at any horizon, without listing episodes.

Let s be the score ∇log π(a_t|s_t) and x = δ_t a number of the step (s_t, a_t, s_{t+1}), and let
primes mark what is seen from the next state on:

    X = x + c X'            the advantage,           c = γλ
    Y = s (X − b) + k Y'    the estimator,           k = γ, or 1 when γ^t is dropped

E[X], E[X²], E[Y], E[XY] solve backward recursions, each linear in the next: a loop when there is
a horizon, a linear system when there is none. E[YYᵀ] from the start is then a sum over states,

    E[YYᵀ] = Σ_t k^{2t} Σ_s d_t(s) E[ssᵀ(X−b)² + k s (X−b) Y'ᵀ + k Y' (X−b) sᵀ | s],

so that nothing of size parameters² is kept per state.

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
    occupancy,
    solve_chain,
    state_distributions,
    state_transitions,
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

    covariance is [P, P] with P = F·A counted row by row, and None unless asked for.
    """

    mean: Floats
    variance: Floats
    covariance: Floats | None = None

    @property
    def covariance_trace(self) -> float:
        """tr Cov[ĝ] = E‖ĝ − E ĝ‖², the variance of a vector in one number."""
        return float(self.variance.sum())

    def bias_squared(self, gradient: Floats) -> float:
        """‖E[ĝ] − ∇J‖²."""
        return float(((self.mean - gradient) ** 2).sum())

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
    if estimator.name == "full-return":
        return _full_return_moments(world, estimator.baseline, covariance)
    return advantage_moments(
        world,
        partial(td_error_at, world, values),
        world.gamma * estimator.weight_lambda,
        estimator.step_discount(world.gamma),
        estimator.baseline,
        covariance,
        estimator.window,
    )


def td_error_at(world: TabularMDP, values: Floats, t: int) -> Floats:
    """δ_t(s, a, s') = r + γ V̂_{t+1}(s') − V̂_t(s), shape [S, A, S+1]; no t without a horizon."""
    now, following = (values, values) if world.horizon is None else (values[t], values[t + 1])
    return world.rewards + world.gamma * following - now[:-1, None, None]


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
    mean = np.zeros((world.num_features, world.num_actions))
    for t, x, after in backward_moments(world, step_weights, c, k, baseline, window):
        here = visits[t][:, None, None]
        second += scores.second_moment(
            here * _squared_weight(x, baseline, c, after),
            [(k * here * (x - baseline), after.estimate), (k * c * here, after.product)],
            covariance,
        )
        mean = np.tensordot(world.start, after.estimate_here, 1)
    return second.centred(mean)


@dataclass(frozen=True, eq=False)
class After:
    """What the next state promises: E[X], E[X²] [S+1]; E[Y], E[XY] [S, F, A]."""

    weight: Floats
    weight_squared: Floats
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

        E[X]  = E[x] + c E[X']
        E[X²] = E[x² + 2 c x X'] + c² E[X'²]
        E[Y]  = E[s (x + c X' − b)] + k E[Y']
        E[XY] = E[s X (X − b)] + k E[x Y'] + ck E[X'Y']
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
    weight, weight_squared, estimate, product = no_weight, no_weight, behind, no_product
    step = _Step(world)
    for t in reversed(range(world.horizon or 1)):
        if window is not None and (t + 1) % window == 0:  # X ends here, Y goes on
            weight, weight_squared, product = no_weight, no_weight, no_product
        x = step_weights(t) if callable(step_weights) else step_weights
        weight_here, weight = step(c, (flow * x).sum((1, 2)), weight)
        ends_weight = np.append(weight, 0)
        squared_here, weight_squared = step(
            c * c, (flow * (x * x + 2 * c * x * ends_weight)).sum((1, 2)), weight_squared
        )
        ends_squared = np.append(weight_squared, 0)
        estimate_here, estimate = step(k, scores.expected(x + c * ends_weight - baseline), estimate)
        local = scores.expected(
            x * (x - baseline) + c * (2 * x - baseline) * ends_weight + c * c * ends_squared
        )
        step_weighted = (flow[:, :, :-1] * x[:, :, :-1]).sum(axis=1)
        local += k * np.tensordot(step_weighted, estimate, 1)
        product_here, product = step(c * k, local, product)
        yield t, x, After(ends_weight, ends_squared, estimate, product, estimate_here)
        weight, weight_squared = weight_here, squared_here
        estimate, product = estimate_here, product_here


def _squared_weight(x: Floats, b: float, c: float, after: After) -> Floats:
    """E[(X − b)² | s, a, s'] = (x − b)² + 2 c (x − b) E[X'] + c² E[X'²], shape [S, A, S+1]."""
    return (x - b) ** 2 + 2 * c * (x - b) * after.weight + c * c * after.weight_squared


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

    Seen from step t, R − b = ρ_t + γ^t R_t, and given s_t past and future are independent:

        E[SSᵀ(R − b)²] = Σ_t E[(s sᵀ + s S'ᵀ + S' sᵀ)(ρ² + 2 ρ γ^t R_t + γ^{2t} R_t²)]

    with S' the scores still to come, E[S'] = 0 and R_t = r + γ R'.
    """
    gamma = world.gamma
    scores, rewards = Scores(world), world.rewards
    second = SecondMoment.zero(scores, covariance)
    mean = np.zeros((world.num_features, world.num_actions))
    past = past_returns(world, baseline, order=2)
    for t, after in future_returns(world):
        now, linear, square = (moment[t][:, None, None] for moment in past)
        future = rewards + gamma * after.weight
        future_squared = (
            rewards**2 + 2 * gamma * rewards * after.weight + gamma**2 * after.weight_squared
        )
        second += scores.second_moment(
            square + 2 * linear * future + now * future_squared,
            [
                (2 * gamma * (linear + now * rewards), after.estimate),
                (gamma**2 * now, after.product),
            ],
            covariance,
        )
        mean = np.tensordot(world.start, after.estimate_here, 1)
    return second.centred(mean)


def past_returns(world: TabularMDP, baseline: float, order: int) -> list[Floats]:
    """M_j(t, s) = E[γ^{(n−j)t} ρ_t^j; s_t = s] for j = 0 … n, n = order, each [H, S].

    Without a horizon they are summed over time, [1, S].  ρ_0 = −b and ρ_{t+1} = ρ_t + γ^t r_t, so

        M_j ← γ^{n−j} Σ_{i ≤ j} (j choose i) P_πᵀ[r^{j−i}] M_i.
    """
    horizon = world.horizon or 1
    flow, rewards = world.flow[:, :, :-1], world.rewards[:, :, :-1]
    moves = [(flow * rewards**power).sum(axis=1) for power in range(order + 1)]
    moments: list[Floats] = [np.zeros((horizon, world.num_states)) for _ in range(order + 1)]
    for j, moment in enumerate(moments):
        discount = world.gamma ** (order - j)
        start = (-baseline) ** j * world.start

        def arriving(t: int, j: int = j) -> Floats:
            terms = (math.comb(j, i) * moments[i][t] @ moves[j - i] for i in range(j))
            return sum(terms, np.zeros(world.num_states))

        if world.horizon is None:
            moment[0] = solve_chain(world, discount, start + discount * arriving(0), forward=True)
            continue
        moment[0] = start
        for t in range(horizon - 1):
            moment[t + 1] = discount * (moment[t] @ moves[0] + arriving(t))
    return moments


def future_returns(world: TabularMDP) -> Iterator[tuple[int, After]]:
    """E[R'], E[R'²] and, as `estimate` and `product`, E[S'R'], E[S'R'²], backward in time.

    E[SR]  = E[s R] + γ E[S'R']
    E[SR²] = E[s R²] + 2 γ E[r S'R'] + γ² E[S'R'²]
    """
    gamma, flow, rewards = world.gamma, world.flow, world.rewards
    scores, step = Scores(world), _Step(world)
    shape = (world.num_states, world.num_features, world.num_actions)
    weight: Floats = np.zeros(world.num_states)
    estimate: Floats = np.zeros(shape)
    weight_squared, product = weight, estimate
    reward_weighted = (flow * rewards)[:, :, :-1].sum(axis=1)
    for t in reversed(range(world.horizon or 1)):
        weight_here, weight = step(gamma, (flow * rewards).sum((1, 2)), weight)
        ends_weight = np.append(weight, 0)
        squares = rewards**2 + 2 * gamma * rewards * ends_weight
        squared_here, weight_squared = step(gamma**2, (flow * squares).sum((1, 2)), weight_squared)
        ends_squared = np.append(weight_squared, 0)
        estimate_here, estimate = step(
            gamma, scores.expected(rewards + gamma * ends_weight), estimate
        )
        local = scores.expected(squares + gamma**2 * ends_squared)
        local += 2 * gamma * np.tensordot(reward_weighted, estimate, 1)
        product_here, product = step(gamma**2, local, product)
        yield t, After(ends_weight, ends_squared, estimate, product, estimate_here)
        weight, weight_squared = weight_here, squared_here
        estimate, product = estimate_here, product_here


# --- expectations that hold a score, ∇log π(a|s) = φ(s) ⊗ (e_a − π(·|s)) ---


@dataclass(eq=False)
class SecondMoment:
    """E[YYᵀ] as it is summed up: its diagonal [F, A] and, if wanted, all of it [P, P]."""

    diagonal: Floats
    full: Floats | None

    @classmethod
    def zero(cls, scores: "Scores", full: bool) -> "SecondMoment":
        shape = (scores.world.num_features, scores.world.num_actions)
        size = shape[0] * shape[1]
        return cls(np.zeros(shape), np.zeros((size, size)) if full else None)

    def __iadd__(self, other: "SecondMoment") -> "SecondMoment":
        self.diagonal = self.diagonal + other.diagonal
        if self.full is not None and other.full is not None:
            self.full = self.full + other.full
        return self

    def centred(self, mean: Floats) -> Moments:
        """Cov[Y] = E[YYᵀ] − E[Y]E[Y]ᵀ.  A variance of 0 may come out as −1e-17: it is cut off."""
        variance = np.maximum(self.diagonal - mean**2, 0)
        if self.full is None:
            return Moments(mean, variance)
        return Moments(mean, variance, self.full - np.outer(mean, mean))


class Scores:
    """Expectations with scores in them, over the actions and next states of every state."""

    def __init__(self, world: TabularMDP) -> None:
        self.world = world
        self.policy = world.policy
        self.flow = world.flow

    def weighted(self, weights: Floats) -> Floats:
        """Σ_a π p w (e_a − π), shape [S, A, S+1]: the score's logits, next state kept apart."""
        probable = self.flow * weights
        return probable - self.policy[:, :, None] * probable.sum(axis=1, keepdims=True)

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
        probable = (self.flow * weights).sum(axis=2)
        total = probable.sum(axis=1, keepdims=True)
        return probable * (1 - 2 * self.policy) + self.policy**2 * total

    def second_moment(
        self, weights: Floats, products: list[tuple[Floats, Floats]], full: bool = False
    ) -> SecondMoment:
        """Σ_s E[ssᵀ w + s mᵀ + m sᵀ | s] with m = Σ_j coef_j(s, a, s') M_j(s').

        Shapes: weights and every coef [S, A, S+1] (they carry the weight of the state), every M
        [S, F, A].
        """
        features = self.world.features
        diagonal = (features**2).T @ self.squared(weights)
        matrix = self._outer(weights) if full else None
        for coefficients, following in products:
            scored = self.weighted(coefficients)[:, :, :-1]
            by_next = np.tensordot(features, scored, axes=(0, 0))  # [F, A, S']
            diagonal = diagonal + 2 * np.einsum("fak,kfa->fa", by_next, following)
            if matrix is not None:
                size = len(matrix)
                half = by_next.reshape(size, -1) @ following.reshape(-1, size)
                matrix = matrix + half + half.T
        return SecondMoment(diagonal, matrix)

    def _outer(self, weights: Floats) -> Floats:
        """Σ_s φφᵀ ⊗ E[(e_a − π)(e_a − π)ᵀ w], shape [P, P]."""
        features = self.world.features
        probable = (self.flow * weights).sum(axis=2)
        crossed = self.policy[:, :, None] * probable[:, None, :]
        kernel = self.policy[:, :, None] * self.policy[:, None, :]
        kernel = kernel * probable.sum(axis=1)[:, None, None] - crossed
        kernel -= crossed.transpose(0, 2, 1)
        kernel += probable[:, :, None] * np.eye(self.world.num_actions)
        num_actions, num_features = self.world.num_actions, self.world.num_features
        blocks = np.zeros((num_features, num_actions, num_features, num_actions))
        for phi, block in zip(features, kernel, strict=True):
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
