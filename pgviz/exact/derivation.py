"""The derivations with receipts: every line is a function that returns both of its sides.

A line is evaluated in any world at any θ, so what a page shows is what the tests check. Some lines
can be broken on purpose, `log_trick[0](world, "drop the log")`, and then say by how much they fail.

Left sides are differentiated by the complex step, f'(θ) = Im f(θ + iε)/ε, which knows nothing of
scores and has no rounding error to speak of; right sides are the mathematics of the line.

Sums over trajectories need few of them: see `with_few_episodes`. Axes: K trajectories, S states,
A actions, F features, H horizon; derivatives [..., F, A].
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pgviz.estimators import discount_factors, full_return, reward_to_go
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.trajectories import Trajectory, expectation, trajectories
from pgviz.exact.values import (
    action_values,
    gradient,
    logit_scores,
    size_of_returns,
    state_distributions,
    state_transitions,
)
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError, once_per_world

Complexes = NDArray[np.complexfloating]
Kind = Literal["identity", "expectation", "estimate"]

TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Receipt:
    """One line of a derivation, evaluated: left = right, because of `reason`.

    An identity holds number by number, an expectation is an exact sum over what may happen, an
    estimate is a mean of samples, whose 95 % interval is [low, high].
    """

    equation: str
    reason: str
    left: Floats
    right: Floats
    kind: Kind
    broken: str | None = None
    low: Floats | None = None
    high: Floats | None = None
    size: float = 1.0  # of the terms: both sides may be 0, and a bit of rounding

    @property
    def difference(self) -> float:
        """max |left − right|."""
        return float(np.max(np.abs(self.left - self.right), initial=0.0))

    @property
    def holds(self) -> bool:
        """Equal up to rounding; for an estimate: at most 4 half-intervals apart, everywhere."""
        if self.low is not None and self.high is not None:
            reach = 2 * (self.high - self.low) + self.rounding
            return bool((np.abs(self.left - self.right) <= reach).all())
        return self.difference <= self.rounding

    @property
    def rounding(self) -> float:
        """What is no larger than this is rounding, whatever the unit of the rewards."""
        return TOLERANCE * max(self.size, float(np.max(np.abs(self.left), initial=0.0)))


@dataclass(frozen=True)
class Line:
    """A line and the ways to break it; called with a world it gives its receipt."""

    title: str
    evaluate: Callable[[TabularMDP, str | None], Receipt]
    breaks: tuple[str, ...] = ()
    axes: str = "feature action"  # of both sides; with a horizon a "step" may stand in front
    unit: int = 1  # both sides are numbers times rewards to this power

    def __call__(self, world: TabularMDP, broken: str | None = None) -> Receipt:
        if broken is not None and broken not in self.breaks:
            raise WorldError(f"the line {self.title!r} cannot be broken by {broken!r}")
        receipt = self.evaluate(world, broken)
        size = size_of_returns(world) ** self.unit if self.unit else 1.0
        return replace(receipt, size=size)


def with_few_episodes(world: TabularMDP, num_steps: int = 5) -> TabularMDP:
    """The same world, cut after `num_steps` steps if it has no horizon, so that all can be listed."""
    return world if world.horizon is not None else replace(world, horizon=num_steps)


# --- the left sides: functions of a complex θ ---


def derivative(function: Callable[[Complexes], Complexes], theta: Floats) -> Floats:
    """∂f/∂θ by the complex step, shape [..., F, A]."""
    step = 1e-30
    columns = []
    for index in np.ndindex(*theta.shape):
        moved = theta.astype(complex)
        moved[index] += 1j * step
        columns.append(np.imag(function(moved)) / step)
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *theta.shape)


def policy_at(world: TabularMDP, theta: Complexes) -> Complexes:
    """π(a|s) at θ, shape [S, A]."""
    logits = world.features @ theta
    weights = np.exp(logits - logits.real.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def values_at(world: TabularMDP, theta: Complexes) -> Complexes:
    """V(s) at θ with V = 0 behind the last row: [H+1, S], or [S] without a horizon."""
    flow = policy_at(world, theta)[:, :, None] * world.transitions
    rewards, moves = (flow * world.rewards).sum(axis=(1, 2)), flow[:, :, :-1].sum(axis=1)
    if world.horizon is None:
        return np.linalg.solve(np.eye(world.num_states) - world.gamma * moves, rewards)
    values = np.zeros((world.horizon + 1, world.num_states), complex)
    for t in reversed(range(world.horizon)):
        values[t] = rewards + world.gamma * moves @ values[t + 1]
    return values


def objective_at(world: TabularMDP, theta: Complexes) -> Complexes:
    """J(θ)."""
    values = values_at(world, theta)
    return np.asarray(world.start @ (values if world.horizon is None else values[0]))


def probabilities_of(
    world: TabularMDP, episodes: Sequence[Trajectory]
) -> Callable[[Complexes], Complexes]:
    """P(τ) = d_0(s_0) Π_t π(a_t|s_t) p(s_{t+1}|s_t, a_t) as a function of θ, shape [K]."""
    s, a, after = (
        np.concatenate([getattr(tau, name) for tau in episodes])
        for name in ("states", "actions", "next_states")
    )
    lengths = [len(tau.states) for tau in episodes]
    first = np.cumsum([0, *lengths[:-1]])
    start, moves = world.start[s[first]], world.transitions[s, a, after]
    return lambda theta: np.asarray(
        start * np.multiply.reduceat(policy_at(world, theta)[s, a] * moves, first)
    )


@once_per_world
def objective_slopes(world: TabularMDP) -> Floats:
    """∇J by the complex step, shape [F, A]."""
    return derivative(partial(objective_at, world), np.asarray(world.theta))


def wrong_policy(world: TabularMDP) -> Floats:
    """Another policy than π, whatever π is: its first logit is 1 higher everywhere."""
    weights = world.policy * np.exp(np.arange(world.num_actions) == 0)
    return weights / weights.sum(axis=1, keepdims=True)


def _scores(world: TabularMDP) -> Floats:
    """∇log π(a|s) = φ(s) ⊗ (e_a − π(·|s)), shape [S, A, F, A]."""
    return world.features[:, None, :, None] * logit_scores(world)[:, :, None, :]


def _return(world: TabularMDP, tau: Trajectory) -> float:
    return float(full_return(np.array(tau.rewards), world.gamma)[0])


# --- 1. the log trick ---


def probability_times_log_derivative(world: TabularMDP, broken: str | None = None) -> Receipt:
    episodes = trajectories(world)
    left = derivative(probabilities_of(world, episodes), np.asarray(world.theta))
    right = np.stack([tau.probability * tau.score(world) for tau in episodes])
    if broken == "drop the log":
        right = np.array([tau.probability for tau in episodes])[:, None, None] * left
    return Receipt(
        r"\nabla P(\tau) = P(\tau)\,\nabla\log P(\tau)",
        "(log x)' = 1/x, so a derivative becomes something times a probability: an expectation",
        left,
        right,
        "identity",
        broken,
    )


def log_policy_at(world: TabularMDP, theta: Complexes) -> Complexes:
    """log π(a|s) at θ, shape [S, A]: finite also where π is too small for a number."""
    logits = world.features @ theta
    logits = logits - logits.real.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def score_of_a_softmax(world: TabularMDP, broken: str | None = None) -> Receipt:
    return Receipt(
        r"\partial\log\pi(a|s)\,/\,\partial\theta_b = \big(\mathbb{1}[a=b] - \pi(b|s)\big)\,x(s)",
        "the score of a softmax: up for the action taken, down for each by its probability",
        derivative(partial(log_policy_at, world), np.asarray(world.theta)),
        _scores(world),
        "identity",
        broken,
    )


def probabilities_keep_their_sum(world: TabularMDP, broken: str | None = None) -> Receipt:
    left = derivative(lambda z: policy_at(world, z).sum(axis=1), np.asarray(world.theta))
    return Receipt(
        r"\sum_a \nabla\pi(a|s) = \nabla \sum_a \pi(a|s) = 0",
        "probabilities sum to 1 at every θ, and 1 has no slope",
        left,
        np.zeros_like(left),
        "identity",
        broken,
    )


def score_has_mean_zero(world: TabularMDP, broken: str | None = None) -> Receipt:
    sampled = wrong_policy(world) if broken == "sample from the wrong policy" else world.policy
    left = np.einsum("sa,safb->sfb", sampled, _scores(world))
    return Receipt(
        r"\mathbb{E}_{a\sim\pi}\,\nabla\log\pi(a|s) = 0",
        "π ∇log π = ∇π, and those sum to 0: whatever does not depend on a may be subtracted",
        left,
        np.zeros_like(left),
        "expectation",
        broken,
    )


def derivative_moves_into_the_sum(world: TabularMDP, broken: str | None = None) -> Receipt:
    theta = np.asarray(world.theta)
    episodes = trajectories(world)
    returns = np.array([_return(world, tau) for tau in episodes])
    if broken == "differentiate R":
        slopes = derivative(lambda z: returns + 0 * z.sum(), theta)
        weights = np.array([tau.probability for tau in episodes])
    else:
        slopes = derivative(probabilities_of(world, episodes), theta)
        weights = returns
    return Receipt(
        r"\nabla J = \sum_\tau \nabla P(\tau)\,R(\tau)",
        "R(τ) is a number that the world hands out; only the probabilities know θ",
        objective_slopes(world),
        np.tensordot(weights, slopes, 1),
        "identity",
        broken,
    )


def gradient_is_an_expectation(world: TabularMDP, broken: str | None = None) -> Receipt:
    other, episodes = wrong_policy(world), trajectories(world)

    def term(tau: Trajectory) -> Floats:
        if broken == "drop the log":  # ∇P(τ) = P(τ) ∇log P(τ)
            return _return(world, tau) * tau.probability * tau.score(world)
        s, a = list(tau.states), list(tau.actions)
        ratio = 1.0
        if broken == "sample from the wrong policy":
            ratio = float(np.prod(other[s, a] / world.policy[s, a]))
        return ratio * _return(world, tau) * tau.score(world)

    return Receipt(
        r"\nabla J = \mathbb{E}_{\tau\sim P}\big[R(\tau)\,\nabla\log P(\tau)\big]",
        "the log trick in every term: now episodes can be sampled instead of listed",
        objective_slopes(world),
        expectation(episodes, term),
        "expectation",
        broken,
    )


def gradient_is_a_mean(
    world: TabularMDP, broken: str | None = None, num_episodes: int = 4000, rng_seed: int = 0
) -> Receipt:
    return estimated(
        r"\nabla J \approx \frac1N\sum_n R(\tau_n)\,\nabla\log P(\tau_n)",
        "the law of large numbers; the error shrinks like 1/√N",
        world,
        GradientEstimator("full-return"),
        num_episodes,
        rng_seed,
        broken,
    )


def estimated(
    equation: str,
    reason: str,
    world: TabularMDP,
    described: GradientEstimator,
    num_episodes: int,
    rng_seed: int,
    broken: str | None,
) -> Receipt:
    """∇J on the left; on the right the mean of sampled estimates and its 95 % interval."""
    from pgviz.measure.episodes import paired_estimates
    from pgviz.measure.statistics import mean_estimate

    found = mean_estimate(paired_estimates(world, [described], num_episodes, rng_seed)[0])
    return Receipt(
        equation,
        reason,
        gradient(world),
        np.asarray(found.value),
        "estimate",
        broken,
        np.asarray(found.low),
        np.asarray(found.high),
        size_of_returns(world),
    )


log_trick = (
    Line(
        "log trick",
        probability_times_log_derivative,
        ("drop the log",),
        "episode feature action",
        unit=0,
    ),
    Line("score of a softmax", score_of_a_softmax, axes="state choice feature action", unit=0),
    Line(
        "probabilities sum to one",
        probabilities_keep_their_sum,
        axes="state feature action",
        unit=0,
    ),
    Line(
        "mean score",
        score_has_mean_zero,
        ("sample from the wrong policy",),
        "state feature action",
        unit=0,
    ),
    Line("derivative of the sum", derivative_moves_into_the_sum, ("differentiate R",)),
    Line(
        "an expectation",
        gradient_is_an_expectation,
        ("drop the log", "sample from the wrong policy"),
    ),
    Line("a mean of samples", gradient_is_a_mean),
)


# --- 2. the trajectory form of the theorem ---


def log_probability_splits(world: TabularMDP, broken: str | None = None) -> Receipt:
    episodes = trajectories(world)
    with np.errstate(divide="ignore"):
        log_policy, log_moves, log_start = map(
            np.log, (world.policy, world.transitions, world.start)
        )

    def parts(tau: Trajectory) -> float:
        s, a, after = map(list, (tau.states, tau.actions, tau.next_states))
        return float(log_start[s[0]] + log_policy[s, a].sum() + log_moves[s, a, after].sum())

    return Receipt(
        r"\log P(\tau) = \log d_0(s_0) + \sum_t \log\pi(a_t|s_t) + \sum_t \log p(s_{t+1}|s_t,a_t)",
        "the logarithm of a product is a sum",
        np.log([tau.probability for tau in episodes]),
        np.array([parts(tau) for tau in episodes]),
        "identity",
        broken,
    )


def dynamics_carry_no_theta(world: TabularMDP, broken: str | None = None) -> Receipt:
    theta, policy, episodes = np.asarray(world.theta), world.policy, trajectories(world)
    probabilities = probabilities_of(world, episodes)

    def score(tau: Trajectory) -> Floats:
        if broken == "drop the log":
            return tau.score(world, policy[list(tau.states), list(tau.actions)])
        return tau.score(world)

    return Receipt(
        r"\nabla\log P(\tau) = \sum_t \nabla\log\pi(a_t|s_t)",
        "the start and the moves of the world do not depend on θ: no model is needed",
        derivative(lambda z: np.log(probabilities(z)), theta),
        np.stack([score(tau) for tau in episodes]),
        "identity",
        broken,
    )


def past_rewards_drop_out(world: TabularMDP, broken: str | None = None) -> Receipt:
    future = broken == "drop future rewards too"

    def later_scores(tau: Trajectory) -> Floats:
        rewards = np.array(tau.rewards) * discount_factors(world.gamma, len(tau.rewards))
        before = np.cumsum(rewards) - rewards
        return tau.score(world, rewards.sum() - before if future else before)

    left = expectation(trajectories(world), later_scores)
    return Receipt(
        r"\mathbb{E}\Big[\sum_t \nabla\log\pi(a_t|s_t) \sum_{u<t} \gamma^u r_u\Big] = 0",
        "given s_t the past is a constant, and the score has mean 0: causality",
        left,
        np.zeros_like(left),
        "expectation",
        broken,
    )


def _to_go(world: TabularMDP, tau: Trajectory, forget: bool = False) -> Floats:
    to_go = reward_to_go(np.array(tau.rewards), world.gamma)
    return to_go if forget else to_go * discount_factors(world.gamma, len(to_go))


def theorem_with_reward_to_go(world: TabularMDP, broken: str | None = None) -> Receipt:
    forget = broken == "forget γᵗ"
    return Receipt(
        r"\nabla J = \mathbb{E}\Big[\sum_t \gamma^t\, G_t\, \nabla\log\pi(a_t|s_t)\Big]",
        "Σ_{u≥t} γ^u r_u = γ^t G_t: the factor γ^t is there because J discounts from the start",
        objective_slopes(world),
        expectation(trajectories(world), lambda tau: tau.score(world, _to_go(world, tau, forget))),
        "expectation",
        broken,
    )


def noise_of_the_past(world: TabularMDP) -> tuple[float, float]:
    """tr Cov of one episode's estimate with past rewards and without them."""
    kept, dropped = (
        moments(world, GradientEstimator(name)).covariance_trace
        for name in ("full-return", "reward-to-go")
    )
    return float(kept), float(dropped)


