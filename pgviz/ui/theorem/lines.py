"""A derivation on the page: its receipts, line by line, and the switch that breaks one."""

import pandas as pd
import streamlit as st

from pgviz.exact.receipts import Reading, cut_in_words, listed, read_out
from pgviz.measure import theorem
from pgviz.ui import receipts
from pgviz.ui.theorem.bench import (
    INTACT,
    TABLES,
    Setting,
    breaks_of,
    found,
    samples,
)
from pgviz.ui.theorem.layout import cut_gradient_in_words


def derivation(setting: Setting, key: str, title: str) -> list[Reading]:
    """One derivation with its switch."""
    name = TABLES[key]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        st.header(title, anchor=False)
    with right:
        chosen = st.selectbox(
            "Break this step",
            (INTACT, *breaks_of(name)),
            0,
            key=key,
            bind="query-params",
        )
    broken = None if chosen == INTACT else chosen
    readings = read_lines(setting, name, broken)
    receipts.table(readings, key)
    st.caption(receipts.verdict(readings, broken) + _cut(setting, name))
    return readings


def read_lines(setting: Setting, name: str, broken: str | None) -> list[Reading]:
    """The lines of a derivation, the one of samples with as many episodes as are asked for."""
    readings: list[Reading] = found(
        setting, read_out, name, broken, samples(), theorem.DICE_SEED, setting.story.actions
    )
    return readings


def _cut(setting: Setting, name: str) -> str:
    if name == "unrolling ∇V":
        return ""
    samples_cut = cut_gradient_in_words(setting) if name == TABLES["log"] else ""
    few = listed(setting.at)
    listing_cut = "" if few is None else cut_in_words(setting.at, few)
    return "".join(f" {said}" for said in (listing_cut, samples_cut) if said)


def receipts_table(setting: Setting) -> pd.DataFrame:
    """Every line of the page as it is broken now."""
    rows = []
    for key, name in TABLES.items():
        chosen = st.session_state.get(key, INTACT)
        broken = None if chosen == INTACT else chosen
        for reading in read_lines(setting, name, broken):
            rows.append(
                {
                    "derivation": name,
                    "line": reading.title,
                    "equation": reading.equation,
                    "left": reading.left,
                    "right": reading.right,
                    "difference": reading.size,
                    "mark": reading.mark,
                    "broken": broken or "",
                }
            )
    return pd.DataFrame(rows)
