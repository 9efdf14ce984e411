"""No baseline, leave one out, the group's mean: mean and noise of ĝ, exactly, over K."""

import pandas as pd

from pgviz.charts import rlhf as charts
from pgviz.exact import language
from pgviz.exact.language import GROUPS
from pgviz.figures import number, percent
from pgviz.lessons.rlhf.reading import read
from pgviz.lessons.rlhf.shared import GROUP
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (GROUP,)
BEATS = ({"group": 2}, {"group": 4}, {"group": 32})


def draw(screen: Screen) -> None:
    screen.words(
        "A group of K sentences, one prompt. What is subtracted from each reward? Nothing"
        " (REINFORCE); the mean of the K − 1 others, **leave one out** (RLOO); or the mean of all K,"
        " as in GRPO. The others do not depend on this sentence: no bias. The mean of all holds its"
        " own reward and shrinks ĝ."
    )
    group = int(screen.control(GROUP, 8))
    table = everything()
    screen.chart(
        charts.noise_over_group, ink(), group, tables={"noise": table},
        title="Leave one out: less noise from four sentences on",
        note="exact, at the reference model · noise: covariance trace",
    )  # fmt: skip
    screen.says(sentence(group))
    screen.numbers(table.assign(noise=table["noise"].round(5)))
    screen.code(language.group_moments)
    read(screen)


def everything() -> pd.DataFrame:
    """group, method, mean as a share of ∇J, noise."""
    theta, rewards = language.reference(), language.counting()
    rows = [
        (group, name, share, trace)
        for group in GROUP.options
        for name, (share, trace) in language.group_moments(theta, rewards, group).items()
    ]
    return pd.DataFrame(rows, columns=["group", "method", "mean", "noise"])


def sentence(group: int) -> str:
    """Noise and mean of the three at this K."""
    found = language.group_moments(language.reference(), language.counting(), group)
    none, others, whole = (found[name] for name in GROUPS)
    verdict = "less" if others[1] < none[1] else "more"
    return (
        f"K = {group}: leave one out has a noise of {number(others[1])}, {verdict} than"
        f" {number(none[1])} without a baseline. Both have mean ∇J. With the mean of all it is"
        f" {percent(whole[0])} of ∇J: 1 − 1/K."
    )
