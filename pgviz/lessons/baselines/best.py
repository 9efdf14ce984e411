"""The best number to subtract is not the value: two arms, where the noise can be taken away whole."""

from functools import lru_cache

import pandas as pd
import streamlit as st

from pgviz.charts import baselines as charts
from pgviz.exact import arms
from pgviz.exact.baselines import best_constant_baseline
from pgviz.exact.values import objective
from pgviz.figures import fixed, number, percent, signed
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.measure import noise
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds, two_arms

LOW, STEP = 0.8, 0.005
B = Choice("arms-b", "b", tuple(round(LOW + STEP * k, 3) for k in range(49)))
CONTROLS = (B,)
BEATS = ({"arms-b": 0.88}, {"arms-b": 0.92})
START = 0.92


def draw(screen: Screen) -> None:
    screen.words(
        "The two arms again. V = 0.88 is their average. But at b\\* = 0.92 both arms give the same"
        " ĝ: no noise is left. That is a special case: two arms, fixed rewards. b\\* weighs"
        " each reward with the squared length of its score,"
        r" $b^* = \mathbb{E}\|\nabla\log\pi\|^2 R\,/\,\mathbb{E}\|\nabla\log\pi\|^2$. V leaves little"
        " here, too."
    )
    field = screen.live(B, START)
    b: float = screen.control(B, START)
    at = B.options.index(START)
    exact = arms.slope(two_arms())
    screen.chart(
        charts.seesaw, field, at, ink(), -0.05, 0.16, exact,
        tables={
            **tables(),
            "truth": pd.DataFrame({"x": [exact], "label": [f"∇J = {signed(exact, 3)}"]}),
            "guess": pd.DataFrame(columns=["x", "row", "text"]),
        },
        title=r"At b\* both arms give the same estimate",
        note="area of a dot: how often this arm is drawn · drag b",
        says="The estimate of each arm under b and under the value.",
    )  # fmt: skip
    screen.says(sentence(b))
    screen.numbers(other_worlds())
    screen.code(arms.noise, best_constant_baseline)
    with screen.fold("Other worlds", ":material/public:"):
        elsewhere(screen)


def value() -> float:
    """V of the two arms."""
    return objective(two_arms())


@in_memory
def tables() -> dict[str, pd.DataFrame]:
    """Both rows: b = V, which stays, and b where the slider stands."""
    estimates, rows = [], []
    for at, b in [(-1, value()), *enumerate(B.options)]:
        row = 1.0 if at < 0 else 0.0
        for arm, x in enumerate(arms.estimates(two_arms(), b)):
            estimates.append(
                {
                    "at": at,
                    "row": row,
                    "x": x,
                    "share": float(two_arms().policy[0, arm]),
                    "label": f"arm {arm + 1}: {signed(x, 3)}",
                    "up": arm == 0,
                }
            )
        left = number(settled(arms.noise(two_arms(), b)))
        name = f"b = V = {fixed(b)}" if at < 0 else f"b = {fixed(b, 3)}"
        rows.append({"at": at, "row": row, "name": name, "noise": f"noise over both θ: {left}"})
    return {"estimates": pd.DataFrame(estimates), "rows": pd.DataFrame(rows)}


def settled(x: float) -> float:
    """0 where only rounding is left of the plain noise."""
    return 0.0 if abs(x) < 1e-12 * arms.noise(two_arms()) else x


def sentence(b: float) -> str:
    """Both estimates under b, and what of the plain noise is left."""
    first, second = arms.estimates(two_arms(), b)
    left, none = settled(arms.noise(two_arms(), b)), arms.noise(two_arms())
    with_v = number(arms.noise(two_arms(), value()))
    if left == 0:
        return (
            f"With b = {fixed(b)} every draw gives exactly {signed(first, 3)}, the slope itself: the"
            f" noise is 0. V = {fixed(value())} leaves {with_v} of the {number(none)} without b."
        )
    return (
        f"With b = {fixed(b, 3)} arm 1 gives {signed(first, 3)} and arm 2 {signed(second, 3)}: noise"
        f" {number(left)}, {percent(left / none, 1)} of the {number(none)} without b. V leaves"
        f" {with_v}."
    )


@in_memory
def other_worlds() -> pd.DataFrame:
    """What each of the baselines leaves, in every world of this page."""
    rows = []
    for label, name in worlds.NAMES.items():
        marks = noise.by_hand(name).landmarks
        rows.append(
            {
                "world": label,
                "nothing": marks["none"].covariance_trace,
                "V": settled(marks["value"].covariance_trace),
                "best constant": settled(marks["constant"].covariance_trace),
                "best b(s)": settled(marks["state"].covariance_trace),
            }
        )
    return pd.DataFrame(rows).round(4)


def elsewhere(screen: Screen) -> None:
    """Where the value is further from the best, and why."""
    st.dataframe(
        other_worlds(), hide_index=True, key=f"elsewhere-{screen.key}", alt="Noise in other worlds"
    )
    corridor = noise.by_hand("short-corridor").landmarks
    st.markdown(
        f"In the corridor V leaves {number(corridor['value'].covariance_trace)}, more than one"
        f" constant, {number(corridor['constant'].covariance_trace)}. On the ladder V also knows the"
        " steps left, which no b(s) does: there it is the best of these."
    )
    for label in ("corridor", "ladder"):
        st.markdown(f"**{label.capitalize()}:** {why(label)}")


@lru_cache(2)
def why(label: str) -> str:
    """Why V is not the best b(s) in a world of this page."""
    return noise.why_not_v(named_worlds[worlds.NAMES[label]]()).sentence
