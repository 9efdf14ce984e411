"""Controls that are the URL: every value a reader sets stands in the address of the page.

Streamlit binds a widget to a query parameter and mostly falls back to the default when a link holds
something it cannot take. It does not say so, it reads 3.7 seeds as three, and infinity is too much
for it: `faults_of_link` takes the faults out of the address before a widget sees them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import get_session_state

from pgviz.ui.plain import plain

DECIMAL = re.compile(r"-?([0-9]{1,9}\.?[0-9]{0,9}|\.[0-9]{1,9})")


@dataclass(frozen=True)
class Choice:
    """One control: a query parameter, its label, the values it can take and what it is for."""

    name: str
    label: str
    options: Sequence[Any]
    help: str = ""
    captions: Sequence[str] | None = None  # what each option means; the address holds the options
    listed: bool = False  # many names open as a list

    def holds(self, text: str) -> bool:
        """Whether a link may say so."""
        return self.spelt(text) is not None

    def spelt(self, text: str) -> str | None:
        """How the address spells what a link says: 0 and .00 are 0.0; None if it is no value."""
        texts = [as_text(option) for option in self.options]
        if text in texts:
            return text
        number = float(text) if DECIMAL.fullmatch(text) else None
        same = (
            own
            for own, option in zip(texts, self.options, strict=True)
            if isinstance(option, int | float) and not isinstance(option, bool) and option == number
        )
        return next(same, None)

    def nearest(self, value: Any) -> Any:
        """The value itself, or the closest number that is an option; None if there is none."""
        if value in self.options:
            return value
        numbers = [option for option in self.options if _is_number(option)]
        if not numbers or not _is_number(value):
            return None
        return min(numbers, key=lambda option: abs(option - value))


@dataclass(frozen=True)
class Number:
    """A control for any whole number between two limits."""

    name: str
    label: str
    low: int
    high: int
    help: str = ""

    def holds(self, text: str) -> bool:
        """Whether a link may say so."""
        whole = re.fullmatch("-?[0-9]{1,9}", text)
        return whole is not None and self.low <= int(text) <= self.high

    def nearest(self, value: Any) -> Any:
        """The closest number within the limits; None if the value is no number."""
        return min(max(value, self.low), self.high) if _is_number(value) else None


Control = Choice | Number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def as_text(value: object) -> str:
    """A value as the address bar shows it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def opened(controls: Sequence[Control], slug: str) -> None:
    """A page's controls say what its address says, else what they said when the reader left it.

    Pages share names such as gamma and seed, and Streamlit keeps one value for a name.
    """
    state, address = st.session_state, st.query_params
    kept: dict[str, dict[str, Any]] = state.setdefault("kept", {})
    before, names, addressed = state.get("page", (slug, (), ()))
    if before != slug and slug in kept and not len(address) and _is_back_or_forward():
        st.rerun()  # in that run Streamlit takes the defaults, whatever is set before a widget
    if before != slug:
        kept[before] = {name: state[name] for name in addressed if name in state}
        for name in names:
            state.pop(name, None)
        if not len(address):
            for name, value in kept.get(slug, {}).items():
                state[name], address[name] = value, as_text(value)
    names = tuple(control.name for control in controls)
    state["page"] = slug, names, tuple(name for name in names if name in address)


def _is_back_or_forward() -> bool:
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def faults_of_link(controls: Sequence[Control], slug: str, reserved: Sequence[str] = ()) -> str:
    """One sentence on what of the link could not be used, or nothing; kept until `forget_faults`.

    Called before the controls are drawn. `reserved` names belong to no control.
    """
    opened(controls, slug)
    known = {control.name for control in controls} | {*reserved}
    unknown = [name for name in st.query_params if name not in known]
    drop_faults(controls, slug, {name: f"there is no setting “{shown(name)}”" for name in unknown})
    faults = st.session_state.get(f"{slug}.faults")
    return f"Not everything in this link could be used: {'; '.join(faults)}." if faults else ""


