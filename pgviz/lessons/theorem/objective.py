"""The objective: single returns jump as θ moves, their average J is smooth."""

import numpy as np
import pandas as pd

from pgviz.charts.theorem import averages as chart
from pgviz.figures import fixed, number, plural
from pgviz.in_memory import in_memory
from pgviz.measure import jumps, two_arms
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds
from pgviz.worlds.stories import stories

DRAWS = Choice("draws", "Draws that are averaged, N", (1, 3, 10, 30, 100, 300))
PLACE = world.control("place", ("two-arms", "short-corridor"))
CONTROLS = (DRAWS, PLACE)
BEATS = ({"draws": 10}, {"draws": 300}, {"place": "short-corridor", "draws": 1}, {"draws": 300})
THETAS = tuple(round(-2 + 0.05 * k, 2) for k in range(81))
DICE = 4  # with these the first draw changes its arm in the middle of the picture


def draw(screen: Screen) -> None:
    screen.words(
        "One draw is one episode. Its return R depends on chance. With the same random numbers"
        " at every θ, R jumps where an action changes, and is flat elsewhere: no slope to follow."
        " The **expectation** E is the average over all that can happen, weighted by probability."
        " We climb the average return, the **objective** $J(\\theta) = \\mathbb{E}[R]$."
    )
    start = 1
    field = screen.live(DRAWS, start)
    num: int = screen.control(DRAWS, start)
    name: str = screen.control(PLACE, "two-arms")
    draws, curve = tables(name)
    low, high = np.quantile(draws["average"], [0.02, 1])
    edge = 0.08 * (high - low)
    screen.chart(
        chart, field, DRAWS.options.index(start), ink(), "average return of N draws",
        tables={
            "draws": draws.assign(average=draws["average"].clip(low - edge)),
            "curve": curve,
            "ends": curve.iloc[[-1]].assign(label="J(θ)"),
            "frame": pd.DataFrame({"theta": [-2, 2], "average": [low - edge, high + edge]}),
        },
        title="Average more draws, and the jumps shrink",
        note="blue: the average of N draws · dashed: J, exact · " + fact(name),
    )  # fmt: skip
    screen.says(sentence(name, num))
    screen.code(jumps.averages)
    screen.numbers(curve)
    world.fold(screen, world.Shown(name))


def fact(name: str) -> str:
    """What the arms pay, or where episodes of the corridor are cut."""
    if name == "short-corridor":
        return f"cut after {jumps.MOST_STEPS} steps"
    first, second = map(number, two_arms.rewards())
    return f"arm 1 pays {first}, arm 2 {second}"


@in_memory
def tables(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The averages of N draws and J, both against θ."""
    here, action = named_worlds[name](), stories[name].turned
    draws = jumps.averages(here, action, THETAS, DRAWS.options, DICE)
    exact = jumps.objectives(here, action, THETAS)
    return draws, pd.DataFrame({"theta": THETAS, "objective": exact})


def sentence(name: str, num: int) -> str:
    """How a single draw moves, or how far the average of many lies from J."""
    draws, curve = tables(name)
    line = draws.loc[draws["at"] == DRAWS.options.index(num), "average"].to_numpy()
    exact = curve["objective"].to_numpy()
    if num == 1:
        times = int((np.diff(line) != 0).sum())
        return (
            f"This draw jumps {'once' if times == 1 else plural(times, 'time')} and is flat"
            f" elsewhere, with slope 0. J moves smoothly, between {number(exact.min())} and"
            f" {number(exact.max())}."
        )
    digits = 3 if name == "two-arms" else 2
    return (
        f"The average of {num} draws lies {fixed(np.abs(line - exact).mean(), digits)} from J, on"
        f" average over θ; a single draw {fixed(_distance(draws, exact, 0), digits)}."
    )


def _distance(draws: pd.DataFrame, exact: np.ndarray, at: int) -> float:
    line = draws.loc[draws["at"] == at, "average"].to_numpy()
    return float(np.abs(line - exact).mean())
