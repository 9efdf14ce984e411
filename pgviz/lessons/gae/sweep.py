"""Seven λ in two worlds, sixteen seeds each: recorded, in windows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import gae as charts
from pgviz.exact.trust import weight_on_last_value
from pgviz.figures import fixed, listed
from pgviz.measure import sweep
from pgviz.runs import Recording, Run
from pgviz.training.command import command_line
from pgviz.ui import live, training
from pgviz.ui.controls import Choice
from pgviz.ui.screen import ROOM_SCALE, Screen, chart

WORLDS = {"CartPole": "CartPole-v1", "Acrobot": "Acrobot-v1"}
IN_WORLD = {name: tuple(sweep.configs(world=world)) for name, world in WORLDS.items()}
RUNS = tuple(config for runs in IN_WORLD.values() for config in runs)
WORLD = Choice("learned-world", "World", tuple(WORLDS))
CONTROLS = (WORLD,)
BEATS = ({"learned-world": "CartPole"}, {"learned-world": "Acrobot"})


def draw(screen: Screen) -> None:
    config = RUNS[0]
    weight = weight_on_last_value(config.gamma, 1.0, config.num_steps)
    screen.words(
        "Here the critic is a network that learns, too; its error is unknown. For each"
        " of seven λ sixteen learners train, one a seed. Updates use windows of"
        f" {config.num_steps} steps: even at λ = 1 a sum that is cut there ends with V̂, with the weight"
        f" {fixed(weight)} or more. As in most code, the factor γᵗ is left out."
    )
    name: str = screen.control(WORLD, "CartPole")
    runs = IN_WORLD[name]
    finished = training.recorded(screen, runs, lambda found, before: _draw(screen, found, before))
    training.run_again(screen, runs)
    if finished:
        found = found_in(finished)
        screen.says(sentence(found))
        screen.numbers(numbers(found))
        with screen.fold("Curves", ":material/show_chart:"):
            _curves(screen, finished)
    else:
        screen.says("The comparison stands here when all seven runs are complete.")
    screen.command(command(WORLDS[name]))


def found_in(runs: Sequence[Run]) -> dict[float, Recording]:
    """The recordings of those that have finished, by λ."""
    return {
        run.config.gae_lambda: recording
        for run in sorted(runs, key=lambda run: run.config.gae_lambda)
        if run.ending == "finished" and (recording := run.recording()) is not None
    }


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run]) -> None:
    found = found_in(runs)
    if not found:
        st.skeleton(height=screen.height - 44)
        return
    seeds, middle = sweep.tables(found)
    old = sweep.tables(found_in(before))[1] if before else middle.iloc[:0]
    budget = sweep.steps_in(RUNS[0])
    low = 10_000 * float(np.floor(seeds["steps"].min() / 10_000))
    st.markdown(
        f"**{'Fewest steps between the ends' if is_between(middle) else 'Steps until solved'}**"
        "  \n:small[:gray[small: one learner, ✗ not solved · large: mean of their middle half,"
        " 95 % interval]]"
    )
    chart(
        f"chart-{screen.key}",
        charts.sweep,
        budget,
        low,
        tables={"seeds": seeds, "summary": middle, "before": old},
        height=screen.height - (130 if screen.present else 84),
        says="Steps until solved against λ, with every seed.",
        scale=ROOM_SCALE if screen.present else 1.0,
    )


def _curves(screen: Screen, runs: Sequence[Run]) -> None:
    """The return along training, one line for each λ."""
    tables = [
        live.by_steps(run)[0].assign(label=sweep.label(run.config.gae_lambda)) for run in runs
    ]
    st.markdown("**Mean return of the middle half, along training**")
    chart(
        f"chart-{screen.key}-curves",
        charts.sweep_curves,
        tables={"curves": pd.concat(tables)},
        height=240,
        says="The return along training for seven λ.",
    )


def numbers(found: dict[float, Recording]) -> pd.DataFrame:
    """Every λ, and its difference to 0.95 on common seeds with the 95 % interval."""
    _, middle = sweep.tables(found)
    steps = middle.rename(columns={"label": "λ", "low": "from", "high": "to"})
    differences = sweep.compared(found).rename(
        columns={"difference": "more than 0.95", "low": "at least", "high": "at most"}
    )
    return steps.merge(differences, on="λ", how="left").round(0)


def is_between(middle: pd.DataFrame) -> bool:
    """Whether the fewest steps stand neither at λ = 0 nor at λ = 1."""
    return middle["label"].iloc[int(middle["steps"].argmin())] not in ("0", "1")


def sentence(found: dict[float, Recording]) -> str:
    """Fewest and most steps, and which λ differ from 0.95 seed by seed."""
    _, middle = sweep.tables(found)
    ranked = middle.sort_values("steps")
    best, worst = ranked.iloc[0], ranked.iloc[-1]
    table = sweep.compared(found)
    apart = table[(table["low"] > 0) | (table["high"] < 0)]["λ"].tolist()
    same = [name for name in table["λ"] if name not in apart]
    text = (
        f"λ = {best['label']} needs the fewest steps ({best['steps']:,.0f}), λ = {worst['label']}"
        f" the most ({worst['steps']:,.0f})."
    )
    missed = int(worst["seeds"] - worst["solved"])
    if missed > 1:
        text = (
            f"λ = {best['label']} needs the fewest steps ({best['steps']:,.0f}). With λ ="
            f" {worst['label']}, {missed} of {int(worst['seeds'])} learners do not solve it within"
            f" {sweep.steps_in(RUNS[0]):,} steps."
        )
    if not is_between(middle):
        text += " In these runs the best λ is an end."
    if not apart:
        return f"{text} Seed by seed no λ differs clearly from 0.95."
    differ = f"{text} Seed by seed, {listed(apart)} differ clearly from 0.95"
    return f"{differ}; {listed(same)} do not." if same else f"{differ}."


def command(world: str) -> str:
    """The same runs from a shell, one λ after the other."""
    one = command_line(sweep.configs((0.0,), world)[0])
    values = " ".join(sweep.label(lam) for lam in sweep.SWEPT)
    return f"for lam in {values}; do {one.replace('gae_lambda=0.0', 'gae_lambda=$lam')}; done"
