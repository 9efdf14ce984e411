"""Other random numbers for a step that samples: one button, the same everywhere."""

import streamlit as st

from pgviz.ui.guard import guarded
from pgviz.ui.screen import Screen


def other_samples(screen: Screen) -> int:
    """A button for other samples; how often it was pressed, the seed of what is drawn."""
    key = f"luck.{screen.key}"
    pressed: int = st.session_state.setdefault(key, 0)

    def another() -> None:
        st.session_state[key] = pressed + 1

    with screen.beside_controls():
        st.button(
            "Other samples",
            key=f"{key}.button",
            icon=":material/casino:",
            on_click=guarded(another),
        )
    return pressed
