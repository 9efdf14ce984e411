"""One screen: the parts of a step, always in the same places.

    marks                                    (drawn by the walk)
    title
    words           picture
    controls        what is to be seen now
    folds
    Back · Next                              (drawn by the walk)

A step fills in the parts in any order. At 390 px they stand one below the other.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import altair as alt
import pandas as pd
import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgviz.charts.told import told
from pgviz.in_memory import in_memory
from pgviz.lessons import glossary
from pgviz.lessons.step import Page, Step
from pgviz.ui import controls, progress
from pgviz.ui.controls import Control, Number
from pgviz.ui.drawing import drawing
from pgviz.ui.guard import guarded
from pgviz.ui.links import base_url
from pgviz.ui.listing import source_of

HEIGHT, ROOM_HEIGHT = 420, 620  # pixels of a picture, at a desk and in a lecture room
ROOM_SCALE = 1.6  # of letters and lines of a chart in a lecture room
MOST_WORDS, MOST_CONTROLS = 60, 3


class Screen:
    """The parts of one step."""

    def __init__(self, page: Page, step: Step, present: bool = False) -> None:
        self.page, self.step, self.present = page, step, present
        self.height = ROOM_HEIGHT if present else HEIGHT
        self.key = f"{page.slug}-{step.slug}"
        self.shows_stop = False  # then the end of a run must be noticed, even if it has just come
        st.title(step.heading(progress.is_revealed(page.slug, step.slug)), anchor=False)
        with st.container(key=f"screen-{self.key}"):
            left, right = st.columns([34, 66], gap="medium")
        with left:
            self._words = st.container(key=f"words-{self.key}", gap="small")
            self._gate = st.container(key=f"gate-{self.key}", gap="small")
            self._controls = st.container(key=f"controls-{self.key}", gap="small")
            self._folds = st.container(
                key=f"folds-{self.key}", horizontal=True, gap="small", wrap=True
            )
        with right:
            self._picture = st.container(key=f"picture-{self.key}", gap="small")
            self._says = st.container(key=f"says-{self.key}")
        self._drawn = 0

    # --- words ---

    def words(self, text: str) -> None:
        """The claim in at most 60 words; terms defined earlier show their definition on hover."""
        with self._words:
            st.markdown(glossary.with_hints(text, self.page, self.step), unsafe_allow_html=True)

    def says(self, sentence: str) -> None:
        """The computed sentence: what is to be seen now."""
        with self._says:
            st.markdown(sentence)

    # --- controls ---

    def control(
        self, control: Control, default: Any, place: DeltaGenerator | None = None, **options: Any
    ) -> Any:
        """One of at most three controls; its value stays set in later steps and in the address.

        A chart follows a slider while it moves through a parameter bound to `live(control)`.
        `place` is a column or a box among the controls.
        """
        with place or self._controls:
            if control.name in _drawn_already():
                value = st.session_state.get(control.name, default)
                st.markdown(f"{control.label}: **{controls.as_text(value)}** (set above)")
                return value
            _drawn_already().add(control.name)
            return controls.draw(control, default, persist_state="session", **options)

    def beside_controls(self) -> AbstractContextManager[Any]:
        """Where buttons of a step belong: Run, Reset and the like."""
        return self._controls

    def live(self, control: Control, default: Any) -> str:
        """The field that follows this slider while its thumb moves: for alt.BindDirect.

        A number slider writes its value there, a slider of choices the position of the choice.
        """
        start = default if isinstance(control, Number) else list(control.options).index(default)
        with self._controls:
            st.html(f'<input type="hidden" id="live-{control.name}" value="{start}">')
        return f"#live-{control.name}"

    # --- picture ---

    def picture(self) -> DeltaGenerator:
        """The place of the picture, for what is no chart: `with screen.picture(): …`."""
        return self._picture

    def chart(
        self,
        build: Callable[..., alt.TopLevelMixin],
        *arguments: Any,
        tables: Mapping[str, pd.DataFrame],
        title: str,
        note: str = "",
        says: str = "",
        height: int | None = None,
        share: float = 1.0,
    ) -> None:
        """The picture. Its title says what to see; `says` says it to those who cannot see it.

        `share` is its part of the height where two pictures stand one above the other.
        """
        with self._picture:
            st.markdown(f"**{title}**" + (f"  \n:small[:gray[{note}]]" if note else ""))
            chart(
                f"chart-{self.key}-{build.__name__}",
                build,
                *arguments,
                tables=tables,
                height=height or round((self.height - 44) * share - (44 if share < 1 else 0)),
                says=says,
                title=title,
                scale=ROOM_SCALE if self.present else 1.0,
            )
            spec, axes = _specification(build, arguments, ROOM_SCALE if self.present else 1.0)
            numbers = told(spec, tables).removeprefix(axes).strip()
            if numbers:  # for screen readers
                st.html(f'<p class="in-words">{html.escape(numbers)}</p>')

    def drawing(self, svg: str, height: int | None = None) -> None:
        """A drawing as the picture, or a part of it."""
        with self._picture:
            drawing(svg, key=f"drawing-{self.key}", height=height or self.height)

    # --- predictions ---

    def predict(
        self,
        answers: Sequence[str] | Number,
        verdict: Callable[[Any], tuple[bool, str]],
        start: float | None = None,
    ) -> Any:
        """A question answered before its answer can be seen; None until it is answered or passed.

        The question is the step's. `answers` are choices, or a range for a slider. `verdict` says
        of a guess whether it is right, and why in one sentence. Returns the guess, or "" if it
        was passed.
        """
        record = progress.of(self.page.slug, self.step.slug)
        place = (self.page.slug, self.step.slug)
        with self._gate:
            if not progress.is_revealed(*place):
                self._ask(answers, start, place)
                return None
            guess = record.get("guess", "")
            if not _is_answer(guess, answers):  # a file of progress may say anything
                guess = ""
            if guess != "":
                right, why = verdict(guess)
                mark = "✓" if right else "✗"
                st.markdown(f"{mark} You said **{_written(guess)}**. {why}")
            else:
                st.markdown(verdict(None)[1])
            self.offer_to_ask_again()
            return guess

    def offer_to_ask_again(self) -> None:
        """A button below an answered question."""
        st.button(
            "Ask me again",
            key=f"again-{self.key}",
            type="tertiary",
            icon=":material/replay:",
            on_click=guarded(progress.ask_again),
            args=(self.page.slug, self.step.slug),
        )

    def _ask(
        self, answers: Sequence[str] | Number, start: float | None, place: tuple[str, str]
    ) -> None:
        key = f"guess-{self.key}"
        if isinstance(answers, Number):
            guess: Any = st.slider(
                answers.label,
                answers.low,
                answers.high,
                start,
                key=key,
            )
        else:
            guess = st.radio(
                self.step.question, answers, index=None, key=key, label_visibility="collapsed"
            )
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Lock it in",
                key=f"commit-{self.key}",
                type="primary",
                disabled=guess is None,
                on_click=guarded(progress.note),
                args=place,
                kwargs={"guess": guess},
            )
            st.button(
                "Show me",
                key=f"pass-{self.key}",
                on_click=guarded(progress.note),
                args=place,
                kwargs={"passed": True},
            )

    def gate(self) -> AbstractContextManager[Any]:
        """Where a step asks what `predict` cannot ask."""
        return self._gate

    # --- folds ---

    def fold(self, label: str, icon: str) -> DeltaGenerator:
        """What is opened on wish: the numbers, the code, the link."""
        with self._folds:
            return st.popover(label, icon=icon, type="tertiary")

    def numbers(self, table: pd.DataFrame) -> None:
        """The numbers behind the picture."""
        with self.fold("Numbers", ":material/table_rows:"):
            st.dataframe(
                table, hide_index=True, height=280, key=f"numbers-{self.key}", alt="The numbers"
            )

    def code(self, *functions: Callable | str) -> None:
        """The functions that computed what is on this screen, or any listing."""
        with self.fold("Code", ":material/code:"):
            for part in functions:
                st.code(part if isinstance(part, str) else source_of(part), language="python")

    def command(self, *lines: str) -> None:
        """Shell commands that give these numbers again; the link stands beside them."""
        with self.fold("Command", ":material/terminal:"):
            st.code(address_of(self.page, self.step), language=None, wrap_lines=True)
            for line in lines:
                st.code(line, language="bash", wrap_lines=True)


def _is_answer(guess: Any, answers: Sequence[str] | Number) -> bool:
    if isinstance(answers, Number):
        return not isinstance(guess, str) and answers.low <= guess <= answers.high
    return guess in answers


def _written(guess: Any) -> str:
    return guess if isinstance(guess, str) else f"{guess:g}"


def _drawn_already() -> set[str]:
    """The controls that this run has drawn: on ?all=1 a shared one is drawn once."""
    drawn: set[str] = st.session_state.setdefault("screen.drawn", set())
    return drawn


def begin() -> None:
    """Before the first screen of a run."""
    st.session_state["screen.drawn"] = set()


def address_of(page: Page, step: Step) -> str:
    """The link that opens this step as it is set now."""
    names = [c.name for c in page.controls(step) if c.name in st.session_state]
    query = controls.address(
        {"step": step.slug, **{name: st.session_state[name] for name in names}}
    )
    return f"{base_url(page.slug)}?{query}"


def chart(
    key: str,
    build: Callable[..., alt.TopLevelMixin],
    *arguments: Any,
    tables: Mapping[str, pd.DataFrame],
    height: int,
    says: str = "",
    title: str = "",
    scale: float = 1.0,
) -> None:
    """A chart: its specification is built once per arguments, then only the tables travel."""
    spec, axes = _specification(build, arguments, scale)
    st.vega_lite_chart(
        None,
        {**spec, "height": height, "datasets": {k: arrow(t) for k, t in tables.items()}},
        key=key,
        alt=f"{says} {axes}".strip() or title,  # another text would draw it anew
        theme="streamlit",
        width="stretch",
        height=height,
    )


def arrow(table: pd.DataFrame) -> pa.Table:
    """A table as it travels; column by column this takes a tenth of the time of pandas' own way.

    Of a copy: pandas notes with a table, 500 times, who has looked at a column.
    """
    table = table.copy()
    return pa.table({name: pa.array(table[name].to_numpy(), from_pandas=True) for name in table})


@in_memory
def _specification(
    build: Callable[..., alt.TopLevelMixin], arguments: tuple, scale: float
) -> tuple[dict[str, Any], str]:
    """What Vega draws, and what it says in words without any numbers."""
    with alt.theme.enable("none"):
        spec = build(*arguments).to_dict()
    spec["autosize"] = {"type": "fit", "contains": "padding"}
    config = spec.setdefault("config", {})
    # To a screen reader a chart is one picture with a text, not hundreds of marks and numbers.
    config["aria"] = False
    config["mark"] = {**config.get("mark", {}), "aria": False}
    axis = config.setdefault("axis", {})
    axis.setdefault("labelFlush", False)  # the outermost labels, too, stand at their grid lines
    if scale != 1:
        spec = _scaled(spec, scale)
        config = spec.setdefault("config", {})
        for part in ("axis", "header", "legend"):
            letters = config.setdefault(part, {})
            letters.setdefault("labelFontSize", round(12 * scale))
            letters.setdefault("titleFontSize", round(13 * scale))
    return spec, told(spec, {})


def _scaled(part: Any, scale: float) -> Any:
    """The same picture with larger letters, lines and dots."""
    if isinstance(part, list):
        return [_scaled(item, scale) for item in part]
    if not isinstance(part, dict):
        return part
    factor = {"size": scale**2} | dict.fromkeys(
        (
            "fontSize",
            "labelFontSize",
            "titleFontSize",
            "strokeWidth",
            "dx",
            "dy",
            "thickness",
            "minExtent",
        ),
        scale,
    )
    return {
        key: value * factor[key]
        if key in factor and isinstance(value, int | float)
        else _scaled(value, scale)
        for key, value in part.items()
    }
