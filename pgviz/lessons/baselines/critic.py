"""Learn the value with a network, and subtract it: beside REINFORCE, on the same seeds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import baselines as charts
from pgviz.figures import count, fixed, percent
from pgviz.lessons.reinforce.recorded import LEARN, NUM_UPDATES, room_for_captions
from pgviz.measure.ensembles import interquartile_mean
from pgviz.runs import Recording, Run
from pgviz.training import critic as learning
from pgviz.training.command import command_line
from pgviz.training.config import presets
from pgviz.ui import live, training
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen, chart

CRITIC = presets["baseline"].replace(num_updates=NUM_UPDATES, stop_when_solved=True)
assert CRITIC.replace(method="reinforce") == LEARN, "the same settings but for the critic"
RUNS = (LEARN, CRITIC)
SHOWN = Choice("shown", "Show the", ("return", "critic's loss", "returns' variance explained"))
CONTROLS = (SHOWN,)
BEATS = ({"shown": "return"}, {"shown": "critic's loss"}, {"shown": "returns' variance explained"})
LABELS = {"reinforce": "reward-to-go", "baseline": "minus V̂(s)"}
FIELDS = {
    "return": ("episode_return", "return of an episode", 500.0),
    "critic's loss": ("value_loss", "mean ½ (V̂ − G)²", None),
    "returns' variance explained": ("explained_variance", "share of the returns' variance", 1.0),
}
TITLES = {
    "return": "The same seeds, with a critic to subtract and without",
    "critic's loss": "The critic's loss: its returns grow while it learns",
    "returns' variance explained": "How much of the returns' variance V̂ predicts",
}


def draw(screen: Screen) -> None:
    screen.words(
        "In CartPole nobody knows V. A **critic** is a network V̂ that learns it by regression on"
        " the returns: its loss is $\\frac12(\\hat V(s_t) - G_t)^2$. The weight becomes"
        " $G_t - \\hat V(s_t)$. V̂ was trained on earlier episodes, so it does not depend on these"
        " actions: ĝ stays unbiased, however bad V̂ is."
    )
    shown: str = screen.control(SHOWN, "return")
    training.run_again(screen, RUNS)
    finished = training.recorded(
        screen, RUNS, lambda runs, before: _draw(screen, runs, before, shown)
    )
    found = training.recordings(finished)
    if len(found) == len(RUNS):
        screen.says(sentence(found, shown))
        screen.numbers(numbers(found))
    else:
        screen.says("The result stands here when both runs, with V̂ and without, have ended.")
    screen.code(learning.fit, learning.value_gradient)
    screen.command(*map(command_line, RUNS))


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run], shown: str) -> None:
    field, axis, top = FIELDS[shown]
    st.markdown(f"**{TITLES[shown]}**  \n:small[:gray[16 seeds: mean of the middle half]]")
    middle = lines(runs, field)
    chart(
        f"chart-critic-{field}",
        charts.two_runs,
        NUM_UPDATES,
        field,
        axis,
        top,
        tables={
            "middle": middle,
            "before": lines(before, field),
            "names": names(middle, field),
        },
        height=room_for_captions(screen),
        says=f"{axis} against updates, with a critic and without.",
        scale=1.6 if screen.present else 1.0,
    )


@live.once_for_all
def lines(runs: Sequence[Run], field: str) -> pd.DataFrame:
    """One quantity of each run against updates, with its interval where it is the return."""
    tables = []
    for run in runs:
        recording, curves = run.recording(), live.curves_of(run)
        if recording is None or curves is None or not recording.num_updates:
            continue
        if field == "episode_return":
            table = curves.middle[["update", field, "low", "high"]]
        elif run.config.has_critic:
            column = interquartile_mean(recording.metrics()[field], axis=1)
            if field == "explained_variance":
                column = np.maximum(column, 0.0)
            table = pd.DataFrame({"update": range(len(column)), field: column})
            table = table.assign(low=np.nan, high=np.nan)
        else:
            continue
        tables.append(table.assign(name=run.config.method))
    empty = pd.DataFrame(
        {n: pd.Series(dtype=float) for n in ("update", field, "low", "high")}
        | {"name": pd.Series(dtype=str)}
    )
    return pd.concat(tables, ignore_index=True) if tables else empty


def names(middle: pd.DataFrame, field: str) -> pd.DataFrame:
    """A name beside each line at half its height, on the side where no other line runs."""
    if not len(middle):
        return middle.assign(label=[], side=[])
    rows = []
    for name, line in middle.groupby("name", sort=False):
        half = 0.55 * middle[field].max()
        above = np.flatnonzero(line[field].to_numpy() >= half)
        rows.append({**line.iloc[above[0] if len(above) else -1].to_dict(), "name": name})
    rows.sort(key=lambda row: row["update"])
    sides = ["left", "right"] if len(rows) > 1 else ["left"]
    table = pd.DataFrame(rows)
    return table.assign(label=[LABELS[name] for name in table["name"]], side=sides)


def sentence(found: dict[str, Recording], shown: str) -> str:
    """What the runs did, in the quantity that is shown."""
    own, plain = found["baseline"], found["reinforce"]
    if shown == "return":
        parts = []
        for name, recording in (("With the reward-to-go", plain), ("with V̂ subtracted", own)):
            metrics = recording.metrics()
            parts.append(
                f"{name} {int(metrics['solved'][-1].sum())} of {recording.num_seeds} seeds solve"
                f" the game, in {count(metrics['env_steps'][-1].mean())} steps on average"
            )
        return f"{parts[0]}; {parts[1]}."
    if shown == "critic's loss":
        loss = interquartile_mean(own.metrics()["value_loss"], axis=1)
        returns = interquartile_mean(own.metrics()["episode_return"], axis=1)
        return (
            f"The loss goes from {fixed(loss[0], 0)} to {fixed(loss[-1], 0)}, at most"
            f" {fixed(loss.max(), 0)}, while the return goes from {fixed(returns[0], 0)} to"
            f" {fixed(returns[-1], 0)}: while the policy changes, so does the value to learn."
        )
    share = interquartile_mean(own.metrics()["explained_variance"], axis=1)
    at = int(np.nanargmax(share))
    words = (
        f"V̂ predicts most at update {at}: {percent(share[at])} of the variance of the returns. At the"
        f" end it is {percent(max(float(share[-1]), 0.0))}"
    )
    if interquartile_mean(own.metrics()["episode_return"], axis=1)[-1] < 490:
        return f"{words}."
    return f"{words}: when every episode lasts 500 steps, G depends on the time, which V̂(s) does not see."


def numbers(found: dict[str, Recording]) -> pd.DataFrame:
    """Both returns, the critic's loss and the share it explains, update by update."""
    columns = {}
    for name, recording in found.items():
        returns = interquartile_mean(recording.metrics()["episode_return"], axis=1)
        columns[f"return, {LABELS[name]}"] = pd.Series(returns)
    metrics = found["baseline"].metrics()
    columns["critic's loss"] = pd.Series(interquartile_mean(metrics["value_loss"], axis=1))
    columns["share explained"] = pd.Series(
        interquartile_mean(metrics["explained_variance"], axis=1)
    )
    table = pd.DataFrame(columns).round(3)
    table.insert(0, "update", range(len(table)))
    return table
