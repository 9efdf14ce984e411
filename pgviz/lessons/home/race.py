"""The race: every method at its preset, on common seeds."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pgviz.charts import learning
from pgviz.charts.learning import SOLVED_RETURN
from pgviz.charts.theme import COLOR
from pgviz.measure import race
from pgviz.runs import Run
from pgviz.ui import live, training
from pgviz.ui.screen import Screen, chart

RUNS = tuple(race.configs())
LABEL_GAP = 28  # in parts of the return's axis: labels of lines that end close by must not overlap


def draw(screen: Screen) -> None:
    screen.words(
        "Five methods, sixteen learners each, learn CartPole until they have solved it. They differ"
        " in the number Ψ of the equation, and in settings chosen for each. So the picture compares"
        " methods with their settings, not Ψ alone. The four pages after The theorem explain"
        " them; come back then."
    )
    finished = training.recorded(screen, RUNS, lambda runs, before: _draw(screen, runs, before))
    training.run_again(screen, RUNS)
    if finished:
        found = training.recordings(finished)
        screen.says(race.in_words(found))
        screen.numbers(race.results(found))
    else:
        screen.says("The result stands here when all five runs have ended.")
    with screen.fold("Settings", ":material/tune:"):
        st.markdown("In what the presets differ, besides Ψ:")
        st.dataframe(
            race.settings([c.method for c in RUNS]),
            hide_index=True,
            key="race-settings",
            alt="Settings",
        )


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run]) -> None:
    st.markdown(
        "**The earlier a line reaches the dotted one, the fewer steps**  \n:small[:gray[mean of the"
        f" middle half of sixteen learners · dotted: solved, {SOLVED_RETURN}; a learner stops there]]"
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


@live.once_for_all
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
