"""A quiz: every answer gets a reply, and what a reply claims was computed."""

from collections.abc import Sequence

import streamlit as st

from pgviz.exact.questions import Question


def draw(questions: Sequence[Question]) -> None:
    """The questions one under the other; replies appear at once, and another try is free."""
    st.subheader("Check yourself", anchor=False)
    solved = 0
    for number, question in enumerate(questions, 1):
        with st.container(border=True, key=f"quiz-{question.key}"):
            st.markdown(f"**{number}.** {question.asked}")
            chosen = st.radio(
                f"Answers to question {number}",
                range(len(question.answers)),
                index=None,
                format_func=question.answers.__getitem__,
                key=f"quiz.{question.key}",
                label_visibility="collapsed",
            )
            if chosen is not None:
                right = chosen == question.right
                solved += right
                st.markdown(("✓ " if right else "✗ ") + question.replies[chosen])
    st.caption(f"{solved} of {len(questions)} answered rightly.")
