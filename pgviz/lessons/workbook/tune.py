"""Choose λ for a critic whose error is known, and score the choice against the exact optimum."""

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import workbook as charts
from pgviz.exact.trust import Tradeoff
from pgviz.figures import number
from pgviz.lessons.workbook import drawn
from pgviz.lessons.workbook.drill import facts
from pgviz.measure.best_lambda import of_world
from pgviz.ui import progress, walk
from pgviz.ui.controls import Choice
from pgviz.ui.guard import guarded
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

SHAPES = {"too small": "is too small by", "one number": "is moved towards one number by"}
NUMBERS = (1, 3, 10, 30, 100, 300)
ERRORS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
LAMBDA = Choice("tuned", "λ", tuple(round(k / 20, 2) for k in range(21)))
CONTROLS = (drawn.NUMBER, LAMBDA)
GOOD = 1.1  # times the least error


def draw(screen: Screen) -> None:
    at = drawn.number(screen)
    shape, error, num_episodes = task(at)
    screen.words(
        f"The ladder again. An update averages {num_episodes} episodes, and the critic"
        f" {SHAPES[shape]} {error:.0%} of V. Which λ makes the error of ĝ least? With few episodes noise"
        " counts, with many bias."
    )
    chosen: float = screen.control(LAMBDA, 0.5)
    found = of_world("ladder", shape)
    errors = found.mean_squared_error(error, num_episodes)
    best = found.best_lambda(error, num_episodes)
    key = f"tune.{at}"
    with screen.beside_controls():
        st.button(
            "Score it",
            key="workbook.tune.score",
            type="primary",
            on_click=guarded(_score),
            args=(key, chosen, times(found, error, num_episodes, chosen)),
        )
    tries: list[tuple[float, float]] = st.session_state.get(key, [])
    if tries:
        marks = [("best", best)] + [("yours", lam) for lam, _ in tries]
        screen.chart(
            charts.chosen, ink(),
            tables={
                "curve": pd.DataFrame({"gae_lambda": found.lambdas, "error": errors}),
                "marks": pd.DataFrame(
                    [
                        {
                            "gae_lambda": lam,
                            "error": float(np.interp(lam, found.lambdas, errors)),
                            "kind": kind,
                            "label": f"{kind}: {lam:g}",
                        }
                        for kind, lam in marks
                    ]
                ),
            },
            title=f"The least error lies at λ = {best:g}",
            note="exact, ladder · log axis",
        )  # fmt: skip
        screen.says(
            f"λ = {tries[-1][0]:g} has {number(tries[-1][1], 3)} times the least error. Within"
            f" {GOOD:g} counts as tuned."
        )
    else:
        facts(
            screen,
            [
                ("episodes in an update", f"{num_episodes}"),
                (f"the critic {SHAPES[shape]}", f"{error:.0%}"),
                ("your λ", f"{chosen:g}"),
            ],
        )
        screen.says("The error over λ stands here once you have chosen.")
    with screen.beside_controls():
        walk.open_button("The same on CartPole, within a budget", ("gae", "tune"))
    screen.code(Tradeoff.mean_squared_error, Tradeoff.best_lambda)


def task(at: int) -> tuple[str, float, int]:
    """Shape and size of the critic's error, and the number of episodes."""
    rng = np.random.default_rng(at)
    return (
        str(rng.choice(list(SHAPES))),
        float(rng.choice(ERRORS)),
        int(rng.choice(NUMBERS)),
    )


def times(found: Tradeoff, error: float, num_episodes: int, chosen: float) -> float:
    """The error at this λ, divided by the least one."""
    errors = found.mean_squared_error(error, num_episodes)
    return float(np.interp(chosen, found.lambdas, errors) / errors.min())


def _score(key: str, chosen: float, ratio: float) -> None:
    tries = st.session_state.setdefault(key, [])
    tries.append((chosen, ratio))
    if len(tries) == 1:  # only a choice made before looking counts
        before = progress.of("workbook", "tune").get("answered", [])
        progress.note("workbook", "tune", answered=[*before, ratio <= GOOD][-20:])
