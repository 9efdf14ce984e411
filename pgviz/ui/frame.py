"""The frame around every page: its configuration, the navigation, and the table of pages."""

import gc
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pgviz.ui import guard
from pgviz.ui.live import runs


@dataclass(frozen=True)
class Page:
    """A page that exists: its address, its place in the menu, and the one question it answers."""

    slug: str
    section: str
    title: str
    icon: str
    question: str
    answer: str  # one sentence under the question

    @property
    def file(self) -> str:
        """The script of the page, from the root of the project.

        Named after the slug to the letter: a fresh server knows pages by their files only, and
        says "page not found" to a first visitor whose address is spelt otherwise.
        """
        return f"pages/{self.slug}.py"


PAGES = (
    Page(
        "home",
        "Start",
        "Home",
        ":material/home:",
        "What will I be able to do?",
        "Derive, implement and measure policy gradient methods, beginning with one equation.",
    ),
    Page(
        "theorem",
        "Concepts",
        "The theorem",
        ":material/function:",
        "How can we differentiate a reward that has no derivative, and why the log?",
        "Do not differentiate the reward. Differentiate how likely it is, and let samples do the sum.",
    ),
    Page(
        "reinforce",
        "Concepts",
        "REINFORCE",
        ":material/casino:",
        "How do samples become a gradient?",
        "Play some episodes, push up the actions that were followed by much reward, repeat.",
    ),
    Page(
        "baselines",
        "Concepts",
        "Baselines",
        ":material/vertical_align_center:",
        "What may I subtract for free?",
        "Any number that does not know the action: the gradient keeps its centre, and a good number"
        " takes noise away.",
    ),
    Page(
        "actor-critic",
        "Concepts",
        "Actor-critic",
        ":material/record_voice_over:",
        "What changes when the critic is believed, not only subtracted?",
        "After one step the critic speaks for the rest: the noise of later rewards goes, and its"
        " errors become yours.",
    ),
    Page(
        "gae",
        "Concepts",
        "GAE",
        ":material/tune:",
        "How much should I trust my critic?",
        "One number, λ, says how long to wait before believing it: bias on one side, noise on the"
        " other.",
    ),
)

# Streamlit's captions on white and its white letters on the dark theme's accent have less contrast
# than 4.5 : 1; its second heading is nearly as large as the first.
STYLE = """
.stMainBlockContainer { padding-top: 3.5rem; max-width: 1240px; }
.stMainBlockContainer h2 { font-size: 1.6rem; }
[data-testid=stCaptionContainer] { color: light-dark(#63656e, #a6a9b3); opacity: 1; }
[data-testid=stCaptionContainer] p { opacity: 1; }
[data-testid=stBaseButton-primary] p { color: light-dark(#ffffff, #0e1117); }
.st-key-equation .katex { font-size: clamp(0.74rem, 3.3vw, 1.9rem); }
.st-key-run-in-words { min-height: 3rem; }
"""

MANY_FILES = 10_240  # the most that macOS gives to a process

_framed = threading.local()


def show() -> None:
    """What streamlit_app.py does: configure the page, draw the menu, run the chosen page."""
    page = _navigation()
    st.html(f"<style>{STYLE}</style>")
    _settle()
    guard.say()
    _framed.now = True
    try:
        page.run()
    except Exception:
        logging.getLogger(__name__).exception("the page failed")
        st.error(guard.PAGE)
    finally:
        _framed.now = False


def open_page(slug: str) -> Page:
    """Begins every page: the page's record, and the frame if a cold server forgot it.

    While a `pages` folder stands beside the entry point, the first visitor of a fresh server gets
    the bare page file. Declaring the navigation and running again puts the frame around it.
    """
    if not getattr(_framed, "now", False):
        _navigation()
        st.rerun()
    return next(page for page in PAGES if page.slug == slug)


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


@st.cache_resource(show_spinner=False)
def _settle() -> None:
    """Once per server: start the workers while the first page is still being drawn.

    What is loaded by then stays for good, so the collector need not look at it again.
    """
    allow_many_files()
    runs()
    gc.collect()
    gc.freeze()


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
