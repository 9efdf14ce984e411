"""The variance of three estimates along training: frozen policies, fresh episodes, measured ahead."""

import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.figures import listed, number, percent
from pgviz.in_memory import in_memory
from pgviz.measure import recorded_critic
from pgviz.measure.frozen import psi
from pgviz.measure.recorded_critic import SEEDS
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen

SEED = Choice("seed", "Seed", SEEDS)
CONTROLS = (SEED,)
BEATS = ({"seed": 0}, {"seed": 1}, {"seed": 2})
NAMES = {"reinforce": "G", "baseline": "G − V̂(s)", "actor-critic": "δ"}
MINUS_V = "G\N{NO-BREAK SPACE}−\N{NO-BREAK SPACE}V̂(s)"  # in a sentence: in one piece
ASIDE = {"reinforce": -2.5, "baseline": 0.0, "actor-critic": 2.5}  # so that no bar hides another


def draw(screen: Screen) -> None:
    screen.words(
        "Frozen policies of this training play fresh episodes: $\\gamma = 1$, step 500 ends an"
        " episode, and V̂ is fitted anew and knows the time. Early, δ has the least variance. Once all"
        " episodes last 500 steps, $G = 500 - t$ whatever the actions, and V̂ predicts it well. But δ"
        " keeps the error of V̂(s′), which depends on the action."
    )
    field = screen.live(SEED, 0)
    seed: int = screen.control(SEED, 0)
    table, names = tables()
    screen.chart(
        charts.noise, field, 0, recorded_critic.UPDATES[-1],
        tables={"noise": table, "names": names},
        title="First δ has the least variance, later G − V̂(s)",
        note=f"{recorded_critic.EPISODES:,} episodes each, measured beforehand · bar: 95 % interval"
        + (" (none: unknown)" if table[table["seed"] == seed]["low"].isna().any() else ""),
    )  # fmt: skip
    screen.says(sentence(seed))
    screen.numbers(recorded_critic.noise(seed))
    screen.code(recorded_critic.noise_of, psi)
    screen.command("python -m pgviz.measure.recorded_critic")


@in_memory
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curves of all seeds, a little beside each other, and the names at their ends."""
    table = pd.concat([recorded_critic.noise(s).assign(seed=s) for s in SEEDS], ignore_index=True)
    table["place"] = table["update"] + table["name"].map(ASIDE)
    names = table[table["update"] == table["update"].max()]
    return table, names.assign(label=names["name"].map(NAMES))


def sentence(seed: int) -> str:
    """The variance of δ as a share of that of G − V̂(s), and where it is surely less or more."""
    table = recorded_critic.ratios(seed)
    best, last = table.iloc[int(table["ratio"].argmin())], table.iloc[-1]
    less = [str(u) for u in table[table["high"] < 1]["update"]]
    more = [str(u) for u in table[table["low"] > 1]["update"]]
    return (
        f"At update {best['update']:.0f} episodes last {best['length']:.0f} steps on average, and δ has"
        f" {percent(best['ratio'])} of the variance of {MINUS_V}; at update {last['update']:.0f},"
        f" {last['length']:.0f} steps and {number(last['ratio'], 2)} times as much. The 95 %"
        f" interval of this ratio is below 1 at {listed(less)}, above 1 at {listed(more)}."
    )
