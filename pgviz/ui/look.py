"""Colours that follow the reader's theme, light or dark."""

import streamlit as st

from pgviz.charts.theme import INK


def is_dark() -> bool:
    """Whether the reader looks at the dark theme."""
    return st.context.theme.type == "dark"


def ink() -> str:
    """The colour of the exact truth in charts."""
    return INK["dark" if is_dark() else "light"]


def text_red() -> str:
    """The one red, as text: 5.9 : 1 on the light page, 7.4 : 1 on the dark one."""
    return "#FF8088" if is_dark() else "#BE2334"


def quiet_text() -> str:
    """Notes and reasons: 6 : 1 on the light page, 8 : 1 on the dark one."""
    return "#B4B8C0" if is_dark() else "#5C616B"


def paper() -> str:
    """The colour of the page: the empty end of a scale of shades."""
    return "#171614" if is_dark() else "#FFFFFF"
