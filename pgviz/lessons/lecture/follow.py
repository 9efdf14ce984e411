"""The lecturer's page: in a second window of the same browser it follows the first one."""

import streamlit as st

from pgviz.lessons import page_of
from pgviz.lessons.lecture.tracks import LECTURE
from pgviz.lessons.tracks import TRACKS, Stop
from pgviz.ui.screen import Screen

CONTROLS = (LECTURE,)

_listener = st.components.v2.component(
    "pgviz.follow",
    html="<span></span>",
    js="""
let room = null;
export default function ({ setStateValue }) {
  room?.close();
  room = new BroadcastChannel("pgviz");
  room.onmessage = (event) => setStateValue("place", String(event.data));
  return () => { room?.close(); room = null; };
}
""",
)


def draw(screen: Screen) -> None:
    screen.words(
        "Open this page in a second window of the same browser and keep it on your own screen. It"
        " follows the window that the room sees: what to say now, for how long, and what comes"
        " next."
    )
    track = TRACKS[screen.control(LECTURE, "theorem-15")]
    with screen.beside_controls():
        result = _listener(key="follow", on_place_change=lambda: None)
    place = getattr(result, "place", None) or ""
    at = next((k for k, s in enumerate(track.stops) if f"{s.page}/{s.step}" == place), None)
    with screen.picture():
        if at is None:
            st.markdown("The room's window has not opened a step of this lecture yet.")
        else:
            st.markdown(f"**{_title(track.stops[at])}**")
            st.markdown(f"## {track.stops[at].say}")
            if at + 1 < len(track.stops):
                st.markdown(f"Next: {_title(track.stops[at + 1])}")
    if at is None:
        screen.says(f"It begins with “{_title(track.stops[0])}”.")
        return
    spent = sum(stop.minutes for stop in track.stops[:at])
    left = sum(stop.minutes for stop in track.stops[at:])
    screen.says(
        f"Step {at + 1} of {len(track.stops)}: {track.stops[at].minutes:g} minutes for it, minute"
        f" {spent:g} of {track.minutes}, {left:g} to go."
    )


def _title(stop: Stop) -> str:
    step = page_of(stop.page).step(stop.step)
    assert step is not None
    return step.question or step.title
