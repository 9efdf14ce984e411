"""What the critic predicts, beside the returns that were observed: along training, measured ahead."""

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import actor_critic as charts
from pgviz.figures import fixed, signed
from pgviz.in_memory import in_memory
from pgviz.measure import critic_map, recorded_critic
from pgviz.measure.recorded_critic import CONFIG, SEEDS, UPDATES
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import ROOM_SCALE, Screen, chart

UPDATE = Choice("update", "Update", UPDATES)
SEED = Choice("seed", "Seed", SEEDS)
CONTROLS = (UPDATE, SEED)
BEATS = ({"update": 0}, {"update": 40}, {"update": 80}, {"update": 209})
START = 80
TOP = 125.0  # rewards: more than 1 / (1 − γ), the highest value there is


def draw(screen: Screen) -> None:
    screen.words(
        "The policy of each update plays fresh episodes. Each cell averages over the visited states"
        " with this angle and angular velocity: left the critic's V̂, right the discounted return"
        " that followed. At update 0, V̂ is near 0 everywhere. Drag the update: V̂ grows, and the"
        " policy changes, and with it the returns."
    )
    field = screen.live(UPDATE, START)
    update: int = screen.control(UPDATE, START)
    seed: int = screen.control(SEED, 0)
    table = cells(seed)
    with screen.picture():
        columns = st.columns(2, gap="small")
        for column, quantity, title in zip(
            columns,
            ("predicted", "observed"),
            ("The critic predicts", "Observed discounted return"),
            strict=True,
        ):
            with column:
                st.markdown(
                    f"**{title}**  \n:small[:gray[in rewards · γ = {CONFIG.gamma:g} · drag the update]]"
                )
                chart(
                    f"chart-{screen.key}-{quantity}",
                    charts.critic_map,
                    field,
                    UPDATES.index(START),
                    quantity,
                    TOP,
                    ink(),
                    tables={"cells": table},
                    height=screen.height - 52,
                    says=f"{title}, per cell of angle and angular velocity.",
                    scale=ROOM_SCALE if screen.present else 1.0,
                )
    screen.says(sentence(seed, update))
    screen.numbers(table[table["update"] == update].drop(columns=["at", "update"]).round(2))
    screen.code(critic_map.visited, critic_map.critic_map)
    screen.command("python -m pgviz.measure.recorded_critic")


@in_memory
def cells(seed: int) -> pd.DataFrame:
    """The maps of a seed, the angle in degrees."""
    table = recorded_critic.cells(seed)
    return table.assign(angle=np.degrees(table["angle"]).round(3))


def sentence(seed: int, update: int) -> str:
    """How far the prediction lies from the observed returns, on average and where it is farthest."""
    table = recorded_critic.cells(seed)
    here = table[table["update"] == update]
    weight = here["states"].to_numpy(float)
    gap = (here["predicted"] - here["observed"]).to_numpy(float)
    mean = float(np.average(gap, weights=weight))
    returns = float(np.average(here["observed"], weights=weight))
    way = "much" if mean > 0 else "little"
    far = here.iloc[int(np.abs(gap).argmax())]
    return (
        f"At update {update} the critic predicts {fixed(abs(mean), 1)} rewards too {way} on average"
        f" over {int(weight.sum()):,} states; the returns average {fixed(returns, 1)}. It is"
        f" farthest off at {signed(float(np.degrees(far['angle'])), 1)}° and"
        f" {signed(float(far['rate']), 1)} rad/s: V̂ is {fixed(far['predicted'], 1)}, the return"
        f" {fixed(far['observed'], 1)}."
    )
