"""One pass over each batch, ten with the clip and ten without it: sixteen common seeds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import ppo as charts
from pgviz.figures import fixed
from pgviz.measure import proximal
from pgviz.measure.ensembles import interquartile_mean
from pgviz.runs import Recording, Run
from pgviz.training import updates
from pgviz.training.command import command_line
from pgviz.ui import besides, live, training
from pgviz.ui.controls import Choice
from pgviz.ui.screen import ROOM_SCALE, Screen, chart

RUNS = (proximal.MANY_EPOCHS, proximal.NO_CLIP, proximal.ONE_PASS)
CLIPPED, UNCLIPPED, ONCE = charts.PASSES
NAMES = dict(zip(RUNS, charts.PASSES, strict=True))
SHOWN = Choice("ppo-shown", "Show the", ("return", "KL from the old policy"))
CONTROLS = (SHOWN,)
POINTS = 30  # of a seed, at most about
BEATS = ({"ppo-shown": "return"}, {"ppo-shown": "KL from the old policy"})
FIELDS = {"return": "trailing_return", "KL from the old policy": "approx_kl"}


def draw(screen: Screen) -> None:
    config = proximal.MANY_EPOCHS
    screen.words(
        f"CartPole, sixteen seeds, batches of {config.num_envs * config.num_steps:,} steps, each used"
        f" for {config.update_epochs} passes, {config.num_minibatches} minibatches a pass: with the"
        " clip at ε = 0.2, and with none. Beside them one pass, the same number of environment steps."
        " The KL says how far a batch moved the policy from the one that played."
    )
    shown: str = screen.control(SHOWN, "return")
    training.run_again(screen, RUNS)
    finished = training.recorded(screen, RUNS, lambda runs, before: _draw(screen, runs, shown))
    found = by_name(finished)
    if len(found) == len(RUNS):
        screen.says(sentence(found, shown))
        screen.numbers(numbers(found))
    else:
        screen.says("The result stands here when all three runs have ended.")
    screen.code(updates.ppo)
    runs = live.group_of(RUNS)
    besides.fold(screen, runs, [name_of(run) for run in runs])
    screen.command(*map(command_line, RUNS))


def name_of(run: Run) -> str:
    """What differs."""
    return NAMES[run.config.replace(rng_seed=0)]


def by_name(runs: Sequence[Run]) -> dict[str, Recording]:
    """The recordings, by what differs."""
    return {name_of(run): found for run in runs if (found := run.recording()) is not None}


def _draw(screen: Screen, runs: Sequence[Run], shown: str) -> None:
    if not any(map(live.begun, runs)):
        st.skeleton(height=screen.height - 44)
        return
    tables, says = pictured(runs, shown)
    st.markdown(
        f"**{says}**  \n:small[:gray[thin: a seed · thick: mean of the middle half of 16 seeds]]"
    )
    chart(
        f"chart-{screen.key}-{FIELDS[shown]}",
        charts.with_and_without_clip,
        RUNS[0].num_updates,
        FIELDS[shown],
        tables=tables,
        height=screen.height - (150 if screen.present else 88),
        says=f"{shown} against updates, with the clip, without it, and with one pass.",
        scale=ROOM_SCALE if screen.present else 1.0,
    )


@live.once_for_all
def pictured(runs: Sequence[Run], shown: str) -> tuple[dict[str, pd.DataFrame], str]:
    """The tables of the chart, and its title."""
    begun = {name_of(run): found for run in runs if (found := live.begun(run))}
    middle, seeds = curves(begun, FIELDS[shown])
    stride = -(-RUNS[0].num_updates // POINTS)
    last = seeds.groupby("name")["update"].transform("max")
    thin = seeds[(seeds["update"] % stride == 0) | (seeds["update"] == last)]
    tables = {"middle": middle, "seeds": thin, "names": names(middle, FIELDS[shown])}
    return {name: live.compact(table) for name, table in tables.items()}, title(
        middle, seeds, shown
    )


def curves(found: dict[str, Recording], field: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """middle (name, update, value) and seeds (name, seed, update, value)."""
    middle, seeds = [], []
    for name, recording in found.items():
        values = recording.metrics()[field]
        if field == "approx_kl":
            values = np.maximum(values, 1e-5)  # for a logarithmic axis
        known = np.flatnonzero(np.isfinite(values).all(axis=1))
        values = values[known]
        middle.append(
            pd.DataFrame(
                {"name": name, "update": known, "value": interquartile_mean(values, axis=1)}
            )
        )
        update, seed = np.meshgrid(known, np.arange(values.shape[1]), indexing="ij")
        seeds.append(
            pd.DataFrame(
                {
                    "name": name,
                    "seed": seed.ravel(),
                    "update": update.ravel(),
                    "value": values.ravel(),
                }
            )
        )
    return pd.concat(middle, ignore_index=True), pd.concat(seeds, ignore_index=True)


def names(middle: pd.DataFrame, field: str) -> pd.DataFrame:
    """A name at the end of each line; where lines end together, one below the other."""
    ends = middle.groupby("name", sort=False).tail(1).sort_values("value", ascending=False)
    heights = ends["value"].tolist()
    for k in range(1, len(heights)):
        least = 30 if field == "trailing_return" else heights[k - 1] / 2
        highest = heights[k - 1] - least if field == "trailing_return" else least
        heights[k] = min(heights[k], highest)
    return ends.assign(value=heights)


def title(middle: pd.DataFrame, seeds: pd.DataFrame, shown: str) -> str:
    """What is to be seen, claimed only where it is so."""
    last = seeds[seeds["update"] == seeds["update"].max()]
    if shown == "return":
        lowest = last.groupby("name")["value"].min().to_dict()
        best = lowest.get(CLIPPED, np.nan)
        behind = all(best > lowest.get(name, np.nan) + 50 for name in (UNCLIPPED, ONCE))
        return "Ten passes with the clip leave no seed behind" if behind else "Return"
    far = middle.groupby("name")["value"].median().to_dict()
    beyond = far.get(UNCLIPPED, np.nan) > 10 * far.get(CLIPPED, np.nan)
    return "Without the clip the policy goes far" if beyond else "How far it goes"


def sentence(found: dict[str, Recording], shown: str) -> str:
    """Seeds solved and the lowest return at the end, or the KL, of each run."""
    said = []
    for name, recording in found.items():
        metrics = recording.metrics()
        if shown == "return":
            solved = int(metrics["solved"][-1].sum())
            low = fixed(float(metrics["trailing_return"][-1].min()), 0)
            said.append(f"{name} {solved} of {recording.num_seeds} (lowest {low})")
        else:
            said.append(f"{name} {float(np.median(metrics['approx_kl'])):.2g}")
    what = "Seeds that solve it" if shown == "return" else "Median KL"
    return f"{what}: {'; '.join(said)}."


def numbers(found: dict[str, Recording]) -> pd.DataFrame:
    """Return and KL of every update, of both runs."""
    columns: dict[str, np.ndarray] = {}
    for name, recording in found.items():
        metrics = recording.metrics()
        for label, field in (("return", "trailing_return"), ("KL", "approx_kl")):
            columns[f"{label}, {name}"] = interquartile_mean(metrics[field], axis=1).round(4)
    table = pd.DataFrame({key: pd.Series(x) for key, x in columns.items()})
    table.insert(0, "update", range(len(table)))
    return table
