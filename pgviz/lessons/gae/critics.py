"""How much a wrong λ costs, for every error of the critic."""

from pgviz.charts import gae as charts
from pgviz.exact.trust import Tradeoff, is_void
from pgviz.figures import fixed, number
from pgviz.lessons.gae.settings import EPISODES, SHAPE, WORLD, formula
from pgviz.measure import best_lambda
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds

START = EPISODES.options[1]
VALUES = {  # of the critic at ε = 1
    "too small": "V̂ = 0",
    "shifted": "V̂ = V + J",
    "one number": "V̂ = J in every state",
}
CONTROLS = (EPISODES, WORLD, SHAPE)
BEATS = ({"episodes": 10}, {"episodes": 1000})


def draw(screen: Screen) -> None:
    screen.words(
        "Each row is a critic, from exact (ε = 0) to very wrong (ε = 1). Dark: this λ has many times"
        " the least error of its row. The best λ depends on the critic, N and the world. Even at"
        " ε = 1 it can be below 1, where later TD errors, and their noise, count less."
    )
    field = screen.live(EPISODES, START)
    num: int = screen.control(EPISODES, START)
    world: str = screen.control(WORLD, "ladder")
    shape: str = screen.control(SHAPE, "too small", horizontal=True)
    cells, best = best_lambda.error_map(world, shape, tuple(EPISODES.options))
    here = best[best["at"] == EPISODES.options.index(num)]
    screen.chart(
        charts.error_map, field, EPISODES.options.index(START), ink(),
        tables={"cells": cells, "best": best},
        title="Another critic, another best λ"
        if here["gae_lambda"].nunique() > 1
        else "Here all critics have the same best λ",
        note=f"exact · {formula(shape)}",
    )  # fmt: skip
    screen.says(sentence(world, shape, num))
    screen.numbers(here.drop(columns="at"))
    screen.code(Tradeoff)


def sentence(world: str, shape: str, num: int) -> str:
    """The best λ of the exact and of the worst critic, and the cost of the one for the other."""
    found = best_lambda.of_world(world, shape)
    good, bad = (found.best_lambda(error, num) for error in (0.0, 1.0))
    size = found.mean_squared_error(1.0, num)
    cost = float(size[abs(found.lambdas - good).argmin()] / size.min())
    if is_void(named_worlds[world](), shape):
        return f"In this world this critic is exact for every ε: the best λ is {fixed(good)}."
    if good == bad:
        return f"With N = {num:,} the best λ is {fixed(good)} for ε = 0 and for ε = 1."
    return (
        f"With N = {num:,} the best λ is {fixed(good)} for the exact V and {fixed(bad)} at ε = 1"
        f", where {VALUES[shape]}. There λ = {fixed(good)} has {number(cost)} times the least error."
    )
