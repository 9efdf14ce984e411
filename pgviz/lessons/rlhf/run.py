"""Training in the toy language, with the exact distance to the best policy."""

from typing import Any

import numpy as np
import pandas as pd

from pgviz.charts import rlhf as charts
from pgviz.figures import fixed, number
from pgviz.lessons.rlhf.shared import BETA, GROUP
from pgviz.measure import wording
from pgviz.ui.controls import Number
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

LUCK = Number("luck", "Random seed", 0, 20)
CONTROLS = (GROUP, BETA, LUCK)
BEATS = ({"group": 4}, {"group": 32})


def draw(screen: Screen) -> None:
    screen.words(
        f"Now it trains, from samples: {wording.BATCH} sentences an update, in groups of K,"
        f" {wording.NUM_SEEDS} seeds; the KL stands in the reward, $r - \\beta\\log\\pi/\\pi_{{ref}}$."
        " At the best policy this is the same number for every sentence. So a baseline leaves no noise"
        " there; without one the noise stays."
    )
    group = int(screen.control(GROUP, 4))
    beta: float = screen.control(BETA, 0.3)
    luck = int(screen.control(LUCK, 0))
    table = wording.curves(wording.METHODS, group, beta, luck)
    screen.chart(
        charts.towards_best, ink(), wording.NUM_UPDATES,
        tables={"curves": floored(table), "names": names(floored(table))},
        title="With a baseline, training ends at the best policy" if arrives(table)
        else "The distance to the best policy",
        note="trained here just now · mean of the seeds",
    )  # fmt: skip
    screen.says(sentence(table, beta))
    screen.numbers(
        table.pivot(index="update", columns="method", values="distance").reset_index().round(5)
    )
    screen.code(wording.train, wording.advantages)


def floored(table: pd.DataFrame) -> pd.DataFrame:
    """No distance below what a logarithmic axis can show."""
    return table.assign(distance=np.maximum(table["distance"], 1e-6))


def names(table: pd.DataFrame) -> pd.DataFrame:
    """A name at the end of every line, apart from the others on a logarithmic axis."""
    ends = table.groupby("method", sort=False).tail(1).sort_values("distance", ascending=False)
    places: list[float] = []
    for height in ends["distance"].tolist():
        places.append(min(height, places[-1] / 3) if places else height)
    return ends.assign(place=places)


def ends(table: pd.DataFrame) -> dict[Any, dict[Any, Any]]:
    """The last row of every method."""
    return table.groupby("method").tail(1).set_index("method").to_dict("index")


def arrives(table: pd.DataFrame) -> bool:
    """Whether both baselines end nearer than a tenth of no baseline's distance."""
    last = {name: row["distance"] for name, row in ends(table).items()}
    none, *others = (last[name] for name in wording.METHODS)
    return all(x < none / 3 for x in others)


def sentence(table: pd.DataFrame, beta: float) -> str:
    """Distances and J at the end, beside the best."""
    last = ends(table)
    said = ", ".join(f"{name} {number(last[name]['distance'], 2)}" for name in wording.METHODS)
    best = wording.train(wording.METHODS[0], 2, beta).best
    top = max(row["objective"] for row in last.values())
    return (
        f"KL to the best policy after {wording.NUM_UPDATES} updates: {said}. The largest J is"
        f" {fixed(top, 4)}; the best possible is {fixed(best, 4)}."
    )
