"""What a check is, in which order checks run, and which one sentence the learner gets.

A check is a function of the learner's functions. Its docstring is its title; it raises Refused,
one sentence, where an identity does not hold, and may return what there is to say where it does.
Identities, not look-alikes: whoever writes the same mathematics in another way passes.

When something fails, the answers are first compared with those of known mistakes: a
misunderstanding that has a name is named. Only if none fits, the identity speaks, with the numbers
of the smallest case in which it fails.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgviz.exercises.gaps import gaps_of, with_gaps
from pgviz.figures import number, with_minus

Floats = NDArray[np.floating]
Arguments = tuple[Any, ...]
Call = Callable[[str, Arguments], tuple[Floats, list[int]]]
RELATIVE, ABSOLUTE = 1e-5, 1e-6  # what rounding may do, that of float32 included


class Refused(Exception):
    """Why a check fails, as one sentence; `last` if nothing more can be asked of this file."""

    def __init__(self, sentence: str, last: bool = False, raised: bool = False) -> None:
        super().__init__(sentence)
        self.last = last
        self.raised = raised  # by the learner's code: the arguments help to see why


class Unusable(Exception):
    """Why something cannot be checked at all, as one sentence."""


@dataclass(frozen=True)
class Mistake:
    """A misunderstanding that has a name: what it makes of a function, and what to say about it."""

    name: str
    function: str
    sentence: str
    wrong: Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """Functions to write, what must hold of them, and what is known to go wrong.

    `hints` name the lines of the solution that are gaps, by a part of each. `probes` are arguments
    for each function to write, smallest first: there the answers of mistakes are told apart.
    """

    name: str
    summary: str
    solution: ModuleType
    hints: Mapping[str, str]
    probes: Mapping[str, Sequence[Arguments]]
    checks: Sequence["Check"]
    mistakes: Sequence[Mistake]

    @property
    def functions(self) -> list[str]:
        """The functions to write; each may use those before it."""
        return list(self.probes)

    def right(self, name: str, *arguments: Any) -> Floats:
        """The answer of the solution."""
        return np.asarray(getattr(self.solution, name)(*arguments), float)

    def skeleton(self) -> str:
        """The file to fill in."""
        source = self.source()
        return with_gaps(source, gaps_of(source, self.hints))

    def source(self) -> str:
        """The solution as a file."""
        assert self.solution.__file__ is not None
        return Path(self.solution.__file__).read_text(encoding="utf-8")


class Yours:
    """The learner's functions: `yours.gae(…)` is their answer, made sure to be one."""

    def __init__(self, exercise: Exercise, call: Call) -> None:
        self.exercise = exercise
        self.call = call
        self.changed: dict[str, str] = {}  # function: an argument that it wrote into

    def __getattr__(self, name: str) -> Callable[..., Floats]:
        return lambda *arguments: self._answer(name, arguments)

    def _answer(self, name: str, arguments: Arguments) -> Floats:
        answer = self.raw(name, arguments)
        right = self.exercise.right(name, *arguments)
        if answer.shape != right.shape:
            raise Refused(
                f"{name} must return {_shape(right.shape)}, but yours returns"
                f" {_shape(answer.shape)}{_case(self.exercise, name, arguments)}."
            )
        if not np.isfinite(answer).all():
            what = "NaN" if np.isnan(answer).any() else "an infinite number"
            raise Refused(f"{name} returns {what}{_case(self.exercise, name, arguments)}.")
        return answer

    def raw(self, name: str, arguments: Arguments) -> Floats:
        """The answer as it came."""
        try:
            answer, changed = self.call(name, arguments)
        except Refused as refusal:
            if not refusal.raised:
                raise
            case = _case(self.exercise, name, arguments)
            raise Refused(f"{str(refusal).removesuffix('.')}{case}.") from None
        if changed:
            names = list(inspect.signature(getattr(self.exercise.solution, name)).parameters)
            self.changed.setdefault(name, names[changed[0]])
        return answer


Check = Callable[[Yours], str | None]


@dataclass(frozen=True)
class Result:
    """How a check went: passed, failed, or None, not run; and what there is to say."""

    title: str
    passed: bool | None
    note: str = ""


@dataclass(frozen=True)
class Report:
    """What came out: all results, and one sentence of feedback if something failed."""

    exercise: str
    results: tuple[Result, ...]
    feedback: str = ""
    mistake: str = ""  # the name of the one that was recognised
    printed: str = ""

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)


@np.errstate(all="ignore")  # wrong answers may overflow: that is told in a sentence
def run(
    exercise: Exercise,
    call: Call,
    load: Callable[[], None] = lambda: None,
    checks: Sequence[Check] | None = None,
) -> Report:
    """Run all checks in order. The last one is learning: it needs all others to hold."""
    yours = Yours(exercise, call)
    results: list[Result] = []
    refusals: list[Refused] = []

    def runs(_: Yours) -> None:
        """The file runs"""
        load()

    todo = (runs, *(exercise.checks if checks is None else checks))
    for check in todo:
        title = str(check.__doc__).strip().partition("\n")[0].rstrip(".")
        out_of_order = bool(refusals) and (check is todo[-1] or not results[0].passed)
        if out_of_order or any(refusal.last for refusal in refusals):
            results.append(Result(title, None))
            continue
        try:
            results.append(Result(title, True, check(yours) or ""))
        except Refused as refusal:
            refusals.append(refusal)
            results.append(Result(title, False, str(refusal)))
    if not refusals:
        return Report(exercise.name, tuple(results))
    usable = results[0].passed and not any(refusal.last for refusal in refusals)
    mistake = recognised(yours) if usable else None
    return Report(
        exercise.name,
        tuple(results),
        feedback=mistake.sentence if mistake else str(refusals[0]),
        mistake=mistake.name if mistake else "",
    )


