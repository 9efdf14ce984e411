"""What a visitor has seen, predicted and answered: kept in the visitor's own browser.

The server holds it for the length of a session only. The browser sends what it has stored once,
after it has opened the page; from then on it stores whatever the server hands back.
"""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

VERSION = 1
MOST_BYTES = 200_000
MOST_STEPS = 500
LONGEST = 200  # characters of a guess


class ProgressError(ValueError):
    """What is wrong with a file of progress, in one sentence."""


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


def is_revealed(page: str, step: str) -> bool:
    """Whether the question of a step was answered, or passed without an answer."""
    record = of(page, step)
    return "guess" in record or bool(record.get("passed"))


def last() -> tuple[str, str] | None:
    """The page and step that this visitor opened last, in this visit or an earlier one."""
    place = st.session_state.get("progress.last")
    if not place:
        return None
    page, step = place.split("/", 1)
    return page, step


def visit(page: str, step: str, chosen: bool) -> None:
    """This step is open now; `chosen` by the visitor, not by an address that names no step.

    Home is a way in, not a place where one leaves off.
    """
    note(page, step)
    if chosen and page != "home":
        st.session_state["progress.last"] = f"{page}/{step}"


def as_text() -> str:
    """The whole progress as a file."""
    return json.dumps(
        {"pgviz": VERSION, "last": st.session_state.get("progress.last"), "steps": steps()},
        ensure_ascii=False,
    )


def restore(text: str | bytes) -> None:
    """Take over what a file or the browser has stored, beside what this visit has done already.

    Raises ProgressError with one sentence if it is not such a file; then nothing has changed.
    """
    found, place = parsed(text)
    known = steps()
    for name, record in found.items():
        known[name] = {**record, **known.get(name, {})}
    if place is not None:
        st.session_state.setdefault("progress.last", place)


def parsed(text: str | bytes) -> tuple[dict[str, dict[str, Any]], str | None]:
    """The steps and the last place of a file of progress; nothing unknown is kept."""
    if len(text) > MOST_BYTES:
        raise ProgressError("This file is too large to be a record of progress.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ProgressError("This file is not a record of progress: it is not JSON.") from None
    if not isinstance(document, Mapping) or document.get("pgviz") != VERSION:
        raise ProgressError("This file is not a record of progress made by this app.")
    found = document.get("steps")
    if not isinstance(found, Mapping) or len(found) > MOST_STEPS:
        raise ProgressError("This record of progress lists no steps.")
    kept = {
        name: {key: record[key] for key in _KINDS if _is_fact(key, record.get(key))}
        for name, record in found.items()
        if _is_place(name) and isinstance(record, Mapping)
    }
    place = document.get("last")
    return kept, place if _is_place(place) else None


_KINDS = {
    "guess": (str, int, float),
    "passed": bool,
    "answered": list,  # of bool
    "looked": list,  # of names: the instruments that were used on a blind case
    "tries": int,  # wrong answers to it
}


def _is_fact(key: str, value: Any) -> bool:
    if not isinstance(value, _KINDS[key]):  # type: ignore[arg-type]
        return False
    if isinstance(value, str):
        return len(value) <= LONGEST
    if isinstance(value, list):
        item = str if key == "looked" else bool
        return len(value) <= 20 and all(isinstance(x, item) and len(str(x)) < 40 for x in value)
    return isinstance(value, bool) == (key == "passed") and abs(value) < 1e9


def _is_place(name: Any) -> bool:
    return (
        isinstance(name, str)
        and len(name) <= 80
        and name.count("/") == 1
        and name.replace("/", "").replace("-", "").isalnum()
        and name.isascii()
    )
