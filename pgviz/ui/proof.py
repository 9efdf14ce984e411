"""A proof on a step: a formula whose terms lead to their steps, one line at a time, receipts."""

from collections.abc import Sequence

import streamlit as st

from pgviz.proofs.receipts import Reading
from pgviz.ui import receipts, walk
from pgviz.ui.look import text_red
from pgviz.ui.screen import Screen


def formula(screen: Screen, terms: Sequence[tuple[str, str]]) -> None:
    """A formula in pieces, (LaTeX, step), each of which leads to the step that shows it."""
    with (
        screen.picture(),
        st.container(horizontal=True, gap=None, vertical_alignment="center", key="formula"),
    ):
        for label, slug in terms:
            walk.link(screen.page, label, slug)
        st.html(
            "<style>.st-key-formula button { min-height: 0; padding: 2px 4px; }"
            ".st-key-formula button .stMarkdownColoredText"
            " { position: absolute; clip-path: inset(50%); white-space: nowrap; }"
            ".st-key-formula .katex { font-size: 1.45em; }"
            ".st-key-formula button:hover { text-decoration: underline; }</style>"
        )


def line(screen: Screen, title: str, latex: str, numbers: str, all_lines: str) -> None:
    """One line of a proof: its place and reason, its formula, both sides, the other lines' marks."""
    red = text_red()
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
