"""What a step is: one idea on one screen. A page is its list of steps.

This module is light on purpose: Home lists all steps of all pages before anything heavy is loaded.
What a step draws stands in a module of its own, pgviz/lessons/PAGE/STEP.py, loaded when it is opened:

    RUNS = (…)       training runs that the server records ahead
    CONTROLS = (…)   at most three, each bound to the address
    BEATS = ({…},)   settings of these controls, in the order of the argument, for a lecture
    def draw(screen: Screen) -> None
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Step:
    """One screen: its place in the address, its claim, and the terms it defines.

    A step with a `question` is a prediction: the question is its title until the reader has
    answered it or passed it, so that no title gives the answer away.
    """

    slug: str
    title: str
    question: str = ""
    deeper: bool = False  # passed over by Next unless the reader opens it
    introduces: tuple[str, ...] = ()  # names in the glossary

    def heading(self, revealed: bool) -> str:
        """The title as it may be shown now."""
        return self.title if revealed or not self.question else self.question


@dataclass(frozen=True)
class Page:
    """A page: its address, its place in the menu, the one question it answers, and its steps."""

    slug: str
    section: str
    title: str
    icon: str
    question: str
    steps: tuple[Step, ...]

    @property
    def file(self) -> str:
        """The script of the page, from the root of the project.

        Named after the slug to the letter: a fresh server knows pages by their files only, and
        says "page not found" to a first visitor whose address is spelt otherwise.
        """
        return f"pages/{self.slug}.py"

    def step(self, slug: str) -> Step | None:
        """The step of this name, if there is one."""
        return next((step for step in self.steps if step.slug == slug), None)

    def module(self, step: Step) -> ModuleType:
        """Where the step is drawn."""
        return importlib.import_module(f"pgviz.lessons.{_python(self.slug)}.{_python(step.slug)}")

    def controls(self, step: Step) -> tuple[Any, ...]:
        """The controls of a step."""
        return getattr(self.module(step), "CONTROLS", ())

    def runs(self, step: Step) -> tuple[Any, ...]:
        """The configurations of the training runs that the step shows."""
        return getattr(self.module(step), "RUNS", ())

    def beats(self, step: Step) -> tuple[Mapping[str, Any], ...]:
        """What a lecturer sets one after the other before going on."""
        return getattr(self.module(step), "BEATS", ())


def _python(slug: str) -> str:
    """A slug as the name of a module: keywords and digits get a letter's help."""
    name = slug.replace("-", "_")
    return f"{name}_" if name in {"return", "for", "from", "with"} else name
