"""Which number leaves the least noise."""

import numpy as np

from pgviz.figures import number
from pgviz.lessons.workbook import drawn, drill
from pgviz.lessons.workbook.drill import Drill
from pgviz.lessons.workbook.mean import given
from pgviz.measure.drills import Arms, arms
from pgviz.ui.screen import Screen

CONTROLS = (drawn.NUMBER,)


def draw(screen: Screen) -> None:
    screen.words(
        "The same arms and the same update. Every b leaves its mean as it is, but not its variance."
        " Which b makes the variance of ĝ smallest? It is not always the value."
    )
    drill.draw(screen, "The best b", question, Arms.variance)


def question(at: int) -> Drill:
    """With these numbers."""
    here = arms(at)
    reach = max(abs(here.best - here.value), 2.0) * 1.6
    grid = np.linspace(here.best - reach, here.best + reach, 41)
    return Drill(
        given=given(here)[:3],
        answer=here.best,
        slips=(
            (
                here.value,
                f"That is V = {number(here.value)}. The best number weighs each reward by its squared"
                " score: (1 − π₁)² for arm 1, π₁² for arm 2.",
            ),
            ((here.first + here.second) / 2, "That is the plain mean of both rewards."),
        ),
        because="E[s² r]/E[s²], with s the score. Here it is (1 − π₁) r₁ + π₁ r₂.",
        curve=[(float(b), here.variance(float(b))) for b in grid],
        at=here.best,
        axes=("b", "variance of ĝ"),
        hint="The variance is a parabola in b: set its slope to zero.",
        answers_x=True,
    )