def sign_of_the_past(kept: float, dropped: float) -> int:
    """1 where past rewards add to the spread, −1 where they cancel some of it, else 0."""
    return 0 if abs(kept - dropped) <= 1e-9 * max(kept, dropped) else 1 - 2 * (kept < dropped)


def noise_of_the_theorem(world: TabularMDP, broken: str | None = None) -> Receipt:
    def estimate(tau: Trajectory) -> Floats:
        if broken == "keep past rewards":
            return tau.score(world, full_return(np.array(tau.rewards), world.gamma))
        return tau.score(world, _to_go(world, tau))

    episodes = trajectories(world)
    mean = expectation(episodes, estimate)
    kept, dropped = noise_of_the_past(world)
    part = {0: "and here none in the noise", 1: "but add to the noise", -1: "but cancel some noise"}
    return Receipt(
        r"\operatorname{tr}\operatorname{Cov}\hat g = \mathbb{E}\,\|\hat g - \nabla J\|^2",
        f"past rewards have no part in the mean, {part[sign_of_the_past(kept, dropped)]}",
        np.array(dropped),
        expectation(episodes, lambda tau: float(((estimate(tau) - mean) ** 2).sum())),
        "expectation",
        broken,
    )


trajectory_form = (
    Line("log probability splits", log_probability_splits, axes="episode", unit=0),
    Line(
        "dynamics carry no θ",
        dynamics_carry_no_theta,
        ("drop the log",),
        "episode feature action",
        unit=0,
    ),
    Line("past rewards drop out", past_rewards_drop_out, ("drop future rewards too",)),
    Line("reward-to-go", theorem_with_reward_to_go, ("forget γᵗ",)),
    Line("noise", noise_of_the_theorem, ("keep past rewards",), "", unit=2),
)


