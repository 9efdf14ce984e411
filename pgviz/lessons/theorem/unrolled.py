"""The second proof: ∇V(s) is what an action changes now, and then the same one state later."""

import numpy as np
import pandas as pd

from pgviz.charts.theorem import unrolled_sums
from pgviz.exact.landscape import landscape
from pgviz.figures import plural, signed
from pgviz.lessons.theorem.proof import theta_in_words
from pgviz.measure import theorem
from pgviz.proofs.derivation import partial_sums
from pgviz.proofs.receipts import Reading, read_out
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.proof import line_by_line
from pgviz.ui.screen import Screen
from pgviz.worlds.tabular import Floats, TabularMDP

NOTHING = "nothing"
BREAKS = ("differentiate only π", "drop the log", "sample from the wrong policy")
BREAK = Choice("unroll", "Break a step", (NOTHING, *BREAKS), listed=True)
WORLD = world.control("world")
CONTROLS = (WORLD, BREAK)
BEATS = ({"unroll": BREAKS[0]}, {"unroll": NOTHING, "world": "short-corridor"})


def draw(screen: Screen) -> None:
    screen.words(
        "A second proof lists no episodes. The **value** V(s) is the average return from state s"
        " on; the **action value** Q(s, a) is the same after action a. Then"
        " $\\nabla V(s) = \\sum_a \\nabla\\pi(a|s)\\,Q(s,a) + \\mathbb{E}\\,\\nabla V(s')$: what π"
        " changes in s, plus the average slope one state later. Unrolled, every step adds one term"
        " to ∇J."
    )
    shown = world.chosen(screen, WORLD, "ladder")
    chosen: str = screen.control(BREAK, NOTHING)
    broken = None if chosen == NOTHING else chosen
    shown, table, note = world.found_or_instead(shown, "ladder", sums, broken)
    exact = float(table["exact"].iloc[0])
    screen.chart(
        unrolled_sums, ink(),
        tables={
            "sums": table.assign(broken=broken is not None),
            "exact": pd.DataFrame({"partial_sum": [exact]}),
            "ends": pd.DataFrame(
                [{"k": 0, "partial_sum": exact, "label": f"exact: {signed(exact, 3)}"}]
            ),
        },
        title="Term by term the sum arrives at the slope"
        if broken is None
        else "Broken, the sum arrives elsewhere",
        note="the component of ∇J that is largest in size: "
        + world.found(shown, component, shown.story.actions),
    )  # fmt: skip
    screen.says(sentence(table, broken) + note)
    screen.numbers(table)
    line_by_line(screen, world.found(shown, lines, broken, shown.story.actions), broken)
    screen.code(partial_sums)
    world.fold(screen, shown)


def lines(here: TabularMDP, broken: str | None, actions: tuple[str, ...]) -> list[Reading]:
    """The four lines of the second proof."""
    return read_out(here, "unrolling ∇V", broken, actions=actions)


def largest(exact: Floats) -> tuple[int, ...]:
    """Which component is shown: the largest in size, of equal ones the first."""
    size = np.abs(exact)
    first = int((size >= size.max() * (1 - 1e-9)).argmax())
    return tuple(int(i) for i in np.unravel_index(first, size.shape))


def component(here: TabularMDP, actions: tuple[str, ...]) -> str:
    """The name of this component."""
    return theta_in_words(here, largest(landscape(here, here.theta[None]).field[0]), actions)


def sums(here: TabularMDP, broken: str | None) -> pd.DataFrame:
    """Partial sums of the largest component of ∇J: k, partial_sum, exact."""
    right = theorem.sums(here)
    if broken is None:
        return right
    exact = landscape(here, here.theta[None]).field[0]
    index = largest(exact)
    if broken == "differentiate only π":  # the change now, and nothing of the next state
        found = np.append([0.0], np.repeat(partial_sums(here, 1)[1][index], len(right) - 1))
    else:
        found = partial_sums(here, len(right) - 1, broken)[:, index[0], index[1]]
    return right.assign(partial_sum=found)


def sentence(table: pd.DataFrame, broken: str | None) -> str:
    """How many terms it takes, or where a broken sum ends."""
    exact, last = float(table["exact"].iloc[0]), float(table["partial_sum"].iloc[-1])
    if broken is not None:
        size = float(table["partial_sum"].abs().max())
        if abs(last - exact) <= max(0.01 * abs(exact), 1e-9 * size):
            return f"“{broken}” leaves the sum at {signed(last, 3)}: here it does no harm."
        return f"“{broken}”: the sum ends at {signed(last, 3)}, the slope is {signed(exact, 3)}."
    terms = theorem.enough_terms(table)
    if terms is None:
        return (
            f"After {len(table) - 1} terms the sum is {signed(last, 3)}, the slope is"
            f" {signed(exact, 3)}: long episodes need many terms."
        )
    return (
        f"From {plural(terms, 'term')} on, the sum is within 1\N{NO-BREAK SPACE}% of the exact"
        f" {signed(exact, 3)}."
    )
