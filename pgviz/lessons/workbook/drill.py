"""A question with fresh numbers: its answer is computed, and so is the reply to a known slip."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pgviz.charts import workbook as charts
from pgviz.figures import number
from pgviz.lessons.workbook import drawn
from pgviz.ui import progress
from pgviz.ui.guard import guarded
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

NEAR = 0.011  # an answer rounded to two digits is right
WANTED = 3  # right answers in a row of numbers


@dataclass(frozen=True)
class Drill:
    """One question.

    given      what is known, as rows (name, value)
    answer     the number asked for
    slips      numbers that come out of a known mistake, and what that mistake is
    hint       what to do, for a slip nobody has foreseen
    because    why the answer is right, one sentence
    curve      (x, y): the answer lies at `at` on it
    axes       titles of x and y
    """

    given: Sequence[tuple[str, str]]
    answer: float
    slips: Sequence[tuple[float, str]]
    because: str
    curve: Sequence[tuple[float, float]]
    at: float
    axes: tuple[str, str]
    hint: str = "Write down what each arm contributes, and add."
    answers_x: bool = False  # the answer is read on the axis of x, else on that of y

    def reply(self, said: float) -> tuple[bool, str]:
        """Whether it is right, and why or why not."""
        if abs(said - self.answer) <= NEAR:
            return True, f"{number(self.answer)}: {self.because}"
        for value, slip in self.slips:
            if abs(said - value) <= NEAR and abs(value - self.answer) > 2 * NEAR:
                return False, slip
        return False, self.hint


def draw(screen: Screen, question: str, make: Callable[[int], Drill], code: Callable) -> None:
    """The question on the screen: its numbers, an answer, the reply, and the curve afterwards."""
    at = drawn.number(screen)
    drill, key = make(at), f"drill.{screen.key}"
    said: float | None = None
    with screen.gate():
        typed = st.number_input(
            question,
            value=None,
            step=0.01,
            format="%.3f",
            key=f"{key}.{at}",
            placeholder="a number",
        )
        st.button(
            "Check it",
            key=f"{key}.check",
            type="primary",
            disabled=typed is None,
            on_click=guarded(_check),
            args=(screen, drill, key, at, typed),
        )
        checked = st.session_state.get(key)
        if checked is not None and checked[0] == at:
            said = checked[1]
            right, why = drill.reply(said)
            st.markdown(f"{'✓' if right else '✗'} {why}")
    if said is None or not drill.reply(said)[0]:
        facts(screen, drill.given)  # the curve would give the answer away
    else:
        screen.chart(
            charts.answered, ink(), *drill.axes,
            tables=tables(drill),
            title=f"You said {number(said)}, and so it is",
            note=" · ".join(f"{name} {value}" for name, value in drill.given),
        )  # fmt: skip
    solved = len(progress.of(screen.page.slug, screen.step.slug).get("answered", []))
    screen.says(f"{min(solved, WANTED)} of {WANTED} answered with numbers drawn anew.")
    screen.code(code)


def facts(screen: Screen, rows: Sequence[tuple[str, str]]) -> None:
    """What is known, as the picture: names and values in large letters."""
    table = "\n".join(f"| {name} | **{value}** |" for name, value in rows)
    with screen.picture(), st.container(key=f"given-{screen.key}"):
        st.markdown(f"| given | value |\n|:--|--:|\n{table}")
    st.html(
        f"<style>.st-key-given-{screen.key} table {{ width: 100%; font-size: 1.25rem; }}"
        f".st-key-given-{screen.key} thead {{ display: none; }}"
        f".st-key-given-{screen.key} td {{ border: 0; padding: .55rem .8rem .55rem 0;"
        " border-bottom: 1px solid rgba(125,130,140,.25); }</style>"
    )


def _check(screen: Screen, drill: Drill, key: str, at: int, said: float) -> None:
    st.session_state[key] = at, float(said)
    known = f"{key}.solved"
    solved: set[int] = st.session_state.setdefault(known, set())
    if drill.reply(said)[0] and at not in solved:
        solved.add(at)
        place = screen.page.slug, screen.step.slug
        before = progress.of(*place).get("answered", [])
        progress.note(*place, answered=[*before, True][:20])


def tables(drill: Drill) -> dict[str, pd.DataFrame]:
    """The curve, and the answer on it."""
    curve = pd.DataFrame(drill.curve, columns=["x", "y"])
    low = float(curve["y"].min())
    x, y = (drill.answer, low) if drill.answers_x else (drill.at, drill.answer)
    return {
        "curve": curve,
        "marks": pd.DataFrame([{"x": x, "y": y, "label": number(drill.answer)}]),
    }
