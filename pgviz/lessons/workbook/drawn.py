"""Numbers drawn for the reader: one control for all steps, so that a link holds them."""

import random

import pandas as pd
import streamlit as st

from pgviz.ui.controls import Number
from pgviz.ui.guard import guarded
from pgviz.ui.screen import Screen
from pgviz.worlds import drawn
from pgviz.worlds.tabular import TabularMDP

NUMBER = Number("drawn", "Drawn numbers", 1, drawn.MOST)


def number(screen: Screen) -> int:
    """Which numbers the step shows, and a button for others."""
    found = int(screen.control(NUMBER, 1))
    with screen.beside_controls():
        st.button(
            "Other numbers",
            key=f"draw-{screen.key}",
            icon=":material/casino:",
            on_click=guarded(_draw_others),
        )
    return found


def _draw_others() -> None:
    st.session_state[NUMBER.name] = random.randint(NUMBER.low, NUMBER.high)


def world(screen: Screen) -> tuple[int, TabularMDP]:
    """The world of these numbers."""
    found = number(screen)
    return found, drawn.drawn(found)


def table(here: TabularMDP) -> pd.DataFrame:
    """A row per state and action."""
    rows = []
    for s in range(here.num_states):
        for a in range(here.num_actions):
            moves = here.transitions[s, a]
            rows.append(
                {
                    "state": s + 1,
                    "starts": here.start[s],
                    "action": a + 1,
                    "π": round(float(here.policy[s, a]), 3),
                    "reward": float(here.rewards[s, a, 0]),
                    **{f"to {to + 1}": moves[to] for to in range(here.num_states)},
                    "end": moves[-1],
                }
            )
    return pd.DataFrame(rows)
