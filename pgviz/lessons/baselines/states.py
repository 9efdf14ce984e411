"""One b for every state of the ladder: each has a parabola of its own, and V depends on the time."""

import numpy as np

from pgviz.exact.values import state_values
from pgviz.figures import fixed, number
from pgviz.lessons.baselines import parabolas, worlds
from pgviz.lessons.baselines.parabolas import Bench
from pgviz.measure import noise
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen
from pgviz.worlds.named import ladder

SLIDERS = tuple(
    Choice(f"ladder-b{s}", f"b on rung {s}", tuple(round(-1 + 0.1 * k, 1) for k in range(61)))
    for s in range(3)
)
CONTROLS = SLIDERS
FIRST = tuple(float(x) for x in state_values(ladder())[0])  # V with all steps left
BENCH = Bench(
    "ladder",
    SLIDERS,
    (0.7, 1.0, 1.6),
    16.0,
    (("none", "without b"), ("state", "best b(s)"), ("value", "V(s, steps left)")),
    ("rung 0", "rung 1", "rung 2"),
    ("V of step 0, always", FIRST),
)
BEATS = (
    {"ladder-b0": 0.0, "ladder-b1": 0.0, "ladder-b2": 0.0},
    {"ladder-b0": 1.7, "ladder-b1": 3.0, "ladder-b2": 4.1},
)


def draw(screen: Screen) -> None:
    screen.words(
        "Give each state its own b(s). The noise has one parabola per state, lowest at b\\*(s),"
        " whatever the other two b are. On the ladder V depends on the steps left, too. So V of step"
        " 0, subtracted at every step, is worse than no b; V of each step is better than any three"
        " numbers."
    )
    best = tuple(float(x) for x in BENCH.exact.best)
    values = parabolas.draw(
        screen, BENCH, (("Set b = V at step 0", FIRST), ("Set b = b*", best)),
        "One parabola per rung; V of step 0, used at all steps, adds noise",
    )  # fmt: skip
    screen.says(sentence(values))
    worlds.card(screen, "ladder")


def sentence(values: tuple[float, ...]) -> str:
    """The noise under these b(s), and why V of the first step does harm."""
    found = noise.by_hand("ladder").landmarks
    none, timed = (found[key].covariance_trace for key in ("none", "value"))
    left = BENCH.exact.trace(np.asarray(values))
    begin = f"The noise is {fixed(left)}"
    if values == BENCH.nearest(FIRST):
        last = ", ".join(number(float(x)) for x in state_values(ladder())[-1])
        return (
            f"{begin}, more than the {fixed(none)} without b: this is V with six steps left, rounded. With one"
            f" left V is {last}. V of each step leaves {fixed(timed)}."
        )
    if left > none:
        return f"{begin}, more than the {fixed(none)} without b."
    return (
        f"{begin} in place of {fixed(none)}. The best three numbers leave {fixed(BENCH.exact.lowest)};"
        f" V(s, steps left) leaves {fixed(timed)}."
    )
