"""With few episodes a biased estimate can be closer to the gradient than an unbiased one."""

import numpy as np
import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.exact.trust import Tradeoff
from pgviz.figures import fixed, plural
from pgviz.lessons.actor_critic.uses import ERROR
from pgviz.proofs.two_uses import uses
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

NUM = Choice("episodes", "Episodes N", (1, 3, 10, 15, 18, 30, 100, 300, 1000))
CONTROLS = (NUM, ERROR)
BEATS = ({"episodes": 10}, {"episodes": 18}, {"episodes": 1000}, {"error": 0.1, "episodes": 100})
START, ERROR_START = 10, 0.5
LINE = tuple(sorted({*np.unique(np.geomspace(1, 1000, 40).round().astype(int)), *NUM.options}))


def draw(screen: Screen) -> None:
    screen.words(
        "bias² + variance / N is the **mean squared error** of ĝ: the mean squared distance from"
        " ∇J. More episodes N divide the variance, not the bias. On the ladder the critic predicts"
        " (1 − ε) V. Bootstrapped, ĝ is biased and has little variance; subtracted, it is unbiased"
        " and has much."
    )
    e_field, n_field = screen.live(ERROR, ERROR_START), screen.live(NUM, START)
    num: int = screen.control(NUM, START)
    error: float = screen.control(ERROR, ERROR_START)
    screen.chart(
        charts.closer, e_field, n_field, ERROR.options.index(ERROR_START),
        NUM.options.index(START), ERROR.options, NUM.options, ink(),
        tables={"parts": parts()},
        title=title(error),
        note="exact, over all episodes of the ladder; both axes logarithmic · drag N and ε",
    )  # fmt: skip
    screen.says(sentence(num, error))
    screen.numbers(numbers(error))
    screen.code(Tradeoff)
    screen.command(
        *(
            f"python -m pgviz moments ladder --estimator {name} --values true"
            f" --values-scale {1 - error:g} --json"
            for name in ("td", "reward-to-go")
        )
    )
    world.fold(screen, world.Shown("ladder"))


def parts() -> pd.DataFrame:
    """name, num, bias at ε = 1, and c₀, c₁, c₂ of the variance of one episode."""
    found = uses("ladder", "too small")
    rows = [
        {
            "name": name,
            "num": int(num),
            "bias": found.bias[at],
            **dict(zip(("c0", "c1", "c2"), found.trace[at], strict=True)),
        }
        for at, name in ((1, "baseline"), (0, "actor-critic"))
        for num in LINE
    ]
    return pd.DataFrame(rows)


def no_longer_closer(error: float) -> int | None:
    """The fewest episodes at which bootstrapping is not closer; None if it always is."""
    found = uses("ladder", "too small")
    bias = float(found.bias_squared(error)[0])
    gap = float(found.covariance_trace(error)[1] - found.covariance_trace(error)[0])
    return None if bias == 0 else max(1, int(np.ceil(gap / bias)))


def title(error: float) -> str:
    """What the lines do."""
    if error == 0:
        return "With the exact V bootstrapping is closer at every N"
    return "Few episodes: bootstrapping is closer. Many: subtracting"


def sentence(num: int, error: float) -> str:
    """Both errors at N, and from which N on the unbiased one is closer."""
    found = uses("ladder", "too small")
    lost, kept = (float(x) for x in found.mean_squared_error(error, num))
    both = (
        f"With {plural(num, 'episode')} the error is {fixed(lost, 3)} bootstrapped and"
        f" {fixed(kept, 3)} subtracted"
    )
    turn = no_longer_closer(error)
    if turn is None:
        return f"{both}. With ε = 0 there is no bias, and bootstrapping is closer at every N."
    closer = "the biased one is closer" if lost < kept else "the unbiased one is closer"
    return f"{both}: {closer}. From N = {turn:,} on, subtracting is closer."


def numbers(error: float) -> pd.DataFrame:
    """Both errors at every N of the slider."""
    found = uses("ladder", "too small")
    rows = [(n, *found.mean_squared_error(error, n)) for n in NUM.options]
    return pd.DataFrame(rows, columns=["N", "bootstrapped", "subtracted"]).round(4)
