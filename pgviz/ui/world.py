"""Which world a step of this page shows: one of the named ones, or one that the visitor brought.

The fold "World" stands on every step: it draws the world of the step and takes a visitor's file.
Until the step that introduces the discount, every world is looked at with γ = 1.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile

from pgviz.charts import worlds as drawings
from pgviz.in_memory import memory
from pgviz.measure import theorem
from pgviz.ui.controls import Choice
from pgviz.ui.drawing import drawing
from pgviz.ui.guard import guarded
from pgviz.ui.plain import plain
from pgviz.ui.screen import Screen
from pgviz.worlds.files import parse_world, world_document
from pgviz.worlds.format import EXAMPLE, IN_WORDS
from pgviz.worlds.named import named_worlds
from pgviz.worlds.stories import Story, story_of
from pgviz.worlds.tabular import TabularMDP, WorldError
from pgviz.worlds.visitors import admitted, limits_in_words

DOCUMENT, REFUSED, AWAY = "theorem.document", "theorem.refused", "theorem.away"
CAN_SHOW = ("average", "causality", "theorem", "unrolled", "climb", "discount")
ENDLESS = 50  # where a world is cut whose undiscounted episodes need not end


@dataclass(frozen=True)
class Shown:
    """The world of a step, by its name or as a visitor's document."""

    name: str
    document: str = ""
    discounted: bool = False  # with its own γ, else with γ = 1

    @property
    def story(self) -> Story:
        return story_of(self._own, bool(self.document))

    @property
    def _own(self) -> TabularMDP:
        return _parsed(self.document) if self.document else named_worlds[self.name]()

    @property
    def world(self) -> TabularMDP:
        return self._own if self.discounted else undiscounted(self._own)

    @property
    def label(self) -> str:
        return "your world" if self.document else LABELS[self.name]


LABELS = {
    "two-arms": "the two arms",
    "bandit-a": "the three arms",
    "short-corridor": "the corridor",
    "ladder": "the ladder",
    "survival": "survival",
    "shared-logit-chain": "the chain",
}


def undiscounted(world: TabularMDP) -> TabularMDP:
    """The world with γ = 1; cut after some steps if its episodes need not end by themselves."""
    if world.gamma == 1:
        return world
    try:
        return replace(world, gamma=1.0)
    except WorldError:
        return replace(world, gamma=1.0, horizon=ENDLESS)


def control(name: str, worlds: tuple[str, ...] = tuple(named_worlds)) -> Choice:
    """The control for the world of a step."""
    return Choice(name, "World", worlds, listed=True)


def chosen(screen: Screen, choice: Choice, default: str, discounted: bool = False) -> Shown:
    """The world that the control names, or the visitor's own while it is in use."""
    document = in_use()
    name: str = screen.control(choice, default, disabled=bool(document))
    shown = Shown(name, document, discounted)
    if document and (fewer := theorem.size_in_words(shown.world)):
        with screen.beside_controls():
            st.caption(fewer)
    return shown


def in_use() -> str:
    """The visitor's world, unless it was put aside."""
    if st.session_state.get(AWAY):
        return ""
    document: str = st.session_state.get(DOCUMENT, "")
    return document


# --- what is computed: for everybody in a named world, for one visitor in an own one ---


def found(shown: Shown, function: Callable[..., Any], *arguments: Any) -> Any:
    """function(world, *arguments), computed once."""
    owner = _owner(shown.document) if shown.document else ""
    name = f"{function.__module__}.{function.__qualname__}"
    key = owner, replace(shown, document=""), name, arguments
    return memory.once(key, lambda: function(shown.world, *arguments))


def found_or_instead(
    shown: Shown, instead: str, function: Callable[..., Any], *arguments: Any
) -> tuple[Shown, Any, str]:
    """The same; where a visitor's world does not allow it, in the step's own world, with a word."""
    try:
        return shown, found(shown, function, *arguments), ""
    except WorldError as fault:
        other = Shown(instead, discounted=shown.discounted)
        note = f" Shown is {other.label}; in {shown.label} {plain(str(fault))}."
        return other, found(other, function, *arguments), note


