"""What the mean of an update is, with a number subtracted."""

import numpy as np

from pgviz.figures import number
from pgviz.lessons.workbook import drawn, drill
from pgviz.lessons.workbook.drill import Drill
from pgviz.measure.drills import Arms, arms
from pgviz.ui.screen import Screen

CONTROLS = (drawn.NUMBER,)


def draw(screen: Screen) -> None:
    screen.words(
        "Two arms, π = softmax(θ₁, θ₂). After a pull, the number b is subtracted from the reward:"
        " $\\hat g = (r - b)\\,\\partial\\log\\pi(a)/\\partial\\theta_1$. What is the mean of ĝ?"
    )
    drill.draw(screen, "The mean of ĝ", question, Arms)


def question(at: int) -> Drill:
    """With these numbers."""
    here = arms(at)
    p, first, second, b = here.p, here.first, here.second, here.b
    return Drill(
        given=given(here),
        answer=here.mean,
        slips=(
            (
                here.value - b,
                "That is the mean of r − b. Each r − b is multiplied by a score first.",
            ),
            (p * (1 - p) * (first - b), "That is arm 1 alone. Arm 2 has the score −π(arm 1)."),
            (
                p * (1 - p) * (first + second - 2 * b),
                "The score of arm 2 is negative: −π(arm 1), not +π(arm 1).",
            ),
            ((1 - p) * (first - b) - p * (second - b), "Each arm counts as often as it is pulled."),
            (here.mean - b, "b is subtracted from the reward, before the score multiplies it."),
        ),
        because="π₁(1 − π₁)(r₁ − r₂). The scores average to zero, so b drops out.",
        curve=[(float(x), here.mean) for x in np.linspace(b - 5, b + 5, 3)],
        at=b,
        axes=("b", "mean of ĝ"),
    )


def given(here: Arms) -> list[tuple[str, str]]:
    """What the reader knows."""
    return [
        ("π(arm 1)", f"{here.p:g}"),
        ("arm 1 pays", number(here.first)),
        ("arm 2 pays", number(here.second)),
        ("b", number(here.b)),
    ]
