"""Tables and sentences behind the page on baselines. Pages compute nothing; this is where they ask.

Axes: N episodes of a dot, D dots, S states, F features, A actions, P = F·A parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    size_of_weight,
    subtracted,
)
from pgviz.exact.credit import Credit, credit
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.questions import Question
from pgviz.exact.subtracted import (
    GROUP,
    NORMALISERS,
    SUBTRACTIONS,
    effect,
    group_effect,
    normalised,
    return_spread,
)
from pgviz.exact.values import gradient, settled
from pgviz.measure.episodes import gradient_estimates, sample_in_parts
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


def parabola_tables(
    name: str, values: Sequence[float], low: float, high: float, top: float
) -> dict[str, pd.DataFrame]:
    """Tables of `charts.baselines.parabolas` and `bias_line`; the bias is computed, not drawn."""
    found = by_hand(name)
    grid, chosen = np.linspace(low, high, 81), np.asarray(values, float)
    here = found.parabolas.trace(chosen)
    curves, names = [], []
    for s in range(len(values)):
        trace = found.parabolas.along(s, chosen, grid)
        curves.append(pd.DataFrame({"state": f"s{s}", "b": grid, "trace": trace}))
        inside = np.flatnonzero(trace < (0.9 - 0.06 * s) * top)  # each name on its own level
        side = 0 if chosen.mean() > (low + high) / 2 else -1  # where the curves have parted
        where = int(np.clip(inside[side], 2, len(grid) - 3)) if len(inside) else 2
        names.append((f"s{s}", grid[where], min(float(trace[where]), top)))
    few = np.linspace(low, high, 9)
    ones = np.ones(len(values))
    states = [f"s{s}" for s in range(len(values))]
    return {
        "curves": pd.concat(curves),
        "names": pd.DataFrame(names, columns=["state", "b", "trace"]),
        "chosen": pd.DataFrame({"state": states, "b": chosen, "trace": [here] * len(values)}),
        "bias": pd.DataFrame(
            {"b": few, "bias": [subtracted(found.world, b * ones).bias_squared for b in few]}
        ),
    }


LINE = 0.068  # the height of a label, in heights of the picture


def landmark_table(name: str, at: float, top: float) -> pd.DataFrame:
    """The levels of the landmarks; each label above its line, or below where one is in the way."""
    found = by_hand(name).landmarks
    wanted = ["none", "value", "constant", "state"]
    if len(found["none"].values) == 1:
        wanted.remove("state")  # with one state it is the best constant
    marks = sorted((found[key] for key in wanted), key=lambda mark: -mark.covariance_trace)
    rows, free = [], top  # everything below `free` has no label yet
    for i, mark in enumerate(marks):
        trace = mark.covariance_trace
        lower = marks[i + 1].covariance_trace if i + 1 < len(marks) else -top
        above = trace + LINE * top <= free
        if not above and free - trace < LINE * top and trace - lower < LINE * top:
            free = min(free, lower)  # the next lines would run through it
        shown = trace + LINE * top / 2 if above else min(free, trace) - LINE * top / 2
        free = shown - LINE * top / 2
        label = f"{mark.name}: {in_figures(trace)}"
        rows.append({"label": label, "trace": trace, "shown": shown, "at": at})
    return pd.DataFrame(rows)


def surprise(name: str) -> str:
    """Whether the true V is the best there is: it seldom is."""
    found = by_hand(name).landmarks
    value, constant, best, none = (
        found[key].covariance_trace for key in ("value", "constant", "state", "none")
    )
    timed = by_hand(name).world.horizon is not None
    name_of_v = found["value"].name.replace("the true", "The true") + ("," if timed else "")
    begin = f"Nothing subtracted, the spread is {in_figures(none)}. {name_of_v} leaves {in_figures(value)}"
    if value > constant * (1 + 1e-9):
        return f"{begin}, more than the best constant does: {in_figures(constant)}. V is not the best baseline."
    if value > best * (1 + 1e-9):
        return f"{begin}, the best number per state {in_figures(best)}. V is not the best baseline."
    ignorant = "number that ignores the time" if timed else "single number per state"
    return f"{begin}; no {ignorant} does better than {in_figures(best)}."


BEST_B = (
    r"\begin{gathered}"
    r"b^*(s) = \frac{\mathbb{E}[Z_s \cdot \hat g]}{d(s)}, \qquad d(s) = \mathbb{E}\,\|Z_s\|^2,\\[.6em]"
    r"Z_s = \sum_{t:\, s_t = s} \gamma^t\, \nabla\log\pi(a_t|s)"
    r"\end{gathered}"
)


def why_it_falls(name: str) -> str:
    """Why the spread falls although the centre stays, in the numbers of this world."""
    found = by_hand(name)
    best, steepness = found.parabolas.best, found.parabolas.steepness
    plain = found.parabolas.trace(0 * best)
    small, large = (in_figures(size_of_weight(found.world, b)) for b in (best, 0 * best))
    shrinks = size_of_weight(found.world, best) < size_of_weight(found.world, 0 * best)
    psi = (
        f"Beside a score, $\\Psi = G - b^*$ is then {small} in size (r.m.s.), not {large}."
        if shrinks
        else f"$\\Psi = G - b^*$ itself is larger then, {small} in size (r.m.s. beside a score), not"
        f" {large}: it is the terms of different steps that cancel."
    )
    return (
        "$Z_s$, the sum of the scores in $s$, has mean 0, so $\\hat g - \\sum_s b(s) Z_s$ keeps its"
        " centre. But it varies together with $\\hat g$, the estimate without a baseline, and $b^*$, the slope of a least-squares fit,"
        f" takes out what they share: {in_figures(plain - found.parabolas.lowest)} of the spread"
        f" {in_figures(plain)}. {psi} Here $b^*$ = {listed(best)} and $d$ = {listed(steepness)}."
        f" {why_not_v(found.world).sentence}"
    )


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
    return ", ".join(in_figures(x).replace("-", "−") for x in values)


def a_thousand(name: str) -> str:
    """What b = 1000 in every state does, computed."""
    world = by_hand(name).world
    found = subtracted(world, 1000 * np.ones(world.num_states))
    relative = found.bias_squared / float((gradient(world) ** 2).sum())
    return (
        f"With b = 1000 in every state the bias² is 0 (computed: {zero_or(relative)} of ‖∇J‖²);"
        f" the spread is {found.moments.covariance_trace:,.0f}, and {found.episodes:,} episodes would"
        " suffice for a cosine of .9 between ĝ and ∇J."
    )


def zero_or(x: float) -> str:
    """0, or a power of ten."""
    return "0" if x == 0 else f"{x:.0e}".replace("e-0", "e−").replace("e-", "e−")


def in_figures(x: float) -> str:
    """Four digits, or a whole number with commas: 0.8159, 553.3, 3,918."""
    if abs(x - round(x)) <= 1e-9 * abs(x):
        return f"{round(x):,}"
    return f"{x:,.4g}" if abs(x) < 10_000 else f"{x:,.0f}"


# --- who is credited ---

CREDIT_WORLDS = ("ladder", "survival")


@dataclass(frozen=True, eq=False)
class CreditTables:
    """The two matrices as tables, and what they add up to."""

    mean: pd.DataFrame
    spread: pd.DataFrame
    sentence: str

    def noisiest(self) -> str:
        """The largest spread of a pair, of those whose reward came before the action and of the others."""
        before, after = (
            self.spread["value"][self.spread["past"] == past].max() for past in (True, False)
        )
        return (
            f"Spread: up to {before:.2g} where the reward came before the action, up to {after:.2g}"
            " elsewhere"
        )


@lru_cache(8)
def credit_tables(name: str) -> CreditTables:
    """E[∇log π(a_t) r_u] along ∇J and its spread, for every pair of steps of a small world."""
    world = short_world(name)
    found = credit(world)
    true = gradient(world)
    along = found.along(true)
    full, to_go = (
        moments(world, GradientEstimator(kind)).covariance_trace
        for kind in ("full-return", "reward-to-go")
    )
    past, future = (
        float((part * true).sum() / np.linalg.norm(true)) for part in (found.past(), found.future())
    )
    apart = settled(found.future() - true, np.linalg.norm(true))
    quarrel = zero_or(float(np.linalg.norm(apart)))
    past = float(settled(past, np.linalg.norm(true)))
    sentence = (
        f"Rewards paid before the action add up to {in_figures(past)}, the others to {future:.4f}, the"
        f" length of ∇J (difference {quarrel}). Leaving the first out is the reward-to-go: the spread"
        f" of ĝ falls from {in_figures(full)} to {in_figures(to_go)}."
    )
    return CreditTables(_pairs(found, along), _pairs(found, found.spread), sentence)


def short_world(name: str) -> TabularMDP:
    """A named world with at most six steps."""
    world = named_worlds[name]()
    return world if world.horizon is not None else replace(world, horizon=6)


def stairs(steps: int) -> pd.DataFrame:
    """The line between rewards that came before the action and those that came with or after it."""
    corners = [(0, 1)]
    for k in range(1, steps):
        corners += [(k, k), (k, k + 1)]
    return pd.DataFrame([{"u": u, "t": t, "order": i} for i, (u, t) in enumerate(corners)])


def _pairs(found: Credit, values: Floats) -> pd.DataFrame:
    t, u = np.indices(found.spread.shape)
    shown = settled(values, np.abs(values).max())
    return pd.DataFrame(
        {"t": t.ravel(), "u": u.ravel(), "value": shown.ravel(), "past": (u < t).ravel()}
    )


# --- what may not be subtracted ---

OWN = "the episode's own mean"
SUBTRACTION_WORLDS = ("survival", "bandit-a", "ladder")


@lru_cache(8)
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


def taken_away(name: str) -> str:
    """How much of the lesson each of the illegal ones takes, and why."""
    table = effects(name)
    illegal = table[~table["legal"]].sort_values("kept")
    parts = [
        f"minus {title} takes {percent(1 - left)}: {reason}"
        for title, left, reason in zip(
            illegal["title"], illegal["kept"], illegal["reason"], strict=True
        )
    ]
    return "\n".join(f"- ✗ {part}." for part in parts)


def kept(name: str) -> dict[str, float]:
    """The part of ∇J that each subtraction leaves in a world."""
    table = effects(name)
    return dict(zip(table["title"], map(float, table["kept"]), strict=True))


def percent(part: float) -> str:
    """100 %, 50 %, 30.7 %."""
    return f"{100 * abs(part):.4g} %" if abs(part) > 1e-9 else "0 %"


# --- normalising ---

BATCHES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


@lru_cache(4)
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


def normaliser_sentence(name: str = "bandit-a", size: int = 4) -> str:
    """What the three do to a small batch."""
    table = normaliser_table(name)
    mean, both = "minus the batch's mean", "both"
    limit = 1 / return_spread(named_worlds[name]())
    return (
        f"In batches of {size}, subtracting the mean leaves {percent(_at(table, mean, size, 'scale'))}"
        f" of the gradient and turns it by {_at(table, mean, size):.0f}°; dividing by the spread as"
        f" well turns it by {_at(table, both, size):.0f}°. The turn fades as the batch grows: at 64"
        f" it is {_at(table, both, 64):.1f}°. The length does not go back to 1: divided by the spread"
        f" it tends to 1/σ = {limit:.4f}, σ being the spread of the returns."
    )


def _at(table: pd.DataFrame, name: str, size: int, field: str = "degrees") -> float:
    row = table[(table["name"] == name) & (table["num_episodes"] == size)]
    return float(row[field].iloc[0])


# --- what to remember ---


def not_free_sentence() -> str:
    """What illegal baselines did, in two worlds."""
    left = {name: kept(name) for name in ("survival", "bandit-a")}
    return (
        f"Subtracting an episode's own mean leaves {percent(left['survival'][OWN])} of"
        f" the gradient in the survival world, Q(s, a) leaves {percent(left['survival']['Q(s, a)'])},"
        f" and the mean of {GROUP} that includes the sample"
        f" {percent(left['bandit-a'][f'the mean of all {GROUP}'])} on the three arms."
    )


def quiz() -> list[Question]:
    """Four questions; what the replies claim is computed."""
    left = {name: kept(name) for name in ("survival", "bandit-a")}
    moved = next(x for title, x in left["survival"].items() if "moved first" in title)
    whole = left["bandit-a"][f"the mean of all {GROUP}"]
    corridor = by_hand("short-corridor")
    value, constant = (
        in_figures(corridor.landmarks[key].covariance_trace) for key in ("value", "constant")
    )
    items = [
        (
            "Which of these may be subtracted from $G_t$ without touching the expected gradient?",
            [
                "The action value, $Q(s_t, a_t)$",
                "The mean of this episode's returns",
                "The number of steps since the start",
                "The reward $r_t$ that follows $a_t$",
            ],
            2,
            "The number of steps is known before the action is taken. The other three know"
            f" something of it: $Q$ leaves {percent(left['survival']['Q(s, a)'])} of the"
            f" gradient in the survival world, the own mean {percent(left['survival'][OWN])}.",
        ),
        (
            "A running mean with rate α = 0.1 is updated with the return first, then subtracted."
            " How long is the expected gradient?",
            ["As long as it should be", "0.9 of it", "0.1 of it"],
            1,
            f"$G - b - \\alpha (G - b) = (1 - \\alpha)(G - b)$: computed above, {percent(moved)}.",
        ),
        (
            f"A group of {GROUP} answers to one prompt; each is compared with the mean of all {GROUP}."
            " What happens to the expected gradient?",
            ["It stays", f"It shrinks to {GROUP - 1}/{GROUP}", "It is zero"],
            1,
            f"One {GROUP}th of what is subtracted is the sample's own return: {percent(whole)} is left."
            " Comparing with the others only leaves all of it.",
        ),
        (
            "Is the true value function $V(s)$ the baseline with the least variance?",
            ["Always", "Not always", "Never"],
            1,
            f"On the short corridor V leaves {value}, one constant {constant}."
            f" {why_not_v(corridor.world).sentence}",
        ),
    ]
    return [
        Question(f"baselines-{i}", asked, tuple(answers), right, (reason,) * len(answers))
        for i, (asked, answers, right, reason) in enumerate(items)
    ]
