"""What GAE is, line by line, each line with its receipt; see `derivation` for the form.

The first lines hold for every episode and step, number by number; the last ones for expectations.
The critic of these lines is V̂ = V / 2, wrong on purpose, unless a line says otherwise.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from pgviz import estimators
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.trajectories import Trajectory, trajectories
from pgviz.exact.trust import believed, wrong_critic
from pgviz.exact.values import gradient
from pgviz.proofs.derivation import Line, Receipt
from pgviz.worlds.tabular import Floats, TabularMDP

NO_FACTOR = "forget the factor 1 − λ"
BEHIND_THE_END = "believe V̂ behind the end"
WRONG_CRITIC = "use the wrong critic"
LAMBDA = 0.7


def said(world: TabularMDP, tau: Trajectory, values: Floats) -> tuple[Floats, Floats]:
    """V̂(s_t) and V̂(s_{t+1}) along an episode, [T]; 0 behind its end."""
    table = GradientEstimator("td", values=values).values_in(world)
    steps = range(len(tau.states))
    at = (lambda t, s: table[s]) if table.ndim == 1 else (lambda t, s: table[t, s])
    return (
        np.array([at(t, tau.states[t]) for t in steps]),
        np.array([at(t + 1, tau.next_states[t]) for t in steps]),
    )


def advantages(world: TabularMDP, tau: Trajectory, values: Floats, gae_lambda: float) -> Floats:
    """Â_t of one episode [T], by the recursion that trains."""
    now, following = said(world, tau, values)
    never = np.zeros(len(now), bool)  # behind the end V̂ is 0 already
    rewards = np.array(tau.rewards)
    return estimators.gae(rewards, now, following, never, world.gamma, gae_lambda)


def n_step(rewards: Floats, now: Floats, following: Floats, gamma: float, n: int) -> float:
    """Â^{(n)}: n real rewards, then the critic's word. Of the first step of these arrays."""
    return float(gamma ** np.arange(n) @ rewards[:n] + gamma**n * following[n - 1] - now[0])


def mixture(
    rewards: Floats,
    now: Floats,
    following: Floats,
    gamma: float,
    gae_lambda: float,
    factor: float | None = None,
) -> Floats:
    """(1−λ) Σ_{n<T−t} λ^{n−1} Â^{(n)} + λ^{T−t−1} Â^{(T−t)} for every t, [T]."""
    factor = 1 - gae_lambda if factor is None else factor
    result = []
    for t in range(len(rewards)):
        left = len(rewards) - t
        ahead = [n_step(rewards[t:], now[t:], following[t:], gamma, n) for n in range(1, left + 1)]
        shares = factor * gae_lambda ** np.arange(left - 1.0)
        result.append(shares @ ahead[:-1] + gae_lambda ** (left - 1) * ahead[-1])
    return np.array(result)


def _of_all(world: TabularMDP, side: partial) -> Floats:
    return np.concatenate([side(tau) for tau in trajectories(world)])


def lambda_zero(world: TabularMDP, broken: str | None = None) -> Receipt:
    values = wrong_critic(world, "too small", 0.5)

    def errors(tau: Trajectory) -> Floats:
        now, following = said(world, tau, values)
        return np.array(tau.rewards) + world.gamma * following - now

    return Receipt(
        r"\lambda = 0:\quad \hat A_t = \delta_t = r_t + \gamma \hat V(s_{t+1}) - \hat V(s_t)",
        "nothing is carried back, so the critic is believed after one step",
        _of_all(world, partial(_advantages_of, world, values, 0.0)),
        _of_all(world, partial(errors)),
        "identity",
        broken,
    )


def _advantages_of(world: TabularMDP, values: Floats, lam: float, tau: Trajectory) -> Floats:
    return advantages(world, tau, values, lam)


