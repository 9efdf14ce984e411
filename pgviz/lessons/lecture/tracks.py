"""The lectures: their steps, their minutes, and a button that begins one."""

import pandas as pd
import streamlit as st

from pgviz.figures import plural
from pgviz.lessons import page_of
from pgviz.lessons.tracks import TRACKS, Track
from pgviz.ui import progress, walk
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen

LECTURE = Choice(
    "lecture",
    "Lecture",
    tuple(TRACKS),
    captions=[f"{track.title}, {track.minutes} minutes" for track in TRACKS.values()],
)
CONTROLS = (LECTURE,)


def draw(screen: Screen) -> None:
    screen.words(
        "A clicker suffices: its two keys go on and back. In a lecture, each press first sets the"
        " controls of the step, one setting after the other, then goes on. A question waits for the"
        " room: take a vote, press, and the answer stands there. Sliders stay live."
    )
    name = screen.control(LECTURE, "theorem-15")
    track = TRACKS[name]
    with screen.beside_controls():
        first = track.stops[0]
        walk.open_button(
            "Begin this lecture",
            (first.page, first.step),
            primary=True,
            modes={"present": "1", "track": name},
        )
    with screen.picture():
        st.markdown(f"**{track.title}**")
        st.dataframe(
            table(track),
            hide_index=True,
            height=screen.height - 40,
            key="lecture-stops",
            alt="The steps of the lecture, their minutes, and what to say",
            column_config={"minutes": st.column_config.NumberColumn(width="small")},
        )
    minutes = sum(stop.minutes for stop in track.stops)
    screen.says(f"{plural(len(track.stops), 'step')}, {minutes:g} minutes.")


def table(track: Track) -> pd.DataFrame:
    """One row per step: its title, its minutes, what the lecturer says."""
    rows = []
    for stop in track.stops:
        page = page_of(stop.page)
        step = page.step(stop.step)
        assert step is not None
        title = step.heading(progress.is_revealed(stop.page, stop.step))
        rows.append({"step": title, "minutes": stop.minutes, "say": stop.say})
    return pd.DataFrame(rows)
