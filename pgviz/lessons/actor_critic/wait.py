"""REINFORCE waits for the end of the episode, and G gathers the noise of every later step."""

import numpy as np
import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.exact.futures import sums_of_rewards
from pgviz.figures import fixed, number, plural
from pgviz.measure import futures
from pgviz.ui import world
from pgviz.ui.controls import Number
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

LEFT = Number("steps_left", "Steps until the episode ends", 1, futures.LONGEST)
CONTROLS = (LEFT,)
BEATS = ({"steps_left": 1}, {"steps_left": 6}, {"steps_left": 24})
START = 24


def draw(screen: Screen) -> None:
    screen.words(
        "REINFORCE weighs an action with its reward-to-go G. So it must wait until the episode"
        " ends. And G is a sum: every later action and every later state adds its own randomness."
        " The more steps are left, the larger the variance of G. Here: the ladder from rung 0,"
        " climb first, then each action with probability ½."
    )
    field = screen.live(LEFT, START)
    left: int = screen.control(LEFT, START, slider=True)
    lines, spread = futures.fan()
    screen.chart(
        charts.fan, field, START, futures.LONGEST, float(lines["total"].max()) + 3, ink(),
        tables={"lines": lines, "spread": spread.round(4)},
        title="The later the end, the wider G is spread",
        note=f"thin: {futures.NUM_FUTURES} ways to play on · dashed: exact mean · band: ± one standard deviation",
    )  # fmt: skip
    screen.says(sentence(left))
    screen.numbers(numbers())
    screen.code(sums_of_rewards)
    world.fold(screen, world.Shown("ladder"))


def sentence(left: int) -> str:
    """The variance of G with so many steps left, beside that of six steps."""
    spread = futures.fan()[1].set_index("k")["variance"]
    now = float(spread[left])
    if now < 1e-12:
        return (
            f"With {plural(left, 'step')} left, a climb from rung 0 cannot reach the rung that"
            " pays: G is 0, with variance 0."
        )
    other = 24 if left < 12 else 6
    return (
        f"With {plural(left, 'step')} left, G is known {plural(left, 'step')} later. Its variance"
        f" is {fixed(now)}, its standard deviation {fixed(float(np.sqrt(now)))}. With {other} steps"
        f" left the variance is {number(float(spread[other]))}."
    )


def numbers() -> pd.DataFrame:
    """Mean and variance of the sum of the first k rewards."""
    return futures.fan()[1][["k", "mean", "variance"]].round(4)
