"""Less noise is not always faster: the bandit that commits, recorded."""

from functools import lru_cache

import pandas as pd

from pgviz.charts import baselines as charts
from pgviz.figures import fixed, number, percent
from pgviz.in_memory import in_memory
from pgviz.measure import committal
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

DISTANCE = Choice(
    "distance", "d, distance of b from b*", tuple(x for x in committal.OFFSETS if x >= 0)
)
CONTROLS = (DISTANCE,)
BEATS = ({"distance": 0.0}, {"distance": 0.3}, {"distance": 0.9})
START = 0.3
NAMES = {"below": "b* − {}", "least": "b*", "above": "b* + {}"}
GAP = 0.045  # between two names at the right


def draw(screen: Screen) -> None:
    starts = [fixed(100 * float(p), 0) for p in committal.softmax(committal.START)]
    screen.words(
        f"Arms pay 1, 0.7, 0; π starts at ({', '.join(starts)}) %. At any policy, b\\*−d and b\\*+d"
        f" have equal noise, more than b\\*. Yet for d up to {helps():g}, b\\*+d finds the best arm"
        " most often. It is slower at first: a larger b makes more drawn arms less likely, so all are"
        " tried for longer."
    )
    field = screen.live(DISTANCE, START)
    distance: float = screen.control(DISTANCE, START)
    paths, ends = tables()
    screen.chart(
        charts.commits, field, DISTANCE.options.index(START), ink(), committal.NUM_STEPS,
        tables={
            "paths": paths,
            "ends": ends,
            "best": pd.DataFrame({"objective": [1.0], "label": ["the best arm: 1"]}),
        },
        title=headline(distance),
        note=f"{committal.NUM_RUNS:,} runs each, one draw a step, learning rate {committal.STEP_SIZE:g} ·"
        f" best arm: share of runs with J > {committal.FOUND:g} at the end",
        says="The mean of J against steps for three baselines.",
    )  # fmt: skip
    screen.says(sentence(distance))
    screen.numbers(numbers())
    screen.code(committal.climb, committal.least_noisy)


@lru_cache(1)
def helps() -> float:
    """The largest d up to which b* + d ends on the best arm more often than b* and b* − d."""
    rows = committal.recorded()
    best = 0.0
    for d in DISTANCE.options[1:]:
        if rows[d]["found"] <= max(rows[0.0]["found"], rows[-d]["found"]):
            break
        best = d
    return best


def headline(distance: float) -> str:
    """What the picture shows at this distance."""
    rows = committal.recorded()
    if distance and rows[distance]["found"] > rows[0.0]["found"]:
        return r"More noise, and the best arm more often: b\* + d"
    return r"b\* has the least noise" if not distance else "Equal noise, unequal ends"


@in_memory
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every position of the slider: the three paths and their names."""
    curves = committal.curves()
    paths, ends = [], []
    for at, distance in enumerate(DISTANCE.options):
        sides = {"below": -distance, "least": 0.0, "above": distance}
        if distance == 0:
            sides = {"least": 0.0}
        last = []
        for side, offset in sides.items():
            path = curves[curves["offset"] == offset].assign(at=at, side=side)
            paths.append(path[["at", "side", "step", "objective"]])
            found = percent(committal.recorded()[offset]["found"])
            row = path.iloc[-1]
            label = f"{NAMES[side].format(f'{distance:g}')}: best arm {found}"
            last.append(
                {
                    "at": at,
                    "side": side,
                    "step": row["step"],
                    "shown": row["objective"],
                    "label": label,
                }
            )
        last.sort(key=lambda row: row["shown"])
        for k in range(1, len(last)):
            last[k]["shown"] = max(last[k]["shown"], last[k - 1]["shown"] + GAP)
        ends += last
    return pd.concat(paths, ignore_index=True), pd.DataFrame(ends)


def sentence(distance: float) -> str:
    """How noisy each is at the first step, and how many of its runs ended on the best arm."""
    begin = committal.softmax(committal.START)
    rows = committal.recorded()
    least = f"noise {number(committal.noise(begin, 0.0), 2)} at the start, best arm in {percent(rows[0.0]['found'])}"
    if distance == 0:
        return f"b* has the least noise: {least} of the runs. Move b away from it."
    below, above = rows[-distance]["found"], rows[distance]["found"]
    same = number(committal.noise(begin, distance), 2)
    words = (
        f"b*: {least} of the runs. At a distance of {fixed(distance, 1)} the noise is {same} on both"
        f" sides: above b* {percent(above)} find the best arm, below it {percent(below)}."
    )
    if above <= rows[0.0]["found"]:
        return f"{words} That far off, b* itself does better than both."
    return words


def numbers() -> pd.DataFrame:
    """Every offset: the noise at the start, the mean J at the end, the runs on the best arm."""
    begin = committal.softmax(committal.START)
    return pd.DataFrame(
        [
            {
                "b − b*": offset,
                "noise at the start": round(committal.noise(begin, offset), 4),
                "J at the end": row["mean"][-1],
                "best arm": row["found"],
            }
            for offset, row in committal.recorded().items()
        ]
    )
