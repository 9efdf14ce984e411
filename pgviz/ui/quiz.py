"""A quiz as one step: one question at a time; every answer gets a computed reply."""

from collections.abc import Callable
from functools import lru_cache

import streamlit as st

from pgviz.lessons.question import Question
from pgviz.ui import progress
from pgviz.ui.guard import guarded
from pgviz.ui.screen import Screen


@lru_cache(32)
def asked(questions: tuple[Callable[[], Question], ...]) -> list[Question]:
    """The questions with their replies, computed once."""
    return [question() for question in questions]


def quiz(screen: Screen, makers: tuple[Callable[[], Question], ...]) -> None:
    """One question on the screen; replies appear at once, and another try is free."""
    place = (screen.page.slug, screen.step.slug)
    at_key = f"quiz.{screen.key}"
    questions = asked(makers)
    at = min(st.session_state.setdefault(at_key, 0), len(questions) - 1)
    answered = progress.of(*place).get("answered", [False] * len(questions))
    answered = (answered + [False] * len(questions))[: len(questions)]
    question = questions[at]
    with screen.picture():
        st.markdown(f"**{at + 1} of {len(questions)}.** {question.asked}")
        options = [f"({letter}) {a}" for letter, a in zip("abcdef", question.answers, strict=False)]
        said = st.radio(
            f"Answers to question {at + 1}",
            options,
            index=None,
            key=f"quiz.{screen.key}.{question.key}",
            label_visibility="collapsed",
        )
        if said is not None:
            chosen = options.index(said)
            right = chosen == question.right
            with st.container(key=f"reply-{screen.key}"):
                st.markdown(("✓ " if right else "✗ ") + question.replies[chosen])
            if right and not answered[at]:
                answered[at] = True
                progress.note(*place, answered=answered)

        def turn(way: int) -> None:
            st.session_state[at_key] = at + way

        with st.container(horizontal=True, gap="small"):
            for label, way, off in (
                ("Question before", -1, at == 0),
                ("Next question", 1, at == len(questions) - 1),
            ):
                st.button(
                    label, key=f"{at_key}.{way}", disabled=off, on_click=guarded(turn), args=(way,)
                )
    screen.says(f"{sum(answered)} of {len(questions)} answered correctly.")
