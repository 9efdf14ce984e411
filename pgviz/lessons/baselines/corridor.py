"""A counterexample: in the corridor one constant leaves less noise than the exact value."""

import numpy as np

from pgviz.exact.values import state_values
from pgviz.figures import number
from pgviz.lessons.baselines import parabolas, worlds
from pgviz.lessons.baselines.parabolas import Bench
from pgviz.measure import noise
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen
from pgviz.worlds.named import short_corridor

SLIDERS = tuple(
    Choice(f"corridor-b{s}", f"b in room {s + 1}", tuple(range(-26, 5))) for s in range(3)
)
CONTROLS = SLIDERS
VALUES = tuple(float(x) for x in state_values(short_corridor()))
CONSTANT = (VALUES[0],) * 3
BENCH = Bench(
    "short-corridor",
    SLIDERS,
    (-12, -10, -6),
    2100.0,
    (("none", "without b"), ("value", "the exact V"), ("state", "best b(s)")),
    ("room 1", "room 2", "room 3"),
    ("the constant −12", CONSTANT),
)
BEATS = (
    {"corridor-b0": -12, "corridor-b1": -10, "corridor-b2": -6},
    {"corridor-b0": -12, "corridor-b1": -12, "corridor-b2": -12},
)


def draw(screen: Screen) -> None:
    screen.words(
        "A counterexample. In the corridor, with π = (½, ½), the exact V(s) is −12, −10, −6. One"
        " constant, −12, leaves less noise. ĝ is a sum over steps. Here V makes the noise of each"
        " term least, but not that of their sum: terms of different steps are correlated."
    )
    best = tuple(float(x) for x in BENCH.exact.best)
    values = parabolas.draw(
        screen, BENCH,
        (("Set b = V", VALUES), ("Set b = −12", CONSTANT), ("Set b = b*", best)),
        "One parabola per room; the constant leaves less than V",
    )  # fmt: skip
    screen.says(sentence(values))
    worlds.card(screen, "short-corridor")


def sentence(values: tuple[float, ...]) -> str:
    """The noise under these b(s), beside that of V, of a constant and of the best."""
    exact = BENCH.exact
    left = exact.trace(np.asarray(values, float))
    none, with_v = (
        noise.by_hand("short-corridor").landmarks[key].covariance_trace for key in ("none", "value")
    )
    constant = exact.trace(np.asarray(CONSTANT))
    begin = f"The noise is {number(left)} in place of {number(none)}"
    if left > none:
        begin = f"The noise is {number(left)}, more than the {number(none)} without b"
    best = ", ".join(number(float(x)) for x in exact.best)
    return (
        f"{begin}. V leaves {number(with_v)}; the constant −12 leaves {number(constant)}; the best"
        f" b(s), {best}, leave {number(exact.lowest)}."
    )
