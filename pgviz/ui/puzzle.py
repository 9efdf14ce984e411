"""A proof as a puzzle: the next line, then its reason, one question at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from pgviz.ui import progress
from pgviz.ui.guard import guarded
from pgviz.ui.screen import Screen

Reply = tuple[bool, str]


@dataclass(frozen=True)
class Puzzle:
    """A proof to be put in order. Lines and reasons are numbered in the order of the proof."""

    start: tuple[str, str, str]  # formula, number, reason of the line that is given
    formulas: Sequence[str]  # the right lines first, in their order, then the false ones
    numbers: Sequence[str]  # what each right line computes to
    reasons: Sequence[str]
    offered: Callable[[int], Sequence[int]]  # the lines to choose from
    because: Callable[[int], Sequence[str]]  # the reasons to choose from
    reply_to_line: Callable[[int, int], Reply]
    reply_to_reason: Callable[[int, int], Reply]


def draw(screen: Screen, puzzle: Puzzle) -> tuple[int, int]:
    """The proof so far as the picture, one question beside it; how many lines and reasons stand."""
    key = f"puzzle.{screen.key}"
    lines, reasons, reply = st.session_state.setdefault(key, (0, 0, ""))
    with screen.picture():
        _proof(puzzle, screen.key, lines, reasons)
        st.markdown(reply or "&nbsp;")
    with screen.beside_controls():
        _ask(screen, puzzle, key, lines, reasons)
    return lines, reasons


def _proof(puzzle: Puzzle, key: str, lines: int, reasons: int) -> None:
    rows = ["| | | |", "|:--|--:|:--|"]
    given, number, reason = puzzle.start
    rows.append(f"| ${_piped(given)}$ | {number} | {reason} |")
    for at, (formula, number, reason) in enumerate(
        zip(puzzle.formulas[: len(puzzle.reasons)], puzzle.numbers, puzzle.reasons, strict=True)
    ):
        if at < lines:
            why = reason if at < reasons else "**why?**"
            rows.append(f"| $= {_piped(formula)}$ | {number} | {why} |")
        else:
            rows.append("| $=\\;\\dots$ | | |")
    with st.container(key=f"derivation-{key}"):
        st.markdown("\n".join(rows))
    st.html(
        "<style>[class*=st-key-derivation] table { width: 100%; } [class*=st-key-derivation] thead { display: none; }"
        "[class*=st-key-derivation] td { border: 0; border-bottom: 1px solid rgba(125,130,140,.25);"
        " padding: .3rem .8rem .3rem 0; height: 48px; vertical-align: middle; }"
        "[class*=st-key-derivation] td:first-child { white-space: nowrap; }"
        "[class*=st-key-derivation] .katex { font-size: 1.1em; }"
        "[class*=st-key-derivation] td:nth-child(2) { font-variant-numeric: tabular-nums; }</style>"
    )


def _ask(screen: Screen, puzzle: Puzzle, key: str, lines: int, reasons: int) -> None:
    """One question: the next line, or the reason for the last one."""
    if reasons == len(puzzle.reasons):
        st.button(
            "Begin again",
            key=f"anew-{key}",
            icon=":material/replay:",
            on_click=guarded(_again),
            args=(key,),
        )
        return
    if lines == reasons:
        options = list(puzzle.offered(lines))
        # The letter is also the name that a screen reader says: it knows none for a formula.
        labels = [f"{chr(97 + n)}: $= {puzzle.formulas[at]}$" for n, at in enumerate(options)]
        question = "The next line"
    else:
        labels = list(puzzle.because(reasons))
        options = list(range(len(labels)))
        question = "Why does it follow?"
    said = st.radio(question, labels, index=None, key=f"{key}.{lines}.{reasons}")
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Place it",
            key=f"place-{key}",
            type="primary",
            disabled=said is None,
            on_click=guarded(_choose),
            args=(screen, puzzle, key, None if said is None else options[labels.index(said)]),
        )
        st.button("Begin again", key=f"anew-{key}", on_click=guarded(_again), args=(key,))


def _piped(formula: str) -> str:
    """A bar inside a table's cell would end the cell."""
    return formula.replace("|", r"\vert{}")


def _again(key: str) -> None:
    for name in [name for name in st.session_state if str(name).startswith(f"{key}.")]:
        del st.session_state[name]
    st.session_state[key] = (0, 0, "")


def _choose(screen: Screen, puzzle: Puzzle, key: str, choice: int) -> None:
    """Take a line or a reason; a wrong one gets a computed reply."""
    lines, reasons, _ = st.session_state[key]
    if lines == reasons:
        right, reply = puzzle.reply_to_line(lines, choice)
        lines += right
    else:
        right, reply = puzzle.reply_to_reason(reasons, choice)
        reasons += right
    st.session_state[key] = (lines, reasons, ("✓ " if right else "✗ ") + reply)
    done = [at < reasons for at in range(len(puzzle.reasons))]
    progress.note(screen.page.slug, screen.step.slug, answered=done)