@st.cache_resource(scope="session", max_entries=1, on_release=memory.forget, show_spinner=False)
def _owner(document: str) -> str:
    """Who owns what is computed in this world: it is forgotten when its visitor's tab closes."""
    return uuid.uuid4().hex


def _parsed(document: str) -> TabularMDP:
    """The visitor's world, read once in a session."""
    return _read(document) if get_script_run_ctx() else parse_world(document)


def _read(document: str) -> TabularMDP:
    known, world = st.session_state.get("world.read", ("", None))
    if known != document or world is None:
        world = parse_world(document)
        st.session_state["world.read"] = document, world
    return world


# --- the fold ---


def fold(screen: Screen, shown: Shown | None = None) -> None:
    """The world of this step as a drawing, and a place for the visitor's own."""
    with screen.fold("World", ":material/public:"), st.container(width=420):
        if shown is not None and not shown.document:
            if (svg := picture(shown.name)) is not None:
                drawing(svg, key=f"card-{screen.key}", height=180)
            st.caption(plain(shown.story.sentence))
        elif shown is not None:
            st.caption(plain(shown.story.sentence))
        _bring(screen)
        if shown is not None:
            st.download_button(
                "This world as a file",
                lambda: world_document(shown.world),
                f"{shown.name}.json",
                "application/json",
                key=f"world-file-{screen.key}",
                icon=":material/download:",
                on_click="ignore",
            )


def picture(name: str) -> str | None:
    """The drawing of a named world, if it has one."""
    world = named_worlds[name]()
    if name == "short-corridor":
        return drawings.corridor(world)
    if name == "ladder":
        return drawings.ladder(world)
    if world.num_states == 1 and not world.transitions[:, :, :-1].any():
        return drawings.two_arms(world)
    return None


def _bring(screen: Screen) -> None:
    st.markdown("**Bring your own world**: a JSON file with transitions, rewards and θ.")
    st.file_uploader(
        "World file",
        type=["json"],
        key=f"world-upload-{screen.key}",
        max_upload_size=1,
        on_change=guarded(_uploaded),
        args=(screen.key,),
        label_visibility="collapsed",
    )
    if fault := st.session_state.get(REFUSED):
        st.error(fault, icon=":material/block:")
    if st.session_state.get(DOCUMENT):
        st.toggle(
            "Show the named worlds instead",
            bool(st.session_state.get(AWAY)),
            key=f"world-aside-{screen.key}",
            on_change=guarded(_aside),
            args=(screen.key,),
        )
        if screen.step.slug not in CAN_SHOW:
            st.caption("This step keeps its own world. Yours is shown on six steps of Theorem.")
    with st.expander("How such a file looks", icon=":material/data_object:"):
        st.code(EXAMPLE, language="json")
        st.markdown(IN_WORDS)
        st.download_button(
            "Download this example",
            EXAMPLE,
            "two-rooms.json",
            "application/json",
            on_click="ignore",
            key=f"world-example-{screen.key}",
        )
    st.caption(f"It is read as numbers and forgotten when you close the tab. {limits_in_words()}")


def _aside(key: str) -> None:
    st.session_state[AWAY] = bool(st.session_state[f"world-aside-{key}"])


def _uploaded(key: str) -> None:
    file = st.session_state.get(f"world-upload-{key}")
    if isinstance(file, DeletedFile):
        st.session_state[REFUSED] = "The file did not arrive. Choose it once more."
        return
    receive(None if file is None else file.getvalue())


def receive(content: bytes | None) -> None:
    """Take in a visitor's world, or say in one sentence why not; None takes it away again."""
    for name in (REFUSED, DOCUMENT, AWAY):
        st.session_state.pop(name, None)
    if content is None:
        return
    try:
        world = admitted(content)
        theorem.place(world, 0)
    except WorldError as fault:
        sentence = str(fault)
        st.session_state[REFUSED] = plain(f"{sentence[:1].upper()}{sentence[1:]}.")
        return
    st.session_state[DOCUMENT] = world_document(world)
