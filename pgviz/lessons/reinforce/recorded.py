"""What the steps of this page share: the run they look at, and how they look into it."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import pandas as pd
import streamlit as st

from pgviz.charts.learning import SOLVED_RETURN
from pgviz.in_memory import in_memory
from pgviz.runs import Recording, Run
from pgviz.runs.replay import replay, trajectory
from pgviz.training.config import Config, presets
from pgviz.training.rollout import Rollout
from pgviz.ui import live, training
from pgviz.ui.controls import Choice, Number
from pgviz.ui.screen import Screen

NUM_UPDATES = 60
LEARN = presets["reinforce"].replace(num_updates=NUM_UPDATES, stop_when_solved=True)
FULL = presets["full-return"].replace(num_updates=NUM_UPDATES, stop_when_solved=True)
assert LEARN.replace(method="full-return") == FULL, "the same settings but for the weight"

UPDATE = Choice("update", f"Update, 0 to {NUM_UPDATES}", tuple(range(NUM_UPDATES + 1)))
AT_UPDATE = Number(
    "update", "Update", 0, NUM_UPDATES
)  # the same, where no picture can follow a thumb
SEED = Number("seed", "Seed", 0, LEARN.num_seeds - 1)
EPISODE = Number("episode", "Episode", 0, LEARN.num_envs - 1)

NO_MIDDLE = pd.DataFrame(
    {name: pd.Series(dtype=float) for name in ("update", "episode_return", "low", "high")}
)
FIRST_RUN = "reinforce-run"  # the key of the step where a visitor may start a run of one's own


def looked_at() -> Config:
    """The run to look into: the visitor's own if there is one, else the recorded one."""
    return next(iter(training.own_of(FIRST_RUN)), LEARN)


def look_into(
    screen: Screen, draw: Callable[[Recording], None], config: Config | None = None
) -> Recording | None:
    """Draw from this run, or from the one to look into;
    returns its recording, if there is something in it to speak about yet.
    """
    asked = config or looked_at()

    def drawn(runs: Sequence[Run], _before: Sequence[Run]) -> None:
        if recording := begun(runs):
            draw(recording)
        else:
            st.skeleton(height=room_for_captions(screen) + 52)

    training.recorded(screen, [asked], drawn)
    recording = begun(live.group_of([asked]))
    if recording is None:
        screen.says("The run is being recorded; the picture follows.")
    return recording


def room_for_captions(screen: Screen) -> int:
    """The height of a chart with a title above it and a line about the run below it."""
    return screen.height - (130 if screen.present else 76)


def beside_the_threshold(heights: pd.Series) -> pd.Series:
    """Names of lines, moved off the line at which the game counts as solved."""
    near = (heights - SOLVED_RETURN).abs() < 14
    return heights.mask(near & (heights >= SOLVED_RETURN), 498).mask(
        near & (heights < SOLVED_RETURN), SOLVED_RETURN - 20
    )


def begun(runs: Sequence[Run]) -> Recording | None:
    """The recording of the first of these runs, once an update is in it."""
    return live.begun(runs[0]) if runs else None


def clamped(recording: Recording, update: int, seed: int = 0, episode: int = 0) -> tuple[int, ...]:
    """The place nearest to the one asked for that this recording has."""
    config = recording.config
    return (
        min(update, recording.num_updates),
        min(seed, config.num_seeds - 1),
        min(episode, config.num_envs - 1),
    )


@lru_cache(8)  # of 400 kB, and played in 20 ms
def played(path: Path, update: int, seed: int) -> Rollout:
    """The episodes that this seed played for this update, played again."""
    recording = Recording(path)
    return replay(recording.config, recording.theta(update)[seed], seed, update)


@in_memory
def episode_table(path: Path, update: int, seed: int, episode: int) -> pd.DataFrame:
    """One of them, a row per step."""
    recording = Recording(path)
    theta = recording.theta(update)[seed]
    return trajectory(recording.config, theta, played(path, update, seed), episode)
