"""Gradient steps in the corridor: a fresh batch for each of them, or the first one again and again."""

import pandas as pd

from pgviz.charts import ppo as charts
from pgviz.exact.surrogate import without_ratio
from pgviz.figures import fixed, signed
from pgviz.lessons.baselines import worlds
from pgviz.measure import proximal
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

MOST = 20
STEPS = Choice("reused", "Gradient steps", tuple(range(MOST + 1)))
CONTROLS = (STEPS,)
BEATS = ({"reused": 1}, {"reused": 5}, {"reused": 20})


def draw(screen: Screen) -> None:
    screen.words(
        "A batch costs episodes, and so far it served one gradient step. Why not twenty? After the"
        " first step the policy is another one, and the batch is old. In the corridor, from"
        " P(right) = ½: every step follows the mean of ĝ, once from a fresh batch each time, once"
        " from the first batch alone."
    )
    steps = int(screen.control(STEPS, MOST))
    path = proximal.climbed(num_steps=MOST)
    shown = path[path["step"] <= steps]
    screen.chart(
        charts.climbing, MOST, ink(),
        tables={"path": shown, "ends": shown[shown["step"] == steps].assign(label=names)},
        title="The old batch does not know when to stop" if steps > 5 else "The first steps agree",
        note="exact means, short corridor · dotted: the best possible J",
    )  # fmt: skip
    screen.says(sentence(shown, steps))
    screen.numbers(path.round(4))
    screen.code(without_ratio)
    worlds.card(screen, "short-corridor")


def names(ends: pd.DataFrame) -> pd.Series:
    """What each line is."""
    return ends["kind"].map({proximal.FRESH: "fresh batches", proximal.STALE: "one batch"})


def sentence(shown: pd.DataFrame, steps: int) -> str:
    """Where both stand after so many steps."""
    at = shown[shown["step"] == steps].set_index("kind").to_dict("index")
    fresh, stale = at[proximal.FRESH], at[proximal.STALE]
    if steps == 0:
        return f"Both begin at P(right) = {fixed(fresh['p'])} with J = {fixed(fresh['objective'])}."
    begun = proximal.truth(proximal.OLD_CORRIDOR)
    worse = " That is worse than at the start." if stale["objective"] < begun else ""
    return (
        f"After {steps} steps: fresh batches P(right) = {fixed(fresh['p'])}, J ="
        f" {fixed(fresh['objective'])}; one batch P(right) = {fixed(stale['p'])}, J ="
        f" {fixed(stale['objective'])}.{worse} The old batch still says that the slope is"
        f" {signed(stale['slope'])}; there it is {signed(proximal.true_slope(stale['p']))}."
    )
