"""The sheet: what this visit has done, as a page to print and a file to keep."""

import html
from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st

from pgviz.figures import plural
from pgviz.lessons import PAGES
from pgviz.lessons.step import Page, Step
from pgviz.sheets import PROVES_NOTHING, summary
from pgviz.ui import progress
from pgviz.ui.plain import plain
from pgviz.ui.screen import Screen

NOTHING = (
    "Nothing yet. A prediction, an answer, a case of the page on pitfalls, a checked file or a few words"
    " of your own will stand here."
)


def draw(screen: Screen) -> None:
    screen.words(
        "What you have predicted, answered, found and checked in this browser. Save it as a file, or"
        " print it. A lecturer reads a folder of such files with one command. It proves nothing:"
        " anybody can write into a file."
    )
    steps = progress.steps()
    with screen.beside_controls():
        st.download_button(
            "Save my sheet",
            progress.as_text(),
            "pgviz-sheet.json",
            "application/json",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        st.download_button(
            "A page to print",
            lambda: printable(steps),
            "pgviz-sheet.html",
            "text/html",
            icon=":material/print:",
            on_click="ignore",
        )
    found = rows(steps)
    with screen.picture():
        table = "\n".join(f"| {name} | {what} |" for name, what in found)
        with st.container(height=screen.height - 20, border=False, key="sheet"):
            if found:
                st.markdown(f"| step | what you did |\n|:--|:--|\n{table}")
            else:
                st.markdown(NOTHING)
    screen.says(sentence(steps))
    screen.command("python -m pgviz sheets FOLDER")


def rows(steps: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Steps on which something was done, in the order of the pages: name and what."""
    return [(name, what) for name, what in _in_order(steps) if what]


def _in_order(steps: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    known = {f"{page.slug}/{step.slug}": (page, step) for page in PAGES for step in page.steps}
    places = [*known, *(place for place in steps if place not in known)]
    for place in places:
        record = steps.get(place)
        if not record:
            continue
        name = place.replace("/", ": ").replace("-", " ")
        if place in known:
            page, step = known[place]
            name = f"{page.title}: {step.heading(progress.is_revealed(page.slug, step.slug))}"
        yield name, did(record, known.get(place))


def did(record: Mapping[str, Any], place: tuple[Page, Step] | None) -> str:
    """What was done on a step, in words; "" if it was only opened."""
    said = []
    if "guess" in record:
        guess = record["guess"]
        text = guess if isinstance(guess, str) else f"{guess:g}"
        said.append(f"predicted “{text}”{_verdict(place, guess)}")
    if answered := record.get("answered"):
        said.append(f"{sum(answered)} of {len(answered)} right")
    if looked := record.get("looked"):
        tries = int(record.get("tries", 0))
        said.append(f"{plural(len(looked), 'instrument')}, {plural(tries, 'wrong answer')}")
    if checked := record.get("checked"):
        said.append(f"checked: {checked}")
    if words := record.get("words"):
        said.append(f"wrote: {words}")
    return plain(" ".join("; ".join(said).split()))


def _verdict(place: tuple[Page, Step] | None, guess: Any) -> str:
    """✓ or ✗ where the step can say so without anything else being loaded or trained."""
    if place is None:
        return ""
    verdict = getattr(place[0].module(place[1]), "verdict", None)
    try:
        return "" if verdict is None else (" ✓" if verdict(guess)[0] else " ✗")
    except (TypeError, ValueError, KeyError):
        return ""


def sentence(steps: Mapping[str, Mapping[str, Any]]) -> str:
    """The counts."""
    found = summary(steps)
    total = sum(len(page.steps) for page in PAGES)
    return (
        f"{found.steps} of {total} steps opened, {plural(found.predicted, 'prediction')},"
        f" {found.answered} right answers, {plural(found.found, 'wrong line')} found,"
        f" {plural(len(found.checked), 'exercise')} checked."
    )


def printable(steps: Mapping[str, Mapping[str, Any]]) -> str:
    """The sheet as a page of its own, for paper."""
    cells = "\n".join(
        f"<tr><td>{html.escape(name)}</td><td>{what}</td></tr>" for name, what in rows(steps)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>pgviz: a sheet</title>'
        "<style>body{font:11pt/1.4 sans-serif;max-width:48em;margin:2em auto;color:#15171c}"
        "table{border-collapse:collapse;width:100%}td{border-bottom:1px solid #ccc;padding:.3em .6em"
        " .3em 0;vertical-align:top}td:first-child{width:45%}</style>"
        f"<h1>Policy gradients: a sheet</h1><p>{html.escape(sentence(steps))}</p>"
        f"<table>{cells}</table><p>{html.escape(PROVES_NOTHING)}</p></html>"
    )
