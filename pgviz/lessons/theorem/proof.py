"""The lines of the proof in their order, each with its step, its reason, and the ways to break it.

What a line evaluates is the `Line` of exact.derivation; here stand its words and its formula,
with γ = 1, and the formula as a break alters it, with the changed term struck.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pgviz.proofs.derivation import Line, Receipt, derivations, gradient_is_a_mean
from pgviz.proofs.receipts import Reading, in_words, listed, read
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

NUM_SAMPLES, LUCK = 3000, 3
MOST_SHOWN = 24  # numbers of a line in its picture
MOST_NAMED = 8  # of which so many have a name below them

DROP_LOG = "drop the log"
REWARD = "differentiate R"
OTHER_POLICY = "sample from the wrong policy"
FUTURE = "drop future rewards too"
PAST = "keep past rewards"
BREAKS = (REWARD, DROP_LOG, OTHER_POLICY, FUTURE, PAST)

LINES = {line.title: line for lines in derivations.values() for line in lines}
SCORE = r"\nabla\log\pi(a_t|s_t)"


@dataclass(frozen=True)
class ProofLine:
    """One line: what it says, why, which step shows it, and how it looks when it is broken."""

    title: str
    step: str
    equation: str
    reason: str
    altered: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> Line:
        return LINES[self.title]

    def written(self, broken: str | None, world: TabularMDP) -> str:
        """The formula, altered if it is broken; with d_0 and x(s) where the world has them."""
        formula = self.altered.get(broken or "", self.equation)
        if self.title == "log probability splits" and world.start.max() < 1:
            return formula.replace(r"= \sum", r"= \log d_0(s_0) + \sum", 1)
        if self.title == "score of a softmax" and not np.isin(world.features, (0, 1)).all():
            left, right = formula.split(" = ")
            return rf"{left} = \big({right}\big)\,x(s)"
        return formula


PROOF: tuple[ProofLine, ...] = (
    ProofLine(
        "derivative of the sum",
        "product",
        r"\nabla J = \sum_\tau \nabla P(\tau)\,R(\tau)",
        "Only the probabilities depend on θ.",
        {REWARD: r"\nabla J = \sum_\tau \cancel{\nabla}P(\tau)\;\nabla R(\tau)"},
    ),
    ProofLine(
        "log trick",
        "divide",
        r"\nabla P(\tau) = P(\tau)\,\nabla\log P(\tau)",
        "The slope of log x is 1/x.",
        {DROP_LOG: r"\nabla P(\tau) = P(\tau)\,\nabla\cancel{\log}P(\tau)"},
    ),
    ProofLine(
        "an expectation",
        "average",
        r"\nabla J = \mathbb{E}_{\tau\sim P}\big[R(\tau)\,\nabla\log P(\tau)\big]",
        "A sum with P in front is an average over episodes.",
        {
            DROP_LOG: r"\nabla J = \mathbb{E}_{\tau\sim P}"
            r"\big[R(\tau)\,\nabla\cancel{\log}P(\tau)\big]",
            OTHER_POLICY: r"\nabla J = \mathbb{E}_{\tau\sim\cancel{P}\,P'}"
            r"\big[R(\tau)\,\nabla\log P(\tau)\big]",
        },
    ),
    ProofLine(
        "a mean of samples",
        "average",
        r"\nabla J \approx \frac1N\sum_n R(\tau_n)\,\nabla\log P(\tau_n)",
        "Averages can be estimated from samples.",
    ),
    ProofLine(
        "score of a softmax",
        "score",
        r"\partial\log\pi(a|s)\,/\,\partial\theta_b = \mathbb{1}[a=b] - \pi(b|s)",
        "Up for the θ of the chosen action, down for the others.",
    ),
    ProofLine(
        "probabilities sum to one",
        "score",
        r"\sum_a \nabla\pi(a|s) = 0",
        "Probabilities sum to 1, whatever θ is.",
    ),
    ProofLine(
        "mean score",
        "score",
        r"\sum_a \pi(a|s)\,\nabla\log\pi(a|s) = 0",
        "π ∇ log π = ∇π, and the ∇π sum to zero.",
        {OTHER_POLICY: r"\sum_a \cancel{\pi(a|s)}\;\pi'(a|s)\,\nabla\log\pi(a|s) = 0"},
    ),
    ProofLine(
        "log probability splits",
        "episode",
        r"\log P(\tau) = \sum_t \log\pi(a_t|s_t) + \sum_t \log p(s_{t+1}|s_t,a_t)",
        "The log of a product is a sum.",
    ),
    ProofLine(
        "dynamics carry no θ",
        "no-model",
        rf"\nabla\log P(\tau) = \sum_t {SCORE}",
        "The world's factors have slope zero.",
        {DROP_LOG: r"\nabla\log P(\tau) = \sum_t \nabla\cancel{\log}\pi(a_t|s_t)"},
    ),
    ProofLine(
        "past rewards drop out",
        "causality",
        rf"\mathbb{{E}}\Big[\sum_t {SCORE} \sum_{{u<t}} r_u\Big] = 0",
        "Given the past, scores average to zero.",
        {FUTURE: rf"\mathbb{{E}}\Big[\sum_t {SCORE} \sum_{{\cancel{{u<t}}\;u\ge t}} r_u\Big] = 0"},
    ),
    ProofLine(
        "reward-to-go",
        "causality",
        rf"\nabla J = \mathbb{{E}}\Big[\sum_t G_t\,{SCORE}\Big]",
        "What is left of the return at step t is the reward-to-go.",
    ),
    ProofLine(
        "noise",
        "causality",
        rf"\operatorname{{Var}}\Big[\sum_t G_t\,{SCORE}\Big]"
        r" = \mathbb{E}\,\big\|\cdot - \nabla J\big\|^2",
        "Its variance, computed in two ways.",
        {
            PAST: rf"\operatorname{{Var}}\Big[\sum_t \cancel{{G_t}}\,R(\tau)\,{SCORE}\Big]"
            r" = \mathbb{E}\,\big\|\cdot - \nabla J\big\|^2"
        },
    ),
)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A line in a world: its receipt as it is read, and its numbers for the picture."""

    reading: Reading
    sides: pd.DataFrame  # place, left, right, same, low, high
    total: int
    names: tuple[str, ...] = ()  # of the numbers, where they are few


