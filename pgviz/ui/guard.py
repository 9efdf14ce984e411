"""Faults outside the frame's `try`: callbacks of widgets and fragments that run on their own.

Streamlit runs a callback before the script, and a fragment without it. A fault in either would
show Streamlit's own red box in place of the page. Here it becomes one sentence, and the log keeps
the traceback.
"""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

P = ParamSpec("P")

PAGE = "Something on this page went wrong. Reload it; your settings are in the address."
PART = (
    "This part of the page could not be drawn. Reload the page; your settings are in its address."
)
CALLBACK = "This could not be done. The page is drawn with what it knew before."

_NOTED = "guard.fault"


def guarded(callback: Callable[P, object]) -> Callable[P, None]:
    """A callback for a widget: where it fails, `say` says so in the run that follows.

    Requests to run again are no faults: they pass.
    """

    @functools.wraps(callback)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception:
            logging.getLogger(__name__).exception("a callback failed")
            st.session_state[_NOTED] = CALLBACK

    return call


def say() -> None:
    """One sentence if the callback before this run failed."""
    if fault := st.session_state.pop(_NOTED, None):
        st.error(fault)


def fragment(run_every: float | None = None) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """`st.fragment` for a function without arguments; where it fails it shows one sentence."""

    def decorate(draw: Callable[[], None]) -> Callable[[], None]:
        @st.fragment(run_every=run_every)
        @functools.wraps(draw)  # Streamlit names a fragment after its function
        def panel() -> None:
            say()
            try:
                draw()
            except Exception:
                logging.getLogger(__name__).exception("a part of the page failed")
                st.error(PART)

        return panel

    return decorate
