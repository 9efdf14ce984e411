"""A quiz: every answer gets a reply, and what a reply claims was computed."""

from collections.abc import Callable, Sequence
from functools import cache

import streamlit as st

from pgviz.exact.questions import Question


@cache
def asked(questions: tuple[Callable[[], Question], ...]) -> list[Question]:
    """The questions with their replies, computed once."""
    return [question() for question in questions]


def draw(questions: Sequence[Question]) -> None:
    """The questions one under the other; replies appear at once, and another try is free."""
    st.header("Check yourself", anchor=False)
    solved = 0
    for number, question in enumerate(questions, 1):
        with st.container(border=True, key=f"quiz-{question.key}"):
            st.markdown(f"**{number}.** {question.asked}")
            options = [
                f"({letter}) {a}" for letter, a in zip("abcdef", question.answers, strict=False)
            ]
            said = st.radio(
                f"Answers to question {number}",
                options,
                index=None,
                key=f"quiz.{question.key}",
                label_visibility="collapsed",
            )
            if said is not None:
                chosen = options.index(said)
                right = chosen == question.right
                solved += right
                st.markdown(("✓ " if right else "✗ ") + question.replies[chosen])
    st.caption(f"{solved} of {len(questions)} answered rightly.")
