"""Gradient noise along a training: the policies of a recording, frozen at a few of its updates."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pgviz.measure.bench import LABELS
from pgviz.measure.frozen import FrozenPolicy
from pgviz.runs.recording import Recording
from pgviz.sampled.statistics import covariance_trace

SHOWN = ("full-return", "reinforce", "constant", "baseline")
EPISODES = 128
NUM_CHECKPOINTS = 6


def checkpoints(recording: Recording, num: int = NUM_CHECKPOINTS) -> list[int]:
    """Updates spread evenly over a recording, its first and its last policy among them."""
    return sorted({int(u) for u in np.linspace(0, recording.num_updates, num).round()})


def traces(
    recording: Recording,
    seed: int,
    updates: Sequence[int],
    num_episodes: int = EPISODES,
    names: Sequence[str] = SHOWN,
) -> Iterator[pd.DataFrame]:
    """One table per update: name, label, update, trace, low, high; the same episodes for all."""
    for update in updates:
        policy = FrozenPolicy(recording.config, recording.theta(update)[seed], seed, update)
        parts = list(policy.gradients(num_episodes, names=names))
        rows = []
        for name, estimates in zip(names, np.concatenate(parts, axis=1), strict=True):
            found = covariance_trace(estimates)
            rows.append(
                {
                    "name": name,
                    "label": LABELS[name],
                    "update": update,
                    "trace": found.value,
                    "low": found.low,
                    "high": found.high,
                }
            )
        yield pd.DataFrame(rows)


def sentence(table: pd.DataFrame) -> str:
    """How much of the noise each step of the story removes, and how the noise grows."""
    wide = table.pivot(index="update", columns="name", values="trace")
    plain = wide["reinforce"]
    said = [f"V(s) leaves {between(wide['baseline'] / plain)} of the reward-to-go's variance"]
    if "actor-critic" in wide:
        said += [
            f"the TD error {between(wide['actor-critic'] / plain)}, which is"
            f" {between(wide['actor-critic'] / wide['baseline'])} of what V(s) leaves"
            f" ({noisier(wide['actor-critic'], wide['baseline'])})"
        ]
    return (
        f"Along this training {'; '.join(said)}. The reward-to-go's own variance grows"
        f" {plain.max() / plain.iloc[0]:,.0f}-fold: longer episodes, larger returns."
    )


def noisier(believed: pd.Series, subtracted: pd.Series) -> str:
    """At which updates the TD error is noisier than G − V̂."""
    updates = [str(update) for update in believed.index[believed > subtracted]]
    if not updates:
        return "less at every one of these updates"
    *others, last = updates
    return f"more at updates {', '.join(others)} and {last}" if others else f"more at update {last}"


def between(ratio: pd.Series) -> str:
    """The range of a ratio, in percent."""
    low, high = (
        f"{100 * x:,.0f}" if x >= 0.1 else f"{100 * x:.2g}" for x in (ratio.min(), ratio.max())
    )
    return f"between {low} % and {high} %"
