"""The bench of the theorem page: which world, at which θ, and what is computed there.

What is computed in a named world is kept for everybody; what is computed in a visitor's world
lives and ends with the visitor's session.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile

from pgviz.exact.derivation import derivations
from pgviz.exact.receipts import read_out
from pgviz.kept import Kept
from pgviz.measure import theorem
from pgviz.ui import controls
from pgviz.ui.controls import Choice, Number
from pgviz.ui.guard import guarded
from pgviz.worlds.files import parse_world, world_document
from pgviz.worlds.format import EXAMPLE, IN_WORDS
from pgviz.worlds.named import named_worlds
from pgviz.worlds.stories import Story, story_of
from pgviz.worlds.tabular import TabularMDP, WorldError
from pgviz.worlds.visitors import admitted, limits_in_words

DEFAULT = "short-corridor"
YOURS = "yours"
BEST = "theorem-best-"  # begins the name of the prediction about a world
GAMMAS = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
EPISODES = (1, 3, 10, 30, 100)
SAMPLES = (100, 300, 1000, 3000, 10_000)
INTACT = "nothing"
MISTAKES = (
    "drop the log",
    "differentiate R",
    "sample from the wrong policy",
    "forget γᵗ",
    "keep past rewards",
)
# The derivations by the name their switch has in the address.
TABLES = {"log": "log trick", "path": "trajectory form", "unroll": "unrolling ∇V"}
RESTING_SAMPLES = 1000
# What the other controls of the page say until they are touched.
RESTING = {
    "log": INTACT,
    "path": INTACT,
    "unroll": INTACT,
    "samples": RESTING_SAMPLES,
    "episodes": 10,
    "rng_seed": 0,
}


@dataclass(frozen=True)
class Setting:
    """What the controls say: the name of everything that is computed on the page."""

    world: str
    percent: int
    gamma: float
    document: str = ""  # of a visitor's world

    @cached_property
    def story(self) -> Story:
        return story_of(self.base, bool(self.document))

    @cached_property
    def base(self) -> TabularMDP:
        """The world with its own θ."""
        world = _parsed(self.document) if self.document else named_worlds[self.world]()
        return world if world.gamma == self.gamma else replace(world, gamma=self.gamma)

    @cached_property
    def at(self) -> TabularMDP:
        """The world at the θ of the knob."""
        return theorem.turned(self.base, self.story.turned, self.percent)

    @cached_property
    def resting(self) -> "Setting":
        """The same with the knob at rest: whatever does not depend on it is computed once."""
        return replace(self, percent=theorem.at_rest(self.base, self.story.turned))


# --- the controls ---


def choose() -> Setting:
    """The controls: a world, one knob, and the discount where it matters."""
    names = _worlds()
    controls.keep_within(Choice("world", "World", names))
    name = st.selectbox(
        "World",
        names,
        names.index(DEFAULT),
        key="world",
        bind="query-params",
        on_change=guarded(_back_to_rest),
    )
    document, own = _chosen()
    story = story_of(own, bool(document))
    st.caption(controls_text(story.sentence))
    if document and (fewer := theorem.size_in_words(own)):
        st.caption(fewer)
    knob = Number(
        "p",
        f"π({story.actions[story.turned]}), in %",
        theorem.LOWEST,
        theorem.HIGHEST,
        "One knob for θ: the logits of this action move together, in every state.",
    )
    percent = controls.draw(knob, theorem.at_rest(own, story.turned), slider=True)
    gamma = own.gamma
    if own.transitions[:, :, :-1].any():
        options = tuple(sorted({*GAMMAS, own.gamma}))
        gamma = controls.draw(Choice("gamma", "Discount γ", options), own.gamma)
    with st.popover("Bring your own world", icon=":material/upload_file:", width="stretch"):
        _bring(Setting(name, percent, gamma, document))
    st.button("Reset", on_click=guarded(_reset))
    setting = Setting(name, percent, gamma, document)
    try:
        theorem.place(setting.at, story.turned)
    except WorldError as fault:
        st.warning(f"{str(fault)[:1].upper()}{str(fault)[1:]}. Shown with its own discount.")
        return replace(setting, gamma=own.gamma)
    return setting


def links() -> tuple[controls.Control, ...]:
    """What a link may set, and to what."""
    gammas: tuple[float, ...] = GAMMAS
    if YOURS in _worlds():
        own = _parsed(st.session_state["theorem.document"]).gamma
        gammas = tuple(sorted({*GAMMAS, own}))
    return (
        Choice("world", "World", _worlds()),
        Number("p", "π, in %", theorem.LOWEST, theorem.HIGHEST),
        Choice("gamma", "Discount γ", gammas),
        *(Choice(key, "Break a step", (INTACT, *breaks_of(name))) for key, name in TABLES.items()),
        Choice("samples", "Episodes N", SAMPLES),
        Choice("broken", "The mistake", MISTAKES),
        Choice("rate", "Step size", RATES),
        Choice("episodes", "Episodes per step", EPISODES),
        Number("rng_seed", "Random seed", 0, 9999),
    )


def breaks_of(derivation: str) -> tuple[str, ...]:
    """In which ways the lines of a derivation can be broken."""
    return tuple(dict.fromkeys(b for line in derivations[derivation] for b in line.breaks))


def samples() -> int:
    """How many episodes the line of samples takes; it is asked before its slider is drawn."""
    if "samples" in st.session_state:
        return int(st.session_state["samples"])
    linked = st.query_params.get("samples", "")
    return int(linked) if linked in map(str, SAMPLES) else RESTING_SAMPLES


def query_of(setting: Setting) -> str:
    """The part of an address that sets every control of the page as it is now."""
    values = {"world": setting.world, "p": setting.percent, "gamma": setting.gamma}
    values |= {name: st.session_state.get(name, value) for name, value in RESTING.items()}
    values["rate"] = st.session_state.get("rate", setting.story.learning_rate)
    values["broken"] = st.session_state.get("broken", setting.story.mistake)
    return urlencode({name: controls.as_text(value) for name, value in values.items()})


def _back_to_rest() -> None:
    """Another world: its own θ, its own discount, its own step size."""
    document, own = _chosen()
    story = story_of(own, bool(document))
    st.session_state["p"] = theorem.at_rest(own, story.turned)
    st.session_state["gamma"] = own.gamma
    st.session_state["rate"] = story.learning_rate
    st.session_state["broken"] = story.mistake


def _worlds() -> tuple[str, ...]:
    """The names of the worlds that there are: the visitor's while its file is here."""
    return (*named_worlds, *((YOURS,) if st.session_state.get("theorem.document") else ()))


