"""The score: the chosen arm's θ up, the others' down, and zero on average."""

from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.charts.theorem import moved_policy, score_bars
from pgviz.figures import fixed, signed
from pgviz.in_memory import in_memory
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import bandit_a
from pgviz.worlds.tabular import Floats

ALL = "all, on average"
CHOSEN = Choice("chosen", "Chosen", ("arm 1", "arm 2", "arm 3", ALL))
STEP = Choice("step-size", "Step along the score", tuple(round(0.1 * k, 1) for k in range(31)))
CONTROLS = (CHOSEN, STEP)
BEATS = ({"chosen": "arm 1"}, {"chosen": ALL})


def draw(screen: Screen) -> None:
    screen.words(
        "Give each arm b of three its own $\\theta_b$. The change of θ that makes a chosen arm a"
        " more likely is its **score** ∇ log π(a). For a softmax, its part along $\\theta_b$ is"
        " $\\mathbb{1}[a=b] - \\pi(b),$ where $\\mathbb{1}[a=b]$ is 1 for the chosen arm, else 0."
        " Averaged over π, the scores are zero."
    )
    name: str = screen.control(CHOSEN, "arm 3")
    start = 1.0
    field = screen.live(STEP, start)
    step: float = screen.control(STEP, start)
    score = scores()[CHOSEN.options.index(name)]
    arms = list(CHOSEN.options[:3])
    screen.chart(
        score_bars, ink(),
        tables={
            "scores": pd.DataFrame(
                {
                    "arm": arms,
                    "size": score,
                    "label": [signed(x) for x in score],
                    "chosen": [arm == name for arm in arms],
                }
            ),
            "zero": pd.DataFrame({"size": [0.0]}),
        },
        title="On average the scores cancel" if name == ALL else f"The score of {name}",
        note="" if name == ALL else "blue: the chosen arm's θ · grey: the others'",
        height=round(0.36 * screen.height),
    )  # fmt: skip
    screen.chart(
        moved_policy, field, STEP.options.index(start), ink(),
        tables={"policies": moved(CHOSEN.options.index(name))},
        title="π after the step",
        note="bar: after it · line: before it",
        height=round(0.36 * screen.height),
    )  # fmt: skip
    screen.says(sentence(name, step))
    screen.code(scores)
    world.fold(screen, world.Shown("bandit-a"))


@lru_cache(1)
def scores() -> Floats:
    """∇ log π(a) of every arm, and their average over π: [4, 3]."""
    policy = bandit_a().policy[0]
    each = np.eye(3) - policy
    return np.vstack([each, policy @ each])


@in_memory
def moved(which: int) -> pd.DataFrame:
    """π before and after a step along one of the scores, at every position of the slider."""
    here = bandit_a()
    before = here.policy[0]
    rows = []
    for at, step in enumerate(STEP.options):
        after = here.at(here.theta + step * scores()[which]).policy[0]
        rows += [
            {"at": at, "arm": f"arm {b + 1}", "before": before[b], "after": after[b]}
            for b in range(3)
        ]
    return pd.DataFrame(rows)


def sentence(name: str, step: float) -> str:
    """How the step moves π."""
    policy = bandit_a().policy[0]
    if name == ALL:
        each = scores()
        parts = " ".join(
            f"{'' if a == 0 else '+ ' if each[a, 0] >= 0 else '− '}{fixed(policy[a])} ·"
            f" {fixed(abs(each[a, 0]) if a else each[a, 0])}"
            for a in range(3)
        )
        total = fixed(float(each[3, 0]), 4)
        return f"Along $\\theta_1$: {parts} = {total}. So π does not move, however long the step."
    arm = CHOSEN.options.index(name)
    table = moved(arm)
    after = table[table["at"] == STEP.options.index(step)]["after"].to_numpy()
    words = (
        f"A step of {fixed(step, 1)} along the score of {name} moves its probability from"
        f" {fixed(float(policy[arm]))} to {fixed(float(after[arm]))}."
    )
    risen = [b for b in range(3) if b != arm and after[b] > policy[b] + 1e-12]
    for b in risen:  # at most one: the chosen arm gains what the others lose together
        (last,) = {0, 1, 2} - {arm, b}
        words += (
            f" Arm {b + 1} rises too, from {fixed(float(policy[b]), 3)} to"
            f" {fixed(float(after[b]), 3)}: its θ goes down, but arm {last + 1}'s by more."
        )
    return words
