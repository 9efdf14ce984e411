"""Workbook: can I do it myself?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="workbook",
    section="Practice",
    title="Workbook",
    icon=":material/edit_note:",
    question="Can I do it myself?",
    steps=(
        Step("derive", "Derive the theorem, in a world drawn for you"),
        Step("derive-values", "Derive it again, from ∇V", deeper=True),
        Step("implement", "Write it, and have it checked"),
        Step("mean", "What is the mean of this update?"),
        Step("best", "Which number leaves the least noise?"),
        Step("share", "How much of ∇J is left?"),
        Step("words", "Say it in your own words"),
        Step("tune", "Choose λ for a critic that errs"),
        Step("sheet", "Your sheet"),
    ),
)
