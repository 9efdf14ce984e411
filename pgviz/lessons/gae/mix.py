"""GAE is the mean of all n-step advantages, with weights that shrink like λ^n."""

from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.charts import gae as charts
from pgviz.exact.n_steps import mixture_weights
from pgviz.figures import fixed, number, signed
from pgviz.lessons.gae.n_steps import raised
from pgviz.lessons.gae.settings import HUNDREDTHS, LAMBDA, LAMBDA_START
from pgviz.measure.n_steps import mixture, recorded
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (LAMBDA,)
BEATS = ({"lam": 0.0}, {"lam": 0.6}, {"lam": 1.0})


def draw(screen: Screen) -> None:
    screen.words(
        "Which n? Take all. **GAE**, generalised advantage estimation, is their weighted mean:"
        " $\\hat A = (1-\\lambda) \\sum_n \\lambda^{n-1} \\hat A^{(n)}$. The weights sum to 1."
        " Where the episode ends, the last n has the rest of the weight. One number λ between 0"
        " and 1 moves it from small n to large n."
    )
    field = screen.live(LAMBDA, LAMBDA_START)
    lam: float = screen.control(LAMBDA, LAMBDA_START)
    screen.chart(
        charts.weights, field, HUNDREDTHS.index(LAMBDA_START), recorded().num_steps, ink(),
        tables={"steps": steps()},
        title="The larger λ, the more weight on large n",
        note="the weight of each n; the last has the rest · drag λ",
    )  # fmt: skip
    screen.says(sentence(lam))
    screen.numbers(steps()[["n", "advantage"]].assign(weight=mixture(lam)))
    screen.code(mixture_weights)


@lru_cache(1)
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
        f" {fixed(float(weights[0]))}. The mean of the six advantages is Â = {estimate}."
    )
