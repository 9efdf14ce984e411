"""Subtract one number b from every weight: the centre stays, the scatter changes."""

from functools import lru_cache

import numpy as np
import pandas as pd
import streamlit as st

from pgviz import estimators
from pgviz.charts import baselines as charts
from pgviz.exact.by_hand import subtracted
from pgviz.exact.values import objective
from pgviz.figures import fixed, number
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.measure import noise
from pgviz.ui.controls import Choice
from pgviz.ui.guard import guarded
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds

LOW, STEP = -2.0, 0.1
B = Choice(
    "b", "b, subtracted from every weight", tuple(round(LOW + STEP * k, 1) for k in range(81))
)
WORLD = Choice("world", "World", ("ladder", "three arms", "survival"))
CONTROLS = (B, WORLD)
BEATS = ({"b": 0.0}, {"b": 1.0}, {"b": 4.0}, {"world": "three arms", "b": 2.5})
START_B = 1.0
NUM = {"ladder": 4, "three arms": 16, "survival": 4}  # N of a dot


def draw(screen: Screen) -> None:
    screen.words(
        "Subtract a number b from every weight: $\\Psi_t = G_t - b$. Such a b is a **baseline**."
        " Each dot moves by b times its own scores. Their expectation is zero, so the centre stays. A"
        " good b brings the dots closer to ∇J on average; J is a first guess. Hollow: the same"
        " episodes without b. Crosses: means."
    )
    field = screen.live(B, START_B)
    b: float = screen.control(B, START_B)
    name: str = screen.control(WORLD, "ladder", horizontal=True)
    with screen.beside_controls():
        mean = objective(named_worlds[worlds.NAMES[name]]())
        st.button(
            f"Set b to J = {fixed(mean)}",
            key="subtract-j",
            on_click=guarded(_set_to),
            args=(round(mean, 1),),
        )
    found = noise.cloud(worlds.NAMES[name], NUM[name])
    dots = cloud(name)
    screen.chart(
        charts.drag_b, field, B.options.index(START_B), ink(), (LOW, STEP), *reach(name), found.flat,
        tables={
            "dots": dots,
            "centre": dots.mean().to_frame().T.assign(
                **({"y": 0.0, "sy": 0.0} if found.flat else {})
            ),
            "truth": pd.DataFrame({"along": [found.length], "across": [0.0], "zero": [0.0]}),
            "parabola": pd.DataFrame([parabola(name)]),
        },
        title="The scatter changes with b, the centre does not",
        note=f"{len(dots)} new dots of N = {NUM[name]} episodes: each has 1/{NUM[name]} of the noise"
        + (" · the height only parts the dots" if found.flat else ""),
        says="Estimates of the gradient with the baseline and without it.",
    )  # fmt: skip
    screen.says(sentence(name, b))
    screen.numbers(numbers(name))
    screen.code(estimators.baselined_reward_to_go, subtracted)
    screen.command(
        f"python -m pgviz moments {worlds.NAMES[name]} --estimator reward-to-go --baseline {b:g}"
    )
    worlds.card(screen, worlds.NAMES[name])


@lru_cache(8)
def reach(name: str) -> tuple[tuple[float, float], float]:
    """The picture: its domain along ∇J and half its height; every dot under b = 0, 1 and J fits."""
    dots, mean = cloud(name), objective(named_worlds[worlds.NAMES[name]]())
    along = pd.concat([dots["x"] - b * dots["sx"] for b in (0.0, START_B, mean)])
    across = pd.concat([dots["y"] - b * dots["sy"] for b in (0.0, START_B, mean)])
    low, high = min(float(along.min()), 0.0), float(along.max())
    pad = 0.04 * (high - low)
    return (round(low - pad, 3), round(high + pad, 3)), round(1.08 * float(across.abs().max()), 3)


def _set_to(b: float) -> None:
    st.session_state[B.name] = b


@in_memory
def cloud(name: str) -> pd.DataFrame:
    """Every dot without b (x, y), and what one unit of b moves it by (−sx, −sy)."""
    found = noise.cloud(worlds.NAMES[name], NUM[name])
    states = found.scores.shape[1]
    plain, moved = found.dots(np.zeros(states)), found.dots(np.ones(states))
    gone = plain - moved
    return pd.DataFrame(
        {
            "x": plain["along"].round(4),
            "y": plain["across"].round(4),
            "sx": gone["along"].round(4),
            "sy": gone["across"].round(4),
        }
    )


@lru_cache(8)
def parabola(name: str) -> dict[str, float]:
    """The noise of one episode under b in every state: least + steep (b − best)²; none: at b = 0."""
    found = noise.by_hand(worlds.NAMES[name]).parabolas
    steep = float(found.steepness.sum())
    best = float((found.steepness * found.best).sum()) / steep
    ones = np.ones(len(found.best))
    return {
        "least": found.trace(best * ones),
        "steep": steep,
        "best": best,
        "none": found.trace(0 * ones),
    }


def noise_at(name: str, b: float) -> float:
    """The parabola, at this b."""
    found = parabola(name)
    return found["least"] + found["steep"] * (b - found["best"]) ** 2


def sentence(name: str, b: float) -> str:
    """The noise under b, how many episodes that is worth, and the exact move of the centre."""
    here = named_worlds[worlds.NAMES[name]]()
    exact = subtracted(here, b * np.ones(here.num_states))
    with_b, none = exact.moments.covariance_trace, parabola(name)["none"]
    moved = "0" if exact.bias_squared < 1e-20 else number(exact.bias_squared**0.5)
    begin = f"With b = {fixed(b, 1)} the noise of one episode is {fixed(with_b)}"
    end = f" The expected centre has moved by {moved}."
    if b == 0:
        return f"{begin}: nothing is subtracted.{end}"
    if with_b <= none:
        return (
            f"{begin} in place of {fixed(none)}: as good as {number(none / with_b, 2)} times the"
            f" episodes.{end}"
        )
    return f"{begin}, more than the {fixed(none)} without b: this b lies too far off.{end}"


def numbers(name: str) -> pd.DataFrame:
    """b and the noise of one episode."""
    shown = B.options[::5]
    return pd.DataFrame({"b": shown, "noise": [round(noise_at(name, b), 4) for b in shown]})
