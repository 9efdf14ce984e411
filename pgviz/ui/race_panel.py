"""The race: methods on common seeds, drawn as they learn."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pgviz.charts import critics as charts
from pgviz.measure import race
from pgviz.runs import Recording, Run
from pgviz.ui import live, page

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


def watch(runs: Sequence[Run], chosen: str, key: str) -> None:
    """Curves, results and one sentence, polled while one of the runs lives."""
    alive = any(live.is_live(run) for run in runs)

    @st.fragment(run_every=2 * live.POLL_S if alive else None)
    def panel() -> None:
        _draw(runs, chosen, key)
        if alive and not any(run.active for run in runs):
            st.rerun()

    panel()


def found(runs: Sequence[Run]) -> dict[str, Recording]:
    """What there is of each method."""
    recordings = {run.config.method: run.recording() for run in runs}
    return {m: r for m, r in recordings.items() if r is not None and r.num_updates}


def _draw(runs: Sequence[Run], chosen: str, key: str) -> None:
    active = [run.config.method for run in runs if run.active]
    over = len(runs) - len(active)
    words = f"{over} of {len(runs)} methods have ended"
    if any(run.ending in ("stopped", "failed") for run in runs):
        words += ", some before their time. Press the button to go on"
    st.progress(over / len(runs), f"{words}.")
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
        tables={"curves": curves, "key": _key(runs), "solved": SOLVED},
        height=340,
        says="Learning curves of all methods against environment steps.",
    )
    recordings = found(runs)
    page.heading("Until solved", "steps of a seed: IQM · seconds: training of all sixteen")
    table = race.results(recordings, active) if recordings else pd.DataFrame()
    st.dataframe(table, hide_index=True, height=36 * (len(runs) + 1), key=f"race-results-{key}")
    st.caption(
        race.in_words(recordings)
        if recordings and not active
        else "A verdict stands here when all have ended."
    )


def _key(runs: Sequence[Run]) -> pd.DataFrame:
    """The names of the lines, one below the other where no line runs."""
    methods = [run.config.method for run in runs]
    return pd.DataFrame(
        {
            "name": methods,
            "label": [race.label(method) for method in methods],
            "left": 0.6 * race.BUDGET,
            "right": 0.67 * race.BUDGET,
            "shown": [40.0 + 45 * (len(methods) - 1 - k) for k in range(len(methods))],
        }
    )
