"""A counterexample to "λ = 1 has no bias": windows leave the last value in the sum."""

import numpy as np
import pandas as pd

from pgviz.charts import gae as charts
from pgviz.exact.trust import window_bias
from pgviz.figures import number
from pgviz.lessons.gae.settings import ERROR, ERROR_START, SHAPE, WORLD, formula
from pgviz.measure import trust
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (ERROR, WORLD, SHAPE)
BEATS = ({"error": 0.5}, {"error": 1.0}, {"error": 0.0})
WHOLE = "whole episodes"
SHOWN = ("λ = 0", "λ = 0.5", "λ = 1")


def draw(screen: Screen) -> None:
    screen.words(
        "A counterexample to “λ = 1 is never biased”. Cut episodes into windows, and the sum ends"
        " with V̂ of the next state, at λ = 1 too. In windows of one step every λ gives the TD error."
        " Only λ = 1 in sums that run to termination has no bias whatever the critic."
    )
    field = screen.live(ERROR, ERROR_START)
    error: float = screen.control(ERROR, ERROR_START)
    world: str = screen.control(WORLD, "ladder")
    shape: str = screen.control(SHAPE, "too small", horizontal=True)
    table = bias(world, shape)
    screen.chart(
        charts.windows, field, ERROR.options.index(ERROR_START), ERROR.options,
        max(float(table["bias"].max()) * 1.12, 0.01), ink(),
        tables={"bias": table},
        title="At λ = 1: less bias in longer windows, none in whole episodes"
        if error and table["bias"].any()
        else "This critic biases no λ",
        note=f"exact · {formula(shape)}",
    )  # fmt: skip
    screen.says(sentence(world, shape, error))
    screen.numbers(trust.in_windows(world, shape, error))
    screen.code(window_bias)


def bias(world: str, shape: str) -> pd.DataFrame:
    """‖E ĝ − ∇J‖ / ‖∇J‖ at ε = 1: label, at, name, bias, named."""
    wide = trust.in_windows(world, shape, 1.0)
    wide = wide.assign(at=range(len(wide))).rename(columns={"steps in a window": "label"})
    table = wide.melt(["label", "at"], list(SHOWN), "name", "squared")
    table = table.assign(bias=np.sqrt(table["squared"]))
    return table.assign(named=table["at"] == table["at"].max() - 1)


def sentence(world: str, shape: str, error: float) -> str:
    """The bias at λ = 1 in windows of one and two steps, and in whole episodes."""
    table = trust.in_windows(world, shape, error).set_index("steps in a window")["λ = 1"] ** 0.5
    if table.max() == 0:
        return "This critic biases no λ, in windows or without."
    return (
        f"At λ = 1 the bias is {number(table['1'])} of ‖∇J‖ in windows of 1 step,"
        f" {number(table['2'])} in windows of 2, and {number(table[WHOLE])} in whole episodes."
    )