# --- 3. unrolling ∇V ---
#
# With a horizon V, Q and φ depend on the step too, because fewer steps are left: V_t, Q_t, φ_t.


@once_per_world
def _value_slopes(world: TabularMDP) -> Floats:
    """∇V(s) by the complex step, [S, F, A], or [H+1, S, F, A] with a horizon."""
    return derivative(partial(values_at, world), np.asarray(world.theta))


def _next(world: TabularMDP, values: Floats) -> Floats:
    return values if world.horizon is None else values[1:]


def _now(world: TabularMDP, values: Floats) -> Floats:
    return values if world.horizon is None else values[:-1]


def _local_slopes(world: TabularMDP, broken: str | None = None) -> Floats:
    """φ(s) = Σ_a ∇π(a|s) Q(s, a) = Σ_a π ∇log π Q, [S, F, A]; φ_t(s) of Q_t, [H, S, F, A]."""
    weights = world.policy
    if broken == "sample from the wrong policy":
        weights = wrong_policy(world)
    if broken == "drop the log":
        weights = weights * world.policy
    scored = weights[:, :, None, None] * _scores(world)
    return np.einsum("...sa,safb->...sfb", action_values(world), scored)


def product_rule(world: TabularMDP, broken: str | None = None) -> Receipt:
    left = _now(world, _value_slopes(world))
    right = _local_slopes(world)
    if broken is None:
        right = right + _next_slopes(world)
    equation = r"\nabla V(s) = \sum_a \big[\nabla\pi(a|s)\,Q(s,a) + \pi(a|s)\,\nabla Q(s,a)\big]"
    reason = "V = Σ π Q and the product rule; ∇Q = γ Σ p ∇V' because r and p know no θ"
    if world.horizon is not None:
        equation = (
            r"\nabla V_t(s) = \sum_a \big[\nabla\pi(a|s)\,Q_t(s,a) + \pi(a|s)\,\nabla Q_t(s,a)\big]"
        )
        reason = "Vₜ = Σ π Qₜ and the product rule; ∇Qₜ = γ Σ p ∇Vₜ₊₁ because r and p know no θ"
    return Receipt(
        equation,
        reason,
        left,
        right,
        "identity",
        broken,
    )


