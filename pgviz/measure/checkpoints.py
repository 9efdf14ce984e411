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
