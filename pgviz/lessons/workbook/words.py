"""The reader's own words beside a model answer."""

import streamlit as st

from pgviz.figures import plural
from pgviz.sheets import LONGEST_WORDS
from pgviz.ui import progress
from pgviz.ui.controls import Choice
from pgviz.ui.guard import guarded
from pgviz.ui.screen import Screen

FEWEST = 15  # words before the model answer is shown
QUESTION = Choice(
    "explain",
    "Question",
    (
        "Why does a baseline add no bias?",
        "Why does it lower the variance?",
        "When does a critic bias the gradient?",
    ),
)
CONTROLS = (QUESTION,)
MODELS = {
    QUESTION.options[0]: (
        "In a state the scores of the actions, weighted by their probabilities, sum to zero, because"
        " probabilities sum to one. A number that does not depend on the action multiplies this zero."
        " So it changes no mean, whatever the number is.",
        ("scores average to zero", "in each state", "it must not depend on the action"),
    ),
    QUESTION.options[1]: (
        "Without it every action of a good state is pushed up by a large weight, and only chance says"
        " which one more. The baseline takes away what all actions of the state have in common. What"
        " is left is how this action differs, which is smaller. A bad number can raise the variance.",
        ("what all actions share is taken away", "smaller weights", "not every number helps"),
    ),
    QUESTION.options[2]: (
        "Subtracted, never: it depends on the state alone. Used in place of later rewards, its error"
        " enters the weight of the action: then the mean of the update changes, unless V̂ is the true"
        " value. A smaller λ relies on it more.",
        ("subtracting adds no bias", "bootstrapping does", "unless V̂ is true"),
    ),
}


def draw(screen: Screen) -> None:
    screen.words(
        f"Write an answer in your own words, at least {FEWEST}. Then read the model answer and tick"
        " what yours says, too. It stays in your browser, and in the file that you may save."
    )
    question: str = screen.control(QUESTION, QUESTION.options[0])
    place = screen.page.slug, f"words-{QUESTION.options.index(question) + 1}"
    record, key = progress.of(*place), f"words.{QUESTION.options.index(question)}"

    def keep() -> None:
        progress.note(*place, words=st.session_state[key][:LONGEST_WORDS])

    model, points = MODELS[question]
    with screen.picture():
        own = st.text_area(
            question,
            value=record.get("words", ""),
            height=140,
            max_chars=LONGEST_WORDS,
            key=key,
            on_change=guarded(keep),
        )
        count = len((own or "").split())
        if count >= FEWEST:
            st.markdown(f"**A model answer.** {model}")
            ticks = (record.get("answered", []) + [False] * len(points))[: len(points)]
            st.markdown("Mine says, too:")
            for at, point in enumerate(points):
                st.checkbox(
                    point,
                    value=ticks[at],
                    key=f"{key}.{at}",
                    on_change=guarded(_tick),
                    args=(place, key, len(points)),
                )
    if count < FEWEST:
        screen.says(f"{plural(count, 'word')} of {FEWEST}; then the model answer stands here.")
    else:
        said = sum(progress.of(*place).get("answered", []))
        screen.says(f"Your answer has {plural(count, 'word')} and {said} of {len(points)} points.")


def _tick(place: tuple[str, str], key: str, points: int) -> None:
    progress.note(*place, answered=[bool(st.session_state[f"{key}.{at}"]) for at in range(points)])
