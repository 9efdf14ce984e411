"""What GAE is, line by line: both sides of each line, computed, and what breaks it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import gae as charts
from pgviz.figures import number
from pgviz.lessons.gae.settings import WORLD
from pgviz.proofs import believing
from pgviz.proofs.derivation import Line, Receipt
from pgviz.proofs.receipts import listed
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds


@dataclass(frozen=True)
class Shown:
    """A line as it is shown: its equation, intact and broken, and its reason."""

    line: Line
    equation: str
    reason: str
    broken: str = ""  # the equation with what was changed, the old part struck out
    change: str = ""  # the break in words


def _line(title: str) -> Line:
    return next(line for line in believing.gae_lines if line.title == title)


LINES = (
    Shown(
        _line("λ = 0"),
        r"\lambda = 0:\quad \hat A_t = \delta_t",
        "γλ = 0 times the next row is nothing",
    ),
    Shown(
        _line("λ = 1"),
        r"\lambda = 1:\quad \hat A_t = G_t - \hat V(s_t), \qquad \hat V(s_T) = 0",
        "each value cancels in the next row, and the value of the end is 0",
        r"\lambda = 1:\quad \hat A_t = G_t - \hat V(s_t), \qquad \cancel{\hat V(s_T) = 0}"
        r"\;\;\hat V(s_T) = \hat V(s_{T-1})",
        "after termination a value is added",
    ),
    Shown(
        _line("a mixture"),
        r"(1-\lambda)\textstyle\sum_{n} \lambda^{n-1} \hat A^{(n)}_t = \delta_t + \gamma\lambda\,"
        r"\hat A_{t+1}",
        "Â⁽ⁿ⁾ is δ plus γ times Â⁽ⁿ⁻¹⁾ of the next step, and the weights sum to 1 (here λ = 0.7)",
        r"\cancel{(1-\lambda)}\textstyle\sum_{n} \lambda^{n-1} \hat A^{(n)}_t \ne \delta_t +"
        r" \gamma\lambda\,\hat A_{t+1}",
        "the factor 1 − λ is missing, a misprint that can be found in public code",
    ),
    Shown(
        _line("the true V"),
        r"\hat V = V:\quad \mathbb{E}\,\hat g_\lambda = \nabla J \;\text{ for every } \lambda",
        "given s and a, the first δ has the mean A(s, a), and all later ones 0",
        r"\cancel{\hat V = V}\;\; \hat V = \tfrac12 V:\quad \mathbb{E}\,\hat g_\lambda \ne \nabla J",
        "the critic predicts half the exact value",
    ),
    Shown(
        _line("λ = 1, any V̂"),
        r"\lambda = 1:\quad \mathbb{E}\,\hat g = \nabla J \;\text{ for every } \hat V",
        "in whole episodes V̂ is only subtracted: it is a baseline",
    ),
    Shown(
        _line("half the error"),
        r"\hat V = V + \varepsilon d:\quad \mathbb{E}\,\hat g - \nabla J \,\propto\, \varepsilon",
        "E ĝ is linear in V̂, so half the error gives half the bias",
    ),
)
LINE = Choice("line", f"Line, 1 to {len(LINES)}", tuple(range(1, len(LINES) + 1)))
BREAK = Choice("broken", "Break it", (False, True))
CONTROLS = (LINE, BREAK, WORLD)
BEATS = ({"line": 3}, {"line": 3, "broken": True}, {"line": 5, "broken": False})
START = 3


def draw(screen: Screen) -> None:
    screen.words(
        "Six lines say what GAE is; choose one. Each dot compares its left side with its right side:"
        " in lines 1 to 3 for each step of each possible episode, in lines with 𝔼 for each parameter"
        " of the policy. On the diagonal both are equal. The critic is V / 2 where no other is"
        " named."
    )
    which: int = screen.control(LINE, START)
    shown = LINES[which - 1]
    broken = bool(shown.broken) and screen.control(BREAK, False)
    world: str = screen.control(WORLD, "ladder")
    receipt = evaluated(world, which, broken)
    with screen.picture():
        st.latex(shown.broken if broken else shown.equation)
    left, right = np.ravel(receipt.left), np.ravel(receipt.right)
    both = np.concatenate([left, right])
    ends = [float(both.min()), float(both.max())]
    screen.chart(
        charts.both_sides, broken, ink(),
        tables={
            "sides": pd.DataFrame({"left": left, "right": right}),
            "diagonal": pd.DataFrame({"left": ends, "right": ends}),
        },
        title="Off the diagonal: the line is false" if broken else "On the diagonal: the line holds",
        note=f"line {which} of {len(LINES)} · {world}, γ = {named_worlds[world]().gamma:g}",
        height=screen.height - 84,
    )  # fmt: skip
    screen.says(sentence(world, which, broken))
    screen.code(shown.line.evaluate)


@lru_cache(40)
def evaluated(world: str, which: int, broken: bool) -> Receipt:
    """Both sides of a line in a world whose episodes can be listed."""
    here = listed(named_worlds[world]())
    assert here is not None
    line = LINES[which - 1].line
    return line(here, line.breaks[0] if broken else None)


def sentence(world: str, which: int, broken: bool) -> str:
    """Whether it holds, by how much it fails, and why."""
    shown, receipt = LINES[which - 1], evaluated(world, which, broken)
    num = np.size(receipt.left)
    numbers = "One number" if num == 1 else f"{num:,} numbers"
    if receipt.holds:
        if broken:
            return f"Here the break changes nothing: {shown.change}, and both sides agree."
        return (
            f"{numbers} on each side, equal up to rounding ({number(receipt.difference, 1)}):"
            f" {shown.reason}."
        )
    return f"✗ {shown.change[0].upper()}{shown.change[1:]}: the sides differ by up to {number(receipt.difference)}."