def _next_slopes(world: TabularMDP) -> Floats:
    """Σ_a π(a|s) ∇Q(s, a) with ∇Q = γ Σ_s' p(s'|s, a) ∇V(s'), shape [S, F, A] or [H, S, F, A]."""

    def one_step(slopes: Floats) -> Floats:
        action_slopes = world.gamma * np.tensordot(world.transitions[:, :, :-1], slopes, 1)
        return np.einsum("sa,safb->sfb", world.policy, action_slopes)

    following = _next(world, _value_slopes(world))
    if world.horizon is None:
        return one_step(following)
    return np.stack([one_step(slopes) for slopes in following])


def one_step_of_unrolling(world: TabularMDP, broken: str | None = None) -> Receipt:
    gamma = 1.0 if broken == "forget γᵗ" else world.gamma
    slopes = _value_slopes(world)
    onward = np.einsum("sk,...kfb->...sfb", state_transitions(world), _next(world, slopes))
    equation = r"\nabla V(s) = \varphi(s) + \gamma \sum_{s'} P_\pi(s'|s)\,\nabla V(s')"
    reason = "φ(s) = Σₐ ∇π(a|s) Q(s,a) is what an action changes now; then the same one step later"
    if world.horizon is not None:
        equation = (
            r"\nabla V_t(s) = \varphi_t(s) + \gamma \sum_{s'} P_\pi(s'|s)\,\nabla V_{t+1}(s')"
        )
        reason = (
            "φₜ(s) = Σₐ ∇π(a|s) Qₜ(s,a) is what an action changes at step t; then the same one"
            " step later"
        )
    return Receipt(
        equation,
        reason,
        _now(world, slopes),
        _local_slopes(world) + gamma * onward,
        "identity",
        broken,
    )


