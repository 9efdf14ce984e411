"""J = Σ P R, and only P depends on θ: the slope of J is Σ R ∇P."""

import pandas as pd

from pgviz.charts.theorem import product_table, slope_of_j
from pgviz.figures import fixed, number, signed
from pgviz.in_memory import in_memory
from pgviz.lessons.theorem.policy import THETA
from pgviz.measure import two_arms
from pgviz.ui import world
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (THETA,)
BEATS = ({"theta": -2.0}, {"theta": 0.0}, {"theta": 2.0})


def draw(screen: Screen) -> None:
    screen.words(
        "One arm is one episode: its return R is its reward, its probability P is π. So"
        " $J = \\sum_a P(a)\\,R(a)$. The rewards are fixed numbers; only the probabilities depend"
        " on θ. So only they have a slope, written ∇P:"
        " $\\nabla J = \\sum_a R(a)\\,\\nabla P(a)$. The slopes of J along all parameters are its"
        " **gradient** ∇J; here there is one."
    )
    start = -0.4
    field, at = screen.live(THETA, start), THETA.options.index(start)
    theta: float = screen.control(THETA, start)
    screen.chart(
        product_table, field, at, ink(),
        tables={"cells": cells()},
        title="The last column adds up to the slope of J",
        height=round(0.32 * screen.height),
    )  # fmt: skip
    screen.chart(
        slope_of_j, field, at, ink(),
        tables={"curve": two_arms.curve(THETA.options)},
        title="J and its slope at θ",
        height=round(0.5 * screen.height),
    )  # fmt: skip
    screen.says(sentence(theta))
    screen.code(two_arms.slopes, two_arms.gradient)
    world.fold(screen, world.Shown("two-arms"))


@in_memory
def cells() -> pd.DataFrame:
    """The table of P, R, ∇P and R ∇P at every position of the slider."""
    table = two_arms.terms(THETA.options)
    rows = []
    for row in table.to_dict("records"):
        texts = {
            "P": fixed(row["probability"], 3),
            "R": number(row["reward"]),
            "∇P": signed(row["slope"], 3),
            "R ∇P": signed(row["product"], 3),
        }
        rows += [
            {"at": row["at"], "row": row["arm"], "column": c, "text": t, "strong": False}
            for c, t in texts.items()
        ]
    for at, part in table.groupby("at"):
        sums = {"P": "1", "∇P": "0", "R ∇P": signed(part["product"].sum(), 3)}
        rows += [
            {"at": at, "row": "sum", "column": c, "text": t, "strong": c == "R ∇P"}
            for c, t in sums.items()
        ]
    return pd.DataFrame(rows)


def sentence(theta: float) -> str:
    """The sum of the table beside the slope as measured on J itself."""
    step = 0.01
    measured = float(two_arms.objective(theta + step) - two_arms.objective(theta - step)) / (
        2 * step
    )
    return (
        f"At θ = {number(theta)} the products add up to"
        f" {signed(float(two_arms.gradient(theta)), 3)}. Measured on J itself,"
        f" from θ − 0.01 to θ + 0.01, the slope is {signed(measured, 3)}."
    )
