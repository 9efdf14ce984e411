"""A policy gives probabilities; one number θ sets them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pgviz.charts.theorem import two_bars
from pgviz.figures import fixed, number
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import two_arms

THETA = Choice("theta", "θ", tuple(round(-3 + 0.1 * k, 1) for k in range(61)))
CONTROLS = (THETA,)
BEATS = ({"theta": -2.0}, {"theta": 2.0})


def draw(screen: Screen) -> None:
    screen.words(
        "A **policy** π gives each action its probability. The smallest world has two actions,"
        " called arms: choose one, and the episode is over. The **softmax** turns one number per"
        " arm into probabilities. Only their difference matters, so arm 2 gets the number 0:"
        " $\\pi(1) = e^\\theta / (e^\\theta + 1)$. One number θ sets both."
    )
    start = -0.4
    field = screen.live(THETA, start)
    theta: float = screen.control(THETA, start)
    screen.chart(
        two_bars, field, THETA.options.index(start), ink(),
        tables={"bars": probabilities(THETA.options)},
        title="The two probabilities sum to 1",
        note="drag θ",
    )  # fmt: skip
    p = float(two_arms().at(np.array([[theta, 0.0]])).policy[0, 0])
    screen.says(
        f"At θ = {number(theta)} arm 1 is chosen with probability {fixed(p)}, arm 2 with"
        f" {fixed(1 - p)}."
    )
    world.fold(screen, world.Shown("two-arms"))


def probabilities(thetas: Sequence[float]) -> pd.DataFrame:
    """π of both arms at every position of the slider."""
    policies = np.array([two_arms().at(np.array([[t, 0.0]])).policy[0] for t in thetas])
    return pd.DataFrame(
        [
            {"at": at, "arm": f"arm {arm + 1}", "probability": policies[at, arm]}
            for at in range(len(thetas))
            for arm in range(2)
        ]
    )
