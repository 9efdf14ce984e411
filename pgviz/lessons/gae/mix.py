"""GAE is the mean of all n-step advantages, with weights that shrink like λ^n."""

from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.charts import gae as charts
from pgviz.exact.n_steps import mixture_weights
from pgviz.figures import fixed, number, plural, signed
from pgviz.in_memory import in_memory
from pgviz.lessons.gae.n_steps import raised
from pgviz.lessons.gae.settings import (
    EPISODES,
    ERROR_START,
    HUNDREDTHS,
    LAMBDA,
    LAMBDA_START,
)
from pgviz.measure.n_steps import mixed_on_ladder, mixture, of_ladder, recorded
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (LAMBDA,)
BEATS = ({"lam": 0.0}, {"lam": 0.6}, {"lam": 1.0})


def draw(screen: Screen) -> None:
    num = EPISODES.options[0]
    single, best, mixed = least_errors(num)
    screen.words(
        "Which n? A mean of all can beat the best one: on the ladder"
        f" ({plural(num, 'episode')}, ε = {ERROR_START:g}) its error is {number(mixed)}, with n ="
        f" {best} it is {number(single)}. **GAE**, generalised advantage estimation, is this mean:"
        " $\\hat A = (1-\\lambda) \\sum_{n<T} \\lambda^{n-1} \\hat A^{(n)} +"
        " \\lambda^{T-1} \\hat A^{(T)}$, with T steps to the end. The larger λ, the more weight large"
        " n has."
    )
    field = screen.live(LAMBDA, LAMBDA_START)
    lam: float = screen.control(LAMBDA, LAMBDA_START)
    screen.chart(
        charts.weights, field, HUNDREDTHS.index(LAMBDA_START), recorded().num_steps, ink(),
        tables={"steps": steps()},
        title="The weights sum to 1; a larger λ moves them to large n",
        note="Â⁽ⁿ⁾ of step 0 in the recorded episode · n = 6 has the rest of the weight · drag λ",
    )  # fmt: skip
    screen.says(sentence(lam))
    screen.numbers(steps()[["n", "advantage"]].assign(weight=mixture(lam)))
    screen.code(mixture_weights)


@lru_cache(1)
def least_errors(num: int) -> tuple[float, int, float]:
    """With num episodes: the error of the best n, this n, and the error of the best mixture."""
    single = of_ladder().mean_squared_error(ERROR_START, num)
    mixed = mixed_on_ladder().mean_squared_error(ERROR_START, num)
    return float(single.min()), int(single.argmin()) + 1, float(mixed.min())


@in_memory
def steps() -> pd.DataFrame:
    """Every n with its advantage at step 0 of the recorded episode: n, advantage, label."""
    ahead = recorded().advantages()[:, 0]
    return pd.DataFrame(
        [
            {"n": n, "advantage": a, "label": f"{n}|Â{raised(n)} = {fixed(a)}"}
            for n, a in enumerate(ahead, 1)
        ]
    )


def sentence(lam: float) -> str:
    """The mean n, and the mean of the advantages."""
    weights, ahead = mixture(lam), recorded().advantages()[:, 0]
    mean_n = float(weights @ np.arange(1, len(weights) + 1))
    estimate = signed(float(weights @ ahead))
    if lam in (0, 1):
        only = 1 if lam == 0 else len(weights)
        return f"At λ = {lam:g} all the weight is on n = {only}: Â = Â{raised(only)} = {estimate}."
    return (
        f"At λ = {lam:g}, n is {number(mean_n, 2)} on average, and n = 1 has the weight"
        f" {fixed(float(weights[0]))}. The weighted mean of the six advantages is Â = {estimate}."
    )
