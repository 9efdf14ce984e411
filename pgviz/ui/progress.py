"""What a visitor has seen, predicted and answered: kept in the visitor's own browser.

The server holds it for the length of a session only. The browser sends what it has stored once,
after it has opened the page; from then on it stores whatever the server hands back.
"""

from typing import Any

import streamlit as st

from pgviz import sheets
from pgviz.lessons import PAGES


def steps() -> dict[str, dict[str, Any]]:
    """Of each step that this visitor has opened, by "page/step": guess, passed, answered."""
    known: dict[str, dict[str, Any]] = st.session_state.setdefault("progress", {})
    return known


def of(page: str, step: str) -> dict[str, Any]:
    """What this visitor has done on one step; empty if it was never opened."""
    return steps().get(f"{page}/{step}", {})


def note(page: str, step: str, **facts: Any) -> None:
    """Remember facts about a step; None forgets one."""
    record = steps().setdefault(f"{page}/{step}", {})
    for name, value in facts.items():
        if value is None:
            record.pop(name, None)
        else:
            record[name] = value


PREDICTION = ("guess", "passed", "tries", "looked")


def ask_again(page: str, step: str) -> None:
    """The question of a step as if it had never been asked. A quiz keeps its score."""
    blind_case = ("answered",) if "looked" in of(page, step) else ()
    note(page, step, **dict.fromkeys((*PREDICTION, *blind_case)))


def is_revealed(page: str, step: str) -> bool:
    """Whether the question of a step was answered, or passed without an answer."""
    record = of(page, step)
    return "guess" in record or bool(record.get("passed"))


def last() -> tuple[str, str] | None:
    """The page and step that this visitor opened last, in this visit or an earlier one.

    None, too, if there is no such place: a file may name any.
    """
    page, _, step = st.session_state.get("progress.last", "").partition("/")
    found = any(each.slug == page and each.step(step) for each in PAGES)
    return (page, step) if found else None


def visit(page: str, step: str, chosen: bool) -> None:
    """This step is open now; `chosen` by the visitor, not by an address that names no step.

    Home is a way in, not a place where one leaves off.
    """
    note(page, step)
    if chosen and page != "home":
        st.session_state["progress.last"] = f"{page}/{step}"


def as_text() -> str:
    """The whole progress as a file."""
    return sheets.as_text(steps(), st.session_state.get("progress.last"))


def restore(text: object) -> None:
    """Take over what a file or the browser has stored, beside what this visit has done already.

    Raises SheetError with one sentence if it is not such a file; then nothing has changed.
    """
    found, place = sheets.parsed(text)
    known = steps()
    for name, record in found.items():
        known[name] = {**record, **known.get(name, {})}
    if place is not None:
        st.session_state.setdefault("progress.last", place)