def recognised(yours: Yours) -> Mistake | None:
    """The known mistake in the first function that is wrong: its answers are the very same."""
    exercise = yours.exercise
    for name, probes in exercise.probes.items():
        try:
            answers = [yours.raw(name, probe) for probe in probes]
        except Refused:
            return None
        if not _agree(answers, [exercise.right(name, *probe) for probe in probes]):
            known = [mistake for mistake in exercise.mistakes if mistake.function == name]
            for mistake in known:
                wrong = [np.asarray(mistake.wrong(*probe), float) for probe in probes]
                if _agree(answers, wrong):
                    return mistake
            return None
    return None


def _agree(left: Sequence[Floats], right: Sequence[Floats]) -> bool:
    return all(
        a.shape == b.shape and np.allclose(a, b, RELATIVE, ABSOLUTE, equal_nan=True)
        for a, b in zip(left, right, strict=True)
    )


# Checks that every exercise has.


def answers(yours: Yours) -> None:
    """Every function answers, with finite numbers of the right shape."""
    for name, probes in yours.exercise.probes.items():
        for probe in probes:
            getattr(yours, name)(*probe)


def repeatable(yours: Yours) -> None:
    """The same call has the same answer, and no argument is written into."""
    for name, probes in yours.exercise.probes.items():
        for probe in probes:
            first, second = yours.raw(name, probe), yours.raw(name, probe)
            if not np.array_equal(first, second):
                raise Refused(
                    f"{name} gives two answers to the same call: it must depend on nothing but its"
                    " arguments."
                )
    for name, argument in yours.changed.items():
        raise Refused(f"{name} writes into its argument {argument}: work on a copy.")


# What checks are made of.


def must_be(
    yours: ArrayLike,
    right: ArrayLike,
    rule: str,
    called: str,
    axis: str = "step",
    **case: Any,
) -> None:
    """Raise Refused at the first number that is not right: the rule, both numbers, the case.

    `axis` is what the numbers of an array [T] stand for.
    """
    ours, theirs = np.atleast_1d(right), np.atleast_1d(yours)
    wrong = ~np.isclose(theirs, ours, RELATIVE, ABSOLUTE)
    if not wrong.any():
        return
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    own, other = _told_apart(float(theirs[at]), float(ours[at]))
    where = f"{axis} {at[0]}" if len(at) == 1 else f"[{', '.join(map(str, at))}]"
    place = "" if theirs.size == 1 else f" at {where}"
    raise Refused(f"{rule}:{place} yours is {own}, {called} is {other}{given(case)}.")


def given(case: Mapping[str, Any]) -> str:
    """The arguments of a small case, ", for rewards = [1, 2], gamma = 0.5"; nothing of a large one."""
    parts = {name: _written(value) for name, value in case.items()}
    if not parts or sum(map(len, parts.values())) > 90:
        return ""
    return ", for " + ", ".join(f"{name} = {text}" for name, text in parts.items())


def value_loss(obs: Floats, targets: Floats, weights: Floats) -> float:
    """½ mean (V̂ − y)² of a linear critic, V̂ = obs @ weights."""
    return float(np.mean((obs @ weights - targets) ** 2) / 2)


def slopes(function: Callable[[Floats], float], at: Floats, step: float = 1e-6) -> Floats:
    """∂f/∂x_i ≈ (f(x + h e_i) − f(x − h e_i)) / 2h, in the shape of x."""
    found = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        moved = np.zeros_like(at)
        moved[i] = step
        found[i] = (function(at + moved) - function(at - moved)) / (2 * step)
    return found


def halves(stream: np.random.Generator, *shape: int) -> Floats:
    """Random numbers that are easy to read: multiples of ½ from −3 to 3, none of them 0."""
    return stream.integers(1, 7, shape) / 2 * stream.choice([-1, 1], shape)


def _written(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.dtype == bool:
        return "[" + ", ".join(str(bool(item)) for item in value) + "]"
    if isinstance(value, np.ndarray | list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    return number(float(value))


def _told_apart(left: float, right: float) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to see that they differ."""
    for digits in range(3, 10):
        texts = number(left, digits), number(right, digits)
        if texts[0] != texts[1]:
            return texts
    return with_minus(repr(left)), with_minus(repr(right))


def _shape(shape: tuple[int, ...]) -> str:
    return f"an array of the shape [{', '.join(map(str, shape))}]" if shape else "a single number"


def _case(exercise: Exercise, name: str, arguments: Arguments) -> str:
    names = inspect.signature(getattr(exercise.solution, name)).parameters
    return given(dict(zip(names, arguments, strict=True)))
