"""The frame around every page: its configuration, the navigation, and the table of pages."""

import gc
import logging
import threading
from contextlib import suppress
from functools import cache

import streamlit as st
from streamlit import net_util
from streamlit.navigation.page import StreamlitPage

from pgviz import heap
from pgviz.lessons import PAGES, page_of
from pgviz.lessons.step import Page
from pgviz.ui import guard, visitors
from pgviz.ui.look import is_dark

# Streamlit's captions on white and its white letters on the dark theme's accent have less contrast
# than 4.5 : 1; its second heading is nearly as large as the first.
STYLE = """
.stAppHeader { background: transparent; pointer-events: none; }
.stMain { scroll-padding: 3rem 0 5rem; } /* the bar below hides nothing that has the focus */
.stAppHeader > * { pointer-events: auto; }
.stMainBlockContainer { padding: 1.1rem 2.5rem 1rem; max-width: 1320px; }
.stMainBlockContainer h1 { font-size: 1.8rem; line-height: 1.2; padding: 0.1rem 0 0.5rem; }
[data-testid=stBottomBlockContainer] { padding: 0.6rem 2.5rem 0.7rem; max-width: 1320px; }
.stMainBlockContainer h1:focus { outline: none; }
.st-key-walk-bar { justify-content: space-between; }
[data-testid=stElementToolbar] { display: none; }
[data-testid=stCaptionContainer] { color: light-dark(#63656e, #a6a9b3); opacity: 1; }
[data-testid=stCaptionContainer] p { opacity: 1; }
[data-testid=stBaseButton-primary]:not(:disabled) p { color: light-dark(#ffffff, #0e1117); }
/* Streamlit's colours of code, in shades that can be read on both grounds. */
.stCode .token.keyword, .stCode .token.function, .stCode .token.class-name { color: light-dark(#0b5a9d, #7cc0f5); }
.stCode .token.string, .stCode .token.triple-quoted-string { color: light-dark(#1a6b35, #85d59d); }
.stCode .token.number, .stCode .token.boolean, .stCode .token.builtin { color: light-dark(#0b655b, #75d7c9); }
.stCode .token.comment { color: light-dark(#5b606e, #a9afbb); }
.stCode .token.deleted, .stCode .token.deleted-sign { color: light-dark(#a3162a, #ff9aa4) !important; }
.stCode .token.inserted, .stCode .token.inserted-sign { color: light-dark(#1a6b35, #85d59d) !important; }
.stCode .token.parameter, .stCode .token.variable { color: light-dark(#5b606e, #a9afbb); }
/* The label at the end of a line may reach into the margin of the page. */
.stVegaLiteChart svg.marks { overflow: visible; }
.stVegaLiteChart { overflow: clip; overflow-clip-margin: 1rem; }
.stElementContainer:has(.in-words) {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}
.term { border-bottom: 1px dotted currentColor; cursor: help; }
/* The mouse gets the browser's own hint; a key or a finger, which focus the term, get this one. */
.stMarkdown p:has(> .term:focus) { position: relative; }
.term:focus::after {
  content: attr(title) / ""; position: absolute; left: 0; right: 0; margin-top: 1.8em; z-index: 2;
  padding: 4px 10px; border-radius: 6px; font-size: 0.9rem; line-height: 1.4;
  color: light-dark(#ffffff, #171614); background: light-dark(#31333f, #f5f6f8);
}
.stMainBlockContainer [class*="st-key-words-"] .katex { font-size: 1.05em; }
@media (max-width: 640px) {
  .stMainBlockContainer, [data-testid=stBottomBlockContainer] { padding-left: 1rem; padding-right: 1rem; }
  .stMainBlockContainer { padding-top: 3rem; }
  .st-key-walk-more p { position: absolute; clip-path: inset(50%); }
  /* One column: words, picture, controls, what is to be seen, folds. */
  [class*="st-key-screen-"] > * > .stHorizontalBlock,
  [class*="st-key-screen-"] > * > .stHorizontalBlock > .stColumn,
  [class*="st-key-screen-"] > * > .stHorizontalBlock > .stColumn > .stVerticalBlock {
    display: contents;
  }
  [class*="st-key-screen-"] > * { display: flex; flex-direction: column; gap: 0.8rem; }
  :has(> [class*="st-key-picture-"]) { order: 1; }
  :has(> [class*="st-key-gate-"]) { order: 2; }
  :has(> [class*="st-key-controls-"]) { order: 3; }
  :has(> [class*="st-key-says-"]) { order: 4; }
  :has(> [class*="st-key-folds-"]) { order: 5; }
}
:root[data-present] { font-size: 26px; }
:root[data-present] .stSidebar, :root[data-present] .stAppHeader { display: none; }
:root[data-present] .stMainBlockContainer, :root[data-present] [data-testid=stBottomBlockContainer] { max-width: none; }
/* On paper: what is to be read, what is set, each step in one piece; nothing to be pressed. */
@media print {
  .stSidebar, .stAppHeader, [data-testid=stBottom], [class*="st-key-folds-"],
  .stElementContainer:has(> :is(.stButton, .stDownloadButton, .stTooltipIcon)):not(.st-key-formula *) {
    display: none;
  }
  html, body, .stApp, .stAppViewContainer, .stMain, svg.marks { background: none !important; }
  .stElementContainer:has(> .stHeading) { break-after: avoid; }
  [class*="st-key-screen-"], .stVegaLiteChart { break-inside: avoid; }
}
"""
# A dark page on white paper: light and dark change places, every hue is kept.
DARK_PRINT = "@media print { .stApp { filter: invert(1) hue-rotate(180deg); } }"