def partial_sums(world: TabularMDP, num_terms: int, broken: str | None = None) -> Floats:
    """Σ_{t<k} γ^t Σ_s d_t(s) φ_t(s) for k = 0 … num_terms, shape [num_terms + 1, F, A].

    They converge to ∇J, and with a horizon H they are there after H terms.
    """
    gamma = 1.0 if broken == "forget γᵗ" else world.gamma
    local, here = _local_slopes(world, broken), world.start
    sums = [np.zeros_like(world.theta)]
    for t in range(num_terms):
        if world.horizon is None or t < world.horizon:
            step = local if world.horizon is None else local[t]
            sums.append(sums[-1] + gamma**t * np.tensordot(here, step, 1))
        else:
            sums.append(sums[-1])
        here = here @ state_transitions(world)
    return np.stack(sums)


def unrolled_with_remainder(
    world: TabularMDP, broken: str | None = None, num_terms: int = 4
) -> Receipt:
    slopes, moves, here = _value_slopes(world), state_transitions(world), world.start
    if world.horizon is not None:
        num_terms = min(num_terms, world.horizon)
    rest = [np.tensordot(here, slopes if world.horizon is None else slopes[0], 1)]
    for k in range(1, num_terms + 1):
        here = here @ moves
        behind = slopes if world.horizon is None else slopes[k]
        rest.append(world.gamma**k * np.tensordot(here, behind, 1))
    right = partial_sums(world, num_terms, broken) + np.stack(rest)
    whole = objective_slopes(world)
    equation = (
        r"\nabla J = \sum_{t<k}\gamma^t \sum_s d_t(s)\,\varphi(s)"
        r" + \gamma^k \sum_s d_k(s)\,\nabla V(s) \quad\text{for every } k"
    )
    if world.horizon is not None:
        equation = (
            r"\nabla J = \sum_{t<k}\gamma^t \sum_s d_t(s)\,\varphi_t(s)"
            r" + \gamma^k \sum_s d_k(s)\,\nabla V_k(s) \quad\text{for every } k"
        )
    return Receipt(
        equation,
        "the step before, applied k times; the rest shrinks with γ^k and with what still runs",
        np.broadcast_to(whole, right.shape),
        right,
        "identity",
        broken,
    )


