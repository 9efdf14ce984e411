"""Division by the group's spread: how much a prompt counts, by how hard it is."""

import numpy as np
import pandas as pd

from pgviz.charts import rlhf as charts
from pgviz.exact import language
from pgviz.figures import fixed
from pgviz.lessons.rlhf.shared import GROUP
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (GROUP,)
BEATS = ({"group": 2}, {"group": 8}, {"group": 32})
GRID = np.round(np.concatenate([[0.005, 0.01], np.arange(0.02, 0.981, 0.02), [0.99, 0.995]]), 3)


def draw(screen: Screen) -> None:
    screen.words(
        "GRPO also divides by the group's spread. Take rewards of 0 or 1. A prompt that is solved"
        " with probability p then has a mean ĝ of ∇p times a factor, and the factor depends on p:"
        " hard and easy prompts count more than those in the middle. Groups that are all 0 or all 1"
        " give nothing."
    )
    group = int(screen.control(GROUP, 8))
    screen.chart(
        charts.difficulty, ink(), group, tables={"factors": table()},
        title="Hard and easy prompts get larger updates"
        if group > 2
        else "With two sentences the factor is 1",
        note="exact: mean of ĝ, divided by ∇p",
    )  # fmt: skip
    screen.says(sentence(group))
    screen.numbers(
        table()
        .pivot(index="p", columns="group", values="factor")
        .reset_index()
        .rename(columns=str)
        .round(3)
    )
    screen.code(language.divided_by_spread)


def table() -> pd.DataFrame:
    """p, group, factor."""
    rows = [
        (float(p), k, language.divided_by_spread(float(p), int(k)))
        for k in GROUP.options
        for p in GRID
    ]
    return pd.DataFrame(rows, columns=["p", "group", "factor"])


def sentence(group: int) -> str:
    """The factor of a hard prompt and of one in the middle."""
    hard, middle = (language.divided_by_spread(p, group) for p in (0.05, 0.5))
    return (
        f"K = {group}: a prompt that is solved once in twenty times is weighed with {fixed(hard)}, one"
        f" that is solved half of the time with {fixed(middle)}."
    )
