"""Episodes of a finite world, sampled many at a time.

Axes: N episodes, T the longest of them, S states, A actions, F features.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgviz.estimators import Bools, Floats, discount_factors, full_return, gae, reward_to_go
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.values import logit_scores, occupancy, settled, weighted_scores
from pgviz.worlds.tabular import (
    TabularMDP,
    WorldError,
    never_ending_states,
    reachable_states,
    require_an_end,
)

Integers = NDArray[np.integer]

# An episode that is still running after so many steps is cut there, and counted in `num_cut`.
MAX_STEPS = 1_000_000
# Steps of all episodes of one question, about a minute of sampling.
MAX_TOTAL_STEPS = 50_000_000
# Entries of one padded array [N, T]; longer samples come in several parts.
PART = 4_000_000
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, eq=False)
class Episodes:
    """N episodes side by side, every array [N, T]; after an episode's end all of it is 0.

    next_states is S at the end of the episode. `terminated` is True at the step that ends it,
    which includes the horizon; an episode cut by the step cap has no such step.
    """

    world: TabularMDP
    states: Integers
    actions: Integers
    next_states: Integers
    rewards: Floats
    mask: Bools
    terminated: Bools

    @property
    def num_cut(self) -> int:
        return int((~self.terminated.any(axis=1)).sum())


def sample(world: TabularMDP, num_episodes: int, rng: np.random.Generator) -> Episodes:
    """Sample episodes together, step by step; those that have ended wait for the others."""
    states = world.num_states
    first = _Lottery(world.start[None])
    steps = _Lottery(world.flow.reshape(states, -1))
    cap = step_cap(world)

    running = np.arange(num_episodes)
    here = first.draw(np.zeros(num_episodes, int), rng)
    visited: list[tuple[Integers, Integers, Integers]] = []
    while len(running) and len(visited) < cap:
        outcome = steps.draw(here, rng)
        visited.append((running, here, outcome))
        there = outcome % (states + 1)
        running, here = running[there < states], there[there < states]

    shape = (num_episodes, len(visited))
    s, outcomes = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    mask = np.zeros(shape, bool)
    for t, (who, where, outcome) in enumerate(visited):
        s[who, t], outcomes[who, t], mask[who, t] = where, outcome, True
    a, after = np.divmod(outcomes, states + 1)
    rewards = np.where(mask, world.rewards[s, a, after], 0.0)
    terminated = mask & (after == states)
    if world.horizon is not None:
        terminated[:, world.horizon - 1 :] = mask[:, world.horizon - 1 :]
    return Episodes(world, s, a, after, rewards, mask, terminated)


def sample_in_parts(world: TabularMDP, num_episodes: int, rng_seed: int) -> Iterator[Episodes]:
    """The same, in parts that fit in memory; one seed, one sequence of numbers."""
    length = mean_length(world)
    if num_episodes * length > MAX_TOTAL_STEPS:
        raise WorldError(
            f"{num_episodes} episodes of about {length:.0f} steps are too many to sample: "
            f"ask for at most {max(int(MAX_TOTAL_STEPS / length), 1)}"
        )
    rng = np.random.default_rng(rng_seed)
    entries = max(4 * length, world.num_states * world.num_actions)
    part = max(int(PART / entries), 1)
    for begin in range(0, num_episodes, part):
        yield sample(world, min(part, num_episodes - begin), rng)


def step_cap(world: TabularMDP) -> int:
    """The horizon; else where γ^t has become negligible, if episodes can go on for ever."""
    if world.horizon is not None:
        return world.horizon
    if not (never_ending_states(world) & reachable_states(world)).any():
        return MAX_STEPS
    if world.gamma == 0:
        return 1
    return min(math.ceil(math.log(NEGLIGIBLE) / math.log(world.gamma)), MAX_STEPS)


def mean_length(world: TabularMDP) -> float:
    """Steps of an episode on average, or the step cap where episodes can go on for ever."""
    endless = (never_ending_states(world) & reachable_states(world)).any()
    if endless and world.horizon is None:
        return float(step_cap(world))
    return float(occupancy(world, 1.0).sum())


def weights(episodes: Episodes, estimator: GradientEstimator) -> Floats:
    """γ^t (Ψ_t − b) of every step, from the same functions that train, shape [N, T].

    0 in padding, and behind a time limit of the estimator.
    """
    world = episodes.world
    steps, mask = np.arange(episodes.rewards.shape[1]), episodes.mask
    size = float(np.abs(episodes.rewards).max(initial=0.0)) + abs(estimator.baseline)
    if estimator.name == "full-return":
        psi = full_return(episodes.rewards, world.gamma)
    elif estimator.name == "reward-to-go" and estimator.values is None:
        psi = reward_to_go(episodes.rewards, world.gamma)
    else:
        table = estimator.values_in(world)
        size += float(np.abs(table).max(initial=0.0))
        if table.ndim == 1:
            now, following = table[episodes.states], table[episodes.next_states]
        else:  # behind a time limit nothing counts, so there any row will do
            row = np.minimum(steps, len(table) - 2)
            now, following = table[row, episodes.states], table[row + 1, episodes.next_states]
        cut = np.zeros(len(steps), bool)
        if estimator.window is not None:
            cut |= (steps + 1) % estimator.window == 0
        if estimator.time_limit is not None:
            cut |= steps + 1 == estimator.time_limit
            mask = mask & (steps < estimator.time_limit)
        over = episodes.terminated | ~episodes.mask
        psi = gae(
            episodes.rewards,
            now,
            following,
            over,
            world.gamma,
            estimator.weight_lambda,
            over | cut,
        )
    factors = discount_factors(estimator.step_discount(world.gamma), len(steps))
    return np.where(mask, factors * settled(psi - estimator.baseline, size), 0.0)


def gradient_estimates(episodes: Episodes, weights: Floats) -> Floats:
    """ĝ = Σ_t w_t ∇log π(a_t|s_t) of every episode, shape [N, F, A].

    The weights are first summed per (s, a): the score is needed once per table entry, not once
    per step.
    """
    world = episodes.world
    size = world.num_states * world.num_actions
    which, _ = np.nonzero(episodes.mask)
    entry = episodes.states[episodes.mask] * world.num_actions + episodes.actions[episodes.mask]
    num_episodes = len(episodes.mask)
    summed = np.bincount(
        which * size + entry, weights[episodes.mask], minlength=num_episodes * size
    )
    table = np.asarray(summed, dtype=np.float64)
    return weighted_scores(world, table.reshape(num_episodes, world.num_states, world.num_actions))


@dataclass
class Choices:
    """How many choices of consequence sampled episodes hold, known from the policy alone.

    Σ_t k^t ∇log π(a_t|s_t) has the variance Σ_t k^{2t} E‖s_t‖², and in a sample what is summed up is
    Σ_t k^{2t} ‖s_t‖². Given the states, the relative error of that sum is 1/√n with

        n = (Σ_t k^{2t} E‖s_t‖²)² / Σ_t k^{4t} Var‖s_t‖²,

    n = N p for N decisions of which one action has a small probability p; ∞ for two even arms.
    """

    world: TabularMDP
    discount: float  # k
    mean: float = 0.0
    variance: float = 0.0

    def __post_init__(self) -> None:
        world, squares = self.world, (logit_scores(self.world) ** 2).sum(axis=2)
        squares = squares * (world.features**2).sum(axis=1)[:, None]  # ‖∇log π(a|s)‖² [S, A]
        self.means = (world.policy * squares).sum(axis=1)
        apart = settled(squares - self.means[:, None], squares + self.means[:, None])
        self.variances = (world.policy * apart**2).sum(axis=1)

    def add(self, episodes: Episodes) -> None:
        """Take the states of more episodes into the sums."""
        factors = discount_factors(self.discount, episodes.mask.shape[1])
        for power, of_state in ((2, self.means), (4, self.variances)):
            seen = np.where(episodes.mask, factors**power * of_state[episodes.states], 0.0).sum()
            if power == 2:
                self.mean += float(seen)
            else:
                self.variance += float(seen)

    @property
    def num_choices(self) -> float:
        """n; 0 where nothing is left to chance."""
        if self.variance > 0:
            return (self.mean / math.sqrt(self.variance)) ** 2
        return math.inf if self.mean > 0 else 0.0


def paired_estimates(
    world: TabularMDP,
    estimators: Sequence[GradientEstimator],
    num_episodes: int,
    rng_seed: int,
    choices: Choices | None = None,
) -> list[Floats]:
    """Every estimator on the SAME episodes, one array [N, F, A] each; their choices are counted.

    Luck is then shared, and what differs is the estimator.
    """
    for estimator in estimators:
        require_an_end_for(world, estimator)
    parts = []
    for episodes in sample_in_parts(world, num_episodes, rng_seed):
        parts.append(
            [gradient_estimates(episodes, weights(episodes, estimator)) for estimator in estimators]
        )
        if choices is not None:
            choices.add(episodes)
    return [np.concatenate(of_one) for of_one in zip(*parts, strict=True)]


def require_an_end_for(world: TabularMDP, estimator: GradientEstimator) -> None:
    """Raise if the estimator adds up undiscounted scores for ever."""
    endless = estimator.seen_of(world).horizon is None
    if endless and estimator.step_discount(world.gamma) == 1:
        require_an_end(world)


class _Lottery:
    """Draws from the rows of a table of probabilities, all at once.

    Row i lives in [i, i + 1) of one increasing sequence, so a draw is one binary search.
    """

    def __init__(self, probabilities: Floats) -> None:
        cumulative = np.cumsum(probabilities, axis=1)
        cumulative /= cumulative[:, -1:]
        self.width = probabilities.shape[1]
        self.ladder = (cumulative + np.arange(len(cumulative))[:, None]).ravel()

    def draw(self, rows: Integers, rng: np.random.Generator) -> Integers:
        uniform = rng.random(len(rows)) * (1 - 2.0**-32)
        found = np.searchsorted(self.ladder, rows + uniform, side="right")
        return found - rows * self.width
