"""What the training of a run does besides the equation, in a fold of the step that shows it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from pgviz.in_memory import in_memory
from pgviz.measure.besides import Fact, besides
from pgviz.runs import Recording, Run
from pgviz.ui.screen import Screen


def fold(screen: Screen, runs: Sequence[Run], names: Sequence[str] = ()) -> None:
    """One list per run: its own, or a tab for each run of a group. Nothing without a run."""
    if not runs:
        return
    with screen.fold("Besides the equation", ":material/checklist:"):
        if len(runs) == 1:
            _list(runs[0])
            return
        for run, tab in zip(runs, st.tabs([*names]), strict=True):
            with tab:
                _list(run)


def _list(run: Run) -> None:
    """The facts; what was measured only once the run is over."""
    recording = None if run.active else run.recording()
    if recording is None:
        st.markdown(_written(besides(run.config)))
    else:
        st.markdown(_measured(str(recording.path), recording.num_updates))


@in_memory
def _measured(path: str, num_updates: int) -> str:
    recording = Recording(Path(path))
    return _written(besides(recording.config, recording))


def _written(facts: Mapping[str, Fact]) -> str:
    return "\n".join(f"- **{name}.** {fact.words}" for name, fact in facts.items())
