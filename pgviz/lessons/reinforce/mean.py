"""Divide by episodes, not by the steps of each: the optimum moves."""

from functools import lru_cache

import pandas as pd
from scipy.optimize import brentq

from pgviz.charts import reinforce as charts
from pgviz.exact.per_step import mean_divided_by_steps
from pgviz.exact.values import gradient, objective
from pgviz.figures import fixed, signed
from pgviz.in_memory import in_memory
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import short_corridor

SHARE = Choice("share", "p: how often right", tuple(round(0.5 + 0.005 * k, 3) for k in range(41)))
CONTROLS = (SHARE,)
BEATS = ({"share": 0.6}, {"share": 0.585}, {"share": 0.61})
START = 0.6
DIVISORS = {"episodes": gradient, "steps": mean_divided_by_steps}


def draw(screen: Screen) -> None:
    screen.words(
        "ĝ sums over the steps of an episode and divides by the number of episodes. Code that"
        " takes a mean over each episode's steps divides its sum by its length too. Lengths"
        " depend on θ, so this climbs something else. In the corridor of three rooms (the first"
        " step of The theorem) the two updates stop at different policies."
    )
    field = screen.live(SHARE, START)
    share: float = screen.control(SHARE, START)
    tables = _tables()
    screen.chart(
        charts.two_divisors,
        field,
        SHARE.options.index(START),
        ink(),
        tables=tables,
        title="Divided by steps, the update stops at another policy",
        note="exact, corridor of three rooms; each line relative to its value at p = 0.5; drag p",
        says="Mean update along p for both divisors.",
    )
    screen.says(in_words(share))
    screen.numbers(tables["here"][["p", "episodes", "steps"]].round(5))
    screen.code(mean_divided_by_steps)


def push(divisor: str, share: float) -> float:
    """The mean update of the log-odds of right, in units of its size at p = .5."""
    return mean_update(divisor, share) / mean_update(divisor, 0.5)


@lru_cache(400)
def mean_update(divisor: str, share: float) -> float:
    """The mean update of the logit of right."""
    return float(DIVISORS[divisor](short_corridor(share))[0, 0])


@lru_cache(2)
def stops_at(divisor: str) -> float:
    """Where the mean update is 0."""
    return float(brentq(lambda share: push(divisor, share), 0.5, 0.7, xtol=1e-12))


@in_memory
def _tables() -> dict[str, pd.DataFrame]:
    rows = [(at, p, push("episodes", p), push("steps", p)) for at, p in enumerate(SHARE.options)]
    here = pd.DataFrame(rows, columns=["at", "p", "episodes", "steps"])
    words = {"episodes": "divided by episodes:", "steps": "divided by steps:"}
    zeros = pd.DataFrame(
        [
            {
                "p": stops_at(kind),
                "kind": kind,
                "zero": 0.0,
                "label": f"{text}\nstops at {stops_at(kind):.3f}",
            }
            for kind, text in words.items()
        ]
    )
    return {"curves": here[["p", "episodes", "steps"]], "here": here, "zeros": zeros}


def in_words(share: float) -> str:
    """Which way each pushes here, and what the other stop costs."""
    episodes, steps = push("episodes", share), push("steps", share)
    lost = objective(short_corridor(stops_at("episodes"))) - objective(
        short_corridor(stops_at("steps"))
    )
    agree = "both move p the same way" if episodes * steps > 0 else "they move p opposite ways"
    return (
        f"At p = {fixed(share, 3)} the mean update is {signed(episodes)} times that at p = 0.5 if"
        f" divided by episodes, {signed(steps)} times if divided by steps: {agree}. Stopping at"
        f" {fixed(stops_at('steps'), 3)} in place of {fixed(stops_at('episodes'), 3)} costs"
        f" {fixed(lost, 3)} more steps per episode."
    )
