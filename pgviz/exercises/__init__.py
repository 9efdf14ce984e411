"""Exercises: a file to write, checked on one's own machine by what must hold of it.

    python -m pgviz check gae --write gae.py      the file with gaps
    python -m pgviz check gae gae.py              what holds, and what does not

An exercise is a solution (`solutions`), lines of it that are gaps, checks and known mistakes
(`checking`). The learner's code runs in a process of its own, with limits (`sandbox`).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgviz.exercises.checking import Exercise

NAMES = ("reinforce", "baseline", "actor-critic", "gae", "ppo")  # in the order of the story


def exercise(name: str) -> "Exercise":
    """The exercise of one of the NAMES."""
    found: Exercise = import_module(f"pgviz.exercises.{name.replace('-', '_')}").EXERCISE
    return found
