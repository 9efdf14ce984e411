"""Same settings, other luck; and the full return, left behind."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pgviz import estimators
from pgviz.charts import reinforce as charts
from pgviz.figures import fixed
from pgviz.lessons.reinforce.recorded import FULL, LEARN, beside_the_threshold, room_for_captions
from pgviz.runs import Recording, Run
from pgviz.training.command import command_line
from pgviz.ui import live, training
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen, chart

RUNS = (LEARN, FULL)
THIN = Choice("thin", "Thin lines: the seeds of", ("both", "reinforce", "full-return"))
CONTROLS = (THIN,)
BEATS = ({"thin": "reinforce"}, {"thin": "full-return"}, {"thin": "both"})
NAMES = {"reinforce": "reward-to-go", "full-return": "full return"}
LABEL_GAP = 28  # between two names at the right


def draw(screen: Screen) -> None:
    screen.words(
        "The **full return** gives every action of an episode all its rewards as the weight,"
        " earlier ones too. The mean of ĝ stays ∇J; the earlier rewards usually add variance. Does"
        " that matter here? Seeds of one method differ in their random numbers alone, and yet some"
        " learn late. So one curve says little: show many."
    )
    thin = screen.control(
        THIN, "both", horizontal=True, format_func=lambda name: NAMES.get(name, name)
    )
    training.run_again(screen, RUNS)
    finished = training.recorded(
        screen, RUNS, lambda runs, before: _draw(screen, runs, before, thin)
    )
    found = training.recordings(finished)
    if len(found) == len(RUNS):
        screen.says(in_words(found["reinforce"], found["full-return"]))
        screen.numbers(numbers(found))
    else:
        screen.says("The result stands here when both runs have ended.")
    screen.code(estimators.reward_to_go, estimators.full_return)
    screen.command(*map(command_line, RUNS))


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run], thin: str) -> None:
    middle = _middle(runs)
    st.markdown(
        f"**{title(middle)}**  \n:small[:gray[thin: a seed · thick: mean of the middle half of the"
        " seeds · a seed that has solved CartPole stops]]"
    )
    chart(
        "chart-luck",
        charts.luck,
        LEARN.num_updates,
        tables={
            "seeds": _seeds([r for r in runs if thin in ("both", r.config.method)]),
            "middle": middle,
            "before": _middle(before),
            "ends": ends(middle),
        },
        height=room_for_captions(screen),
        says="Return against updates: every seed with two weights.",
        scale=1.6 if screen.present else 1.0,
    )


@live.once_for_all
def _middle(runs: Sequence[Run]) -> pd.DataFrame:
    tables = [
        curves.middle[["update", "episode_return"]].assign(method=run.config.method)
        for run in runs
        if (curves := live.curves_of(run)) is not None
    ]
    empty = pd.DataFrame(columns=["update", "episode_return", "method"])
    return pd.concat(tables) if tables else empty


@live.once_for_all
def _seeds(runs: Sequence[Run]) -> pd.DataFrame:
    tables = [
        curves.seeds.assign(method=run.config.method)
        for run in runs
        if (curves := live.curves_of(run)) is not None
    ]
    empty = pd.DataFrame(columns=["update", "seed", "episode_return", "method"])
    return pd.concat(tables) if tables else empty


def title(middle: pd.DataFrame) -> str:
    """Which weight learns later: claimed only where both curves tell."""
    if middle.empty:
        return "Sixteen seeds with each weight"
    table = middle.pivot(index="update", columns="method", values="episode_return").dropna()
    later = {*NAMES} <= {*table} and len(table) > 10
    later = later and table["full-return"].mean() < table["reinforce"].mean()
    return "Sixteen seeds each" + (
        ": the full return learns later" if later else " of both weights"
    )


def ends(middle: pd.DataFrame) -> pd.DataFrame:
    """A name at the end of each line; names keep apart."""
    last = middle.groupby("method", sort=False).tail(1).sort_values("episode_return")
    heights = last["episode_return"].tolist()
    for k in range(len(heights) - 1, 0, -1):
        heights[k - 1] = min(heights[k - 1], heights[k] - LABEL_GAP)
    return last.assign(
        episode_return=beside_the_threshold(pd.Series(heights, last.index)),
        label=[NAMES[method] for method in last["method"]],
    )


def in_words(own: Recording, full: Recording) -> str:
    """How many seeds solved it and when, and where the full return was when the first method ended."""
    first, last = solved_after(own)["solved after"].agg(["min", "max"])
    num_own, num_full = (int(r.metrics()["solved"][-1].sum()) for r in (own, full))
    at = min(own.num_updates, full.num_updates) - 1
    behind = full.metrics()["episode_return"][at]
    told = (
        "no seed solves CartPole"
        if pd.isna(first)
        else f"{num_own} of {own.num_seeds} solve it, after {fixed(first, 0)} to {fixed(last, 0)} updates"
    )
    return (
        f"With the reward-to-go {told}. With the full return {num_full} of {full.num_seeds} do, and"
        f" after {at + 1} updates its seeds return {fixed(behind.min(), 0)} to"
        f" {fixed(behind.max(), 0)}."
    )


def solved_after(recording: Recording) -> pd.DataFrame:
    """seed, solved after so many updates; NaN if not."""
    solved = recording.metrics()["solved"]
    when = pd.Series(1.0 + solved.argmax(axis=0)).where(solved[-1] > 0)
    return pd.DataFrame({"seed": range(recording.num_seeds), "solved after": when})


def numbers(found: dict[str, Recording]) -> pd.DataFrame:
    """Each seed: after how many updates it solved the game, and its last return."""
    columns = {}
    for method, recording in found.items():
        columns[f"{NAMES[method]}: solved after"] = solved_after(recording)["solved after"]
        columns[f"{NAMES[method]}: last return"] = recording.metrics()["episode_return"][-1]
    return pd.DataFrame({"seed": range(found["reinforce"].num_seeds), **columns})