def drop_faults(
    controls: Sequence[Control], slug: str, others: Mapping[str, str] | None = None
) -> None:
    """Take out of the link what controls that are not yet drawn cannot hold, and `others`.

    All at once: after the next run a link that came with back or forward is an address like any.
    A number in another spelling is written as its widget writes it, which knows no other.
    """
    faults = {**(others or {})}
    respelt: dict[str, str] = {}
    for control in controls:
        values = st.query_params.get_all(control.name)
        is_drawn = control.name in st.session_state
        if not values or (is_drawn and not _is_back_or_forward()):  # there the address wins
            continue
        if len(values) != 1 or not control.holds(values[0]):
            faults[control.name] = f"“{shown(values[-1])}” is no value for “{control.label}”"
        elif isinstance(control, Choice) and not is_drawn:
            spelt = control.spelt(values[0])
            if spelt is not None and spelt != values[0]:
                respelt[control.name] = spelt
    if respelt:  # an update with nothing, too, tells the browser an address it may have left
        st.query_params.update(respelt)
    drop(slug, faults)
    if respelt:
        st.rerun()


def drop(slug: str, faults: Mapping[str, str]) -> None:
    """Note the faults, take their names out of the address, and run the page once more."""
    if faults:
        noted = st.session_state.setdefault(f"{slug}.faults", [])
        noted += [fault for fault in faults.values() if fault not in noted][: 3 - len(noted)]
        with get_session_state().query_params() as parameters:
            for name in faults:  # a widget of the step before may still be bound to it
                parameters.remove_param(name)
        st.rerun()


def forget_faults(slug: str) -> None:
    """The reader has moved on."""
    st.session_state.pop(f"{slug}.faults", None)


def shown(text: str) -> str:
    """Foreign text made short and harmless for a sentence."""
    clean = "".join(c if c.isalnum() or c in " .,+-_=" else "·" for c in text)
    return plain(clean if len(clean) <= 30 else clean[:29] + "…")


def keep_within(control: Control) -> None:
    """Before a control is drawn: a remembered value that it no longer holds becomes the nearest.

    Limits and options change with the run or the world on the page; Streamlit remembers the value
    and fails where it is outside. Without a nearest one the control begins with its default.
    """
    remembered = st.session_state.get(control.name)
    if remembered is None:
        return
    nearest = control.nearest(remembered)
    if nearest is None:
        del st.session_state[control.name]
    elif nearest != remembered:
        st.session_state[control.name] = nearest


def draw(control: Control, default: Any, *, slider: bool = False, **options: Any) -> Any:
    """The widget of a control, bound to the URL; returns its value."""
    common: dict[str, Any] = {"key": control.name, "bind": "query-params", "help": control.help}
    common |= options
    common["help"] = common["help"] or None
    keep_within(control)
    if isinstance(control, Number) and slider:
        return st.slider(control.label, control.low, control.high, default, **common)
    if isinstance(control, Number):
        return st.number_input(control.label, control.low, control.high, default, **common)
    if set(control.options) == {True, False}:
        return st.toggle(control.label, default, **common)
    if isinstance(control, Choice) and control.listed:
        return st.selectbox(
            control.label, control.options, control.options.index(default), **common
        )
    if isinstance(default, str):
        return st.radio(
            control.label,
            control.options,
            control.options.index(default),
            captions=control.captions,
            **common,
        )
    return st.select_slider(control.label, control.options, default, **common)


def set_address(values: Mapping[str, str]) -> None:
    """Make the address say this and nothing else, as one entry in the browser's history.

    Streamlit refuses to set a parameter that a widget on the screen is bound to; here widget and
    address change together, because another step is about to be drawn.
    """
    st.session_state["addressed"] = {**st.query_params}, {**values}, True
    _write(values, tell=True)


def catch_up(same_page: bool) -> None:
    """Before the address is read: what a browser sends that has not yet heard of `set_address`.

    A key pressed or a slider moved in that moment comes with the old address; without this the
    step would turn back. The browser's own back is meant.
    """
    if "addressed" not in st.session_state:
        return
    before, after, is_new = st.session_state["addressed"]
    step = st.query_params.get("step")
    if same_page and step == after.get("step") and is_new:
        st.session_state["addressed"] = before, after, False
    elif (
        same_page and step == before.get("step") != after.get("step") and not _is_back_or_forward()
    ):
        _write(after, tell=False)
    else:
        del st.session_state["addressed"]


def _write(values: Mapping[str, str], tell: bool) -> None:
    with get_session_state().query_params() as parameters:
        parameters.clear_with_no_forward_msg(preserve_embed=True)
        for name, value in values.items():
            parameters.set_with_no_forward_msg(name, value)
        if tell:
            parameters._send_query_param_msg()


def address(values: Mapping[str, Any]) -> str:
    """The part of an address that sets these controls."""
    return urlencode({name: as_text(value) for name, value in values.items()})
