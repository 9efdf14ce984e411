"""Act 1, the objective: J is smooth although every episode jumps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import theorem as charts
from pgviz.measure import theorem
from pgviz.ui import page
from pgviz.ui.look import ink
from pgviz.ui.theorem.bench import (
    BEST,
    Setting,
    found,
)
from pgviz.ui.theorem.layout import (
    HEIGHT,
    axis_title,
    cap_in_words,
    number,
    sentence,
    signed,
)
from pgviz.worlds.tabular import WorldError

HIDDEN = 0.08  # how far the curve is shown before the prediction is locked in


def objective(setting: Setting) -> str | None:
    """J is smooth although returns jump; returns the reader's guess once it is locked in."""
    action = setting.story.actions[setting.story.turned]
    turned = setting.story.turned
    guess = page.predict(
        f"{BEST}{setting.world}",
        f"One probability of “{action}”, chosen once and for all. How often is best?",
        ("never", "sometimes", "always"),
    )
    here: theorem.Place = found(setting, theorem.place, turned)
    returns: np.ndarray = found(setting, theorem.sampled_returns, 0)
    with st.container(horizontal=True, gap="large"):
        for label, value in (
            ("J(θ), exact", number(here.objective)),
            ("Slope ∂J/∂p, exact", number(here.slope) if here.has_knob else "—"),
            (f"Mean of {len(returns)} returns", number(float(returns.mean()))),
        ):
            st.metric(label, value, width="content")
    try:
        curve: pd.DataFrame = found(setting.resting, theorem.objective_curve, turned)
        dice: pd.DataFrame = found(setting.resting, theorem.dice_curves, turned, 0)
    except WorldError as fault:
        st.info(sentence(fault))
        return guess
    best_p, best, word = theorem.best_of(curve)
    low, high = float(curve["objective"].min()), float(curve["objective"].max())
    shown = curve if guess else curve[np.abs(curve["p"] - here.p) <= HIDDEN]
    if not guess:  # the scale must not tell what the curve does not
        seen = np.append(shown["objective"].to_numpy(), here.objective)
        low, high = float(seen.min()), float(seen.max())
    margin = 0.06 * (high - low) or 1.0
    marks = pd.DataFrame({"p": [best_p], "label": ["best"]})
    if word == "whatever":
        marks = marks.iloc[:0]
    if guess and word == "sometimes":
        best_p, best = found(setting.resting, theorem.summit, turned)
        marks = pd.DataFrame({"p": [best_p], "label": [f"best: p = {best_p:.3f}"]})
    if guess and word not in ("whatever", guess):
        at = {"never": theorem.LOWEST / 100, "always": theorem.HIGHEST / 100}.get(guess, 0.5)
        marks = pd.concat(
            [marks, pd.DataFrame({"p": [at], "label": ["your guess"]})], ignore_index=True
        )
    left, right = st.columns(2, gap="medium")
    with left:
        page.heading(
            "J is smooth: it has a slope everywhere",
            "dashed: exact · line: its tangent"
            if guess
            else "the rest of it waits for your prediction",
        )
        page.chart(
            "chart-objective",
            charts.objective,
            axis_title(setting),
            ink(),
            tables={
                "frame": pd.DataFrame(
                    {"p": [0.0, 1.0], "objective": [low - margin, high + margin]}
                ),
                "curve": shown,
                "tangent": theorem.tangent(here, low, high),
                "here": pd.DataFrame({"p": [here.p], "objective": [here.objective]}),
                "marks": marks if guess else marks.iloc[:0],
            },
            height=HEIGHT,
            says=f"J against the probability of {action}: {number(here.objective)} at"
            f" p = {here.p:.2f}, with slope {number(here.slope)}.",
        )
    with right:
        page.heading(
            "One episode jumps: it has no slope at all",
            "the same dice at every θ · ticks: 100 returns",
        )
        low_r = min(*np.quantile(dice["episode_return"], [0.05]), *np.quantile(returns, [0.05]))
        high_r = max(*np.quantile(dice["episode_return"], [0.95]), float(returns.max()))
        edge = 0.06 * (high_r - low_r) or 1.0
        page.chart(
            "chart-dice",
            charts.same_dice,
            axis_title(setting),
            tables={
                "frame": pd.DataFrame({"p": [0.0, 1.0], "drawn": [low_r - edge, high_r + edge]}),
                "dice": dice.assign(drawn=dice["episode_return"].clip(low_r - edge, high_r + edge)),
                "returns": pd.DataFrame(
                    {"p": here.p, "drawn": np.clip(returns, low_r - edge, high_r + edge)}
                ),
            },
            height=HEIGHT,
            says="Returns of three episodes against the same probability: flat, with jumps.",
        )
    spread = f"from {number(float(returns.min()))} to {number(float(returns.max()))}"
    st.caption(
        f"At p = {here.p:.3f}, {len(returns)} episodes returned {spread}. Nothing in one of them"
        f" says that J = {number(here.objective)} would change by {number(here.slope)} per unit"
        f" of p.{cap_in_words(setting)}"
    )
    if guess:
        _answer(setting, guess, word, best_p, best)
        page.numbers(curve, "numbers-objective")
    return guess


def _floor(gamma: float) -> str:
    """How far J falls in the corridor: always right never arrives, and every step costs 1."""
    return "without end" if gamma == 1 else f"to −1/(1−γ) = {number(-1 / (1 - gamma))}"


def _answer(setting: Setting, guess: str, word: str, best_p: float, best: float) -> None:
    action = setting.story.actions[setting.story.turned]
    if word == "whatever":
        st.markdown(
            f"Every answer is right: the knob makes no difference here, J = {signed(best)} all"
            " along it."
        )
        return
    said = "Your guess was right" if guess == word else f"You said {guess}"
    if word == "sometimes":
        edge = found(
            replace(setting, percent=theorem.HIGHEST), theorem.place, setting.story.turned
        ).objective
        st.markdown(
            f"{said}. The best policy here tosses a coin: “{action}” with p = {best_p:.4f} has"
            f" J = {signed(best)}. At p = .95 J is {signed(edge)}, and it falls"
            f" {_floor(setting.gamma)} as p goes to 1."
            if setting.world == "short-corridor"
            else f"{said}. The best policy on this line tosses a coin: “{action}” with p = {best_p:.4f}"
            f" has J = {signed(best)}."
        )
    else:
        st.markdown(
            f"{said}. J is highest at the {'right' if word == 'always' else 'left'} end of the"
            f" knob: {signed(best)} at p = {best_p:.2f}."
        )
