"""The log turns the product into a sum, and the world's terms of it have slope zero."""

import numpy as np
import pandas as pd

from pgviz.charts.theorem import logs_of_factors, slopes_of_factors
from pgviz.exact.factors import POLICY, WORLD, factors
from pgviz.exact.landscape import knob
from pgviz.figures import fixed, signed
from pgviz.in_memory import in_memory
from pgviz.lessons.theorem.episode import ACTION, CLIMB, EPISODE, episodes
from pgviz.proofs.derivation import derivative, probabilities_of
from pgviz.ui import world
from pgviz.ui.screen import Screen
from pgviz.worlds.named import ladder

CONTROLS = (CLIMB, EPISODE)
BEATS = ({"climb": 80}, {"episode": 4})


def draw(screen: Screen) -> None:
    screen.words(
        "The log of a product is a sum:"
        " $\\log P(\\tau) = \\sum_t \\log\\pi(a_t|s_t) + \\sum_t \\log p(s_{t+1}|s_t,a_t)$."
        " The second sum does not depend on θ. So its slope is zero, and nobody needs to know it:"
        " $\\nabla\\log P(\\tau) = \\sum_t \\nabla\\log\\pi(a_t|s_t)$, a sum of scores. Here one θ"
        " sets π(climb) by softmax: climb's score is 1 − π(climb), rest's −π(climb)."
    )
    start = 50
    field, at = screen.live(CLIMB, start), CLIMB.options.index(start)
    percent: int = screen.control(CLIMB, start)
    which: int = screen.control(EPISODE, 1)
    shown = {"terms": terms(which)}
    screen.chart(
        logs_of_factors, field, at, tables=shown, title="The log of every factor",
        note="blue, full: the policy's · orange, hollow: the world's", height=round(0.38 * screen.height),
    )  # fmt: skip
    screen.chart(
        slopes_of_factors, field, at, tables=shown, title="Its slope: the world's is zero",
        height=round(0.38 * screen.height),
    )  # fmt: skip
    screen.says(sentence(which, percent))
    screen.code(factors)
    world.fold(screen, world.Shown("ladder"))


@in_memory
def terms(which: int) -> pd.DataFrame:
    """Log and slope of every factor, at every position of the slider."""
    tables = []
    for at, percent in enumerate(CLIMB.options):
        found = factors(ladder(), episodes()[which - 1], ACTION, percent / 100).table
        tables.append(found.assign(at=at))
    table = pd.concat(tables, ignore_index=True)
    slopes = [
        signed(x, 2) if part == POLICY else "0"
        for x, part in zip(table["slope"], table["part"], strict=True)
    ]
    return table.assign(slope_label=slopes)


def sentence(which: int, percent: int) -> str:
    """The sum of the policy's slopes, and the slope of log P(τ) differentiated as a whole."""
    tau = episodes()[which - 1]
    found = factors(ladder(), tau, ACTION, percent / 100)
    turn = knob(ladder(), ACTION)
    assert turn is not None
    here = ladder().at(turn.thetas(percent / 100))
    probability = probabilities_of(here, [tau])
    whole = derivative(lambda z: np.log(probability(z)[0]), np.asarray(here.theta))
    return (
        f"The policy's slopes add up to {signed(found.slope(POLICY))}, the world's to"
        f" {fixed(found.slope(WORLD), 0)}. The log of the whole product,"
        f" differentiated: {signed(float((whole * turn.direction).sum()))}."
    )
