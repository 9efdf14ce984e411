"""A page is a walk of steps: one screen at a time, with marks above it and Back and Next below.

The address says which: `/gae?step=ledger&…`. `present=1` shows the same steps to a lecture room,
`track=NAME` keeps Next within the steps of a lecture, `all=1` shows the whole page at once.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

import segno
import streamlit as st

from pgviz import sheets
from pgviz.lessons import PAGES, page_of
from pgviz.lessons.step import Page, Step
from pgviz.lessons.tracks import TRACKS, Stop
from pgviz.ui import controls, frame, progress, screen
from pgviz.ui.controls import Control, as_text
from pgviz.ui.guard import guarded
from pgviz.ui.links import base_url
from pgviz.ui.screen import Screen

MODES = ("present", "track", "all", "deeper")  # what stays in the address from step to step

_here = Path(__file__).parent
_marks = st.components.v2.component(
    "pgviz.walk",
    html='<nav class="walk" aria-label="Steps of this page"></nav>',
    css=(_here / "walk.css").read_text(encoding="utf-8"),
    js=(_here / "walk.js").read_text(encoding="utf-8"),
)


def walk(slug: str) -> None:
    """What a page's script does: show the step that the address names."""
    frame.open_page(slug)
    page = page_of(slug)
    controls.catch_up(same_page=st.session_state.get("page", (slug,))[0] == slug)
    step, note = _opened(page)
    st.session_state["walk.here"] = slug, step.slug
    fault = controls.faults_of_link(_controls_of(page, step), slug, reserved=("step", *MODES))
    if _mode("all"):
        _all(page)
        return
    progress.visit(slug, step.slug, chosen="step" in st.query_params)
    screen.begin()
    _draw_marks(page, step)
    present = bool(_mode("present"))
    shown = Screen(page, step, present)
    for text in (note, fault):
        if text:
            with shown.picture():
                st.caption(text)
    # First what leads on: a key pressed while the picture is still being drawn finds it there.
    _draw_bottom(page, step)
    page.module(step).draw(shown)


# --- which step ---


def _opened(page: Page) -> tuple[Step, str]:
    """The step that the address names, and a word where it is not the one that was asked for."""
    asked = st.query_params.get("step")
    if asked is None:
        left = progress.last()
        step = page.step(left[1]) if left and left[0] == page.slug else None
        if step is None or step == page.steps[0]:
            return page.steps[0], ""
        return step, "You left off here. The first mark leads to the start."
    step = page.step(asked)
    if step is None:
        return page.steps[0], (
            f"This page has no step “{controls.shown(asked)}”: here is its first one."
        )
    return step, ""


def _mode(name: str) -> str:
    """What the address says of a mode; nothing if it says nothing of use."""
    value = st.query_params.get(name, "")
    if name == "track":
        return value if value in TRACKS else ""
    return "1" if value == "1" else ""


def _controls_of(page: Page, step: Step) -> tuple[Control, ...]:
    if not _mode("all"):
        return page.controls(step)
    by_name = {c.name: c for each in page.steps for c in page.controls(each)}
    return tuple(by_name.values())


