"""The value of a state: the average return from there on, under the present policy."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.charts import baselines as charts
from pgviz.exact.best import best_values
from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.futures import return_distribution
from pgviz.exact.moments import moments
from pgviz.exact.reuse import one_knob_ladder
from pgviz.exact.values import state_values
from pgviz.figures import fixed, number
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import ladder

CLIMB = Choice("climb", "π(climb), in %", tuple(range(5, 100, 5)))
LEFT = Choice("left", "Steps left", (1, 2, 3, 4, 5, 6))
CONTROLS = (CLIMB, LEFT)
BEATS = ({"climb": 50, "left": 6}, {"climb": 95}, {"climb": 50, "left": 2})
START_CLIMB, START_LEFT = 50, 6
MOST = 6


def draw(screen: Screen) -> None:
    screen.words(
        "Which b? A natural choice is the **value** $V^\\pi(s)$: the average return from state s on,"
        " under the present policy π. Then only the distance from that average is left as the weight."
        " V moves with π. Q-learning's maximum is about another policy, the best one: $V^*$. On the"
        " ladder both also depend on the steps left."
    )
    fields = screen.live(CLIMB, START_CLIMB), screen.live(LEFT, START_LEFT)
    percent: int = screen.control(CLIMB, START_CLIMB)
    left: int = screen.control(LEFT, START_LEFT)
    screen.chart(
        charts.values_and_returns, fields,
        (CLIMB.options.index(START_CLIMB), LEFT.options.index(START_LEFT)), ink(), MOST,
        tables=tables(),
        title="V is the average of the returns that π can get from here",
        note="ladder, exact · grey: possible returns, area = probability · drag both",
        says="Returns from each rung, their average, and the best policy's average.",
    )  # fmt: skip
    screen.says(sentence(percent, left))
    screen.numbers(numbers(percent))
    screen.code(return_distribution, best_values)
    worlds.card(screen, "ladder")


def values(percent: int, left: int) -> list[float]:
    """V(s) of every rung with so many steps left, when the policy climbs this often."""
    table = state_values(one_knob_ladder(percent / 100))
    return [float(x) for x in table[MOST - left]]


@lru_cache(32)
def noise_of(percent: int) -> tuple[float, float]:
    """The noise of one episode at this policy: of the reward-to-go, and minus V(s, steps left)."""
    p = percent / 100
    here = replace(ladder(), theta=np.tile([0.0, np.log(p / (1 - p))], (3, 1)))
    plain = moments(here, GradientEstimator("reward-to-go"))
    with_v = moments(here, GradientEstimator("reward-to-go", values=true_values(here)))
    return plain.covariance_trace, with_v.covariance_trace


def best(left: int) -> list[float]:
    """V*(s) of every rung with so many steps left."""
    return [float(x) for x in best_values(ladder())[MOST - left]]


@in_memory
def tables() -> dict[str, pd.DataFrame]:
    """Every position of both sliders."""
    returns, lines = [], []
    for at_p, percent in enumerate(CLIMB.options):
        here = one_knob_ladder(percent / 100)
        for at_n, left in enumerate(LEFT.options):
            place = {"at_p": at_p, "at_n": at_n}
            own, other = state_values(here)[MOST - left], best(left)
            for rung in range(3):
                returns += [
                    {**place, "rung": rung, "total": total, "share": round(share, 4)}
                    for total, share in return_distribution(here, rung, left).items()
                    if share >= 0.0005
                ]
                lines.append(
                    {
                        **place,
                        "rung": rung,
                        "value": float(own[rung]),
                        "best": other[rung],
                        "label": f"V = {fixed(float(own[rung]))}",
                        "best_label": f"V* = {fixed(other[rung])}",
                    }
                )
    return {"returns": pd.DataFrame(returns), "values": pd.DataFrame(lines)}


def sentence(percent: int, left: int) -> str:
    """V of every rung, and V* beside it."""
    from_0, *others = (fixed(x) for x in values(percent, left))
    own = ", ".join([f"{from_0} (this is J)" if left == MOST else from_0, *others])
    plain, with_v = (number(x) for x in noise_of(percent))
    other = ", ".join(fixed(x) for x in best(left))
    steps = f"{left} steps" if left > 1 else "1 step"
    return (
        f"With {steps} left, π(climb) = {percent} % gets {own} on average from rungs 0, 1, 2; the"
        f" best policy {other}. Subtracting V, with the steps left, takes the noise of an episode from"
        f" {plain} to {with_v}."
    )


def numbers(percent: int) -> pd.DataFrame:
    """V and V* of every rung, a row per number of steps left."""
    rows = []
    for left in LEFT.options:
        own, other = values(percent, left), best(left)
        rows.append(
            {"steps left": left}
            | {f"V({s})": own[s] for s in range(3)}
            | {f"V*({s})": other[s] for s in range(3)}
        )
    return pd.DataFrame(rows).round(4)
