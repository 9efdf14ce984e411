"""The end of the theorem page: what to take away, the questions, the files."""

import streamlit as st

from pgviz.measure import theorem
from pgviz.ui import page
from pgviz.ui.theorem.bench import (
    TABLES,
    Setting,
    found,
    query_of,
)
from pgviz.ui.theorem.lines import read_lines, receipts_table
from pgviz.worlds.files import world_document
from pgviz.worlds.tabular import WorldError


def takeaways(setting: Setting, run: theorem.Race, mistake: str, revealed: bool) -> list[str]:
    """Sentences computed at this setting; the one on the best policy waits for the prediction."""
    return theorem.takeaways(
        found(setting, theorem.place, setting.story.turned),
        found(setting, theorem.sampled_returns, 0),
        _summit(setting) if revealed else None,
        run,
        mistake,
        [reading for name in TABLES.values() for reading in read_lines(setting, name, None)],
    )


def _summit(setting: Setting) -> tuple[float | None, float] | None:
    """The best of the knob; None where there is nothing to turn."""
    try:
        best: tuple[float | None, float] = found(
            setting.resting, theorem.summit, setting.story.turned
        )
    except WorldError:
        return None
    return best


def share(setting: Setting) -> None:
    """The link, the command and the files that give these numbers again."""
    st.header("Share and reproduce", anchor=False)
    if setting.document:
        st.markdown(
            "Your world stays with you, so a link cannot carry it: send the file along. The link"
            " sets every other control."
        )
    else:
        st.markdown("The link sets every control of this page and gives the same numbers.")
    st.code(f"{page.base_url('theorem')}?{query_of(setting)}", language=None, wrap_lines=True)
    st.markdown("The file holds this world at this θ; the command prints its exact numbers.")
    st.code(
        "python -m pgviz moments world.json --estimator reward-to-go --json",
        language="bash",
        wrap_lines=True,
    )
    sheet = receipts_table(setting)  # now: where the file is made there is no session to ask
    with st.container(horizontal=True):
        st.download_button(
            "World at this θ as JSON",
            lambda: world_document(setting.at),
            "world.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Receipts as CSV",
            lambda: sheet.to_csv(index=False),
            "receipts.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
