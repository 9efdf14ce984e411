"""Tables and sentences behind the page on baselines. Pages compute nothing; this is where they ask.

Axes: N episodes of a dot, D dots, S states, F features, A actions, P = F·A parameters.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.estimators import reward_to_go
from pgviz.exact.baselines import parts_of_the_best_baseline
from pgviz.exact.by_hand import (
    Landmark,
    Parabolas,
    landmarks,
    parabolas,
)
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.subtracted import (
    GROUP,
    NORMALISERS,
    SUBTRACTIONS,
    effect,
    group_effect,
    normalised,
)
from pgviz.exact.values import gradient
from pgviz.figures import with_minus
from pgviz.in_memory import in_memory
from pgviz.sampled.episodes import gradient_estimates, sample_in_parts
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import Floats, TabularMDP

NUM_DOTS = 300


# --- the cloud ---


@dataclass(frozen=True, eq=False)
class Cloud:
    """Estimates of many batches, without a baseline and what a baseline per state takes from them.

    plain [D, P] is the mean of Σ_t G_t ∇log π over N episodes, scores [D, S, P] that of
    Σ_{t: s_t = s} ∇log π: minus a baseline, a dot is plain − Σ_s b(s) scores[s].
    along and across [P] are the two directions shown: that of ∇J, and that of the most noise at a
    right angle to it.
    """

    plain: Floats
    scores: Floats
    along: Floats
    across: Floats
    length: float
    flat: bool

    def dots(self, values: Floats) -> pd.DataFrame:
        """The dots for b(s) [S] in the two directions."""
        estimates = self.plain - np.tensordot(self.scores, values, axes=(1, 0))
        height = estimates @ self.across
        if self.flat:  # parted by their number, which means nothing
            height = np.asarray(1.6 * (0.618034 * np.arange(len(estimates)) % 1) - 0.8)
        return pd.DataFrame({"along": estimates @ self.along, "across": height})

    def reach(self) -> tuple[float, float]:
        """Half-widths of a picture in which nearly all dots without a baseline fit."""
        dots = self.dots(np.zeros(self.scores.shape[1]))
        wide = float(np.quantile(np.abs(dots["along"] - self.length), 0.985))
        wide = max(wide, 1.3 * self.length)
        high = 1.0 if self.flat else float(np.quantile(np.abs(dots["across"]), 0.985))
        return 1.15 * wide, 1.15 * high


@lru_cache(64)
def cloud(name: str, num_episodes: int, rng_seed: int = 0) -> Cloud:
    """The cloud of a named world: one set of episodes, whatever will be subtracted from them."""
    world = named_worlds[name]()
    states, size = world.num_states, world.theta.size
    plain, scores = [], []
    for episodes in sample_in_parts(world, NUM_DOTS * num_episodes, rng_seed):
        returns = np.where(episodes.mask, reward_to_go(episodes.rewards, world.gamma), 0.0)
        plain.append(gradient_estimates(episodes, returns).reshape(-1, size))
        per_state = [
            gradient_estimates(episodes, 1.0 * (episodes.mask & (episodes.states == s)))
            for s in range(states)
        ]
        scores.append(np.stack(per_state, axis=1).reshape(-1, states, size))
    batched = (NUM_DOTS, num_episodes)
    plain_means = np.concatenate(plain).reshape(*batched, size).mean(axis=1)
    score_means = np.concatenate(scores).reshape(*batched, states, size).mean(axis=1)
    along, across, flat = directions(world)
    length = float(np.linalg.norm(gradient(world)))
    return Cloud(plain_means, score_means, along, across, length, flat)


def directions(world: TabularMDP) -> tuple[Floats, Floats, bool]:
    """∇J/‖∇J‖, the direction of the most noise at a right angle to it, and whether there is any."""
    true = gradient(world).ravel()
    along = true / np.linalg.norm(true)
    found = moments(world, GradientEstimator("reward-to-go"), covariance=True).covariance
    assert found is not None
    apart = np.eye(len(along)) - np.outer(along, along)
    sizes, vectors = np.linalg.eigh(apart @ found @ apart)
    return along, vectors[:, -1], bool(sizes[-1] < 1e-9 * np.trace(found))


# --- the baseline set by hand ---


@dataclass(frozen=True, eq=False)
class ByHand:
    """What stays the same while the sliders of a world move."""

    world: TabularMDP
    parabolas: Parabolas
    landmarks: dict[str, Landmark]


@lru_cache(16)
def by_hand(name: str) -> ByHand:
    """The parabolas and the landmarks of a named world."""
    world = named_worlds[name]()
    return ByHand(world, parabolas(world), landmarks(world))


@dataclass(frozen=True)
class WhyNotV:
    """What parts the best b(s) from V(s) in a world, {"lengths", "steps"} or less, and in words."""

    reasons: frozenset[str]
    sentence: str


def why_not_v(world: TabularMDP) -> WhyNotV:
    """Whether unequal lengths of the score, covariances between steps, both or none part them."""
    parts = parts_of_the_best_baseline(world, GradientEstimator("reward-to-go"), "state")
    mean, lengths, steps = (
        x[np.isfinite(parts.mean)] for x in (parts.mean, parts.from_lengths, parts.from_steps)
    )
    paid = float(np.abs(world.rewards[world.flow > 0]).max(initial=0))
    size = max(paid, float(np.abs([mean, lengths, steps]).max(initial=0)))
    by_lengths, by_steps = (bool((np.abs(x) > 1e-9 * size).any()) for x in (lengths, steps))
    v = "V" if world.horizon is None else "V (averaged over the steps)"
    apart = f"$b^*$ − {v} = {listed(lengths + steps)}"
    if by_lengths and by_steps:
        said = (
            f"{apart}: {listed(lengths)} of it because the scores are not equally long, which weighs"
            f" returns with their squared length, and {listed(steps)} from covariances between steps."
        )
    elif by_lengths:
        said = (
            f"{apart}: all of it because the scores are not equally long, which weighs returns with"
            " their squared length."
        )
    elif by_steps:
        said = (
            f"{apart}: all of it from covariances between steps, because the score in $s$ varies"
            " together with the terms of other steps. Weighing returns with the squared length of the"
            " score would give V itself here."
        )
    else:
        said = f"Here $b^*$ is {v}."
    reasons = {"lengths": by_lengths, "steps": by_steps}
    return WhyNotV(frozenset(name for name, counts in reasons.items() if counts), said)


def listed(values: Floats) -> str:
    """−1.333, −1, −6."""
    return with_minus(", ".join(map(in_figures, values)))


def in_figures(x: float) -> str:
    """Four digits, or a whole number with commas: 0.8159, 553.3, 3,918."""
    if abs(x - round(x)) <= 1e-9 * abs(x):
        return f"{round(x):,}"
    return f"{x:,.4g}" if abs(x) < 10_000 else f"{x:,.0f}"


# --- who is credited ---


def stairs(steps: int) -> pd.DataFrame:
    """The line between rewards that came before the action and those that came with or after it."""
    corners = [(0, 1)]
    for k in range(1, steps):
        corners += [(k, k), (k, k + 1)]
    return pd.DataFrame([{"u": u, "t": t, "order": i} for i, (u, t) in enumerate(corners)])


# --- what may not be subtracted ---

OWN = "the episode's own mean"


@in_memory
def effects(name: str) -> pd.DataFrame:
    """What each subtraction leaves of ∇J, exactly: one row each, the legal ones first."""
    world = named_worlds[name]()
    rows = []
    for how in SUBTRACTIONS:
        found = effect(world, how)
        rows.append((how.title, how.legal, how.reason, found))
    if name == "bandit-a":
        for others in (True, False):
            title = f"the mean of the {GROUP - 1} others" if others else f"the mean of all {GROUP}"
            reason = (
                "the others know nothing of this action"
                if others
                else f"one {GROUP}th of the mean is the sample itself"
            )
            rows.append((title, others, reason, group_effect(world, leave_one_out=others)))
    rows.sort(key=lambda row: not row[1])
    return pd.DataFrame(
        [
            {
                "title": title,
                "order": i,
                "kept": round(found.kept, 9) + 0.0,
                "legal": legal,
                "bias²": found.bias_squared,
                "spread": found.covariance_trace,
                "reason": reason,
                "words": ("" if legal else "✗ ") + f"minus {title}: {percent(found.kept)}"
                if title != "nothing"
                else f"nothing subtracted: {percent(found.kept)}",
            }
            for i, (title, legal, reason, found) in enumerate(rows)
        ]
    )


def kept(name: str) -> dict[str, float]:
    """The part of ∇J that each subtraction leaves in a world."""
    table = effects(name)
    return dict(zip(table["title"], map(float, table["kept"]), strict=True))


def percent(part: float) -> str:
    """100 %, 50 %, 30.7 %."""
    return f"{100 * abs(part):.4g} %" if abs(part) > 1e-9 else "0 %"


# --- normalising ---

BATCHES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


@in_memory
def normaliser_table(name: str = "bandit-a") -> pd.DataFrame:
    """Scale and rotation of E ĝ for every normaliser and batch size, exactly."""
    world = named_worlds[name]()
    found = [normalised(world, kind, size) for kind in NORMALISERS for size in BATCHES]
    return pd.DataFrame(
        {
            "name": [x.name for x in found],
            "num_episodes": [x.num_episodes for x in found],
            "scale": [x.scale for x in found],
            "degrees": [x.degrees for x in found],
        }
    )


# --- what to remember ---
