"""Sutton & Barto's figures 13.1 and 13.2: REINFORCE in the short corridor, without and with V̂.

The mean of G₀, the return of an episode from its start, over 100 seeds at every episode. θ begins
at the book's (−1.47, 1.47) for right and left, P(right) = .05. At large step sizes a seed can
commit to "right" and never end an episode: there the world cuts after 1,000 steps, and the level of
such a curve is that of the cut.

Source: Sutton & Barto, 2018, example 13.1, figures 13.1 and 13.2.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from pgviz.exact.values import objective
from pgviz.runs.recording import Recording
from pgviz.training.config import Config, preset
from pgviz.training.loop import train
from pgviz.worlds.named import short_corridor

NUM_SEEDS, NUM_EPISODES = 100, 1000
PUBLISHED = {"13.1": (-12, -13, -14), "13.2": (-13, -9)}  # step sizes of θ, as powers of 2
OF_THE_CRITIC = -6
LAST = 100  # episodes that a level is the mean of


def config(power: int, num_seeds: int = NUM_SEEDS, num_episodes: int = NUM_EPISODES) -> Config:
    """One curve: the step size of θ is 2^power; 2⁻⁹ is the book's with a baseline, of 2⁻⁶."""
    method = "baseline" if power == -9 else "reinforce"
    return preset(method, "short-corridor").replace(
        num_seeds=num_seeds,
        num_updates=num_episodes,
        num_envs=1,
        every_step=True,
        optimizer="sgd",
        learning_rate=2.0**power,
        critic_learning_rate=2.0**OF_THE_CRITIC,
        initial_theta="-1.47,1.47",
    )


def configs(figure: str) -> list[Config]:
    """The runs of a figure."""
    return [config(power) for power in PUBLISHED[figure]]


def label(run: Config) -> str:
    """What a curve is: the step size of θ, and of V̂ where there is one."""
    said = f"α = 2{superscript(run.learning_rate)}"
    if run.has_critic:
        return f"with V̂ ({2}{superscript(run.critic_learning_rate)}), {said}"
    return said


def superscript(step_size: float) -> str:
    """The power of 2 that a step size is, raised."""
    return str(round(np.log2(step_size))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


@cache
def best() -> float:
    """v*(s₀) = max_p J(p) = −(6 + 4√2): no policy that takes the rooms for one does better."""
    found = minimize_scalar(
        lambda p: -objective(short_corridor(p)), bounds=(0.01, 0.99), method="bounded"
    )
    return -float(found.fun)


def mean_returns(recording: Recording) -> np.ndarray:
    """The mean of G₀ over the seeds, episode by episode."""
    return recording.metrics()["episode_return"].mean(axis=1)


def curves(recordings: Iterable[Recording]) -> pd.DataFrame:
    """label, method, episode, mean_return: means of ten episodes at a time, so that lines can be told apart."""
    tables = []
    for recording in recordings:
        returns = mean_returns(recording)
        tens = len(returns) // 10
        tables.append(
            pd.DataFrame(
                {
                    "label": label(recording.config),
                    "method": recording.config.method,
                    "episode": 10 * np.arange(tens) + 5.5,
                    "mean_return": returns[: 10 * tens].reshape(tens, 10).mean(axis=1),
                }
            )
        )
    empty = {"label": str, "method": str, "episode": float, "mean_return": float}
    if not tables:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in empty.items()})
    return pd.concat(tables, ignore_index=True)


def cut_at_the_end(recording: Recording) -> int:
    """How many seeds no longer end an episode: their last one was cut."""
    last = recording.metrics()["episode_return"]
    return int((last[-1] <= -1000).sum()) if len(last) else 0


def table_of(figure: str) -> pd.DataFrame:
    """Train the runs of a figure here: the mean return of every 100 episodes, a column for each run."""
    columns = {}
    for run in configs(figure):
        returns = np.array([update.metrics["episode_return"].mean() for update in train(run)])
        columns[label(run)] = returns.reshape(-1, LAST).mean(axis=1)
    table = pd.DataFrame(columns)
    table.insert(0, "episodes", [f"{k * LAST + 1}–{(k + 1) * LAST}" for k in range(len(table))])
    return table
