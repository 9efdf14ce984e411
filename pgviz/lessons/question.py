"""A question whose answers are computed: one is right because a line holds, others wrong by a number."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question, its answers, which of them is right, and a computed reply to each."""

    key: str
    asked: str
    answers: tuple[str, ...]
    right: int
    replies: tuple[str, ...]
