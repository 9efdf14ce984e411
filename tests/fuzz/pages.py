"""What strangers do to the pages of a server: links, files, and states of widgets."""

import json
import random

from streamlit.proto.Element_pb2 import Element
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pgviz.ui.world import CAN_SHOW
from tests.fuzz import hostile
from tests.fuzz import links as made
from tests.fuzz.report import Found
from tests.fuzz.server import note, through_a_server
from tests.fuzz.stranger import Stranger

SAYING = ("bidi_component", "arrow_data_frame", "text_input", "text_area")
SMALL = 1_000_000  # bytes: what the uploaders of the app take


def links(number: int, seed: int, tabs: int, minutes: float = 60) -> Found:
    """Most links open a tab of their own; every fourth is followed in the tab of three others."""

    async def act(found: Found, url: str, k: int) -> None:
        followed = [made.link(seed, k)]
        if k % 4 == 0:
            followed = [made.link(seed + 1, k + n) for n in range(3)] + followed
        async with Stranger(url) as tab:
            try:
                for page, query in followed:
                    await tab.open(page, query)
            finally:
                note(found, k, " ".join(followed[-1]), tab)

    return through_a_server("links", act, number, tabs, minutes)


def worlds(number: int, seed: int, tabs: int, minutes: float = 60) -> Found:
    """A world is brought to the theorem page, and then looked at on every step that can show it."""

    async def act(found: Found, url: str, k: int) -> None:
        rng = hostile.source(seed, "world on a page", k)
        content = hostile.document(rng, hostile.WORLDS)
        if rng.random() < 0.6:  # most are taken: what the steps make of them is asked here
            content = hostile.written(hostile.extreme_world(rng)).encode()
        async with Stranger(url) as tab:
            try:
                first, *others = rng.sample(CAN_SHOW, len(CAN_SHOW))
                await tab.open("theorem", f"step={first}")
                await tab.upload(_of(tab, "file_uploader"), content)
                refused = tab.is_refused
                for step in [] if refused else others:
                    await tab.open("theorem", f"step={step}&{_settings(rng, step)}")
            finally:
                note(found, k, repr(content[:150]), tab)

    return through_a_server("worlds through the page", act, number, tabs, minutes)


def progress(number: int, seed: int, tabs: int, minutes: float = 60) -> Found:
    """A browser has stored it, or a file of it is given to Home; then one step after the other."""

    async def act(found: Found, url: str, k: int) -> None:
        rng = hostile.source(seed, "progress on a page", k)
        content = hostile.document(rng, (hostile.progress,))
        if rng.random() < 0.5:
            content = hostile.written(hostile.progress(rng)).encode()
        is_file = rng.random() < 0.3
        stored: object = content.decode("utf-8", "replace")
        if rng.random() < 0.1:
            stored = rng.choice(
                [None, 1, 0.5, True, [], {}, [stored], {"a": stored}, "", [1], {"pgviz": 1}]
            )
        async with Stranger(url, "" if is_file else stored) as tab:
            try:
                if is_file:
                    await tab.open("home", "step=path")
                    await tab.upload(_of(tab, "file_uploader"), content[:SMALL])
                page, step = made.STEPS[k % len(made.STEPS)]
                here = [(page, step), *rng.sample(made.STEPS, 2), *_that_read_progress(rng)]
                for page, step in here:
                    await tab.open(page.slug, f"step={step.slug}&{_settings(rng, step.slug)}")
            finally:
                note(found, k, f"{here[0][0].slug}/{here[0][1].slug} {str(stored)[:150]}", tab)

    return through_a_server("progress through the page", act, number, tabs, minutes)


def states(number: int, seed: int, tabs: int, minutes: float = 60) -> Found:
    """What no component, table or field of text would send."""

    async def act(found: Found, url: str, k: int) -> None:
        rng = hostile.source(seed, "state", k)
        page, step = made.STEPS[k % len(made.STEPS)]
        said = ""
        async with Stranger(url) as tab:
            try:
                await tab.open(page.slug, f"step={step.slug}&{_settings(rng, step.slug)}")
                for _ in range(3):
                    widgets = [
                        e for e in tab.elements if e.WhichOneof("type") in SAYING and _widget(e)
                    ]
                    if chosen := rng.sample(widgets, min(len(widgets), rng.choice([1, 1, 3]))):
                        forged = [_state(rng, element) for element in chosen]
                        said = " ".join(str(state) for state in forged)
                        await tab.say(*forged)
            finally:
                note(found, k, f"{page.slug}/{step.slug} {said}", tab)

    return through_a_server("states of widgets", act, number, tabs, minutes)


def _that_read_progress(rng: random.Random) -> list:
    names = ("sheet", "words", "implement", "drill", "tune", "score", "still", "path")
    steps = [(page, step) for page, step in made.STEPS if step.slug in names or step.question]
    return rng.sample(steps, 3)


def _settings(rng: random.Random, step: str) -> str:
    """Few settings, all well said: another part of the step."""
    return rng.choice(
        ["", "", "present=1", "track=theorem-15", "all=1"]
        if step == "path"
        else ["", "", "present=1"]
    )


def _widget(element: Element) -> str:
    """The name of an element to the server, if it can say something."""
    kind = element.WhichOneof("type")
    return getattr(getattr(element, kind), "id", "") if kind else ""


def _of(tab: Stranger, kind: str) -> str:
    return next(_widget(e) for e in tab.elements if e.WhichOneof("type") == kind)


def _state(rng: random.Random, element: Element) -> WidgetState:
    """What a component, a table of edits or a field of text may send."""
    kind = element.WhichOneof("type")
    state = WidgetState(id=_widget(element))
    if kind == "bidi_component":
        state.json_value = _json(rng)
    else:
        is_table = kind == "arrow_data_frame"
        state.string_value = _edits(rng) if is_table else _sendable(hostile.text(rng, 20_000))
    return state


def _edits(rng: random.Random) -> str:
    """Of a table: of rows and columns that are there, and of others."""
    rows = {str(rng.choice([0, 2, 5, -1, 99, "x"])): _edit(rng) for _ in range(2)}
    added, deleted = [_edit(rng)] * rng.choice([0, 1]), [rng.choice([0, 99])] * rng.choice([0, 1])
    return hostile.written({"edited_rows": rows, "added_rows": added, "deleted_rows": deleted})


def _edit(rng: random.Random) -> dict[str, object]:
    names = ["reward", "value", "final_value", "terminated", "truncated", "_index", "zq7"]
    values = [None, 1, 1e308, -1e308, 10**400, "zq7", True, [], {}, 1e-320, hostile.Raw("NaN")]
    return {rng.choice(names): rng.choice(values) for _ in range(2)}


def _json(rng: random.Random) -> str:
    """Of a component: one of its fields; what is no such object Streamlit itself refuses."""
    deep: object = []
    for _ in range(rng.choice([0, 0, 0, 300])):
        deep = [deep]
    value = rng.choice(
        [None, True, 1, 1e308, float("nan"), [], {}, ["zq7"], {"a": 1}, "theorem/guess", deep]
        + [hostile.text(rng) for _ in range(5)]
    )
    return json.dumps({rng.choice(["stored", "go", "place", "zq7"]): value})


def _sendable(text: str) -> str:
    """A protocol buffer holds no lone surrogates."""
    return text.encode("utf-8", "replace").decode()
