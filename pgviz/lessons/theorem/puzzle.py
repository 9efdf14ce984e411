"""The proof as a puzzle: true lines in one order, false ones among them, each with its number.

Every line says "∇J = …". Its right side is summed over all episodes of a short ladder, along the
θ whose slope is largest, so that a false line shows itself by its number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from pgviz.estimators import reward_to_go
from pgviz.exact.trajectories import Trajectory, trajectories
from pgviz.lessons.theorem.proof import theta_in_words
from pgviz.proofs.derivation import derivative, objective_at, probabilities_of
from pgviz.proofs.receipts import listed
from pgviz.worlds.named import ladder
from pgviz.worlds.stories import stories
from pgviz.worlds.tabular import Floats, TabularMDP

SCORE = r"\nabla\log\pi(a_t|s_t)"


@dataclass(frozen=True)
class PuzzleLine:
    """A right side of ∇J = …, the reason that leads to it, and how its number is found."""

    formula: str
    value: Callable[[TabularMDP, Trajectory], Floats]  # summed over all episodes
    reason: str = ""
    wrong_reasons: tuple[str, ...] = ()
    why_false: str = ""


def world() -> TabularMDP:
    """The ladder, so short that every episode can be listed."""
    few = listed(ladder())
    assert few is not None
    return few


def _return(tau: Trajectory) -> float:
    return float(sum(tau.rewards))


def _slope(here: TabularMDP, tau: Trajectory) -> Floats:
    return derivative(lambda z: probabilities_of(here, [tau])(z)[0], np.asarray(here.theta))


def _of_the_sum(here: TabularMDP, tau: Trajectory) -> Floats:
    return _slope(here, tau) * _return(tau)


def _of_the_log(here: TabularMDP, tau: Trajectory) -> Floats:
    log = derivative(lambda z: np.log(probabilities_of(here, [tau])(z)[0]), np.asarray(here.theta))
    return tau.probability * log * _return(tau)


def _of_the_scores(here: TabularMDP, tau: Trajectory) -> Floats:
    return tau.probability * tau.score(here) * _return(tau)


def _to_go(here: TabularMDP, tau: Trajectory) -> Floats:
    return tau.probability * tau.score(here, reward_to_go(np.array(tau.rewards), 1.0))


def _reward_slope(here: TabularMDP, tau: Trajectory) -> Floats:
    return 0 * np.asarray(here.theta)


def _without_log(here: TabularMDP, tau: Trajectory) -> Floats:
    return tau.probability * _slope(here, tau) * _return(tau)


def _earlier(here: TabularMDP, tau: Trajectory) -> Floats:
    rewards = np.array(tau.rewards)
    return tau.probability * tau.score(here, rewards.cumsum() - rewards)


RIGHT: tuple[PuzzleLine, ...] = (
    PuzzleLine(
        r"\sum_\tau \nabla P(\tau)\,R(\tau)",
        _of_the_sum,
        "Only the probabilities depend on θ.",
        ("Rewards are always positive.", "The world is known."),
    ),
    PuzzleLine(
        r"\sum_\tau P(\tau)\,\nabla\log P(\tau)\,R(\tau)",
        _of_the_log,
        "The slope of log x is 1/x.",
        ("The log rises, so it keeps the maximum.", "The log makes numbers smaller."),
    ),
    PuzzleLine(
        r"\mathbb{E}\big[\nabla\log P(\tau)\,R(\tau)\big]",
        _of_the_log,
        "A sum with P in front is an average over episodes.",
        ("Many samples were drawn.", "The score averages to zero."),
    ),
    PuzzleLine(
        rf"\mathbb{{E}}\big[\textstyle\sum_t {SCORE}\,R(\tau)\big]",
        _of_the_scores,
        "The world's factors have slope zero.",
        ("The world's moves are equally likely.", "Earlier rewards are settled."),
    ),
    PuzzleLine(
        rf"\mathbb{{E}}\big[\textstyle\sum_t {SCORE}\,G_t\big]",
        _to_go,
        "Given the past, scores average to zero.",
        ("Earlier rewards are small.", "The past has slope zero."),
    ),
)
FALSE: tuple[PuzzleLine, ...] = (
    PuzzleLine(
        r"\sum_\tau P(\tau)\,\nabla R(\tau)",
        _reward_slope,
        why_false="R is a fixed number: its slope is 0",
    ),
    PuzzleLine(
        r"\mathbb{E}\big[\nabla P(\tau)\,R(\tau)\big]",
        _without_log,
        why_false="E counts P already, and ∇P counts it again",
    ),
    PuzzleLine(
        rf"\mathbb{{E}}\big[\textstyle\sum_t {SCORE}\,(R - G_t)\big]",
        _earlier,
        why_false="these are the earlier rewards, which average to zero",
    ),
)
ALL = RIGHT + FALSE


@lru_cache(1)
def exact() -> float:
    """The largest slope of J, by differentiating J itself."""
    here = world()
    return float(derivative(partial(objective_at, here), np.asarray(here.theta))[_largest()])


@lru_cache(1)
def _largest() -> tuple[int, ...]:
    here = world()
    slopes = derivative(partial(objective_at, here), np.asarray(here.theta))
    return tuple(int(i) for i in np.unravel_index(int(slopes.argmax()), slopes.shape))


def name() -> str:
    """The θ whose slope is shown."""
    return theta_in_words(world(), _largest(), stories["ladder"].actions)


@lru_cache(16)
def number_of(at: int) -> float:
    """The right side of one of the lines, summed over all episodes."""
    here = world()
    total = np.sum([ALL[at].value(here, tau) for tau in trajectories(here)], axis=0)
    return float(total[_largest()])


def offered(placed: int) -> list[int]:
    """The lines to choose from when so many are placed: the next one, a later one, false ones."""
    later = [placed + 1] if placed + 1 < len(RIGHT) else []
    false = [len(RIGHT) + k for k in ((0, 1) if placed < 2 else (1, 2))]
    lines = [*later, false[placed % 2], placed, false[1 - placed % 2]]
    return lines if placed % 2 else lines[::-1]


def reasons(placed: int) -> tuple[tuple[str, ...], int]:
    """The reasons offered for the line placed last, and which one is right."""
    line = RIGHT[placed]
    at = (1, 0, 2, 1, 2)[placed]
    options = list(line.wrong_reasons)
    options.insert(at, line.reason)
    return tuple(options), at