def query(page: Page, step: Step, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The address of a step as this visitor would find it: its settings and the modes kept."""
    kept = {name: _mode(name) for name in MODES if _mode(name) and name != "all"}
    state = st.session_state.get("kept", {}).get(page.slug, {}) | {
        control.name: st.session_state[control.name]
        for control in page.controls(step)
        if control.name in st.session_state
    }
    names = {control.name for control in page.controls(step)}
    values = {k: v for k, v in {**state, **(settings or {})}.items() if k in names}
    return {"step": step.slug, **{k: as_text(v) for k, v in values.items()}, **kept}


# --- where Back and Next lead ---


def places() -> list[tuple[Page, Step]]:
    """The steps in the order of Next: those of the track, or all core steps of all pages."""
    if track := TRACKS.get(_mode("track")):
        return [(page_of(stop.page), _step(stop)) for stop in track.stops]
    return [
        (page, step)
        for page in PAGES
        for step in page.steps
        if not step.deeper and page.section != "Teach"
    ]


def _step(stop: Stop) -> Step:
    step = page_of(stop.page).step(stop.step)
    assert step is not None
    return step


def neighbour(page: Page, step: Step, way: int) -> tuple[Page, Step] | None:
    """The step that Next (way 1) or Back (way −1) leads to; None at the end of the path."""
    path = places()
    if (page, step) in path:
        at = path.index((page, step)) + way
        return path[at] if 0 <= at < len(path) else None
    # A deeper step, or one beside the track: on to what follows it in the order of the page.
    order = [(p, s) for p in PAGES for s in p.steps]
    at = order.index((page, step)) + way
    while 0 <= at < len(order) and order[at] not in path:
        at += way
    return order[at] if 0 <= at < len(order) else None


def _go(page: Page, step: Step, modes: Mapping[str, str] | None = None) -> None:
    """To another step: one entry in the browser's history, however many settings change."""
    address = query(page, step) | dict(modes or {})
    if page == _on_screen()[0]:
        controls.set_address(address)
    else:
        st.session_state["walk.leave"] = (page.slug, address)


def link(page: Page, label: str, slug: str) -> None:
    """A button in a text or a formula that leads to another step of this page."""
    target = page.step(slug)
    assert target is not None
    title = target.heading(progress.is_revealed(page.slug, slug))
    st.button(
        f"{label} :gray[{title}]",  # the grey words are for screen readers, which skip a formula
        key=f"link-{slug}-{label}",
        type="tertiary",
        help=title,
        on_click=guarded(_go),
        args=(page, target),
    )


def _leave() -> None:
    """A callback cannot change the page; the run that follows it can."""
    if leave := st.session_state.pop("walk.leave", None):
        slug, parameters = leave
        st.switch_page(frame.pages_by_slug()[slug], query_params=parameters)


def open_button(
    label: str,
    place: tuple[str, str],
    primary: bool = False,
    width: int | None = None,
    modes: Mapping[str, str] | None = None,
) -> None:
    """A button that leads to a step of another page, in a mode of its own if one is given."""
    page = page_of(place[0])
    step = page.step(place[1]) or page.steps[0]
    st.button(
        label,
        key=f"open-{page.slug}-{step.slug}-{label}",  # two buttons may lead to one place
        type="primary" if primary else "secondary",
        width=width or "content",
        on_click=guarded(_go),
        args=(page, step, modes),
    )


# --- beats and gates: a lecturer presses one key ---


def _beat(page: Page, step: Step) -> int:
    """How many of the step's beats have been shown."""
    place, shown = st.session_state.get("walk.beat", ("", 0))
    return shown if place == f"{page.slug}/{step.slug}" else 0


def _on_screen() -> tuple[Page, Step]:
    """The step that is on screen.

    A callback cannot take it as an argument: whoever turns a page while it is being drawn presses a
    button whose arguments are still those of the step before.
    """
    page = page_of(st.session_state["walk.here"][0])
    step = page.step(st.session_state["walk.here"][1])
    assert step is not None
    return page, step


def _next() -> None:
    """Pass a gate, show the next beat, or go on, in this order; beats are for a lecture room."""
    page, step = _on_screen()
    if _mode("present"):
        if step.question and not progress.is_revealed(page.slug, step.slug):
            progress.note(page.slug, step.slug, passed=True)
            return
        beats, shown = page.beats(step), _beat(page, step)
        if shown < len(beats):
            st.session_state["walk.beat"] = (f"{page.slug}/{step.slug}", shown + 1)
            for name, value in beats[shown].items():
                st.session_state[name] = value
            return
    if to := _following(page, step):
        _go(*to)


def _following(page: Page, step: Step) -> tuple[Page, Step] | None:
    """Where Next leads: from the last step of all to the path on Home, with its ticks."""
    home = PAGES[0]
    end = None if _mode("track") or page is home else (home, home.steps[1])
    return neighbour(page, step, 1) or end


def _back() -> None:
    if to := neighbour(*_on_screen(), -1):
        _go(*to)


# --- what is drawn around a step ---


def _draw_marks(page: Page, step: Step) -> None:
    _leave()
    core = [s for s in page.steps if not s.deeper]
    count = f"{core.index(step) + 1} of {len(core)}" if step in core else "deeper"

    def chosen() -> None:
        slug = st.session_state["walk"].get("go")
        if (target := page.step(slug or "")) is not None:
            _go(page, target)

    def heard() -> None:
        st.session_state["progress.known"] = True
        try:
            progress.restore(st.session_state["walk"].get("stored") or "")
        except sheets.SheetError:
            return  # whatever the browser has kept is no progress of ours: begin anew

    marks = []
    for each in page.steps:
        revealed = progress.is_revealed(page.slug, each.slug)
        title = each.heading(revealed) + (" (deeper)" if each.deeper else "")
        seen = f"{page.slug}/{each.slug}" in progress.steps()
        state = "here" if each == step else "seen" if seen else "to-come"
        marks.append(
            {
                "slug": each.slug,
                "title": title,
                "label": title + (", seen" if state == "seen" else ""),
                "state": state,
                "deeper": each.deeper,
                "href": f"?step={each.slug}",
            }
        )
    _marks(
        key="walk",
        data={
            "name": page.title,
            "count": count,
            "marks": marks,
            "place": f"{page.slug}/{step.slug}",
            "present": bool(_mode("present")),
            "known": bool(st.session_state.get("progress.known")),
            "progress": progress.as_text(),
        },
        on_go_change=guarded(chosen),
        on_stored_change=guarded(heard),
    )


def _draw_bottom(page: Page, step: Step) -> None:
    """Back and Next, always in the same place; between them what any step can do."""
    back, following = neighbour(page, step, -1), _following(page, step)
    with st.bottom, st.container(horizontal=True, gap="small", key="walk-bar"):
        st.button(
            "Back",
            key="walk-back",
            icon=":material/arrow_back:",
            disabled=back is None,
            on_click=guarded(_back),
        )
        with st.container(horizontal=True, gap="small", key="walk-more", width="content"):
            st.button(
                "Reset",
                key="walk-reset",
                type="tertiary",
                icon=":material/restart_alt:",
                on_click=guarded(_reset),
            )
            with st.popover("Share and present", type="tertiary", icon=":material/qr_code_2:"):
                _share(page, step)
            if beats := page.beats(step) if _mode("present") else ():
                st.caption(f"{_beat(page, step)} of {len(beats)} settings shown")
        st.button(
            _label(page, following),
            key="walk-next",
            icon=":material/arrow_forward:",
            icon_position="right",
            type="primary",
            disabled=following is None,
            on_click=guarded(_next),
        )


def _reset() -> None:
    """The step as it opens: its controls, its prediction, its beats."""
    page, step = _on_screen()
    for control in page.controls(step):
        st.session_state.pop(control.name, None)
        st.session_state.get("kept", {}).get(page.slug, {}).pop(control.name, None)
    progress.ask_again(page.slug, step.slug)
    st.session_state.pop("walk.beat", None)
    controls.forget_faults(page.slug)
    controls.set_address(query(page, step))


def _share(page: Page, step: Step) -> None:
    """The link of this step as a code for telephones, and the other ways to show it."""
    not_yet_drawn = {k: v for k, v in st.query_params.items() if k not in st.session_state}
    link = f"{base_url(page.slug)}?{urlencode(query(page, step, not_yet_drawn))}"
    st.markdown("**This step, as it is set now**")
    st.image(qr_code(link), width=180)
    st.code(link, language=None, wrap_lines=True)

    def show(name: str, on: bool) -> None:
        kept = {k: v for k, v in query(*_on_screen()).items() if k != name}
        controls.set_address(kept | ({name: "1"} if on else {}))

    on = bool(_mode("present"))
    st.button(
        "Leave the presentation" if on else "Present to a room",
        key="walk-present",
        icon=":material/present_to_all:",
        on_click=guarded(show),
        args=("present", not on),
    )
    st.button(
        "All steps of this page",
        key="walk-all",
        icon=":material/list:",
        on_click=guarded(show),
        args=("all", True),
    )


@lru_cache(200)
def qr_code(link: str) -> str:
    """The link as an SVG image, black on white in every theme: cameras expect it."""
    return segno.make(link, error="m").svg_data_uri(scale=4, border=2, light="white")


def _label(page: Page, following: tuple[Page, Step] | None) -> str:
    return f"Next: {following[0].title}" if following and following[0] != page else "Next"


def _all(page: Page) -> None:
    """Every step of the page, one below the other: for search, for print, for those who scroll."""
    screen.begin()
    st.button(
        "One step at a time",
        key="walk-one",
        icon=":material/arrow_back:",
        on_click=guarded(controls.set_address),
        args=({"step": page.steps[0].slug},),
    )
    for each in page.steps:
        page.module(each).draw(Screen(page, each))
        st.divider()
