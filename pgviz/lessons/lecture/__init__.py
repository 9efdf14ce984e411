"""Lecture: the same steps, in a room."""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="lecture",
    section="Teach",
    title="Lecture",
    icon=":material/present_to_all:",
    question="How do I show this to a room?",
    steps=(
        Step("tracks", "Lectures, ready to give"),
        Step("follow", "The lecturer's page, for a second window"),
    ),
)
