"""A proof on a step: a formula whose terms lead to their steps, one line at a time, receipts."""

from collections.abc import Sequence

import streamlit as st

from pgviz.figures import number, with_minus
from pgviz.proofs.receipts import Reading
from pgviz.ui import receipts, walk
from pgviz.ui.look import text_red
from pgviz.ui.screen import Screen


def formula(screen: Screen, terms: Sequence[tuple[str, str]]) -> None:
    """A formula in pieces, (LaTeX, step), each of which leads to the step that shows it."""
    with screen.picture(), st.container(key="formula-in-one"):  # for screen readers, as mathematics
        st.markdown(f"${''.join(label.strip('$') for label, _ in terms)}$")
    with (
        screen.picture(),
        st.container(horizontal=True, gap=None, vertical_alignment="center", key="formula"),
    ):
        for label, slug in terms:
            walk.link(screen.page, label, slug)
        st.html(
            "<style>.st-key-formula-in-one { position: absolute; width: 1px; height: 1px; overflow: hidden;"
            " clip-path: inset(50%); }"
            ".st-key-formula button { position: relative; min-height: 0; padding: 2px 4px; }"
            ".st-key-formula button .stMarkdownColoredText"
            " { position: absolute; left: 0; width: 1px; overflow: hidden; clip-path: inset(50%);"
            " white-space: nowrap; }"
            ".st-key-formula .katex { font-size: 1.45em; }"
            ".st-key-formula button:hover { text-decoration: underline; }</style>"
        )


MARKS = {"holds": "✓", "fails": "✗", "open": "…", "unsure": "?", "none": "–"}


def mark_of(reading: Reading) -> str:
    """The mark of a line; samples whose interval cannot tell the sign earn none."""
    return "unsure" if reading.mark == "holds" and reading.note else reading.mark


def size_of(reading: Reading) -> str:
    """The difference of both sides: a power of ten where it is rounding."""
    is_rounding = reading.mark == "holds" and "±" not in reading.right
    return number(reading.size, 1 if is_rounding else 3)


def both(reading: Reading) -> str:
    """Left against right, where they differ most, or at the largest number."""
    sides = with_minus(f"{reading.left} against {reading.right}")
    return f"{sides}, difference {size_of(reading)}"


def line(
    screen: Screen,
    at: int,
    reason: str,
    latex: str,
    reading: Reading,
    marks: Sequence[str],
    struck: str = "",
    where: str = "",
) -> None:
    """Line `at` of a proof: its reason or what is struck, its formula, both sides, all marks."""
    red = text_red()
    title = f"**Line {at} of {len(marks)}**"
    title += f" &nbsp; :red[✗ {struck}]" if struck else f" &nbsp; :small[{reason}]"
    numbers = f"{where}{both(reading)} **{MARKS[mark_of(reading)]}**"
    all_lines = "".join(f" {n} {MARKS[mark]}" for n, mark in enumerate(marks, 1))
    with screen.picture(), st.container(key="proof-line", gap=None):
        st.markdown(title)
        st.markdown(f"$\\displaystyle {latex}$")
        st.markdown(f"{numbers}  \n:small[:gray[all lines:{all_lines}]]")
        st.html(
            f"<style>.st-key-proof-line .katex .sout {{ border-color: {red}; }}"
            f".st-key-proof-line .katex .cancel-lap, .st-key-proof-line .katex svg {{ color: {red}; }}"
            ".st-key-proof-line .katex { font-size: 1.15em; }"
            ".st-key-proof-line p:has(.katex) { padding: 2px 0 6px; }</style>"
        )


def line_by_line(screen: Screen, readings: Sequence[Reading], broken: str | None) -> None:
    """All lines of a proof with both sides, in a fold."""
    with screen.fold("Line by line", ":material/checklist:"):
        receipts.style()
        receipts.table(readings, screen.key)
        st.caption(receipts.verdict(readings, broken))
