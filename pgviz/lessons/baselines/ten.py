"""A prediction: every reward is 10 more. What changes?"""

import numpy as np
import pandas as pd

from pgviz.charts import baselines as charts
from pgviz.charts.worlds import two_arms as picture
from pgviz.exact import arms
from pgviz.exact.values import objective
from pgviz.figures import fixed, number, percent, signed
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import two_arms

ADDED = Choice("added", "Added to every reward", tuple(k / 2 for k in range(21)))
CONTROLS = (ADDED,)
BEATS = ({"added": 0.0}, {"added": 2.0}, {"added": 10.0})
START = 10.0
ANSWERS = ("The centre of the estimates", "How far they scatter", "Both", "Neither")


def draw(screen: Screen) -> None:
    screen.words(
        "The two arms pay 1 and 0.8, and π = (0.4, 0.6). Now someone pays 10 more, whatever you"
        " choose. So J is 10 higher. Here ĝ is $R\\,\\nabla\\log\\pi(a)$ of one draw: there are only two"
        " estimates, one for each arm."
    )
    guess = screen.predict(ANSWERS, verdict)
    if guess is None:
        screen.drawing(picture(arms.paying_more(10.0)), height=300)
        before, after = (objective(arms.paying_more(c)) for c in (0.0, 10.0))
        screen.says(f"J goes from {fixed(before)} to {fixed(after)}.")
        worlds.card(screen, "two-arms")
        return
    field = screen.live(ADDED, START)
    added: float = screen.control(ADDED, START)
    screen.chart(
        charts.seesaw, field, ADDED.options.index(START), ink(), -6.2, 8.6, exact(),
        tables={
            **tables(),
            "truth": pd.DataFrame({"x": [exact()], "label": [f"∇J = {signed(exact(), 3)}"]}),
            "guess": pd.DataFrame(
                [{"x": exact(), "row": 0.5, "text": f"you: {guess[:1].lower()}{guess[1:]}"}]
                if guess
                else [],
                columns=["x", "row", "text"],
            ),
        },
        title="The two estimates move apart; their mean stays",
        note="area of a dot: how often this arm is drawn",
        says="The estimate of each arm before and after all rewards grow.",
    )  # fmt: skip
    screen.says(sentence(added))
    screen.numbers(numbers())
    screen.code(arms.estimates, arms.noise)
    worlds.card(screen, "two-arms")


def exact() -> float:
    """∂J/∂θ₁, whatever is added."""
    return arms.slope(two_arms())


@in_memory
def tables() -> dict[str, pd.DataFrame]:
    """Both rows: as before, which stays, and all rewards c more, at every position."""
    estimates, rows = [], []
    for at, added in [(-1, 0.0), *enumerate(ADDED.options)]:
        here = arms.paying_more(added)
        row = 1.0 if at < 0 else 0.0
        for arm, x in enumerate(arms.estimates(here)):
            estimates.append(
                {
                    "at": at,
                    "row": row,
                    "x": x,
                    "share": float(here.policy[0, arm]),
                    "label": f"arm {arm + 1}: {signed(x)}",
                    "up": arm == 0,
                }
            )
        name = "as before" if at < 0 else f"every reward {number(added)} more"
        rows.append(
            {
                "at": at,
                "row": row,
                "name": name,
                "noise": f"noise over both θ: {number(arms.noise(here))}",
            }
        )
    return {"estimates": pd.DataFrame(estimates), "rows": pd.DataFrame(rows)}


def verdict(guess: str | None) -> tuple[bool, str]:
    """The scatter alone."""
    before, after = (arms.noise(arms.paying_more(c)) for c in (0.0, 10.0))
    return guess == ANSWERS[1], (
        f"They scatter more: the noise goes from {number(before)} to {number(after)}. The centre"
        " stays: 10 times the score is zero on average."
    )


def sentence(added: float) -> str:
    """Both estimates, their mean and the noise."""
    here, plain = arms.paying_more(added), arms.paying_more(0.0)
    first, second = arms.estimates(here)
    chances = here.policy[0]
    mean = float(np.dot(chances, [first, second]))
    now = number(arms.noise(here))
    told = (
        f"the noise is {now}"
        if added == 0
        else f"the noise is {now} in place of {number(arms.noise(plain))}"
    )
    return (
        f"{percent(chances[0])} of {signed(first)} and {percent(chances[1])} of {signed(second)}:"
        f" the mean is {signed(mean, 3)}, whatever is added; {told}."
    )


def numbers() -> pd.DataFrame:
    """What is added, both estimates, their mean, and the noise."""
    rows = []
    for added in ADDED.options:
        here = arms.paying_more(added)
        first, second = arms.estimates(here)
        rows.append(
            {
                "added": added,
                "arm 1": first,
                "arm 2": second,
                "mean": float(np.dot(here.policy[0], [first, second])),
                "noise": arms.noise(here),
            }
        )
    return pd.DataFrame(rows).round(4)
