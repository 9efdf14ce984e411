"""The mean of TD errors from one state and action is its advantage, if V is exact."""

import numpy as np
import pandas as pd

from pgviz import estimators
from pgviz.charts import actor_critic as charts
from pgviz.exact.futures import variance
from pgviz.figures import number, signed
from pgviz.in_memory import in_memory
from pgviz.lessons.actor_critic.average import ACTION, NUM, START
from pgviz.lessons.actor_critic.bootstrap import RUNG
from pgviz.measure import futures
from pgviz.ui import world
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (NUM, RUNG, ACTION)
BEATS = (
    {"continuations": 1},
    {"continuations": 20},
    {"continuations": 500},
    {"rung": 1, "action": "rest"},
)
NAMES = pd.DataFrame(
    [
        {"name": "baseline", "label": "● G − V(s)", "place": 4.2},
        {"name": "actor-critic", "label": "■ TD error δ", "place": 3.55},
    ]
)


def draw(screen: Screen) -> None:
    screen.words(
        "Subtract the value of the present state, too: the temporal-difference error, **TD error**,"
        " is $\\delta = r + V(s') - V(s)$. With the exact V its mean, given s and a, is"
        " $Q(s,a) - V(s)$: the **advantage** A(s, a). It is positive where the action is better than"
        " the policy's average. G − V(s) has the same mean; it waits, and scatters more."
    )
    field = screen.live(NUM, START)
    num: int = screen.control(NUM, START)
    rung: int = screen.control(RUNG, 0)
    action: str = screen.control(ACTION, "climb", horizontal=True)
    value = futures.advantage(rung, action)
    screen.chart(
        charts.advantages, field, NUM.options.index(START), NUM.options, ink(),
        tables={
            "means": means(rung, action),
            "exact": pd.DataFrame([{"value": value, "label": f"A, exact: {signed(value)}"}]),
            "names": NAMES,
        },
        title="Both means approach A; single TD errors scatter less",
        note="small: one way to play on · lines: mean of the first N · six steps left · drag N",
    )  # fmt: skip
    screen.says(sentence(rung, action, num))
    screen.numbers(numbers())
    screen.code(estimators.td_errors)
    world.fold(screen, world.Shown("ladder"))


@in_memory
def means(rung: int, action: str) -> pd.DataFrame:
    """name, n, x, mean: both estimates of each continuation, and the mean of the first n."""
    tables = []
    for name, x in (
        ("baseline", futures.returns_minus_value(rung, action)),
        ("actor-critic", futures.td_errors(rung, action)),
    ):
        tables.append(
            pd.DataFrame(
                {
                    "name": name,
                    "n": np.arange(1, len(x) + 1),
                    "x": x.round(4),
                    "mean": futures.running_mean(x).round(4),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def sentence(rung: int, action: str, num: int) -> str:
    """Both means beside the advantage, and both variances."""
    table = means(rung, action)
    at = table[table["n"] == num].set_index("name")["mean"]
    g, one = futures.distributions(rung, action, futures.NUM_STEPS)
    kind = "One δ is" if num == 1 else f"The mean of {num} δ is"
    other = "one G − V(s) is" if num == 1 else f"the mean of {num} G − V(s) is"
    return (
        f"{kind} {signed(at['actor-critic'])}, {other}"
        f" {signed(at['baseline'])}; A is {signed(futures.advantage(rung, action))}. One δ has"
        f" variance {number(round(variance(one), 12))}, one G − V(s) {number(variance(g))}."
    )


def numbers() -> pd.DataFrame:
    """The advantage of every rung and action, six steps left."""
    return pd.DataFrame(
        [
            {"rung": rung, "action": action, "A": round(futures.advantage(rung, action), 4)}
            for rung in futures.RUNGS
            for action in futures.ACTIONS
        ]
    )
