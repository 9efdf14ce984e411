"""Write GAE: three lines are missing."""

import ast
import inspect

from pgviz import estimators
from pgviz.ui.exercise import exercise
from pgviz.ui.screen import Screen

HEAD = '''"""Generalised advantage estimation. Arrays are [..., T], time last."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]


'''
GAPS = {
    "return rewards + gamma * np.where(terminated, 0, next_values) - values": (
        "one real reward, then the critic; nothing follows a termination"
    ),
    "following = np.where(episode_over[..., t], 0, following)": (
        "nothing is carried across the end of an episode"
    ),
    "following = x[..., t] + total.dtype.type(discount) * following": (
        "this row, and the row below times the discount"
    ),
}


def draw(screen: Screen) -> None:
    screen.words(
        "Three lines of GAE are missing: the TD error, the end of an episode, and the recursion."
        " Download the file, fill them in, and try it on the rows of the ledger. The solution is"
        " the code that trains on this page."
    )
    exercise(screen, "gae", solution(), GAPS)
    screen.says(
        f"{len(GAPS)} gaps in a file of {len(solution().splitlines())} lines. At λ = 0 it must"
        " give the TD errors; at λ = 1, in an episode that terminates, G − V̂."
    )


def solution() -> str:
    """The functions that train, in one file that needs NumPy only."""
    parts = (estimators.td_errors, estimators.gae, estimators.discounted_sum)
    return HEAD + "\n\n".join(without_docstring(inspect.getsource(part)) for part in parts)


def without_docstring(source: str) -> str:
    """The same function without its decorator and its docstring, which gives the lines away."""
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    docstring = function.body[0]
    lines = source.splitlines(keepends=True)
    del lines[docstring.lineno - 1 : docstring.end_lineno]
    return "".join(lines[function.lineno - 1 :])