def lambda_one(world: TabularMDP, broken: str | None = None) -> Receipt:
    values = wrong_critic(world, "too small", 0.5)

    def carried(tau: Trajectory) -> Floats:
        now, following = said(world, tau, values)
        if broken == BEHIND_THE_END:
            following[-1] = now[-1]
        never = np.zeros(len(now), bool)
        return estimators.gae(np.array(tau.rewards), now, following, never, world.gamma, 1.0)

    def direct(tau: Trajectory) -> Floats:
        return (
            estimators.reward_to_go(np.array(tau.rewards), world.gamma)
            - said(world, tau, values)[0]
        )

    return Receipt(
        r"\lambda = 1:\quad \hat A_t = G_t - \hat V(s_t)",
        "in a whole episode each V̂(s′) meets the next step's −V̂(s) and is gone, and V̂ of the end"
        " is 0: only the first one is left",
        _of_all(world, partial(carried)),
        _of_all(world, partial(direct)),
        "identity",
        broken,
    )


def a_mixture(world: TabularMDP, broken: str | None = None) -> Receipt:
    values = wrong_critic(world, "too small", 0.5)

    def mixed(tau: Trajectory) -> Floats:
        factor = 1.0 if broken == NO_FACTOR else None
        now, following = said(world, tau, values)
        return mixture(np.array(tau.rewards), now, following, world.gamma, LAMBDA, factor)

    return Receipt(
        r"(1-\lambda)\sum_{n\ge1} \lambda^{n-1} \hat A^{(n)}_t"
        r" = \delta_t + \gamma\lambda\,\hat A_{t+1}",
        "a weighted mean over how many steps to wait before believing; λ = 0.7 here, the last n"
        " has the rest of the weight",
        _of_all(world, partial(mixed)),
        _of_all(world, partial(_advantages_of, world, values, LAMBDA)),
        "identity",
        broken,
    )


def true_values_never_bias(world: TabularMDP, broken: str | None = None) -> Receipt:
    values = wrong_critic(world, "too small", 0.5 if broken == WRONG_CRITIC else 0.0)
    true = gradient(world)
    lambdas = (0.0, 0.3, 0.7, 1.0)
    return Receipt(
        r"\hat V = V:\quad \mathbb{E}\,\hat g_\lambda = \nabla J \text{ for every } \lambda",
        "given s and a, δ has the mean A(s, a); the later δ have the mean 0",
        np.stack([believed(world, values, lam).mean for lam in lambdas]),
        np.stack([true] * len(lambdas)),
        "expectation",
        broken,
    )


def lambda_one_only_subtracts(world: TabularMDP, broken: str | None = None) -> Receipt:
    critics = [wrong_critic(world, shape, 1.0) for shape in ("too small", "shifted", "one number")]
    return Receipt(
        r"\lambda = 1:\quad \mathbb{E}\,\hat g = \nabla J \text{ for every } \hat V",
        "in whole episodes V̂ is only subtracted: it is a baseline",
        np.stack([believed(world, values, 1.0).mean for values in critics]),
        np.stack([gradient(world)] * len(critics)),
        "expectation",
        broken,
    )


def half_the_error(world: TabularMDP, broken: str | None = None) -> Receipt:
    true = gradient(world)

    def bias(error: float) -> Floats:
        return believed(world, wrong_critic(world, "too small", error), 0.0).mean - true

    return Receipt(
        r"\hat V = V + \varepsilon d:\quad \mathbb{E}\,\hat g - \nabla J \propto \varepsilon",
        "E ĝ is affine in V̂: half the error, half the bias",
        2 * bias(0.5),
        bias(1.0),
        "expectation",
        broken,
    )


gae_lines: Sequence[Line] = (
    Line("λ = 0", lambda_zero, axes="step"),
    Line("λ = 1", lambda_one, (BEHIND_THE_END,), axes="step"),
    Line("a mixture", a_mixture, (NO_FACTOR,), axes="step"),
    Line("the true V", true_values_never_bias, (WRONG_CRITIC,), axes="term feature action"),
    Line("λ = 1, any V̂", lambda_one_only_subtracts, axes="term feature action"),
    Line("half the error", half_the_error),
)
