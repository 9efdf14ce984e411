"""The panels of the page on the actor-critic. Each asks `measure` for tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import critics as charts
from pgviz.measure import critic_map, switches, trust
from pgviz.measure.checkpoints import checkpoints
from pgviz.measure.sweep import steps_in
from pgviz.runs import Recording
from pgviz.training.config import Config
from pgviz.ui import besides, controls, live, page
from pgviz.ui.controls import Choice
from pgviz.ui.gae_panels import in_parts
from pgviz.ui.look import ink
from pgviz.ui.once import in_memory, once, together

WORLD = Choice(
    "world",
    "World",
    trust.WORLDS,
    captions=("three rungs, six steps", "three rooms, one look", "stay or stop"),
)
SHAPE = Choice(
    "shape",
    "How the critic is wrong",
    tuple(trust.FORMULAS),
    "V is the mean return from a state on, J that of a whole episode.",
    captions=tuple(trust.FORMULAS.values()),
)
ERROR = Choice("error", "Its error ε", trust.ERRORS, "0 is the true V.")
WRONG_CRITIC = (WORLD, SHAPE, ERROR)
NAMES = {"baseline": "subtracted", "actor-critic": "believed"}


def wrong_critic(world: str, shape: str, error: float) -> tuple[str, str, float]:
    """The three controls that make V̂ wrong, from these defaults; and a word where they do not."""
    world = controls.draw(WORLD, world)
    shape = controls.draw(SHAPE, shape)
    error = controls.draw(ERROR, error)
    if void := trust.void_in_words(world, shape, error):
        st.markdown(void)
    return world, shape, error


def two_uses(world: str, shape: str, error: float, revealed: bool) -> None:
    """Bias and spread of the same critic, subtracted and believed, side by side."""
    table = trust.two_uses(world, shape)
    here = trust.uses_at(table, error)
    numbers = trust.numbers_at(table, error)
    (bias, spread), (followed_bias, followed_spread) = numbers["baseline"], numbers["actor-critic"]
    page.figures(
        (
            "Bias² / ‖∇J‖²: subtracted, believed",
            f"{in_parts(bias)}, {in_parts(followed_bias)}" if revealed else "guess first",
        ),
        ("tr Cov ĝ: subtracted, believed", f"{spread:.4g}, {followed_spread:.4g}"),
    )
    harmful = float(table["bias"].max()) > 1e-12
    fields = [
        (
            "spread",
            "tr Cov of one episode’s ĝ",
            f"Believed, it leaves {100 * followed_spread / spread:.2g} % of the noise",
        )
    ]
    if revealed:
        fields.insert(
            0,
            (
                "bias",
                "bias² / ‖∇J‖²",
                "Believed, its error is a bias" if harmful else "This error biases neither",
            ),
        )
    for column, (field, title, heading) in zip(
        st.columns(len(fields), gap="medium"), fields, strict=True
    ):
        with column:
            page.heading(heading, "exact · the same V̂ in both")
            ends = table[table["error"] == 1.0]
            top = float(table[field].max()) * 1.22 or 1.0
            page.chart(
                f"chart-uses-{field}",
                charts.two_uses,
                field,
                title,
                top,
                tables={
                    "uses": table,
                    "here": here,
                    "ends": ends.assign(text=ends["name"].map(NAMES)),
                },
                height=300,
                says=trust.uses_in_words(world, shape, error) if revealed else heading,
            )
    page.numbers(table if revealed else table[["name", "error", "spread"]], "uses")


def ascents(start: float) -> None:
    """P(right) along both ascents."""
    table = trust.corridor_ascents(start)
    page.heading(
        "The believed critic walks to the worst policy",
        "exact expectations, no samples · an ascent ends where episodes would last 1,000 steps",
    )
    ends = table.groupby("name").tail(1)
    words = {
        name: f"{NAMES[name]}: J = {j:.1f}".replace("-", "−")
        for name, j in zip(ends["name"], ends["objective"], strict=True)
    }
    marks = (
        table[
            ((table["name"] == "baseline") & (table["step"] == 60))
            | ((table["name"] == "actor-critic") & (table["probability"] > 0.985))
        ]
        .groupby("name")
        .head(1)
    )
    page.chart(
        "chart-ascents",
        charts.ascents,
        ink(),
        trust.ASCENT_STEPS,
        tables={
            "paths": table,
            "ends": marks.assign(text=marks["name"].map(words)),
            "optimum": pd.DataFrame({"probability": [2 - 2**0.5]}),
        },
        height=300,
        says=trust.ascent_in_words(start),
    )
    st.caption(trust.ascent_in_words(start))


@in_memory(megabytes=8)
def _cells(path: str, update: int, seed: int) -> pd.DataFrame:
    return critic_map.critic_map(Recording(Path(path)), update, seed)


def cells_of(recording: Recording, update: int, seed: int) -> pd.DataFrame:
    """The map at one update, worked out once."""
    return _cells(str(recording.path), update, seed)


def said_and_came(recording: Recording, update: int, seed: int) -> None:
    """Two maps on the same scale, and how far they are apart."""
    cells = cells_of(recording, update, seed)
    both = cells[["said", "came"]].to_numpy()
    low = 5.0 * (float(both.min(initial=95.0)) // 5.0)
    top = max(5.0 * -(-float(both.max(initial=1.0)) // 5.0), low + 5)
    for column, (field, heading) in zip(
        st.columns(2, gap="medium"),
        (("said", "What the critic says"), ("came", "What came")),
        strict=True,
    ):
        with column:
            page.heading(heading, "mean per cell · more colour: more reward")
            page.chart(
                f"chart-map-{field}",
                charts.critic_map,
                field,
                low,
                top,
                tables={"cells": cells},
                height=300,
                says=critic_map.in_words(cells, recording.config.gamma),
            )
    st.caption(critic_map.in_words(cells, recording.config.gamma))
    page.numbers(cells, "cells")


def _knowledge(recording: Recording) -> pd.DataFrame:
    """The critics of a few updates against fresh episodes."""
    updates = checkpoints(recording)
    return once(
        ("knowledge", str(recording.path), recording.num_updates),
        "Playing fresh episodes against the critics",
        together(critic_map.knowledge(recording, updates), len(updates)),
    )


def along_training(recording: Recording) -> None:
    """The critic against what came, and against its own targets."""
    own, fresh = critic_map.along_training(recording), _knowledge(recording)
    said = critic_map.knowledge_in_words(own, fresh)
    low = float(
        np.floor(min(0.0, fresh["explained_variance"].min(), own["explained_variance"].min()))
    )
    top = 5.0 * float(np.ceil(max(fresh["error"].max(), own["error"].max()) / 5.0))
    for column, (field, title, heading, *domain) in zip(
        st.columns(2, gap="large"),
        (
            (
                "explained_variance",
                "explained variance",
                "How much of what came it explains",
                low,
                1.0,
            ),
            ("error", "r.m.s., in rewards", "How far it is off", 0.0, top),
        ),
        strict=True,
    ):
        with column:
            page.heading(
                heading,
                "thick: against fresh episodes · thin: against its own targets y"
                f" · IQM over {recording.num_seeds} seeds",
            )
            page.chart(
                f"chart-{field.replace('_', '-')}",
                charts.instrument,
                field,
                title,
                recording.num_updates,
                *domain,
                tables={"fresh": fresh, "own": own},
                height=230,
                says=said,
            )
    st.caption(said)
    page.numbers(fresh, "knowledge")


def watch_switch(configs: Sequence[Config], name: str) -> None:
    """The intact run beside the switched one, polled while one of them lives."""
    live.poll(configs, lambda: _draw_switch(configs, name))
    names = dict(zip(configs, ("as it should be", name), strict=True))
    runs = live.group_of(configs)
    besides.panel(runs, [names[run.config] for run in runs])


@st.cache_data(max_entries=40, show_spinner="Playing fresh episodes against the critic")
def _end(path: str) -> switches.End:
    return switches.end_of(Recording(Path(path)))


def ends_of(configs: Sequence[Config]) -> list[switches.End]:
    """Where both runs stand, once both have ended of themselves."""
    runs = live.group_of(configs)
    if len(runs) < len(configs) or any(run.ending != "finished" for run in runs):
        return []
    return [_end(str(run.path)) for run in runs]


def _draw_switch(configs: Sequence[Config], name: str) -> None:
    solved = pd.DataFrame({"trailing_return": [475.0]})
    titles = ("As it should be", name.capitalize())
    for column, config, title in zip(st.columns(2, gap="large"), configs, titles, strict=True):
        run = live.runs().find(config)
        middle, seeds = live.by_steps(run) if run else (live.NO_CURVE, live.NO_SEEDS)
        is_intact = config is configs[0]
        with column:
            page.heading(title, "a line: a seed · thick: their middle half (IQM) · dotted: solved")
            page.chart(
                f"chart-switch-{'intact' if is_intact else 'switched'}",
                charts.switched,
                steps_in(config),
                not is_intact,
                tables={"seeds": seeds, "middle": middle, "solved": solved},
                height=230,
                says=f"{title}: the returns of the seeds along training.",
            )
    runs = live.group_of(configs)
    if ends := ends_of(configs):
        st.markdown(switches.in_words(name, *ends))
        page.numbers(
            switches.table(dict(zip(("as it should be", name), ends, strict=True))), "ends"
        )
    elif any(run.active for run in runs):
        st.caption(f"{steps_in(configs[0]):,} steps for each seed. The verdict stands here then.")
    elif any(run.ending in ("stopped", "failed") for run in runs):
        over = sum(run.ending == "finished" for run in runs)
        others = live.others_in_words(runs, len(configs))
        st.caption(f"{over} of {len(configs)} runs have ended{others}.")
    else:
        st.caption("Not run yet on this server.")
