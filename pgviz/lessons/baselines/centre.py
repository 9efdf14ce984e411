"""Estimates scatter around the gradient: other episodes, another ĝ, the same centre."""

import numpy as np
import pandas as pd

from pgviz.charts import baselines as charts
from pgviz.exact.values import gradient
from pgviz.figures import fixed, number
from pgviz.lessons.baselines import worlds
from pgviz.measure import scatter
from pgviz.measure.noise import NUM_DOTS
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.luck import other_samples
from pgviz.ui.screen import Screen
from pgviz.worlds.named import ladder

SAMPLES = Choice("dots", "N, episodes per dot", scatter.SIZES)
WEIGHT = Choice("weight", "Weight of an action", ("reward-to-go", "full return"))
CONTROLS = (SAMPLES, WEIGHT)
BEATS = ({"dots": 1}, {"dots": 16}, {"weight": "full return"})
START = 4
REACH = (4.8, 3.0)  # half-widths of the picture


def draw(screen: Screen) -> None:
    screen.words(
        "Two runs differ because each estimate ĝ of ∇J comes from other episodes. On the ladder ∇J"
        f" is known exactly. A dot is one ĝ, averaged over N episodes; the cross is the mean of"
        f" {NUM_DOTS} dots. It misses ∇J only by chance: ĝ is **unbiased**, its expectation is ∇J."
        " Its scatter is the problem of this page."
    )
    field = screen.live(SAMPLES, START)
    num: int = screen.control(SAMPLES, START)
    weight: str = screen.control(WEIGHT, "reward-to-go", horizontal=True)
    luck = other_samples(screen)
    dots = scatter.cloud("ladder", weight, luck)
    screen.chart(
        charts.scatter, field, SAMPLES.options.index(START), ink(), weight, length(), REACH,
        tables={
            "dots": dots.round(4),
            "centre": dots.groupby("at", as_index=False).mean(),
            "truth": pd.DataFrame({"along": [length()], "across": [0.0], "zero": [0.0]}),
        },
        title="The cloud shrinks with N; its centre stays on ∇J",
        note=f"ladder, π = (½, ½) · {NUM_DOTS} dots; up: at a right angle to ∇J, where the noise is most",
        says="Estimates of the gradient as dots around the exact one.",
    )  # fmt: skip
    screen.says(sentence(weight, num, luck))
    screen.numbers(scatter.distances("ladder", weight, luck))
    screen.code(scatter.dots)
    worlds.card(screen, "ladder")


def length() -> float:
    """‖∇J‖ of the ladder."""
    return float(np.linalg.norm(gradient(ladder())))


def sentence(weight: str, num: int, luck: int = 0) -> str:
    """How far one dot and the mean of all dots lie from ∇J, and how far chance alone would move it."""
    table = scatter.distances("ladder", weight, luck).set_index("num_episodes")
    one, mean = (float(table[name].to_dict()[num]) for name in ("one", "mean"))
    chance = float(np.sqrt(scatter.trace("ladder", weight) / num / NUM_DOTS))
    return (
        f"∇J is {fixed(length())} long. A dot lies {number(one, 2)} away from it (root mean square),"
        f" the mean of all {NUM_DOTS} dots {number(mean, 2)}: for the mean of {NUM_DOTS} unbiased dots"
        f" about {number(chance, 2)} is to be expected."
    )
