"""A prediction: in three rooms that look alike, how often should one go right?"""

import numpy as np
import pandas as pd

from pgviz.charts import theorem as charts
from pgviz.charts.worlds import corridor
from pgviz.exact.values import objective
from pgviz.figures import number
from pgviz.measure import theorem
from pgviz.ui import world
from pgviz.ui.controls import Number
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import short_corridor
from pgviz.worlds.tabular import TabularMDP

GUESS = Number("guess", "How often right, in %", theorem.LOWEST, theorem.HIGHEST)


def draw(screen: Screen) -> None:
    screen.words(
        "In each **state** you choose an **action**; a **reward** follows. Here the states are three"
        " rooms that look alike, so one percentage must serve all. Every step costs 1, until the"
        " goal ends the **episode**. The middle room swaps right and left. The rewards sum to the"
        " **return**. Which percentage makes the average return highest?"
    )
    guess = screen.predict(GUESS, verdict, start=50)
    if guess is None:
        screen.drawing(corridor(short_corridor()))
        steps = fewest_steps(short_corridor())
        screen.says(
            f"The shortest way takes {steps} steps, so no return is above {number(-steps)}."
        )
        world.fold(screen)
        return
    curve, best = theorem.objective_curve(short_corridor(), 0), best_share()
    marked = [("best", best)] + ([("you", guess / 100)] if guess != "" else [])
    marks = pd.DataFrame(
        [{"label": name, "p": p, "objective": objective(short_corridor(p))} for name, p in marked]
    )
    screen.chart(
        charts.objective,
        "p: how often right",
        ink(),
        tables={
            "curve": curve,
            "tangent": curve.iloc[:0],
            "here": marks[marks["label"] == "you"],
            "marks": marks,
            "frame": curve.iloc[[0, -1]],
        },
        title="Best is a mixture of right and left",
    )
    screen.says(
        f"Going right {100 * best:.1f} % of the time needs {-objective(short_corridor(best)):.1f}"
        " steps on average. Always right, or always left, never arrives."
    )
    screen.numbers(curve)
    world.fold(screen, world.Shown("short-corridor"))


def best_share() -> float:
    """2 − √2: where dJ/dp = 0."""
    return 2 - 2**0.5


def verdict(guess: float | None) -> tuple[bool, str]:
    """Right within 5 points of the best share."""
    best = 100 * best_share()
    near = guess is not None and abs(guess - best) <= 5
    return near, f"Best is {best:.1f} %: rooms that look alike need a mixture."


def fewest_steps(here: TabularMDP) -> int:
    """The length of the shortest way to the end: how often the set of reached states must grow."""
    reached, steps = np.asarray(here.start > 0), 0
    while True:
        steps += 1
        leads = np.asarray((here.transitions[reached] > 0).any(axis=(0, 1)))
        if leads[-1]:
            return steps
        reached = reached | leads[:-1]
