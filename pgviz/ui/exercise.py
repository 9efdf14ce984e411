"""The `write` steps: a skeleton with gaps, the solution folded, both as files."""

import textwrap
from collections.abc import Mapping

import streamlit as st

from pgviz.exercises.gaps import gaps_of, with_gaps
from pgviz.ui.screen import Screen


def exercise(
    screen: Screen, name: str, solution: str, hints: Mapping[str, str], start: str = ""
) -> None:
    """Show the gaps in the picture; the whole file and its solution can be downloaded.

    `hints` name the lines to write by a part of them. The picture begins at the line that holds `start`, where there is much before the first gap,
    and ends with its block.
    """
    skeleton = with_gaps(solution, gaps_of(solution, hints))
    lines = skeleton.splitlines()
    first = next(at for at, line in enumerate(lines) if start in line)
    indent = len(lines[first]) - len(lines[first].lstrip())
    outside = (
        at
        for at in range(first + 1, len(lines))
        if lines[at].strip() and len(lines[at]) - len(lines[at].lstrip()) < indent
    )
    last = next(outside, len(lines))
    with screen.picture():
        st.code(
            textwrap.dedent("\n".join(lines[first:last]).rstrip()),
            language="python",
            height=screen.height - 60,
        )
        with st.container(horizontal=True, gap="small"):
            st.download_button(
                f"{name}.py with gaps",
                skeleton,
                f"{name}.py",
                "text/x-python",
                icon=":material/download:",
                on_click="ignore",
            )
            st.download_button(
                "The solution as a file",
                solution,
                f"{name}_solution.py",
                "text/x-python",
                icon=":material/download:",
                on_click="ignore",
            )
    with screen.fold("Solution", ":material/visibility:"):
        st.code(solution, language="python")
