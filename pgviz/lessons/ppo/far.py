"""A prediction: what the old batch promises far away, and what is true there."""

import pandas as pd

from pgviz.charts import ppo as charts
from pgviz.exact.surrogate import surrogate
from pgviz.exact.values import occupancy
from pgviz.figures import fixed, percent
from pgviz.lessons.baselines import worlds
from pgviz.measure import proximal
from pgviz.ui.controls import Choice, Number
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import short_corridor

FAR = 0.9
GUESS = Number("guess", f"True J at P(right) = {FAR:g}", -40, -5)
NEW = Choice("far-p", "New policy, P(right)", tuple(round(0.05 * k, 2) for k in range(2, 20)))
CONTROLS = (NEW,)
BEATS = ({"far-p": 0.5}, {"far-p": 0.6}, {"far-p": FAR})


def draw(screen: Screen) -> None:
    promise = proximal.promised(FAR)
    screen.words(
        "With ρ an old batch promises a J for every policy: the **surrogate objective**"
        " $J_{old} + \\mathbb{E}_{old} \\sum_t \\rho_t A_t$. The corridor was played with P(right) ="
        f" ½. For {FAR:g} the promise is {fixed(promise, 1)}; the best possible J is"
        f" {fixed(proximal.truth(2 - 2**0.5), 1)}."
    )
    guess = screen.predict(GUESS, verdict, start=-12)
    table = proximal.promises()
    if guess is None:
        shown = table[table["kind"] == "promise"]
        marks = pd.DataFrame(
            [
                {
                    "p": FAR,
                    "value": promise,
                    "label": f"promise {fixed(promise, 1)}",
                    "kind": "promise",
                }
            ]
        )
        screen.chart(
            charts.promises, ink(), proximal.OLD_CORRIDOR, tables={"curves": shown, "marks": marks},
            title="What the old batch promises", note="exact, short corridor",
        )  # fmt: skip
        screen.says(
            f"The promise is a straight line: it rises to {fixed(shown['value'].max(), 1)}."
        )
        return
    p: float = screen.control(NEW, FAR)
    values = {"promise": proximal.promised(p), "true J": proximal.truth(p)}
    marks = pd.DataFrame(
        [
            {"p": p, "value": value, "kind": kind, "label": f"{kind} {fixed(value, 1)}"}
            for kind, value in values.items()
        ]
    )
    screen.chart(
        charts.promises, ink(), proximal.OLD_CORRIDOR, tables={"curves": table, "marks": marks},
        title="They touch where the batch was played, and part",
        note="exact, short corridor",
    )  # fmt: skip
    screen.says(sentence(p))
    screen.numbers(table.pivot(index="p", columns="kind", values="value").reset_index().round(3))
    screen.code(surrogate)
    worlds.card(screen, "short-corridor")


def verdict(guess: float | None) -> tuple[bool, str]:
    """Right within 4."""
    true = proximal.truth(FAR)
    near = guess is not None and abs(guess - true) <= 4
    seldom, before = (last_room(p) for p in (FAR, proximal.OLD_CORRIDOR))
    return near, (
        f"J is {fixed(true, 1)}: the room before the goal makes {percent(seldom)} of the steps, in"
        f" place of {percent(before)}."
    )


def last_room(p: float) -> float:
    """The share of the steps that are taken in the room before the goal."""
    steps = occupancy(short_corridor(p), 1.0)
    return float(steps[-1] / steps.sum())


def sentence(p: float) -> str:
    """Promise and truth at this policy."""
    said, true = proximal.promised(p), proximal.truth(p)
    if abs(said - true) < 1e-9:
        return (
            f"At P(right) = {fixed(p)} the batch was played: promise and J are both {fixed(true)}."
        )
    return (
        f"At P(right) = {fixed(p)} the promise is {fixed(said)}, and J is {fixed(true)}: the promise"
        f" is {fixed(said - true)} too high. A new policy visits other states."
    )
