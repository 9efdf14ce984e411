"""The race: every method at its preset, on common seeds."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pgviz.charts import learning
from pgviz.charts.theme import COLOR
from pgviz.measure import race
from pgviz.runs import Run
from pgviz.ui import live, training
from pgviz.ui.screen import Screen, chart

RUNS = tuple(race.configs())
LABEL_GAP = 28  # in parts of the return's axis: labels of lines that end close by must not overlap


def draw(screen: Screen) -> None:
    screen.words(
        "Five methods play the same game, **CartPole**, with sixteen learners each. They differ in"
        " what Ψ is, and in settings chosen for each of them. Each page adds one of them; come back"
        " when you know what they do."
    )
    finished = training.recorded(screen, RUNS, lambda runs, before: _draw(screen, runs, before))
    training.run_again(screen, RUNS)
    if finished:
        found = {run.config.method: recording for run in finished if (recording := run.recording())}
        screen.says(race.in_words(found))
        screen.numbers(race.results(found))
    else:
        screen.says("The result stands here when all five have ended.")
    with screen.fold("Settings", ":material/tune:"):
        st.markdown("In what the presets differ, besides Ψ:")
        st.dataframe(race.settings([c.method for c in RUNS]), hide_index=True, key="race-settings")


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run]) -> None:
    st.markdown(
        "**Fewest steps to the top**  \n:small[:gray[mean of the middle half of sixteen learners;"
        " a learner stops once it has solved the game (475)]]"
    )
    curves = _curves(runs)
    chart(
        "chart-race",
        learning.race,
        race.BUDGET,
        tables={"curves": curves, "before": _curves(before), "labels": labels(curves)},
        height=screen.height - 90,
        says="Learning curves of all methods against environment steps.",
        scale=1.6 if screen.present else 1.0,
    )


def _curves(runs: Sequence[Run]) -> pd.DataFrame:
    tables = [live.by_steps(run)[0].assign(method=run.config.method) for run in runs]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables) if tables else live.NO_CURVE.assign(method=pd.Series(dtype=str))


def labels(curves: pd.DataFrame) -> pd.DataFrame:
    """A name for each line, in a column where no line runs, in the order of their steps."""
    ends = curves.groupby("method", sort=False)["env_steps"].max().sort_values()
    names = [method for method in ends.index if method in COLOR]
    return pd.DataFrame(
        {
            "method": names,
            "label": [race.label(name) for name in names],
            "at": [200.0 - 1.35 * LABEL_GAP * k for k in range(len(names))],
        }
    )
