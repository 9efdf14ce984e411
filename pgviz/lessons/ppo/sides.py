"""One term of the surrogate over the ratio: which side the clip takes, for each sign of A."""

import numpy as np
import pandas as pd
import torch

from pgviz.charts import ppo as charts
from pgviz.figures import signed
from pgviz.in_memory import in_memory
from pgviz.training.updates import clipped_surrogate
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

RATIO = Choice("ratio", "Ratio ρ of a step", tuple(round(k / 10, 1) for k in range(1, 20)))
EPSILON = Choice("sides-clip", "ε", (0.1, 0.2, 0.3, 0.5))
CONTROLS = (RATIO, EPSILON)
BEATS = ({"ratio": 1.0}, {"ratio": 1.5}, {"ratio": 0.5})
SIGNS = {"A = 1": 1.0, "A = −1": -1.0}


def draw(screen: Screen) -> None:
    screen.words(
        "One step's term over its ρ. Where A > 0 the line goes flat above 1 + ε: no gradient is left"
        " to make a good action even more likely. Where A < 0 it goes flat below 1 − ε. On the other"
        " two sides the slope stays: a step that went the wrong way is pulled back."
    )
    ratio: float = screen.control(RATIO, 1.5)
    epsilon: float = screen.control(EPSILON, 0.2)
    here = pd.DataFrame(
        [
            {"sign": sign, "ratio": ratio, "clipped": term(ratio, a, epsilon)[0]}
            for sign, a in SIGNS.items()
        ]
    )
    screen.chart(
        charts.sides, epsilon, ink(),
        tables={"terms": terms(epsilon), "here": here, "labels": labels(epsilon)},
        title="The clip takes one side for each sign of A",
        note="thick: min(ρA, clip(ρ)A) · dashed: ρA · shaded: ρ within 1 ± ε",
        says="The clipped term against the ratio, for a positive and a negative advantage.",
    )  # fmt: skip
    screen.says(sentence(ratio, epsilon))
    screen.numbers(terms(epsilon).round(3))
    screen.code(clipped_surrogate)


def term(ratio: float, advantage: float, epsilon: float) -> tuple[float, float]:
    """min(ρA, clip(ρ)A) and its slope by ρ, from the code that trains."""
    rho = torch.tensor([ratio], dtype=torch.float64, requires_grad=True)
    value = clipped_surrogate(rho, torch.tensor([advantage], dtype=torch.float64), epsilon)
    return float(value.detach()), float(torch.autograd.grad(value.sum(), rho)[0])


@in_memory
def terms(epsilon: float) -> pd.DataFrame:
    """sign, ratio, clipped, unclipped; corners are among the ratios."""
    grid = np.unique(np.round([*np.linspace(0, 2, 41), 1 - epsilon, 1 + epsilon], 6))
    rows = [
        {"sign": sign, "ratio": x, "clipped": term(x, a, epsilon)[0], "unclipped": a * x}
        for sign, a in SIGNS.items()
        for x in grid
    ]
    return pd.DataFrame(rows)


def labels(epsilon: float) -> pd.DataFrame:
    """The names of the two lines, beside their flat parts."""
    rows = [("A = 1", 1.55, 1 + epsilon + 0.18), ("A = −1", 0.05, epsilon - 1 - 0.2)]
    return pd.DataFrame([{"sign": s, "ratio": x, "clipped": y, "label": s} for s, x, y in rows])


def sentence(ratio: float, epsilon: float) -> str:
    """The two slopes at this ratio."""
    slopes = [signed(term(ratio, a, epsilon)[1], 0) for a in SIGNS.values()]
    return (
        f"At ρ = {ratio:g} the slope by ρ is {slopes[0]} where A = 1 and {slopes[1]} where A = −1."
        f" The clip is at {1 - epsilon:g} and {1 + epsilon:g}."
    )
