"""What is left of the gradient when something is subtracted: legal baselines and illegal ones.

Everything is a sum over all episodes of a small world, so it needs no theorem: expectations here
are what their name says. Worlds without a horizon are cut where no probability is left.

Axes: E episodes, N of them in a batch, F features, A actions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import exp, lgamma, log

import numpy as np

from pgviz import broken
from pgviz.estimators import reward_to_go
from pgviz.exact.trajectories import Trajectory, trajectories
from pgviz.exact.values import (
    ROUNDING,
    action_values,
    gradient,
    settled,
    state_values,
    weighted_scores,
)
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

LONGEST = 60  # steps: .5^60 of the survival world is 1e-18


@dataclass(frozen=True, eq=False)
class Effect:
    """What a subtraction did: E[ĝ], its covariance trace, and what of ∇J is left in it."""

    mean: Floats
    covariance_trace: float
    gradient: Floats

    @property
    def kept(self) -> float:
        """E[ĝ]·∇J / ‖∇J‖²: 1 where nothing is lost, 0 where nothing is left."""
        return float((self.mean * self.gradient).sum() / (self.gradient**2).sum())

    @property
    def bias_squared(self) -> float:
        """‖E[ĝ] − ∇J‖²."""
        return float(((self.mean - self.gradient) ** 2).sum())


@dataclass(frozen=True)
class Subtraction:
    """One way to subtract, `weights(world, τ)` giving Ψ_t of an episode [T].

    `correction` is what has to be added to ĝ for an action-dependent baseline to be legal;
    `shrinks` multiplies E[ĝ] where K independent episodes are needed to say it.
    """

    title: str
    equation: str
    legal: bool
    reason: str
    weights: Callable[[TabularMDP, Trajectory], Floats]
    correction: Callable[[TabularMDP, Trajectory], Floats] | None = None


def with_an_end(world: TabularMDP) -> TabularMDP:
    """The same world, cut where next to nothing is still running, so that all can be listed."""
    if world.horizon is not None:
        return world
    longest = world.transitions[:, :, :-1].any()
    return replace(world, horizon=LONGEST if longest else 1)


def effect(world: TabularMDP, how: Subtraction) -> Effect:
    """E[ĝ] and tr Cov[ĝ], summed over every episode of the world."""
    cut = with_an_end(world)
    episodes = trajectories(cut)
    estimates = []
    for tau in episodes:
        estimate = tau.score(cut, how.weights(cut, tau))
        if how.correction is not None:
            estimate = estimate + how.correction(cut, tau)
        estimates.append(estimate)
    chances = np.array([tau.probability for tau in episodes])
    return Effect(*_mean_and_spread(chances, np.stack(estimates)), gradient(cut))


def _mean_and_spread(chances: Floats, estimates: Floats) -> tuple[Floats, float]:
    """E[x] and E‖x − E[x]‖² of x [E, F, A] with probabilities [E]."""
    mean = np.tensordot(chances, estimates, 1)
    size = np.tensordot(chances, np.abs(estimates), 1)
    apart = settled(estimates - mean, np.abs(estimates) + np.abs(mean))
    return settled(mean, size), float(chances @ (apart**2).sum(axis=(1, 2)))


def to_go(world: TabularMDP, tau: Trajectory) -> Floats:
    """G_t of an episode, [T]."""
    return reward_to_go(np.array(tau.rewards), world.gamma)


def _values(world: TabularMDP, tau: Trajectory) -> Floats:
    values = state_values(world)
    return values[np.arange(len(tau.states)), list(tau.states)]


def _action_values(world: TabularMDP, tau: Trajectory) -> Floats:
    return action_values(world)[np.arange(len(tau.states)), list(tau.states), list(tau.actions)]


def _correction(world: TabularMDP, tau: Trajectory) -> Floats:
    """Σ_t E_a[∇log π(a|s_t) Q(s_t, a)]: what a baseline Q(s, a) has taken away on average."""
    table = np.zeros((world.num_states, world.num_actions))
    q = action_values(world)
    for t, s in enumerate(tau.states):
        table[s] += world.policy[s] * q[t, s]
    return weighted_scores(world, table)


RATE = 0.1
GROUP = 4


def _running_mean(world: TabularMDP, tau: Trajectory) -> Floats:
    before = float(world.start @ state_values(world)[0])
    return broken.updated_before_use(to_go(world, tau), before, RATE)


def _own_mean(world: TabularMDP, tau: Trajectory) -> Floats:
    rewards = np.array(tau.rewards)
    return broken.own_episode_mean(rewards, world.gamma, np.ones(len(rewards), bool))


SUBTRACTIONS = (
    Subtraction("nothing", r"G_t", True, "the plain reward-to-go", to_go),
    Subtraction(
        "V(s)",
        r"G_t - V(s_t)",
        True,
        "it knows the state, not the action",
        lambda world, tau: to_go(world, tau) - _values(world, tau),
    ),
    Subtraction(
        "the largest reward",
        r"G_t - \max r",
        True,
        "a constant may be anything, and a bad one may be worse than none",
        lambda world, tau: to_go(world, tau) - world.rewards.max(),
    ),
    Subtraction(
        "Q(s, a), with its correction",
        r"G_t - Q(s_t, a_t) \;+\; \mathbb E_a[\nabla\log\pi\,Q]",
        True,
        "what it takes away on average is put back",
        lambda world, tau: broken.action_value(to_go(world, tau), _action_values(world, tau)),
        _correction,
    ),
    Subtraction(
        f"a running mean, moved first (α = {RATE:g})",
        r"(1-\alpha)(G_t - b)",
        False,
        "the return has already moved what it is compared with",
        _running_mean,
    ),
    Subtraction(
        "the episode's own mean",
        r"G_t - \tfrac1T \sum_u G_u",
        False,
        "the mean contains what the action caused",
        _own_mean,
    ),
    Subtraction(
        "Q(s, a)",
        r"G_t - Q(s_t, a_t)",
        False,
        "it knows the action, so it takes the lesson away",
        lambda world, tau: broken.action_value(to_go(world, tau), _action_values(world, tau)),
    ),
)


def group_effect(world: TabularMDP, size: int = GROUP, leave_one_out: bool = False) -> Effect:
    """The mean of K episodes' ∇log P(τ_k)(R_k − mean R): with the sample's own return, or without.

    Over all multisets of K episodes, each with its multinomial probability. The covariance trace
    is that of the group's gradient times K, to compare with one episode's.
    """
    cut = with_an_end(world)

    def weights(returns: Floats) -> Floats:
        with_self = broken.group_mean_with_self(returns)
        return with_self * size / (size - 1) if leave_one_out else with_self

    mean, spread = batch_moments(cut, size, weights)
    return Effect(mean, size * spread, gradient(cut))


# --- batches: all multisets of N episodes ---

MAX_BATCHES = 200_000


def batch_moments(
    world: TabularMDP, size: int, weights: Callable[[Floats], Floats]
) -> tuple[Floats, float]:
    """E[ĝ] and tr Cov[ĝ] of ĝ = (1/N) Σ_n w(R)_n ∇log P(τ_n), exactly, for a batch of N episodes.

    weights maps the returns of a batch [N] to what multiplies each score.
    """
    episodes = trajectories(world)
    scores = np.stack([tau.score(world) for tau in episodes])
    returns = np.array([float(to_go(world, tau)[0]) for tau in episodes])
    logs = np.log([tau.probability for tau in episodes])
    chances, estimates = [], []
    for counts in _compositions(size, len(episodes)):
        chosen = np.repeat(np.arange(len(episodes)), counts)
        ways = lgamma(size + 1) - sum(lgamma(n + 1) for n in counts)
        chances.append(exp(ways + float(np.dot(counts, logs))))
        weighted = weights(returns[chosen])[:, None, None] * scores[chosen]
        estimates.append(weighted.sum(axis=0) / size)
    return _mean_and_spread(np.array(chances), np.stack(estimates))


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to write `total` as an ordered sum of `parts` numbers ≥ 0."""
    number = exp(lgamma(total + parts) - lgamma(total + 1) - lgamma(parts))
    if number > MAX_BATCHES:
        raise WorldError(f"there are about 1e{log(number, 10):.0f} different batches of this size")
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


