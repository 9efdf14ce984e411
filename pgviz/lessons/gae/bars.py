"""bias² and variance of every n, exact: the sum is the error."""

import pandas as pd

from pgviz.charts import gae as charts
from pgviz.exact.n_steps import n_steps as exact_n_steps
from pgviz.figures import number
from pgviz.lessons.gae.settings import EPISODES, ERROR, ERROR_START
from pgviz.measure.n_steps import of_ladder, parts
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (EPISODES, ERROR)
BEATS = ({"episodes": 10}, {"episodes": 100}, {"error": 0.0})
TOP = 0.72


def draw(screen: Screen) -> None:
    screen.words(
        "The error of ĝ is bias² + variance / N. The critic predicts (1 − ε) V: ε = 0 is exact."
        " Small n uses few random rewards, but the critic's error is a bias. Large n adds more"
        " random rewards: on the ladder, more variance. More episodes N divide the variance; they"
        " leave the bias."
    )
    start = EPISODES.options[0]
    e_field, n_field = screen.live(ERROR, ERROR_START), screen.live(EPISODES, start)
    num: int = screen.control(EPISODES, start)
    error: float = screen.control(ERROR, ERROR_START)
    table = parts()
    screen.chart(
        charts.bars, e_field, n_field, ERROR.options.index(ERROR_START), 0,
        ERROR.options, EPISODES.options, TOP, ink(),
        tables={
            "parts": table,
            "key": pd.DataFrame(
                [
                    {"y": 0.94 * TOP, "text": "□ variance / N", "part": "variance"},
                    {"y": 0.86 * TOP, "text": "■ bias²", "part": "bias"},
                ]
            ),
        },
        title="Bias² shrinks with n, the variance grows"
        if error
        else "No bias; the variance grows with n",
        note="exact, over all episodes of the ladder",
    )  # fmt: skip
    screen.says(sentence(error, num))
    screen.numbers(
        pd.DataFrame(
            {
                "n": table["n"],
                "bias²": of_ladder().bias_squared(error),
                "variance of one episode": of_ladder().covariance_trace(error),
                "error": of_ladder().mean_squared_error(error, num),
            }
        )
    )
    screen.code(exact_n_steps)


def sentence(error: float, num: int) -> str:
    """Both ends, and where the sum is least."""
    found = of_ladder()
    bias, total = found.bias_squared(error), found.mean_squared_error(error, num)
    variance = found.covariance_trace(error) / num
    best = int(total.argmin()) + 1
    least = f"The least error, {number(total.min())}, is at n = {best}."
    if error == 0:
        return (
            f"With the exact V no n is biased. Only the variance counts: {number(variance[0])} at"
            f" n = 1, {number(variance[-1])} at n = {len(total)}. {least}"
        )
    return (
        f"At n = 1 bias² is {number(bias[0])} and variance / N {number(variance[0])}; at n ="
        f" {len(total)} they are {number(round(bias[-1], 12))} and {number(variance[-1])}. {least}"
    )
