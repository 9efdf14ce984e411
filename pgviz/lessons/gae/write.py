"""Write GAE: three lines are missing."""

from collections.abc import Callable

from pgviz import estimators
from pgviz.ui.exercise import exercise
from pgviz.ui.listing import source_of, without_docstring
from pgviz.ui.screen import Screen

HEAD = '''"""GAE. Arrays are [..., T]: time is last."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]


'''
WIDTH = 66  # letters of a line that the picture shows
GAPS = {
    "return rewards + gamma * np.where(terminated, 0, next_values) - values": (
        "the TD error; nothing follows termination"
    ),
    "following = np.where(episode_over[..., t], 0, following)": ("0 where an episode ends"),
    "following = x[..., t] + total.dtype.type(discount) * following": ("row t + discounted rest"),
}


def draw(screen: Screen) -> None:
    screen.words(
        "Three lines of GAE are missing: the TD error, the end of an episode, and the recursion."
        " Download the file, fill them in, and try it on the table of the step “Compute it"
        " backwards”. The solution is the code that trains on this page, with shorter lines."
    )
    exercise(screen, "gae", solution(), GAPS, start="def td_errors")
    screen.says(
        f"{len(GAPS)} gaps in a file of {len(solution().splitlines())} lines. At λ = 0 it must"
        " give the TD errors; at λ = 1, in an episode that terminates, G − V̂."
    )


def solution() -> str:
    """The functions that train, in one file that needs NumPy only."""
    parts = (estimators.td_errors, estimators.discounted_sum, estimators.gae)
    return HEAD + "\n".join(narrow(bare(part)) for part in parts)


def bare(part: Callable) -> str:
    """A function without its decorator and its docstring, which gives the lines away."""
    text = without_docstring(source_of(part))
    return text[text.index("def ") :]


def narrow(source: str) -> str:
    """The same code in lines that fit the picture: what stands in brackets is broken at commas."""
    return "".join(f"{short}\n" for line in source.splitlines() for short in broken(line))


def broken(line: str) -> list[str]:
    """One line as several of at most WIDTH letters; a gap stays one line."""
    if len(line) <= WIDTH or line.strip() in GAPS:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    head, bracket, rest = line.partition("(")
    inner, closing, tail = rest.rpartition(")")
    if bracket and closing:
        return [f"{head}(", *broken(f"{indent}    {inner}"), f"{indent}){tail}"]
    first, *others = line.split(", ")
    lines = [first]
    for part in others:
        if len(f"{lines[-1]}, {part},") <= WIDTH:
            lines[-1] += f", {part}"
        else:
            lines[-1] += ","
            lines.append(indent + part)
    return lines
