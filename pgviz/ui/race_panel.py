"""The race: methods on common seeds, drawn as they learn."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pgviz.charts import critics as charts
from pgviz.measure import race
from pgviz.runs import Recording, Run
from pgviz.training.config import Config
from pgviz.ui import besides, live, page

SOLVED = pd.DataFrame({"trailing_return": [475.0]})
NOTHING = pd.DataFrame(
    {
        name: pd.Series(dtype=kind)
        for name, kind in (
            ("name", str),
            ("env_steps", float),
            ("trailing_return", float),
            ("chosen", float),
        )
    }
)


def watch(configs: Sequence[Config], chosen: str, key: str) -> None:
    """Curves, results and one sentence, polled while one of the runs lives."""
    live.poll(configs, lambda: _draw(live.group_of(configs), configs, chosen, key))
    with st.expander("In what the presets differ, besides Ψ"):
        table = race.settings([config.method for config in configs])
        st.dataframe(table, hide_index=True, key=f"race-settings-{key}")
    runs = live.group_of(configs)
    besides.panel(runs, [race.label(run.config.method) for run in runs])


def found(runs: Sequence[Run]) -> dict[str, Recording]:
    """What there is of each method."""
    recordings = {run.config.method: run.recording() for run in runs}
    return {m: r for m, r in recordings.items() if r is not None and r.num_updates}


def _draw(runs: Sequence[Run], configs: Sequence[Config], chosen: str, key: str) -> None:
    over = sum(run.ending == "finished" for run in runs)
    others = live.others_in_words(runs, len(configs))
    st.progress(over / len(configs), f"{over} of {len(configs)} methods have ended{others}.")
    tables = []
    for run in runs:
        middle, _ = live.by_steps(run)
        method = run.config.method
        if len(middle):
            tables.append(middle.assign(name=method, chosen=float(method == chosen)))
    curves = pd.concat(tables) if tables else NOTHING
    page.heading(
        "Who needs the fewest steps?",
        "middle half of sixteen common seeds (IQM) · a seed stops once it has solved (475)",
    )
    page.chart(
        f"chart-race-{key}",
        charts.race,
        race.BUDGET,
        tables={"curves": curves, "key": _key(configs), "solved": SOLVED},
        height=340,
        says="Learning curves of all methods against environment steps.",
    )
    recordings = found(runs)
    page.heading("Until solved", "steps of a seed: IQM · seconds: training of all sixteen")
    unfinished = [run.config.method for run in runs if run.ending != "finished"]
    table = race.results(recordings, unfinished) if recordings else pd.DataFrame()
    height = 36 * (len(configs) + 1)
    st.dataframe(table, hide_index=True, height=height, key=f"race-results-{key}")
    st.caption(
        race.in_words(recordings)
        if over == len(configs)
        else "A verdict stands here when all have ended."
    )


def _key(configs: Sequence[Config]) -> pd.DataFrame:
    """The names of the lines, one below the other where no line runs."""
    methods = [config.method for config in configs]
    return pd.DataFrame(
        {
            "name": methods,
            "label": [race.label(method) for method in methods],
            "left": 0.6 * race.BUDGET,
            "right": 0.67 * race.BUDGET,
            "shown": [40.0 + 45 * (len(methods) - 1 - k) for k in range(len(methods))],
        }
    )
