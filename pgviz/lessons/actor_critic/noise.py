"""The variance of three estimates along training: frozen policies, fresh episodes, measured ahead."""

from functools import lru_cache

import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.figures import number, percent
from pgviz.measure import checkpoints, recorded_critic
from pgviz.measure.frozen import psi
from pgviz.measure.recorded_critic import SEEDS
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen

SEED = Choice("seed", "Seed", SEEDS)
CONTROLS = (SEED,)
BEATS = ({"seed": 0}, {"seed": 1}, {"seed": 2})
NAMES = {"reinforce": "G", "baseline": "G − V̂(s)", "actor-critic": "δ"}


def draw(screen: Screen) -> None:
    screen.words(
        "Policies of this training, frozen; fresh episodes; three weights for the same steps (γ ="
        " 1, a critic fitted to other episodes). Early, δ is the least noisy. Once all episodes"
        " last 500 steps, G depends on the time alone: a critic that knows the time removes almost"
        " all of it, while the critic's own errors stay in δ."
    )
    field = screen.live(SEED, 0)
    seed: int = screen.control(SEED, 0)
    table, names = tables()
    screen.chart(
        charts.noise, field, 0, recorded_critic.UPDATES[-1],
        tables={"noise": table, "names": names},
        title="First δ is the least noisy, later G − V̂(s)",
        note=f"{checkpoints.EPISODES} episodes each · band: 95 % interval · logarithmic · measured"
        " beforehand",
    )  # fmt: skip
    screen.says(sentence(seed))
    screen.numbers(recorded_critic.noise(seed))
    screen.code(checkpoints.traces, psi)
    screen.command("python -m pgviz.measure.recorded_critic")


@lru_cache(1)
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curves of all seeds, and names at their ends that keep apart."""
    table = pd.concat([recorded_critic.noise(s).assign(seed=s) for s in SEEDS], ignore_index=True)
    names = table[table["update"] == table["update"].max()]
    return table, names.assign(label=names["name"].map(NAMES))


def least_noisy(seed: int) -> pd.Series:
    """update → the name of the estimate with the smallest trace."""
    wide = recorded_critic.noise(seed).pivot(index="update", columns="name", values="trace")
    return wide.idxmin(axis=1)


def sentence(seed: int) -> str:
    """How much of the variance of G both leave at the start and at the end, and who is less noisy."""
    wide = recorded_critic.noise(seed).pivot(index="update", columns="name", values="trace")
    share = wide.div(wide["reinforce"], axis=0)
    first, last = share.iloc[0], share.iloc[-1]
    won = [str(u) for u, name in least_noisy(seed).items() if name == "actor-critic"]
    where = (
        f"δ is the least noisy at updates {_listed(won)}." if won else "δ is never the least noisy."
    )
    return (
        f"At the start δ leaves {percent(first['actor-critic'])} of the variance of G, and G − V̂(s)"
        f" {percent(first['baseline'])}; at the end {number(100 * last['actor-critic'], 2)} % and"
        f" {number(100 * last['baseline'], 2)} %. {where}"
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
