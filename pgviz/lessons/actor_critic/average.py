"""The mean of G over many continuations is Q: the action value of the policy."""

import numpy as np
import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.exact.best import best_action_values
from pgviz.exact.values import action_values
from pgviz.figures import fixed, plural
from pgviz.in_memory import in_memory
from pgviz.measure import futures
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

NUM = Choice("continuations", "Continuations N", (1, 2, 5, 10, 20, 50, 100, 200, 500))
ACTION = Choice("action", "First action", futures.ACTIONS)
CONTROLS = (NUM, ACTION)
BEATS = ({"continuations": 1}, {"continuations": 20}, {"continuations": 500}, {"action": "rest"})
START, RUNG = 500, 0


def draw(screen: Screen) -> None:
    screen.words(
        "Play on from the same state and action again and again, and average G. The average is the"
        " **action value** $Q(s,a) = \\mathbb{E}[G \\mid s, a]$. Later actions are the policy's"
        " own; Q-learning's Q* takes the best ones. Put Q in place of G: ĝ keeps its mean, and the"
        " weight of an action no longer depends on what happens later."
    )
    field = screen.live(NUM, START)
    num: int = screen.control(NUM, START)
    action: str = screen.control(ACTION, "climb", horizontal=True)
    best = futures.best_action_value(RUNG, action)
    screen.chart(
        charts.averages, field, NUM.options.index(START), NUM.options, ink(),
        tables={
            "returns": returns(action),
            "exact": exact(futures.action_value(RUNG, action), "Q, exact"),
            "other": exact(best, "Q*, best later actions"),
        },
        title="With many continuations the mean of G is near Q",
        note="dot: one way to play on · ladder, rung 0, six steps left · drag N",
    )  # fmt: skip
    screen.says(sentence(action, num))
    screen.numbers(numbers())
    screen.code(action_values, best_action_values)
    world.fold(screen, world.Shown("ladder"))


@in_memory
def returns(action: str) -> pd.DataFrame:
    """n, total, mean: each continuation's return, and the mean of the first n.

    above: whether the label of the mean stands above it, away from the line of Q; the many that lie
    on this line have it below, as the line has its own above.
    """
    totals = futures.samples(RUNG, action).returns()
    n, mean = np.arange(1, len(totals) + 1), futures.running_mean(totals)
    return pd.DataFrame(
        {
            "n": n,
            "total": totals.astype(int),
            "mean": mean.round(4),
            "above": (n < 100) & (mean > futures.action_value(RUNG, action)),
        }
    )


def exact(value: float, label: str) -> pd.DataFrame:
    """A line at a value, with its name and its number."""
    return pd.DataFrame([{"value": value, "label": f"{label}: {fixed(value)}"}])


def sentence(action: str, num: int) -> str:
    """The mean of N returns beside Q, and Q*."""
    mean = float(returns(action)["mean"].iloc[num - 1])
    q, best = futures.action_value(RUNG, action), futures.best_action_value(RUNG, action)
    kind = (
        f"One return after {action} is {fixed(mean, 0)}"
        if num == 1
        else f"The mean of {plural(num, 'return')} after {action} is {fixed(mean)}"
    )
    return (
        f"{kind}; Q is {fixed(q)}. With the best later actions the average would be {fixed(best)}:"
        " that is Q*, another number."
    )


def numbers() -> pd.DataFrame:
    """Q and Q* of every rung and action, six steps left."""
    return pd.DataFrame(
        [
            {
                "rung": rung,
                "action": action,
                "Q": round(futures.action_value(rung, action), 4),
                "Q*": round(futures.best_action_value(rung, action), 4),
            }
            for rung in futures.RUNGS
            for action in futures.ACTIONS
        ]
    )