def short(world: TabularMDP) -> TabularMDP:
    """The world as all lines are read in it: cut so early that its episodes can be listed."""
    few = listed(world)
    if few is None:
        raise WorldError("this world has too many different first steps to list its episodes")
    return few


def evaluate(
    world: TabularMDP, title: str, broken: str | None, actions: tuple[str, ...]
) -> Evaluated:
    """One line in this world, cut so that its episodes can be listed."""
    line, few = LINES[title], short(world)
    breaking = broken if broken in line.breaks else None
    receipt = (
        gradient_is_a_mean(few, num_episodes=NUM_SAMPLES, rng_seed=LUCK)
        if title == "a mean of samples"
        else line(few, breaking)
    )
    reading = read(line, receipt, few, actions)
    total = int(np.size(receipt.left))
    names = names_of(line, receipt, few, actions) if 1 < total <= MOST_NAMED else ()
    return Evaluated(reading, sides(receipt), total, names)


def names_of(
    line: Line, receipt: Receipt, world: TabularMDP, actions: tuple[str, ...]
) -> tuple[str, ...]:
    """Which number each is, in their order: "climb in state 1"."""
    every = (
        in_words(line, receipt, at, world, actions) for at in np.ndindex(np.shape(receipt.left))
    )
    return tuple(name.split(" · ")[0].replace("logit of ", "") for name in every)


def theta_in_words(world: TabularMDP, at: tuple[int, ...], actions: tuple[str, ...]) -> str:
    """One parameter by its feature and its action: "θ of climb in state 1"."""
    feature, action = at
    if world.num_features == 1:
        return f"θ of {actions[action]}"
    one_hot = np.array_equal(world.features, np.eye(world.num_states))
    return f"θ of {actions[action]} in {'state' if one_hot else 'feature'} {feature}"


def marks(world: TabularMDP, broken: str | None, actions: tuple[str, ...]) -> tuple[str, ...]:
    """Which lines of the proof hold: "holds", "fails" or "open", in their order."""
    return tuple(evaluate(world, each.title, broken, actions).reading.mark for each in PROOF)


def sides(receipt: Receipt) -> pd.DataFrame:
    """The numbers of both sides: all of them, or those that differ most and the largest."""
    left, right = (np.ravel(np.asarray(x, float)) for x in (receipt.left, receipt.right))
    size = np.maximum(np.abs(left), np.abs(right))
    gap = np.abs(left - right)
    same = (gap <= receipt.rounding) | (receipt.kind == "estimate")
    order = np.lexsort((-size, -np.where(same, 0, gap)))[:MOST_SHOWN]
    order.sort()
    table = pd.DataFrame(
        {
            "place": range(len(order)),
            "left": left[order],
            "right": right[order],
            "same": same[order],
            "low": _some(receipt.low, order),
            "high": _some(receipt.high, order),
        }
    )
    return table


def _some(values: Floats | None, order: np.ndarray) -> list[float | None]:
    if values is None:
        return [None] * len(order)
    return [float(x) for x in np.ravel(values)[order]]
