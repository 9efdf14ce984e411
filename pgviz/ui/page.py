"""The skeleton that every page shares, in the order in which a page is read."""

import ast
import difflib
import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import altair as alt
import pandas as pd
import streamlit as st

from pgviz.runs import Run
from pgviz.training.command import command_line
from pgviz.ui.frame import PAGES, Page
from pgviz.ui.guard import guarded

Guess = TypeVar("Guess", str, float)

READING_WIDTH = 720  # pixels: about 75 characters of prose


def question(page: Page) -> None:
    """The one question of the page, and one sentence under it."""
    st.title(page.question, anchor=False)
    st.markdown(page.answer)


def predict(key: str, asked: str, answers: Sequence[str]) -> str | None:
    """A question the reader commits to before the answer can be seen; None until then."""
    return _commit(
        key,
        asked,
        lambda: st.radio(
            asked,
            answers,
            index=None,
            horizontal=True,
            key=f"{key}.guess",
            label_visibility="collapsed",
        ),
    )


def predict_number(
    key: str, asked: str, low: float, high: float, step: float, start: float
) -> float | None:
    """The same with a slider; the guess is a number that a chart can mark."""
    return _commit(
        key,
        asked,
        lambda: st.slider(
            asked, low, high, start, step, key=f"{key}.guess", label_visibility="collapsed"
        ),
    )


def _commit(key: str, asked: str, ask: Callable[[], Guess | None]) -> Guess | None:
    """A committed prediction cannot be changed: that is the point of it."""
    committed: Guess | None = st.session_state.get(f"{key}.committed")
    with st.container(border=True, key=f"predict-{key}"):
        st.markdown(f"**Predict.** {asked}")
        if committed is not None:
            said = committed if isinstance(committed, str) else f"{committed:g}"
            st.markdown(f"You said: **{said}**.")
            return committed
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            guess = ask()
            st.button(
                "Lock it in",
                key=f"{key}.commit",
                disabled=guess is None,
                on_click=guarded(st.session_state.update),
                args=({f"{key}.committed": guess},),
            )
    return None


def chart(
    key: str,
    build: Callable[..., alt.TopLevelMixin],
    *arguments: Any,
    tables: Mapping[str, pd.DataFrame],
    height: int,
    says: str,
) -> None:
    """A chart: its specification is built once per arguments, then only the tables travel.

    `says` is what to see, in words, for those who cannot see it.
    """
    spec = _specification(build, arguments)
    st.vega_lite_chart(
        None,
        {**spec, "height": height, "datasets": dict(tables)},
        key=key,
        alt=says,
        theme="streamlit",
        width="stretch",
        height=height,
    )


@functools.lru_cache(500)
def _specification(build: Callable[..., alt.TopLevelMixin], arguments: tuple) -> dict[str, Any]:
    with alt.theme.enable("none"):
        spec = build(*arguments).to_dict()
    spec["autosize"] = {"type": "fit", "contains": "padding"}
    return spec


def heading(text: str, note: str = "") -> None:
    """The title of a chart: what to see. Under it, in small, how it is drawn."""
    st.markdown(f"**{text}**" + (f"  \n:small[:gray[{note}]]" if note else ""))


def figures(*pairs: tuple[str, str]) -> None:
    """The numbers that matter, in one row."""
    with st.container(horizontal=True, gap="large"):
        for label, value in pairs:
            st.metric(label, value, width="content")


def numbers(table: pd.DataFrame, key: str) -> None:
    """The numbers behind a chart."""
    with st.expander("Show the numbers"):
        st.dataframe(table, hide_index=True, height=280, key=key)


def code_that_ran(parts: Sequence[tuple[str, str, Callable]]) -> None:
    """Each part: a name, its equation, and the function that computed what is on this page."""
    st.header("The code that ran", anchor=False)
    for tab, (_, equation, function) in zip(
        st.tabs([name for name, _, _ in parts]), parts, strict=True
    ):
        with tab:
            st.latex(equation)
            st.code(inspect.getsource(function), language="python")


def from_scratch(module: ModuleType, options: str = "") -> None:
    """The whole method as one would write it on a blank page: a file that runs as it stands."""
    source = inspect.getsource(module)
    name = f"{module.__name__.split('.')[-1]}.py"
    st.header("From scratch", anchor=False)
    st.markdown(
        "The whole method in one file: Gymnasium and torch alone, nothing of the code above. It runs"
        f" as it stands, `python {name}{options}`, and prints until it has solved CartPole. The tests"
        " hold its gradient to the one above."
    )
    st.download_button(
        f"Download {name}",
        source,
        name,
        "text/x-python",
        icon=":material/download:",
        on_click="ignore",
    )
    st.code(source, language="python")


def code_diff(before: Callable, after: Callable) -> None:
    """What has to change in the code to get from one method to the next."""
    was, becomes = (_without_docstring(function) for function in (before, after))
    lines = list(difflib.unified_diff(was, becomes, n=9, lineterm=""))[3:]
    changed = sum(line[0] in "+-" for line in lines)
    st.markdown(f"From `{before.__name__}` to `{after.__name__}`: {changed} lines change.")
    st.code("\n".join(lines), language="diff")


def _without_docstring(function: Callable) -> list[str]:
    lines = inspect.getsource(function).splitlines()
    definition = ast.parse("\n".join(lines)).body[0]
    assert isinstance(definition, ast.FunctionDef)
    if ast.get_docstring(definition) is not None:
        said = definition.body[0]
        del lines[said.lineno - 1 : said.end_lineno]
    return lines


def takeaways(sentences: Sequence[str]) -> None:
    """What you should have seen, computed from this very run."""
    st.header("What you should have seen", anchor=False)
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))


def share(slug: str, query: str, *commands: str, not_in_it: str = "") -> None:
    """The link and the commands that give these numbers again; and what no link can hold."""
    st.header("Share and reproduce", anchor=False)
    st.markdown(
        "The link sets every control of this page. On one machine, the same settings give the"
        f" same numbers, bit for bit.{not_in_it}"
    )
    st.code(f"{base_url(slug)}?{query}", language=None, wrap_lines=True)
    for command in commands:
        st.code(command, language="bash", wrap_lines=True)


def reproduce(slug: str, query: str, run: Run) -> None:
    """The link, the command and the files that give the numbers of this run again."""
    share(slug, query, command_line(run.config))
    recording = run.recording()
    if recording is None:
        return
    name = f"{run.config.method}-{run.key}"
    with st.container(horizontal=True):
        st.download_button(
            "Recording as CSV",
            lambda: recording.table().to_csv(index=False),
            f"{name}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Recording as JSON",
            lambda: as_json(recording.as_dict()),
            f"{name}.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )


def settled() -> None:
    """The last thing on a page without a run: from here on nothing moves."""
    st.html("<span data-settled></span>")


def base_url(slug: str) -> str:
    """The address of a page, as the reader's browser reaches this server.

    The server may live in a folder of its host, by server.baseUrlPath or behind a proxy: what
    stands in the browser's address before the name of a page is kept.
    """
    if not st.context.url:
        folder = (st.get_option("server.baseUrlPath") or "").strip("/")
        return f"/{folder}/{slug}" if folder else f"/{slug}"
    parts = urlsplit(st.context.url)
    before, _, last = parts.path.rstrip("/").rpartition("/")
    folder = before if last in {page.slug for page in PAGES} else parts.path.rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/{slug}", "", ""))


def as_json(numbers: Mapping[str, Any]) -> str:
    """Valid JSON: what is not a number becomes null."""
    return json.dumps(_finite(numbers), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
