"""Dividing each sentence's gradient by its length: what it does to the slope."""

import numpy as np
import pandas as pd

from pgviz.charts import rlhf as charts
from pgviz.exact import length
from pgviz.figures import fixed, signed
from pgviz.lessons.rlhf.reading import read
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

REWARD = Choice("paid-for", "Reward", tuple(length.REWARDS))
CONTROLS = (REWARD,)
BEATS = tuple({"paid-for": name} for name in length.REWARDS)
TRUE, DIVIDED = "slope of E[r]", "each divided by its length"
GRID = np.round(np.arange(0.02, 0.981, 0.02), 2)
AT = 0.6


def draw(screen: Screen) -> None:
    screen.words(
        "Sentences differ in length. Some code divides the sum over a sentence's tokens by its length"
        " n. Then ĝ estimates the gradient of E[r/n]. One knob here: after each token the model goes"
        " on with probability p, at most to six tokens. If the reward is the length, r/n is 1: there"
        " is nothing left to learn."
    )
    name: str = screen.control(REWARD, "its length")
    screen.chart(
        charts.lengths, ink(), tables={"slopes": table(name)},
        title="Divided by n, the length reward is gone"
        if name == "its length"
        else "Divided by n, long sentences count less",
        note="exact · θ: the log-odds of going on",
    )  # fmt: skip
    screen.says(sentence(name))
    screen.numbers(
        table(name).pivot(index="p", columns="kind", values="slope").reset_index().round(4)
    )
    screen.code(length.slope)
    read(screen)


def table(name: str) -> pd.DataFrame:
    """p, kind, slope."""
    rewards = length.REWARDS[name]()
    rows = [
        (float(p), kind, length.slope(float(p), rewards, kind == DIVIDED))
        for kind in (TRUE, DIVIDED)
        for p in GRID
    ]
    return pd.DataFrame(rows, columns=["p", "kind", "slope"])


def sentence(name: str) -> str:
    """Both slopes at p = .6."""
    rewards = length.REWARDS[name]()
    true, divided = (length.slope(AT, rewards, flag) for flag in (False, True))
    zero = abs(divided) < 1e-12
    said = "0 exactly" if zero else signed(divided, 3)
    return (
        f"At p = {fixed(AT)} the slope of the mean reward is {signed(true, 3)}; with each sentence"
        f" divided by its length the mean of ĝ is {said}."
    )
