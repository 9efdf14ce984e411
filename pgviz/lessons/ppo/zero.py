"""Clipped steps, and steps without a gradient, along a recorded run."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import ppo as charts
from pgviz.figures import percent
from pgviz.measure import proximal
from pgviz.measure.ensembles import interquartile_mean
from pgviz.runs import Recording, Run
from pgviz.training.command import command_line
from pgviz.training.updates import clipping
from pgviz.ui import live, training
from pgviz.ui.screen import ROOM_SCALE, Screen, chart

RUNS = (proximal.MANY_EPOCHS,)
NAMES = {"clip_fraction": "|ρ − 1| > ε", "zero_gradient_fraction": "no gradient"}


def draw(screen: Screen) -> None:
    config = proximal.MANY_EPOCHS
    screen.words(
        "Is a clipped step one without a gradient? Only where ρ has passed the clip in the direction"
        " of its advantage. Beyond it on the other side the step still pulls back. So two shares"
        f" differ. Here they are of the last of {config.update_epochs} passes over a batch, on"
        " CartPole."
    )
    training.run_again(screen, (config,))
    finished = training.recorded(
        screen, (config,), lambda runs, before: _draw(screen, runs, config.num_updates)
    )
    recording = next((found for run in finished if (found := run.recording())), None)
    if recording is None:
        screen.says("The result stands here when the run has ended.")
    else:
        screen.says(sentence(recording))
        screen.numbers(numbers(recording))
    screen.code(clipping)
    screen.command(command_line(config))


def _draw(screen: Screen, runs: Sequence[Run], num_updates: int) -> None:
    recording = live.begun(runs[0])
    if recording is None:
        st.skeleton(height=screen.height - 44)
        return
    st.markdown(
        "**More steps are clipped than have lost their gradient**  \n:small[:gray[share of the steps"
        " of a batch · mean of the middle half of 16 seeds]]"
    )
    table = shares(recording)
    chart(
        f"chart-{screen.key}",
        charts.shares,
        num_updates,
        tables={"shares": table, "names": apart(table)},
        height=screen.height - (150 if screen.present else 88),
        says="Share of clipped steps and of steps without a gradient against updates.",
        scale=ROOM_SCALE if screen.present else 1.0,
    )


def shares(recording: Recording) -> pd.DataFrame:
    """update, name, share."""
    metrics = recording.metrics()
    tables = [
        pd.DataFrame(
            {
                "update": np.arange(recording.num_updates),
                "name": name,
                "share": interquartile_mean(metrics[metric], axis=1),
            }
        )
        for metric, name in NAMES.items()
    ]
    return pd.concat(tables, ignore_index=True)


def apart(table: pd.DataFrame) -> pd.DataFrame:
    """A name at the end of each line; the names keep apart."""
    ends = table.groupby("name", sort=False).tail(1)
    low, gap = float(ends["share"].min()), 0.07 * float(table["share"].max())
    return ends.assign(share=[low + gap, low - gap / 3])


def sentence(recording: Recording) -> str:
    """Both shares, over the whole run."""
    found = shares(recording).groupby("name", sort=False)["share"].mean().to_dict()
    clipped, zero = (found[name] for name in NAMES.values())
    return (
        f"Over the run {percent(clipped, 1)} of the steps are beyond the clip, and"
        f" {percent(zero, 1)} have no gradient (means of the two lines). The others beyond the clip"
        " pull back towards the old policy."
    )


def numbers(recording: Recording) -> pd.DataFrame:
    """Both shares, the KL and the return of every update."""
    metrics = recording.metrics()
    names = [*NAMES, "approx_kl", "episode_return"]
    columns = {name: interquartile_mean(metrics[name], axis=1).round(4) for name in names}
    return pd.DataFrame({"update": range(recording.num_updates), **columns})
