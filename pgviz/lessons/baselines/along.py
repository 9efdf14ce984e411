"""The noise along a training: policies frozen at a few updates, four weights on the same episodes."""

import numpy as np
import pandas as pd

from pgviz.charts import baselines as charts
from pgviz.figures import count, number
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import bench
from pgviz.measure import four_estimators, frozen
from pgviz.measure.four_estimators import CARTPOLE_EPISODES, FOUR, NUM_UPDATES, UPDATES
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen

RUN = Choice("along", "The run of", ("reward-to-go", "minus V̂(s)"))
CONTROLS = (RUN,)
BEATS = ({"along": "reward-to-go"}, {"along": "minus V̂(s)"})
METHODS = {"reward-to-go": "reinforce", "minus V̂(s)": "baseline"}


def draw(screen: Screen) -> None:
    screen.words(
        "A recorded run on CartPole, its policy kept fixed at six updates. At each, four weights are"
        f" used on the same {CARTPOLE_EPISODES} episodes. V̂ is fitted to other episodes of this"
        " policy and, unlike in the run, also gets the time. At update 0 it takes away a third of the"
        " noise, from 24 on most."
    )
    run: str = screen.control(RUN, "reward-to-go", horizontal=True)
    table = traces(run)
    screen.chart(
        charts.noise_along, NUM_UPDATES,
        tables={"traces": table, "ends": ends(table)},
        title="At first V̂ takes away some of the noise, later most of it",
        note=f"CartPole, seed {four_estimators.SEED} · 95 % intervals · measured beforehand",
        says="Noise of four estimators against updates.",
    )  # fmt: skip
    screen.says(sentence(run))
    screen.numbers(table[["update", "label", "trace", "low", "high"]])
    screen.code(frozen.psi, frozen.fitted_critic, frozen.episode_gradients)
    screen.command("python -m pgviz.measure.four_estimators")


@in_memory
def traces(run: str) -> pd.DataFrame:
    """name, label, update, trace, low, high."""
    found = four_estimators.recorded()
    return pd.DataFrame(
        [
            {"name": name, "label": bench.labels(bench.CARTPOLE)[name], "update": update}
            | {
                k: found[f"{METHODS[run]}/{update}"]["rows"][name][k]
                for k in ("trace", "low", "high")
            }
            for name in FOUR
            for update in UPDATES
        ]
    )


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """Names beside the ends of the lines, kept apart."""
    last = table[table["update"] == table["update"].max()].sort_values("trace")
    apart = 0.06 * np.log10(table["high"].max() / table["low"].min())
    levels = np.log10(last["trace"].to_numpy(float))
    for k in range(1, len(levels)):
        levels[k] = max(levels[k], levels[k - 1] + apart)
    return last.assign(shown=10**levels)


def sentence(run: str) -> str:
    """How the noise of the reward-to-go grows, and what subtracting V̂ leaves of it at each update."""
    wide = traces(run).pivot(index="update", columns="name", values="trace")
    plain, left = wide["reinforce"], wide["baseline"] / wide["reinforce"]
    shares = ", ".join(short_percent(float(x)) for x in left)
    return (
        f"The noise of the reward-to-go goes from {count(plain.iloc[0])} at update 0 to"
        f" {count(plain.iloc[-1])} at update {wide.index[-1]}. Of it, V̂ leaves {shares} at the"
        f" {len(left)} updates."
    )


def short_percent(share: float) -> str:
    """66 %, 1.8 %, 0.15 %."""
    return f"{number(100 * share, 2)} %"
