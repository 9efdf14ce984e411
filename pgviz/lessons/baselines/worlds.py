"""The world of a step, drawn in a fold: the same card on every step of this page."""

import streamlit as st

from pgviz.ui import world
from pgviz.ui.drawing import drawing
from pgviz.ui.plain import plain
from pgviz.ui.screen import Screen
from pgviz.worlds.stories import stories

NAMES = {
    "ladder": "ladder",
    "three arms": "bandit-a",
    "survival": "survival",
    "corridor": "short-corridor",
    "two arms": "two-arms",
}


def card(screen: Screen, name: str) -> None:
    """The drawing of a named world and its story."""
    with screen.fold("World", ":material/public:"), st.container(width=420):
        if (svg := world.picture(name)) is not None:
            drawing(svg, key=f"card-{screen.key}", height=180)
        st.caption(plain(stories[name].sentence))
