"""A loss made so that its derivative is −ĝ: what autograd is given."""

import numpy as np
import pandas as pd

from pgviz.charts import reinforce as charts
from pgviz.exact import surrogate_loss
from pgviz.figures import fixed, signed
from pgviz.in_memory import in_memory
from pgviz.training import gradient
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

FIRST = Choice("first", "Episodes in which arm 1 was chosen, of 10", tuple(range(11)))
CONTROLS = (FIRST,)
BEATS = ({"first": 6}, {"first": 9}, {"first": 1})
START = 6
PAYS = surrogate_loss.PAYS
CHOSEN = 1 / (1 + np.exp(-surrogate_loss.PRESENT))  # π(arm 1) at the present θ


def draw(screen: Screen) -> None:
    screen.words(
        "Libraries differentiate a loss by themselves: **autograd**. Give them\n\n"
        r"$\displaystyle L(\theta) = -\frac1N \sum_{\text{episodes}} \sum_t G_t\,\log"
        r"\pi_\theta(a_t|s_t)$"
        "\n\nwhere $a_t$ and $G_t$ are fixed numbers of the batch. Its slope at the present θ is"
        " −ĝ. Such an $L$ is a **surrogate loss**: made for its slope at one point. Here: two arms"
        f" that pay {PAYS[0]:g} and {PAYS[1]:g}, chosen with probability {CHOSEN:.1f} and {1 - CHOSEN:.1f}."
    )
    field = screen.live(FIRST, START)
    first = int(screen.control(FIRST, START))
    tables = _tables()
    screen.chart(
        charts.surrogate,
        field,
        START,
        ink(),
        f"present θ = {signed(surrogate_loss.PRESENT)}",
        tables=tables,
        title="The slope of the loss at the present θ is −ĝ",
        note="a batch of 10 episodes; θ: log-odds of arm 1; dashed: the tangent",
        says="The surrogate loss along θ and its tangent at the present θ.",
    )
    screen.says(in_words(first))
    screen.numbers(numbers())
    screen.code(surrogate_loss.by_autograd, surrogate_loss.estimate, gradient.policy_gradient)


def in_words(first: int) -> str:
    """ĝ by its formula and by autograd."""
    by_hand = surrogate_loss.estimate(first, 10 - first)
    value, slope = surrogate_loss.by_autograd(first, 10 - first)
    same = "the same, with the other sign" if abs(slope + by_hand) < 1e-12 else "not the same"
    terms = (
        f"({first} · {PAYS[0]:g} · {1 - CHOSEN:.1f} − {10 - first} · {PAYS[1]:g} · {CHOSEN:.1f})"
    )
    return (
        f"Weights times scores: ĝ = {terms} / 10 = {signed(by_hand, 3)}. Autograd"
        f" differentiates the loss and gives {signed(slope, 3)}: {same}. The loss,"
        f" {fixed(value)}, is not used."
    )


@in_memory
def _tables() -> dict[str, pd.DataFrame]:
    thetas = np.linspace(-3, 3, 61)
    here = surrogate_loss.PRESENT
    losses, tangents, points = [], [], []
    for first in FIRST.options:
        curve = surrogate_loss.loss(first, 10 - first, thetas)
        losses += [(first, t, y) for t, y in zip(thetas, curve, strict=True)]
        value, slope = surrogate_loss.by_autograd(first, 10 - first)
        tangents += [(first, here + d, value + slope * d) for d in (-1.3, 1.3)]
        points.append((first, here, value, f"slope {signed(slope, 3)}"))
    columns = ["at", "theta", "loss"]
    return {
        "losses": pd.DataFrame(losses, columns=columns),
        "tangents": pd.DataFrame(tangents, columns=columns),
        "here": pd.DataFrame(points, columns=[*columns, "label"]),
    }


@in_memory
def numbers() -> pd.DataFrame:
    """Every batch: ĝ by its formula, and the value and slope of its loss."""
    rows = []
    for first in FIRST.options:
        value, slope = surrogate_loss.by_autograd(first, 10 - first)
        rows.append((first, 10 - first, surrogate_loss.estimate(first, 10 - first), slope, value))
    return pd.DataFrame(rows, columns=["arm 1", "arm 2", "ĝ", "slope of L", "L"]).round(6)