def _chosen() -> tuple[str, TabularMDP]:
    """The document, if it is the visitor's, and the world that is chosen.

    A browser may still ask for the visitor's world when it is gone: then it is the usual one.
    """
    name = st.session_state.get("world")
    if name not in _worlds():
        name = st.session_state["world"] = DEFAULT
    if name == YOURS:
        document: str = st.session_state["theorem.document"]
        return document, _parsed(document)
    return "", named_worlds[name]()


def _reset() -> None:
    st.session_state["world"] = DEFAULT
    _back_to_rest()
    for name, value in RESTING.items():
        st.session_state[name] = value
    st.session_state.pop("theorem.asked", None)
    controls.forget_faults("theorem")


def _bring(setting: Setting) -> None:
    st.markdown(
        "A JSON file with transitions and rewards. It is read as numbers, and forgotten when you"
        " close the tab."
    )
    with st.expander("The format, by example"):
        st.code(EXAMPLE, language="json")
        st.markdown(IN_WORDS)
    st.file_uploader(
        "World file",
        type=["json"],
        key="theorem.file",
        max_upload_size=1,
        on_change=guarded(_uploaded),
        label_visibility="collapsed",
    )
    if fault := st.session_state.get("theorem.refused"):
        st.error(fault, icon=":material/block:")
    elif st.session_state.get("theorem.document"):
        st.success("Read. Choose “yours” to leave and return to it.", icon=":material/check:")
    st.caption(limits_in_words())
    st.download_button(
        "This world as a file",
        lambda: world_document(setting.at),
        f"{setting.world}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _uploaded() -> None:
    file = st.session_state.get("theorem.file")
    if isinstance(file, DeletedFile):  # the browser names a file that the server does not have
        st.session_state["theorem.refused"] = "The file did not arrive. Choose it once more."
    else:
        receive(None if file is None else file.getvalue())


def receive(content: bytes | None) -> None:
    """Take in a visitor's world, or say in one sentence why not; None takes it away again."""
    for name in ("theorem.refused", "theorem.document"):
        st.session_state.pop(name, None)
    if content is None:
        if st.session_state.get("world") == YOURS:
            st.session_state["world"] = DEFAULT
            _back_to_rest()
        return
    try:
        world = admitted(content)
        theorem.place(world, 0)
    except WorldError as fault:
        sentence = str(fault)
        st.session_state["theorem.refused"] = controls_text(
            f"{sentence[:1].upper()}{sentence[1:]}."
        )
        if st.session_state.get("world") == YOURS:
            st.session_state["world"] = DEFAULT
            _back_to_rest()
        return
    st.session_state["theorem.document"] = world_document(world)
    st.session_state["world"] = YOURS
    st.session_state.pop(f"{BEST}{YOURS}.committed", None)  # it was about another world
    _back_to_rest()


def controls_text(text: str) -> str:
    """Words with whatever a visitor wrote in them, as words: nothing of it is markup."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]<>#|$:~" else c for c in text)


# --- what is computed ---


def found(setting: Setting, function: Callable[..., Any], *arguments: Any) -> Any:
    """function(world, *arguments) at this setting, computed once."""
    name = function.__name__
    kept = _of_this_reader() if setting.document else _of_all_readers()
    return kept.once((setting, name, arguments), lambda: _compute(setting, name, arguments))


def _compute(setting: Setting, name: str, arguments: tuple) -> Any:
    world = setting.at
    if name == "read_out":
        return read_out(world, *arguments)
    return getattr(theorem, name)(world, *arguments)


@st.cache_resource(show_spinner=False)
def _of_all_readers() -> Kept:
    return Kept(megabytes=32)


@st.cache_resource(show_spinner=False, scope="session")
def _of_this_reader() -> Kept:
    return Kept(megabytes=2)


def _parsed(document: str) -> TabularMDP:
    """The visitor's world, read once in a session."""
    return _read(document) if get_script_run_ctx() else parse_world(document)


@st.cache_resource(max_entries=2, show_spinner=False, scope="session")
def _read(document: str) -> TabularMDP:
    return parse_world(document)
