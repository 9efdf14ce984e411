"""Who sits at a tab: a visitor is a browser, however many tabs it has open."""

import os
import threading

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

from pgviz.figures import plural
from pgviz.runs.shares import HOME, HOSTED, Limits
from pgviz.ui import server

COOKIES = "pgviz", "_streamlit_xsrf"  # of the balancer in front, of Streamlit itself


def limits() -> Limits:
    """What a visitor may ask of this server: less where PGVIZ_HOSTED=1 says that anybody may come."""
    return HOSTED if os.environ.get("PGVIZ_HOSTED", "0") not in ("", "0") else HOME


def visitor() -> str:
    """The browser of this session, by its cookie; by its address if it keeps none."""
    cookies = st.context.cookies
    for name in COOKIES:
        cookie = cookies.get(name)
        if isinstance(cookie, str) and cookie:
            token, _ = decode_xsrf_token_string(cookie)  # the text around it changes each time
            return f"{name} {token.hex() if token else cookie[:64]}"
    return f"address {st.context.ip_address}"


class Tabs:
    """The open tabs of every visitor."""

    def __init__(self) -> None:
        self._sessions: dict[str, set[str]] = {}  # visitor → sessions
        self._lock = threading.Lock()

    def admit(self, visitor: str, session: str, most: float) -> bool:
        """Whether this tab may stay; one that was let in stays."""
        with self._lock:
            mine = self._sessions.setdefault(visitor, set())
            if session not in mine and len(mine) >= most:
                return False
            mine.add(session)
            return True

    def closed(self, visitor: str, session: str) -> None:
        """A tab was closed, or its connection broke: then it is let in again when it comes back."""
        with self._lock:
            mine = self._sessions.get(visitor, set())
            mine.discard(session)
            if not mine:
                self._sessions.pop(visitor, None)


def _tabs() -> Tabs:
    return server.one("pgviz_tabs", Tabs)


def _closed(tab: tuple[str, str]) -> None:
    _tabs().closed(*tab)


@st.cache_resource(scope="session", on_release=_closed, show_spinner=False)
def _present(visitor: str, session: str) -> tuple[str, str]:
    """Released when the tab closes."""
    return visitor, session


def admitted() -> bool:
    """Whether this tab is one of those that its visitor may have open; else a sentence says so."""
    context = get_script_run_ctx()
    session = context.session_id if context else ""
    most = limits().tabs
    if _tabs().admit(visitor(), session, most):
        _present(visitor(), session)
        return True
    st.warning(
        f"You have {plural(int(most), 'tab')} of this page open, as many as this server allows."
        " Close one of them, then reload this one.",
        icon=":material/tab:",
    )
    return False
