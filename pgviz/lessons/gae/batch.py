"""The best λ against the number of episodes, in every world and for every wrong critic."""

import numpy as np
import pandas as pd

from pgviz.charts import gae as charts
from pgviz.exact.trust import Tradeoff, is_void
from pgviz.figures import fixed
from pgviz.lessons.gae.settings import ERROR, ERROR_START, SHAPE, WORLD, formula
from pgviz.measure import best_lambda, trust
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds

CONTROLS = (ERROR, WORLD, SHAPE)
BEATS = ({"error": 0.5}, {"error": 0.1}, {"error": 0.5, "world": "short-corridor"})


def draw(screen: Screen) -> None:
    screen.words(
        "With N episodes the variance is divided by N and the bias stays. So where a wrong critic"
        " biases ĝ, the best λ grows with N. With one episode the variance counts most, and it,"
        " too, depends on the critic. With the exact V no λ is biased: the best λ has the least variance,"
        " whatever N."
    )
    field = screen.live(ERROR, ERROR_START)
    error: float = screen.control(ERROR, ERROR_START)
    world: str = screen.control(WORLD, "ladder")
    shape: str = screen.control(SHAPE, "too small", horizontal=True)
    best, exact = best_lambda.by_episodes(world, shape)
    step = round(float(np.diff(best_lambda.of_world(world, shape).lambdas)[0]), 2)
    screen.chart(
        charts.best_by_episodes, field, ERROR.options.index(ERROR_START), ink(),
        tables={"best": best, "exact": exact},
        title="The λ of least error, against N",
        note=f"exact · {formula(shape)} · λ in steps of {step:g}",
    )  # fmt: skip
    screen.says(sentence(world, shape, error))
    screen.numbers(pd.DataFrame({"N": [10, 30, 100, 1000]}).assign(
        **{"best λ": [best_lambda.of_world(world, shape).best_lambda(error, n) for n in (10, 30, 100, 1000)]}
    ))  # fmt: skip
    screen.code(Tradeoff)


def sentence(world: str, shape: str, error: float) -> str:
    """Which way the best λ goes with N."""
    if error == 0 or is_void(named_worlds[world](), shape):
        found = best_lambda.of_world(world, shape)
        least = found.best_lambda(0.0, 1)
        text = f"This critic is exact: the best λ is {fixed(least)}, whatever N."
        if least == 0:
            return text
        variance = found.covariance_trace(0.0)
        return (
            f"{text} There one episode has the variance {fixed(variance.min(), 3)}, at λ = 0"
            f" {fixed(variance[0], 3)}: a little of the later TD errors cancels noise of the first."
        )
    found = best_lambda.of_world(world, shape)
    if found.bias.max() <= 1e-12 * found.squared_length:
        least = found.best_lambda(error, 1)
        return f"This error biases no λ here: the best λ is {fixed(least)}, whatever N."
    line = np.array([found.best_lambda(error, n) for n in trust.MANY])
    first, last = fixed(line[0]), fixed(line[-1])
    way = trust.course(line)
    exact = (
        f" With the exact V it is {fixed(found.best_lambda(0.0, 1))}, where the variance is least."
    )
    if way == "stays":
        return f"With ε = {error:g} the best λ is {first} for every N up to 10,000.{exact}"
    if way == "rises":
        return (
            f"With ε = {error:g} the best λ grows from {first} at N = 1 to {last} at N ="
            f" 10,000.{exact}"
        )
    return (
        f"With ε = {error:g} the best λ is {first} at N = 1 and {last} at N = 10,000, and between"
        f" {fixed(line.min())} and {fixed(line.max())}.{exact}"
    )
