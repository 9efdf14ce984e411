"""Why discount: a bound for values; and the factor γ^t that most code leaves out."""

import numpy as np
import pandas as pd

from pgviz import estimators
from pgviz.charts import actor_critic as charts
from pgviz.figures import fixed, number
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

GAMMA = Choice("discount", "Discount γ", (0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.0))
VIEW = Choice("shown", "Show", ("the value", "the factor γᵗ"))
CONTROLS = (GAMMA, VIEW)
BEATS = ({"discount": 1.0}, {"discount": 0.99}, {"discount": 0.9}, {"shown": "the factor γᵗ"})
START, LONGEST = 0.99, 500
FAR, LATE = 100, 300  # steps that the sentences speak of


def draw(screen: Screen) -> None:
    screen.words(
        "A **discount** γ < 1 counts a reward k steps later as $\\gamma^k$. In CartPole values then"
        " stay below 1/(1 − γ), however long the pole stands. The TD error becomes"
        " $\\delta = r + \\gamma V(s') - V(s)$. In the theorem $\\gamma^t$ then stands before the"
        " score at step t. Most code leaves it out, as we do: switch the picture."
    )
    field = screen.live(GAMMA, START)
    gamma: float = screen.control(GAMMA, START)
    view: str = screen.control(VIEW, "the value", horizontal=True)
    at = GAMMA.options.index(START)
    if view == "the value":
        screen.chart(
            charts.discounted, field, at, GAMMA.options, LONGEST,
            tables={"steps": steps()},
            title="With γ < 1 the value stays below 1/(1 − γ)",
            note="a reward of 1 for every step, as in CartPole · drag γ",
        )  # fmt: skip
        screen.says(value_sentence(gamma))
    else:
        screen.chart(
            charts.left_out, field, at, GAMMA.options, LONGEST, ink(),
            tables={"steps": steps()},
            title="Without γᵗ late steps count in full",
            note="so what code follows is in general no gradient of J · drag γ",
        )  # fmt: skip
        screen.says(factor_sentence(gamma))
    screen.numbers(numbers(gamma))
    screen.code(estimators.discounted_sum, estimators.discount_factors)


def steps() -> pd.DataFrame:
    """n = 0, 5, 10, …"""
    return pd.DataFrame({"n": np.arange(0, LONGEST + 1, 5)})


def value(gamma: float, num: int) -> float:
    """Σ_{k<n} γ^k."""
    return float(estimators.reward_to_go(np.ones(num), gamma)[0]) if num else 0.0


def value_sentence(gamma: float) -> str:
    """What the next 500 rewards count, and one far reward."""
    whole = number(value(gamma, LONGEST))
    if gamma == 1:
        return (
            f"Without a discount the next {LONGEST} rewards count {whole}. Without a time limit, a"
            " pole that never falls would have no finite value."
        )
    return (
        f"At γ = {gamma:g} the next {LONGEST} rewards count {whole} together, and a sum"
        f" without end would be {number(1 / (1 - gamma))}. The reward {FAR} steps later counts"
        f" {number(gamma**FAR)}."
    )


def factor_sentence(gamma: float) -> str:
    """The factor of a late step, in the theorem and in code."""
    if gamma == 1:
        return "At γ = 1 the factor γᵗ is 1 at every step: nothing is left out."
    return (
        f"At γ = {gamma:g} the theorem multiplies the score at step {LATE} by"
        f" {number(gamma**LATE, 2)}; most code by 1. With γᵗ, late steps would hardly be learned."
    )


def numbers(gamma: float) -> pd.DataFrame:
    """A few steps: the weight of a reward so far ahead, and the value of so many."""
    far = [0, 10, 50, 100, 200, 300, 500]
    return pd.DataFrame(
        {
            "steps n": far,
            "γⁿ": [fixed(gamma**n, 4) for n in far],
            "value of n rewards": [fixed(value(gamma, n)) for n in far],
        }
    )
