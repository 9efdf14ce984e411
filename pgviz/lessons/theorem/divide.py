"""The repair: divide ∇P by how often it was sampled, and ∇ log P appears."""

import numpy as np
import pandas as pd

from pgviz.charts.theorem import divided_bars
from pgviz.figures import fixed, number, signed
from pgviz.in_memory import in_memory
from pgviz.lessons.theorem.policy import THETA
from pgviz.measure import two_arms
from pgviz.ui import world
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (THETA,)
BEATS = ({"theta": -2.0}, {"theta": 2.0})


def draw(screen: Screen) -> None:
    screen.words(
        "Sampling draws an arm with probability P, so on average its R ∇P is weighted by P. In ∇J"
        " it counts once. So divide by P: the average of R ∇P / P is ∇J. The slope of log x is"
        " 1/x, so $\\nabla P / P = \\nabla\\log P$, the **log-derivative**: the log is a short"
        " way to write this division."
    )
    start = -0.4
    field = screen.live(THETA, start)
    theta: float = screen.control(THETA, start)
    screen.chart(
        divided_bars, field, THETA.options.index(start), ink(),
        tables={"bars": bars(), "zero": pd.DataFrame({"size": [0.0]})},
        title="The rarer arm is divided by less, so it counts more",
        note="grey: ∇P · blue: ∇P / P",
    )  # fmt: skip
    screen.says(sentence(theta))
    screen.code(two_arms.terms)
    world.fold(screen, world.Shown("two-arms"))


@in_memory
def bars() -> pd.DataFrame:
    """∇P and ∇P / P of each arm, with the division written out."""
    rows = []
    for row in two_arms.terms(THETA.options).to_dict("records"):
        slope, p = row["slope"], row["probability"]
        rows.append((row["at"], row["arm"], "∇P", slope, fixed(slope)))
        said = f"{fixed(slope)} / {fixed(p)} = {fixed(row['divided'])}"
        rows.append((row["at"], row["arm"], "∇P / P", row["divided"], said))
    return pd.DataFrame(rows, columns=["at", "arm", "quantity", "size", "label"])


def sentence(theta: float) -> str:
    """The ratio of the rarer arm, and the slope of its log P as measured."""
    p = two_arms.probabilities(theta)
    arm = int(p.argmin())
    step = 1e-4
    log = np.log(two_arms.probabilities(np.array([theta - step, theta + step]))[:, arm])
    measured = float(log[1] - log[0]) / (2 * step)
    ratio = float(two_arms.slopes(theta)[arm] / p[arm])
    rarer = (
        "The rarer arm is" if abs(p[0] - p[1]) > 1e-9 else "Both arms are equally likely; here is"
    )
    return (
        f"{rarer} arm {arm + 1}: at θ = {number(theta)} its ratio is {signed(ratio)}, and the"
        f" slope of its log P, measured, is {signed(measured)}."
    )