def theorem_in_symbols(world: TabularMDP) -> str:
    """The theorem as `gradient` computes it: with a horizon Q and the visits depend on the step."""
    if world.horizon is None:
        return r"\nabla J = \sum_s \eta_\gamma(s) \sum_a \pi(a|s)\,\nabla\log\pi(a|s)\,Q(s,a)"
    return r"\nabla J = \sum_t \gamma^t \sum_s d_t(s) \sum_a \pi(a|s)\,\nabla\log\pi(a|s)\,Q_t(s,a)"


def theorem_with_occupancies(world: TabularMDP, broken: str | None = None) -> Receipt:
    q = action_values(world)
    if broken == "forget γᵗ":
        right = gradient(world, drop_gamma_t=True)
    elif broken is None:
        right = gradient(world)
    elif world.horizon is None:
        occupied = np.linalg.solve(
            np.eye(world.num_states) - world.gamma * state_transitions(world).T, world.start
        )
        right = np.tensordot(occupied, _local_slopes(world, broken), 1)
    else:
        visits = discount_factors(world.gamma, len(q))[:, None] * state_distributions(world)
        right = np.tensordot(visits, _local_slopes(world, broken), 2)
    reason = "all terms together, sorted by state: how often it is visited, what an action there is worth"
    if world.horizon is not None:
        reason = (
            "all terms together, sorted by step and state: how likely the state is at step t, what an"
            " action there is worth with the steps that are left"
        )
    return Receipt(
        theorem_in_symbols(world),
        reason,
        objective_slopes(world),
        right,
        "expectation",
        broken,
    )


unrolling = (
    Line("product rule", product_rule, ("differentiate only π",), "state feature action"),
    Line("one step", one_step_of_unrolling, ("forget γᵗ",), "state feature action"),
    Line("k steps", unrolled_with_remainder, ("forget γᵗ",), "term feature action"),
    Line(
        "occupancies",
        theorem_with_occupancies,
        ("forget γᵗ", "drop the log", "sample from the wrong policy"),
    ),
)

derivations: dict[str, tuple[Line, ...]] = {
    "log trick": log_trick,
    "trajectory form": trajectory_form,
    "unrolling ∇V": unrolling,
}