# --- normalising a batch ---

NORMALISERS: dict[str, Callable[[Floats], Floats]] = {
    "minus the batch's mean": lambda r: r - r.mean(),
    "divided by its spread": lambda r: r / _spread(r),
    "both": lambda r: (r - r.mean()) / _spread(r),
}


def _spread(returns: Floats) -> float:
    """The standard deviation of a batch; 1 where all of it is alike and there is none."""
    spread = float(returns.std())
    return spread if spread > ROUNDING * float(np.abs(returns).max()) else 1.0


def return_spread(world: TabularMDP) -> float:
    """σ, the standard deviation of R(τ): a batch's spread tends to it, so dividing by the spread
    leaves 1/σ of the gradient however large the batch."""
    cut = with_an_end(world)
    episodes = trajectories(cut)
    chances = np.array([tau.probability for tau in episodes])
    returns = np.array([float(to_go(cut, tau)[0]) for tau in episodes])
    return float(np.sqrt(chances @ (returns - chances @ returns) ** 2))


@dataclass(frozen=True)
class Normalised:
    """What a normaliser does to E[ĝ]: its length in units of ‖∇J‖, and how far it is turned."""

    name: str
    num_episodes: int
    scale: float
    degrees: float


def normalised(world: TabularMDP, name: str, size: int) -> Normalised:
    """Scale and rotation of the expected gradient of a batch of N episodes, exactly."""
    cut = with_an_end(world)
    mean, _ = batch_moments(cut, size, NORMALISERS[name])
    true = gradient(cut)
    lengths = float(np.linalg.norm(mean) * np.linalg.norm(true))
    cosine = float((mean * true).sum()) / lengths if lengths > 0 else 1.0
    turned = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return Normalised(name, size, float(np.linalg.norm(mean) / np.linalg.norm(true)), float(turned))
