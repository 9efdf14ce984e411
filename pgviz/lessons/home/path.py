"""The path: every page with its steps, and what this visitor has seen of them."""

import streamlit as st

from pgviz import sheets
from pgviz.figures import plural
from pgviz.lessons import PAGES
from pgviz.lessons.step import Page
from pgviz.ui import progress, walk
from pgviz.ui.screen import Screen


def draw(screen: Screen) -> None:
    screen.words(
        "Each page answers one question, in steps of about a minute. Diamonds mark deeper steps,"
        " which Next skips. Filled marks are steps that you have opened. What you have seen is kept in your browser and nowhere else; take it"
        " with you as a file."
    )
    with screen.beside_controls():
        st.download_button(
            "Save my progress",
            progress.as_text(),
            "pgviz-progress.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        with st.popover("Restore progress", icon=":material/upload_file:"):
            file = st.file_uploader(
                "A file saved here", type=["json"], max_upload_size=1, key="progress.file"
            )
            if file is not None:
                _restore(file.getvalue())
    with screen.picture(), st.container(gap=None, key="path"):
        for page in PAGES[1:]:
            if page.section != "Teach":  # that one is for lecturers: the menu has it
                _row(page)
    seen, total = _seen()
    screen.says(f"You have opened {seen} of {plural(total, 'step')}.")


def _restore(content: bytes) -> None:
    try:
        progress.restore(content)
    except sheets.SheetError as error:
        st.error(str(error), icon=":material/block:")
    else:
        st.success("Restored.", icon=":material/check:")


def _row(page: Page) -> None:
    core = [step for step in page.steps if not step.deeper]
    seen = sum(f"{page.slug}/{step.slug}" in progress.steps() for step in page.steps)
    marks = "".join(
        ("◆" if step.deeper else "●")
        if f"{page.slug}/{step.slug}" in progress.steps()
        else ("◇" if step.deeper else "○")
        for step in page.steps
    )
    deeper = len(page.steps) - len(core)
    left, right = st.columns([26, 74], gap="small", vertical_alignment="center")
    with left:
        walk.open_button(page.title, (page.slug, page.steps[0].slug), width=140)
    with right:
        st.markdown(
            f'{page.question}  \n:small[:gray[<span aria-hidden="true">{marks}</span> &nbsp;'
            f"{plural(len(core), 'step')}"
            f"{f' and {deeper} deeper' if deeper else ''}, {seen} opened]]",
            unsafe_allow_html=True,  # the marks are for the eye: read aloud, each is two words
        )


def _seen() -> tuple[int, int]:
    places = [f"{page.slug}/{step.slug}" for page in PAGES for step in page.steps]
    return sum(place in progress.steps() for place in places), len(places)
