"""A prediction: with three times as many episodes, which λ has the least error?"""

import numpy as np
import pandas as pd

from pgviz.charts import gae as charts
from pgviz.exact.n_steps import NSteps
from pgviz.figures import fixed, number
from pgviz.lessons.gae.settings import ERROR, ERROR_START
from pgviz.measure.n_steps import mixed_on_ladder, of_ladder
from pgviz.ui.controls import Number
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

FEW, MANY = 10, 30
GUESS = Number("guess", f"Best λ with {MANY} episodes (61 means 0.61)", 0, 100)
CONTROLS = (ERROR,)
BEATS = ({"error": 0.5}, {"error": 0.25}, {"error": 0.0})
NEAR = 8  # hundredths


def draw(screen: Screen) -> None:
    best = mixed_on_ladder().best_lambda(ERROR_START, FEW)
    screen.words(
        "On the ladder the critic predicts half of the exact value. The error of ĝ is bias² +"
        f" variance / N. With N = {FEW} episodes it is least at λ = {fixed(best)}: a smaller λ has"
        " more bias, a larger λ more variance."
    )
    guess = screen.predict(GUESS, verdict, start=round(100 * best))
    if guess is None:
        shown, error = curves((FEW,), bias=False), ERROR_START
        title = f"With {FEW} episodes: the error is least between the ends"
    else:
        shown = curves((FEW, MANY), bias=True)
        error = ERROR_START
    field = screen.live(ERROR, ERROR_START)
    if guess is not None:
        error = screen.control(ERROR, ERROR_START)
        title = (
            "More episodes leave the bias, so the best λ grows"
            if error
            else "Without bias the best λ stays where the variance is least"
        )
    marked = guess is not None and guess != ""
    screen.chart(
        charts.errors_along_lambda, field, ERROR.options.index(ERROR_START), ERROR.options, ink(),
        tables={
            "curves": shown,
            "guess": pd.DataFrame(
                {"gae_lambda": [guess / 100], "text": ["your guess"]}
                if marked
                else {"gae_lambda": [], "text": []}
            ),
        },
        title=title,
        note="exact · dashed: bias², which no number of episodes divides"
        if guess is not None
        else "exact",
    )  # fmt: skip
    if guess is None:
        single = float(of_ladder().mean_squared_error(ERROR_START, FEW).min())
        screen.says(
            f"With {FEW} episodes the least error is {number(least(ERROR_START, FEW))}; the best"
            f" single n has {number(single)}."
        )
        return
    screen.says(sentence(error))
    screen.code(NSteps.mixed, NSteps.mean_squared_error)
    screen.command(
        "python -m pgviz moments ladder --estimator gae --gae-lambda"
        f" {mixed_on_ladder().best_lambda(error, MANY):g} --values true"
        f" --values-scale {1 - error:g} --json"
    )


def curves(numbers: tuple[int, ...], bias: bool) -> pd.DataFrame:
    """Parts of the error along λ: gae_lambda, label, share, bias, c0, c1, c2."""
    found = mixed_on_ladder()
    base = pd.DataFrame(found.trace, columns=["c0", "c1", "c2"]).assign(
        gae_lambda=np.round(found.lambdas, 2), bias=found.bias
    )
    tables = [base.assign(label=f"N = {n}", share=1 / n) for n in numbers]
    if bias:
        tables.append(base.assign(label="bias²", share=0.0))
    return pd.concat(tables)


def least(error: float, num: int) -> float:
    """The error at the best λ."""
    return float(mixed_on_ladder().mean_squared_error(error, num).min())


def verdict(guess: float | None) -> tuple[bool, str]:
    """Right within 8 hundredths."""
    few, many = (mixed_on_ladder().best_lambda(ERROR_START, n) for n in (FEW, MANY))
    near = guess is not None and abs(guess - 100 * many) <= NEAR
    return near, (
        f"It goes from {fixed(few)} to {fixed(many)}: three times the episodes, a third of the"
        " variance, the same bias."
    )


def sentence(error: float) -> str:
    """Where the least error stands with few and with many episodes, for this critic."""
    found = mixed_on_ladder()
    few, many = (found.best_lambda(error, n) for n in (FEW, MANY))
    if error == 0:
        return (
            f"With the exact V no λ is biased. More episodes do not move the best λ, {fixed(few)}:"
            " it is where the variance is least."
        )
    better = found.best_lambda(ERROR_START, MANY)
    beside = (
        f" With ε = {ERROR_START:g} it is {fixed(better)}: a better critic allows a smaller λ."
        if error < ERROR_START
        else ""
    )
    moved = "stays at" if few == many else f"goes from {fixed(few)} to"
    return (
        f"With ε = {error:g} the best λ {moved} {fixed(many)} with {MANY} episodes; the least"
        f" error falls from {number(least(error, FEW))} to {number(least(error, MANY))}.{beside}"
    )
