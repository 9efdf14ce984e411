"""Four questions about RLHF; every reply is computed."""

import numpy as np

from pgviz.exact import language
from pgviz.figures import fixed, number, percent
from pgviz.lessons.question import Question
from pgviz.lessons.rlhf.reading import BOOK
from pgviz.lessons.rlhf.shared import best, log_ref
from pgviz.measure.wording import advantages
from pgviz.ui.quiz import quiz
from pgviz.ui.screen import Screen


def draw(screen: Screen) -> None:
    screen.words(
        "The page in one line: text is a sequence of actions with one reward, held near a reference"
        " by the KL, and a group's other sentences are its baseline. Four questions follow. More in"
        f" {BOOK}: chapters on policy gradients, regularisation and over-optimisation."
    )
    quiz(screen, QUESTIONS)


def own_mean() -> Question:
    """The mean of all K holds the sentence's own reward."""
    shares = {
        k: language.group_moments(language.reference(), language.counting(), k)["group mean"][0]
        for k in (2, 4)
    }
    return Question(
        "own-mean",
        "Groups of K = 4; the mean of all four is subtracted. What is the mean of ĝ?",
        ("∇J", "75 % of ∇J", "0"),
        1,
        (
            f"Each sentence's own reward is in that mean: it is {percent(shares[4])} of ∇J.",
            f"1 − 1/K: {percent(shares[4])} with four, {percent(shares[2])} with two.",
            f"Only with K = 1. With four it is {percent(shares[4])} of ∇J.",
        ),
    )


def all_equal() -> Question:
    """A group of equal rewards."""
    ones = np.ones((1, 4))
    left = float(np.abs(advantages(ones, "leave one out", 4)).max())
    none = float(advantages(ones, "no baseline", 4)[0, 0])
    return Question(
        "all-equal",
        "All four sentences of a group get reward 1. What does leave one out learn from them?",
        ("All four become likelier", "Nothing", "All four become less likely"),
        1,
        (
            f"The advantages are {number(left)}; without a baseline they would be {number(none)}.",
            f"Each advantage is 1 − 1 = {number(left)}.",
            f"The advantages are {number(left)}: neither up nor down.",
        ),
    )


def where_constant() -> Question:
    """r − β log π*/π_ref is J* for every sentence."""
    log_best, top = best(1.0)
    values = language.counting() - (log_best - log_ref())
    return Question(
        "constant",
        "At the best policy, how does r − β log(π/π_ref) differ between sentences?",
        ("It is larger for good ones", "It is larger for rare ones", "Not at all"),
        2,
        (
            f"π* has taken that up: at β = 1 it lies between {fixed(values.min(), 4)} and"
            f" {fixed(values.max(), 4)}.",
            f"At β = 1 it lies between {fixed(values.min(), 4)} and {fixed(values.max(), 4)}.",
            f"At β = 1 it is {fixed(top, 4)} for all 4,096 sentences: J* itself.",
        ),
    )


def turned_round() -> Question:
    """A well-known book's log-ratio, inverted."""
    found = language.kl_estimates(1.4 * language.reference(), log_ref())
    right, wrong = (found[name][0] for name in ("k1 = log π/π_ref", "k1, turned round"))
    third = found["k3, turned round"][0]
    return Question(
        "turned-round",
        "Code takes samples of π and averages log π_ref − log π as its KL(π‖π_ref). What comes out?",
        ("The KL", "Minus the KL", "KL(π_ref‖π)"),
        1,
        (
            f"The sign is wrong: at logits of 1.4 the KL is {fixed(right, 4)}, the mean"
            f" {fixed(wrong, 4)}.",
            f"{fixed(wrong, 4)} in place of {fixed(right, 4)}. k₃ of the same inverted ratio gives"
            f" {fixed(third, 4)}.",
            f"That needs samples of π_ref. The mean is {fixed(wrong, 4)}, a KL is never negative.",
        ),
    )


QUESTIONS = (own_mean, all_equal, where_constant, turned_round)
