"""A prediction: if sampled arms add R ∇P to θ, which arm wins?"""

import pandas as pd

from pgviz.charts.theorem import two_ascents
from pgviz.charts.worlds import two_arms as picture
from pgviz.figures import fixed, number, signed
from pgviz.in_memory import in_memory
from pgviz.measure import two_arms
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import two_arms as arms

START = Choice("begin", "θ at the start", tuple(round(-2 + 0.2 * k, 1) for k in range(21)))
CONTROLS = (START,)
BEATS = ({"begin": 0.0}, {"begin": -1.0})
ANSWERS = ("Arm 1, which pays 1", "Arm 2, which pays 0.8", "Neither: θ stays where it is")


def draw(screen: Screen) -> None:
    screen.words(
        "The episodes of a real world are too many to list: they can only be sampled. So try this:"
        " draw an arm from π, add its R ∇P to θ, and repeat. At the start, $\\pi = (0.4, 0.6)$. An"
        " arm wins if its probability grows towards 1."
    )
    guess = screen.predict(ANSWERS, verdict)
    if guess is None:
        screen.drawing(picture(arms()), height=300)
        screen.says(f"At the start J = {number(float(two_arms.objective(arms().theta[0, 0])))}.")
        world.fold(screen, world.Shown("two-arms"))
        return
    start = -0.4
    field = screen.live(START, start)
    begin: float = screen.control(START, start)
    marks = [("your answer: arm 1", 1.0)] if guess == ANSWERS[0] else []
    marks = [("your answer: arm 2", 0.0)] if guess == ANSWERS[1] else marks
    marks = [("your answer: stays", 0.4)] if guess == ANSWERS[2] else marks
    screen.chart(
        two_ascents, field, START.options.index(start), ink(), two_arms.NUM_STEPS,
        tables={
            "paths": paths(),
            "guess": pd.DataFrame(
                [{"step": 84, "probability": p, "label": text} for text, p in marks],
                columns=["step", "probability", "label"],
            ),
        },
        title="Sampled R ∇P: the arm with the larger P R wins",
        note="each step adds the exact mean over the draws: no luck in the curves",
    )  # fmt: skip
    screen.says(sentence(begin))
    screen.code(two_arms.gradient, two_arms.without_log, two_arms.ascents)
    world.fold(screen, world.Shown("two-arms"))


@in_memory
def paths() -> pd.DataFrame:
    """Both ascents from every position of the slider."""
    return two_arms.ascents(START.options)


def verdict(guess: str | None) -> tuple[bool, str]:
    """Arm 2 wins, although it pays less."""
    theta = float(arms().theta[0, 0])
    wrong, true = float(two_arms.without_log(theta)), float(two_arms.gradient(theta))
    return guess == ANSWERS[1], (
        f"Arm 2 wins. A draw adds {signed(wrong, 3)} on average, where ∇J = {signed(true, 3)}:"
        " sampling counts P, and ∇P counts it again."
    )


def sentence(begin: float) -> str:
    """Where both ascents end, and when the mistake cannot be seen."""
    table = paths()
    ends = table[
        (table["at"] == START.options.index(begin)) & (table["step"] == two_arms.NUM_STEPS)
    ]
    end = dict(zip(ends["update"], map(float, ends["probability"]), strict=True))
    wrong, kept = end[two_arms.DROPPED], end[two_arms.KEPT]
    first = float(two_arms.probabilities(begin)[0])
    words = (
        f"From P(arm 1) = {fixed(first)}, the slope of J leads to {fixed(kept)}; sampled R ∇P"
        f" leads to {fixed(wrong)}"
    )
    if wrong < first:
        return words + ", the arm that pays less."
    return words + ": from here both find arm 1, and the mistake hides."
