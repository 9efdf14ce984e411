"""REINFORCE with and without a learned baseline, step by step as in the textbook, in the corridor."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pgviz.charts import baselines as charts
from pgviz.figures import fixed
from pgviz.lessons.baselines import worlds
from pgviz.measure import textbook
from pgviz.runs import Recording, Run
from pgviz.training import updates
from pgviz.ui import live, training
from pgviz.ui.controls import Choice
from pgviz.ui.screen import ROOM_SCALE, Screen, chart

WITH, SIZES = "with and without V̂", "three step sizes"
SHOWN = Choice("textbook", "Compare", (WITH, SIZES))
FIGURES = {WITH: "13.2", SIZES: "13.1"}
CONTROLS = (SHOWN,)
BEATS = ({"textbook": WITH}, {"textbook": SIZES})
RUNS = tuple({c: None for figure in ("13.2", "13.1") for c in textbook.configs(figure)})


def draw(screen: Screen) -> None:
    screen.words(
        "Sutton & Barto's comparison, with their step sizes α. In the corridor a step costs 1. θ begins where"
        " the policy goes left with probability .95. One episode at a time: at each of its steps"
        " first V̂ moves, then θ. The rooms look alike, so V̂ is one number. 100 seeds."
    )
    shown: str = screen.control(SHOWN, WITH)
    runs = tuple(textbook.configs(FIGURES[shown]))
    finished = training.recorded(
        screen, runs, lambda found, before: _draw(screen, found, before, shown)
    )
    training.run_again(screen, runs)
    if finished:
        recordings = [found for run in finished if (found := run.recording())]
        screen.says(sentence(recordings, shown))
        screen.numbers(numbers(recordings))
    else:
        screen.says("The comparison stands here when all runs have ended.")
    screen.code(updates.step_by_step)
    screen.command(f"python -m pgviz figure {FIGURES[shown]}")
    worlds.card(screen, "short-corridor")


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run], shown: str) -> None:
    recordings, earlier = ([live.begun(run) for run in group] for group in (runs, before))
    table = textbook.curves([found for found in recordings if found])
    st.markdown(
        f"**{title(table, shown)}**  \n:small[:gray[mean of 100 seeds, ten episodes at a time · Sutton"
        f" & Barto, figure {FIGURES[shown]}]]"
    )
    chart(
        f"chart-{screen.key}",
        charts.textbook,
        round(textbook.best(), 2),
        tables={
            "curves": table,
            "before": textbook.curves([found for found in earlier if found]),
            "names": names(table),
        },
        height=screen.height - (150 if screen.present else 88),
        says="Mean return of an episode against episodes, one line for each run.",
        scale=ROOM_SCALE if screen.present else 1.0,
    )


def names(table: pd.DataFrame) -> pd.DataFrame:
    """A key of the lines, one below the other, where no line runs."""
    lines = table[["label", "method"]].drop_duplicates()
    return lines.assign(place=[-56.0 - 9 * k for k in range(len(lines))])


def title(table: pd.DataFrame, shown: str) -> str:
    """What is to be seen, claimed only where it is so."""
    ends: pd.Series[float] = (
        table[table["episode"] > 900].groupby("label", sort=False)["mean_return"].mean()
    )
    early = table[table["episode"] < 200].groupby("method")["mean_return"].mean().to_dict()
    if shown == WITH:
        if len(early) == 2 and early["baseline"] > early["reinforce"]:
            return "With V̂ subtracted it learns sooner"
        return "With V̂ and without"
    levels = ends.tolist()
    if len(levels) == 3 and levels[1] > max(levels[0], levels[2]):
        return "The step size in the middle does best"
    return "Three step sizes"


def sentence(recordings: Sequence[Recording], shown: str) -> str:
    """Where the curves stand, beside the best there is; how many seeds no longer end an episode."""
    said, stuck = [], []
    for found in recordings:
        returns, name = textbook.mean_returns(found), textbook.label(found.config)
        if shown == WITH and not found.config.has_critic:
            name = f"without V̂, {name}"
        last = fixed(returns[-textbook.LAST :].mean(), 1)
        if shown == WITH:
            early = fixed(returns[textbook.LAST - 10 : textbook.LAST + 10].mean(), 1)
            said.append(f"{name}: {early} after {textbook.LAST} episodes, {last} in the last 100")
        else:
            said.append(f"{last} at {name}")
        if cut := textbook.cut_at_the_end(found):
            stuck.append(
                f" {cut} of {found.num_seeds} seeds go right for ever ({name}): their episodes are cut"
                " after 1,000 steps."
            )
    begin = "" if shown == WITH else "Mean return of the last 100 episodes: "
    text = begin + ("; " if shown == WITH else ", ").join(said)
    return f"{text}. The best possible is {fixed(textbook.best(), 2)}.{''.join(stuck)}"


def numbers(recordings: Sequence[Recording]) -> pd.DataFrame:
    """The mean return of every 100 episodes."""
    columns = {
        textbook.label(found.config): textbook.mean_returns(found).reshape(-1, 100).mean(axis=1)
        for found in recordings
        if found.num_updates % 100 == 0
    }
    table = pd.DataFrame(columns).round(2)
    table.insert(0, "episodes until", [100 * (k + 1) for k in range(len(table))])
    return table
