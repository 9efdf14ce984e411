"""Causality: an action cannot change rewards that came before it, so they only add noise."""

import numpy as np
import pandas as pd

from pgviz.charts.theorem import credit as chart
from pgviz.exact.credit import credit
from pgviz.exact.values import settled, size_of_returns, state_distributions
from pgviz.figures import number
from pgviz.measure.noise import stairs
from pgviz.proofs.ascent import capped
from pgviz.proofs.derivation import noise_of_the_past, sign_of_the_past
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.tabular import TabularMDP

WORLD = world.control("world")
SHOW = Choice("show", "Of each product, show the", ("mean", "spread"))
KEEP = Choice("keep", "Keep earlier rewards", (True, False))
CONTROLS = (SHOW, KEEP, WORLD)
BEATS = ({"show": "spread"}, {"keep": False})
MOST_STEPS = 6


def draw(screen: Screen) -> None:
    screen.words(
        "R ∇ log P multiplies every action's score with every reward. At step t the earlier rewards"
        " are fixed, and the action's score averages to zero. So these products average to zero,"
        " too. They only add **variance**, the mean squared distance from the mean. Without them, the"
        " rewards from step t on are left: the **reward-to-go** $G_t = \\sum_{u\\ge t} r_u$."
    )
    show: str = screen.control(SHOW, "mean")
    keep: bool = screen.control(KEEP, True)
    shown = world.chosen(screen, WORLD, "ladder")
    shown, table, note = world.found_or_instead(shown, "ladder", pairs, show)
    steps = int(table["t"].max()) + 1
    below = "earlier rewards average to zero" if show == "mean" else "they still scatter"
    screen.chart(
        chart, ink(), steps, show == "mean",
        tables={
            "pairs": table.assign(
                dropped=table["past"] & (not keep),
                size=table["size"].where(~table["past"] | keep, 0.0),
            ),
            "stairs": stairs(steps) if steps > 1 else pd.DataFrame({"u": [], "t": [], "order": []}),
        },
        title=f"Under the stairs the reward came first: {below}",
        note=("mean of score × reward, in the direction of ∇J" if show == "mean" else
              "root mean squared distance from the mean")
        + " · at the world's own θ"
        + world.found(shown, unpaid)
        + ("" if keep else " · ×: dropped"),
    )  # fmt: skip
    kept, dropped, past, has_a_past = world.found(shown, noise)
    screen.says(sentence(kept, dropped, past, has_a_past, keep) + note)
    screen.numbers(table[["t", "u", "value"]])
    screen.code(credit)
    world.fold(screen, shown)


def short(here: TabularMDP) -> TabularMDP:
    """The first steps of a world: a row for each."""
    return capped(here, MOST_STEPS)


def pairs(here: TabularMDP, show: str) -> pd.DataFrame:
    """Every pair of an action and a reward: t, u, value, size (as a share of the largest), past."""
    found = credit(short(here))
    total = found.future()
    values = found.along(total if np.abs(total).max() > 0 else np.ones_like(total))
    values = values if show == "mean" else found.spread
    t, u = np.indices(values.shape)
    values = settled(values, size_of_returns(short(here)))
    largest = float(np.abs(values).max()) or 1.0
    return pd.DataFrame(
        {
            "t": t.ravel(),
            "u": u.ravel(),
            "value": values.ravel(),
            "size": np.abs(values.ravel()) / largest,
            "text": [number(float(x), 2) for x in values.ravel()],
            "past": (u < t).ravel(),
        }
    )


def unpaid(here: TabularMDP) -> str:
    """A word on the first steps, where no episode is paid: their columns are 0."""
    few = short(here)
    visits, pays = state_distributions(few), (few.flow * np.abs(few.rewards)).sum(axis=(1, 2))
    nothing = visits @ pays == 0
    first = int((~nothing).argmax()) if not nothing.all() else 0
    if first == 0:
        return ""
    return f" · step{'' if first == 1 else 's'} {', '.join(map(str, range(first)))}: no reward yet"


def noise(here: TabularMDP) -> tuple[float, float, float, bool]:
    """Variance with earlier rewards and without them, the sum of their means, and whether any
    reward comes before a later action."""
    from pgviz.exact.moments import past_returns

    kept, dropped = noise_of_the_past(here)
    few = short(here)
    past = float(settled(np.abs(credit(few).past()).max(), size_of_returns(few)))
    return kept, dropped, past, bool(past_returns(here, 0.0, 2)[2].any())


def sentence(kept: float, dropped: float, past: float, has_a_past: bool, keep: bool) -> str:
    """What earlier rewards do here, to the mean and to the variance."""
    if not has_a_past:
        return "Here no reward comes before a later action: there is nothing to drop."
    mean = f"The earlier rewards' means add up to {number(past)}."
    now, other = (kept, dropped) if keep else (dropped, kept)
    first, second = ("With", "without") if keep else ("Without", "with")
    compared = (
        f"{first} them, the variance of one episode's estimate, summed over its components, is"
        f" {number(now, 4)}; {second} them {number(other, 4)}"
    )
    sign = sign_of_the_past(kept, dropped)
    if sign > 0:
        return f"{mean} {compared}."
    if sign < 0:
        return f"{mean} {compared}: here they happen to cancel some of the noise."
    return f"{mean} {compared}: here it is the same."
