"""Act 2, the log trick: with the log the better arm wins, without it the likelier one."""

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import theorem as charts
from pgviz.exact.ascent import STEP_CAP
from pgviz.exact.receipts import SAMPLED, Reading
from pgviz.measure import theorem
from pgviz.ui import controls, page
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.theorem.bench import (
    RESTING_SAMPLES,
    SAMPLES,
    Setting,
    found,
)
from pgviz.ui.theorem.layout import cut_gradient_in_words, number, prose, spaced
from pgviz.ui.theorem.lines import derivation
from pgviz.worlds.stories import stories

SAME = 1e-9  # what moved less than this part of itself has not moved


def log_trick(setting: Setting) -> None:
    """Why the log: with it the better arm wins, without it the likelier one."""
    st.header("Why the log?", anchor=False)
    prose(
        "R(τ) is handed out by the world; only P(τ) knows θ. So the derivative falls on P. But"
        " ∇P is no longer a probability, and samples cannot add it up. Writing ∇P = P ∇log P puts"
        " the probability back in front: an average over episodes.",
        "log",
    )
    demo = setting if theorem.is_bandit(setting.at) else Setting("two-arms", 40, 1.0)
    at = demo.at
    actions = demo.story.actions
    rate = stories[demo.world].learning_rate if demo.world in stories else 0.3
    walked: theorem.LogDemo = found(demo, theorem.log_paths, actions, rate)
    ends = walked.paths.groupby("update", sort=False).tail(1)
    winner = actions[walked.best]
    last = theorem.last_rows(walked.paths)
    kept, dropped = last[theorem.KEPT], last[theorem.DROPPED]
    ends = ends.assign(label=ends["update"])
    st.caption(
        ("" if demo == setting else "Shown on two arms that pay 1 and 0.8, from π = (.4, .6). ")
        + "Both ascents are exact: no sampling, no luck."
    )
    left, right = st.columns(2, gap="medium")
    who, pay = headings(walked.paths, winner)
    titles = {
        "probability": (who, f"probability of {winner}", "π"),
        "objective": (pay, "what a decision pays on average", "J(θ)"),
    }
    for column, quantity in zip((left, right), titles, strict=True):
        heading, note, axis = titles[quantity]
        with column:
            page.heading(heading, note)
            page.chart(
                f"chart-log-{quantity}",
                charts.two_updates,
                quantity,
                axis,
                ink(),
                theorem.NUM_STEPS,
                tables={"paths": walked.paths, "ends": spaced(ends, quantity)},
                height=220,
                says=f"{heading}: with the log it ends at {kept[quantity]:.3f}, without"
                f" it at {dropped[quantity]:.3f}.",
            )
    page.heading(
        "The first step of each", "arrows of equal length; what counts is where they point"
    )
    page.chart(
        "chart-arrows",
        charts.arrows,
        ink(),
        tables={"arrows": walked.arrows},
        height=120 + 40 * len(actions),
        says="For each arm, where the update with the log and the one without it push it.",
    )
    if theorem.is_uniform(at):
        st.caption(
            "All arms are equally likely here, and that hides the mistake: both arrows agree."
            " Turn the knob away from the middle."
        )
    else:
        cosine = "undefined" if walked.cosine is None else number(walked.cosine)
        st.caption(
            f"The cosine of the two updates is {cosine}. After {theorem.NUM_STEPS} steps"
            f" {winner} has probability {kept['probability']:.3f} with the log and"
            f" {dropped['probability']:.3f} without it, where each arm is credited once more for"
            " being likely."
        )
    page.numbers(walked.paths, "numbers-log")
    readings = derivation(setting, "log", "The log trick, line by line")
    _closing_in(setting, readings)


def headings(paths: pd.DataFrame, winner: str) -> tuple[str, str]:
    """What the curves of the best arm and of J show, each said of its own curve."""
    ends = theorem.last_rows(paths)
    kept, dropped = ends[theorem.KEPT], ends[theorem.DROPPED]
    gained = {
        name: (dropped[name] - paths[name].iloc[0]) / (paths[name].abs().max() or 1.0)
        for name in ("probability", "objective")
    }
    loses, falls = (bool(gain < -SAME) for gain in gained.values())
    if loses:
        who = f"Without the log, {winner} loses"
    elif min(kept["probability"], dropped["probability"]) > 0.5:
        who = f"From here both find {winner}"
    else:
        who = f"The probability of {winner} along both paths"
    if falls:
        pay = "… and J with it" if loses else "Without the log, J falls"
    elif loses and gained["objective"] > SAME:
        pay = "… and J rises all the same"
    else:
        pay = "J along both paths"
    return who, pay


def _closing_in(setting: Setting, readings: list[Reading]) -> None:
    left, right = st.columns([1, 2], gap="medium", vertical_alignment="center")
    with left:
        line = Choice("samples", "Episodes N of the last line", SAMPLES)
        num = controls.draw(line, RESTING_SAMPLES)
    table: pd.DataFrame = found(setting, theorem.closing_in, theorem.DICE_SEED)
    unread = any(line.title == SAMPLED and line.mark == "none" for line in readings)
    cut = cut_gradient_in_words(setting)
    with right:
        page.heading(
            f"Samples close in on ∇J{' of the cut world' if cut else ''}, on average like"
            " 1/\N{WORD JOINER}√N",
            f"dashed: exact{f', cut after {STEP_CAP} steps' if cut else ''}"
            " · line and band: mean of N episodes, 95 % interval",
        )
        page.chart(
            "chart-closing-in",
            charts.closing_in,
            ink(),
            tables={
                "means": table,
                "chosen": pd.DataFrame({"num_episodes": [] if unread else [num]}),
            },
            height=200,
            says="The mean of N estimates with its interval against N, around the exact value.",
        )
        if cut:
            st.caption(cut)
    with left:
        if unread:
            st.caption(f"{num:,} episodes are too long to sample here: choose fewer of them.")
        else:
            st.caption(_shrinks(table, num))


def _shrinks(table: pd.DataFrame, num: int) -> str:
    """How much narrower the interval is with `num` episodes than with a hundred."""
    width = table["high"] - table["low"]
    counts = table["num_episodes"].to_numpy()
    near, first = (int(np.abs(counts - n).argmin()) for n in (num, 100))
    if not width.iloc[near] > 0:
        return "So far all samples are equal, so the interval has no width."
    if near == first:
        most = max((n for n in SAMPLES if n <= counts[-1]), default=SAMPLES[0])
        return f"Set N to {most:,} and watch the last line of the table."
    return theorem.shrinking(table, first, near)
