"""Normalising a batch subtracts a baseline that knows the sample, and divides by luck."""

import pandas as pd

from pgviz.charts import baselines as charts
from pgviz.exact.subtracted import NORMALISERS, normalised, return_spread
from pgviz.figures import fixed, percent
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.measure import noise
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import bandit_a

SHOWN = Choice("normalised", "Show of the mean of ĝ", ("direction", "length"))
EPISODES = Choice("batch-size", "Episodes N", noise.BATCHES)
CONTROLS = (SHOWN, EPISODES)
BEATS = ({"normalised": "length"}, {"normalised": "direction"}, {"batch-size": 64})
START = 4
PICTURES = {
    "direction": ("degrees", "angle to ∇J, degrees", (-7.0, 46.0)),
    "length": ("scale", "length / length of ∇J", (0.4, 1.3)),
}
MEAN, _, BOTH = NORMALISERS


def draw(screen: Screen) -> None:
    screen.words(
        "Much code subtracts the mean of the batch's returns and divides by their standard"
        " deviation. The mean is a baseline that contains the sample itself: it leaves"
        " 1 − 1/N of ∇J. The divisor depends on the same samples: it also turns the mean of ĝ. As N"
        " grows, both effects fade; only a change of length stays."
    )
    shown: str = screen.control(SHOWN, "direction", horizontal=True)
    field = screen.live(EPISODES, START)
    num: int = screen.control(EPISODES, START)
    column, title, domain = PICTURES[shown]
    screen.chart(
        charts.normalised, field, EPISODES.options.index(START), ink(), column, title, domain,
        tables=tables(shown),
        title="Dividing turns the mean of ĝ away from ∇J"
        if shown == "direction"
        else "Both change the length of the mean of ĝ",
        note="three arms that pay 1, 2 and 5 · exact: over every batch (equal returns are not divided)",
    )  # fmt: skip
    screen.says(sentence(num))
    screen.numbers(noise.normaliser_table().round(4))
    screen.code(normalised)
    worlds.card(screen, "bandit-a")


@in_memory
def tables(shown: str) -> dict[str, pd.DataFrame]:
    """The lines of one quantity, at every N."""
    column = PICTURES[shown][0]
    found = noise.normaliser_table()
    lines = pd.DataFrame(
        {
            "at": [EPISODES.options.index(n) for n in found["num_episodes"]],
            "name": found["name"],
            "num": found["num_episodes"],
            "value": found[column].round(5),
        }
    )
    ends = lines[lines["num"] == EPISODES.options[-1]].sort_values("value")
    low, high = PICTURES[shown][2]
    heights = ends["value"].tolist()
    if shown == "direction":  # below the dashed line, which it lies on
        heights[0] -= 3.0
    for k in range(1, len(heights)):
        heights[k] = max(heights[k], heights[k - 1] + 0.075 * (high - low))
    same = 1.0 if shown == "length" else 0.0
    return {
        "lines": lines,
        "ends": ends.assign(value=heights),
        "truth": pd.DataFrame({"value": [same], "label": ["∇J"]}),
    }


def sentence(num: int) -> str:
    """What the three do at this N."""
    found = noise.normaliser_table()
    rows = found[found["num_episodes"] == num].set_index("name")
    limit = 1 / return_spread(bandit_a())
    return (
        f"With N = {num}, subtracting the mean keeps {percent(rows['scale'][MEAN], 1)} of ∇J and its"
        f" direction; dividing as well turns it by {fixed(rows['degrees'][BOTH], 1)}° and makes its"
        f" length {fixed(rows['scale'][BOTH])} of ∇J's. As N grows that tends to 1/σ ="
        f" {fixed(limit)}, with σ the standard deviation of all returns."
    )