MANY_FILES = 10_240  # the most that macOS gives to a process

_framed = threading.local()


def show() -> None:
    """What streamlit_app.py does: configure the page, draw the menu, run the chosen page."""
    allow_many_files()
    ask_nobody_for_our_address()
    heap.share_between_threads()
    page = _navigation()
    st.html(f"<style>{STYLE}{DARK_PRINT if is_dark() else ''}</style>")
    guard.say()
    _framed.now = True
    try:
        if visitors.admitted():
            page.run()
    except Exception:
        logging.getLogger(__name__).exception("the page failed")
        st.error(guard.PAGE)
    finally:
        _framed.now = False
        _settle()


def open_page(slug: str) -> Page:
    """Begins every page: the page's record, and the frame if a cold server forgot it.

    While a `pages` folder stands beside the entry point, the first visitor of a fresh server gets
    the bare page file. Declaring the navigation and running again puts the frame around it.
    """
    if not getattr(_framed, "now", False):
        _navigation()
        st.rerun()
    return page_of(slug)


def pages_by_slug() -> dict[str, StreamlitPage]:
    """Streamlit's record of each page, for links between pages."""
    return {
        page.slug: st.Page(
            page.file,
            title=page.title,
            icon=page.icon,
            url_path="" if page is PAGES[0] else page.slug,
            default=page is PAGES[0],
        )
        for page in PAGES
    }


def _navigation() -> StreamlitPage:
    """The menu. Without an icon of its own the tab would fetch the page's from Google."""
    st.set_page_config(page_title="pgviz", page_icon="🎯", layout="wide")
    by_slug = pages_by_slug()
    sections: dict[str, list[StreamlitPage]] = {}
    for page in PAGES:
        sections.setdefault(page.section, []).append(by_slug[page.slug])
    # The first page has the empty address only; whoever asks for it by name is led there.
    sections[PAGES[0].section].append(
        st.Page(_go_home, title="Home", url_path=PAGES[0].slug, visibility="hidden")
    )
    return st.navigation(sections)


def _go_home() -> None:
    st.switch_page(pages_by_slug()[PAGES[0].slug], query_params=st.query_params.to_dict())


@cache
def _settle() -> None:
    """Once per server, after the first page has been drawn: what later pages need is loaded now."""
    threading.Thread(target=_load, daemon=True).start()


def _load() -> None:
    """Load the engine, start the workers, and let them record the runs that the steps show.

    What is loaded by then stays for good, so the collector need not look at it again.
    """
    from pgviz.ui.live import runs
    from pgviz.ui.training import all_recorded

    registry = runs()
    for config in all_recorded():
        registry.prepare([config])
    gc.collect()
    gc.freeze()


@cache
def ask_nobody_for_our_address() -> None:
    """No request leaves this server: it knows its address, or need not.

    When a page of another site knocks, Streamlit asks a host on the internet what address this
    machine has, and all visitors wait meanwhile.
    """
    net_util.get_external_ip = lambda: None


@cache
def allow_many_files() -> None:
    """Raise this process's own limit of open files, as far as the system lets it.

    A visitor takes four: under macOS's usual limit of 256 the 79th waited for ever.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(MANY_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # then it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
