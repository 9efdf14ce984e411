"""How far estimates scatter, as one number: the covariance trace, and what it says of N."""

import numpy as np
import pandas as pd

from pgviz.charts import baselines as charts
from pgviz.figures import fixed, number
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.measure import scatter
from pgviz.measure.noise import NUM_DOTS
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

EPISODES = Choice("episodes", "Episodes N", tuple(2**k for k in range(11)))
CONTROLS = (EPISODES,)
BEATS = ({"episodes": 1}, {"episodes": 4}, {"episodes": 16})
START = 16
NAMES = {"full return": "full-return", "reward-to-go": "reinforce"}
LONGEST = 2048  # where the lines end and their names begin


def draw(screen: Screen) -> None:
    screen.words(
        "The **covariance trace** of one episode's ĝ is its mean squared distance from its mean,"
        r" $\operatorname{tr}\operatorname{Cov}\hat g = \mathbb{E}\,\|\hat g - \nabla J\|^2$."
        " We call it the noise. The mean of N episodes has 1/N of it, so its distance from ∇J, the"
        " root, falls like $1/\\sqrt N$. A weight with half the noise needs half the episodes for"
        " the same distance."
    )
    field = screen.live(EPISODES, START)
    num: int = screen.control(EPISODES, START)
    screen.chart(
        charts.errors_of_n, field, EPISODES.options.index(START), ink(),
        tables=dict(tables()),
        title="Four times the episodes halve the distance",
        note=f"ladder, both axes logarithmic · lines: exact · points: measured on {NUM_DOTS} dots each",
        says="The distance of an estimate from the gradient against the number of episodes.",
    )  # fmt: skip
    screen.says(sentence(num))
    screen.numbers(numbers())
    screen.code(scatter.distances)
    screen.command(
        "python -m pgviz moments ladder --estimator full-return",
        "python -m pgviz moments ladder --estimator reward-to-go",
    )
    worlds.card(screen, "ladder")


@in_memory
def tables() -> dict[str, pd.DataFrame]:
    """The tables of the chart, for every position of the slider."""
    lines, measured, here, ends = [], [], [], []
    for weight, name in NAMES.items():
        trace = scatter.trace("ladder", weight)
        for num in np.geomspace(1, LONGEST, 12):
            lines.append({"name": name, "num": num, "error": np.sqrt(trace / num)})
        for row in scatter.distances("ladder", weight).to_dict("records"):
            measured.append({"name": name, "num": row["num_episodes"], "error": row["one"]})
        for at, num in enumerate(EPISODES.options):
            error = float(np.sqrt(trace / num))
            here.append({"at": at, "name": name, "num": num, "error": error, "label": fixed(error)})
    for weight, name in NAMES.items():
        error = float(np.sqrt(scatter.trace("ladder", weight) / LONGEST))
        ends.append({"name": name, "num": LONGEST, "error": error, "label": weight})
    guide = pd.DataFrame(
        [
            {"num": num, "error": 1.0 / np.sqrt(num), "label": "slope −½" if num == 100 else None}
            for num in (1, 100, 400)
        ]
    )
    return {
        "lines": pd.DataFrame(lines),
        "measured": pd.DataFrame(measured),
        "here": pd.DataFrame(here),
        "ends": pd.DataFrame(ends),
        "guide": guide,
    }


def sentence(num: int) -> str:
    """The distance of both weights at N, and how many more episodes the noisier one needs."""
    full, to_go = (scatter.trace("ladder", weight) for weight in NAMES)
    distances = [float(np.sqrt(trace / num)) for trace in (full, to_go)]
    same = full / to_go
    return (
        f"Noise of one episode: {fixed(full)} with the full return, {fixed(to_go)} with the"
        f" reward-to-go. With N = {num:,} ĝ is {fixed(distances[0])} and {fixed(distances[1])} off."
        f" The full return needs {number(same)} times as many episodes."
    )


def numbers() -> pd.DataFrame:
    """N and the exact distance of both weights."""
    columns = {
        weight: [float(np.sqrt(scatter.trace("ladder", weight) / n)) for n in EPISODES.options]
        for weight in NAMES
    }
    return pd.DataFrame({"N": EPISODES.options, **columns}).round(4)
