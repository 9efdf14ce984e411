"""What an ensemble says that one seed cannot: the middle, and how sure we are of it.

Axes: U updates, S seeds.
"""

import threading
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from pgviz.runs.recording import Recording

NUM_RESAMPLES = 400
FEWEST_SEEDS = 5  # that can say how sure they are
MAX_SEED_ROWS = 1200  # a chart redraws in a blink up to here


def interquartile_mean(x: NDArray[np.floating], axis: int = -1) -> NDArray[np.float64]:
    """IQM: the mean of the middle half of the seeds. Less noisy than the median, deaf to outliers.

    Source: Agarwal et al., 2021, arXiv:2108.13264. With fewer than four seeds it is the mean.
    """
    return stats.trim_mean(x, 0.25, axis=axis)


def bootstrap_band(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A 95 % percentile-bootstrap interval of the IQM over seeds: x [U, S] to low and high [U].

    Of no width with fewer than five seeds: the interval would be their least and their greatest.
    """
    if x.shape[1] < FEWEST_SEEDS:
        middle = interquartile_mean(x, axis=1)
        return middle, middle
    interval = stats.bootstrap(
        (x,),
        interquartile_mean,
        axis=1,
        vectorized=True,
        n_resamples=NUM_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return interval.low, interval.high


@dataclass(frozen=True)
class Curves:
    """Tidy tables of a run until update U.

    middle   one row per update: update, and per metric its IQM; low and high of the return
    seeds    one row per seed and (thinned) update: update, seed, episode_return
    """

    num_updates: int
    middle: pd.DataFrame
    seeds: pd.DataFrame


class LearningCurves:
    """The curves of a growing recording; each update is summarised once, whoever asks."""

    METRICS = ("episode_return", "pseudo_loss", "grad_norm", "entropy")

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._lock = threading.Lock()
        self._returns = np.empty((0, recording.num_seeds))
        self._middle = pd.DataFrame()
        self._latest: Curves | None = None

    def latest(self) -> Curves:
        """The curves up to the last complete update."""
        with self._lock:
            if self._latest is None or self._latest.num_updates < self._recording.num_updates:
                self._extend()
            assert self._latest is not None
            return self._latest

    def _extend(self) -> None:
        start = len(self._returns)
        metrics = self._recording.metrics(start)
        new = metrics["episode_return"]
        self._returns = np.concatenate([self._returns, new])
        num_updates = len(self._returns)
        if len(new):
            low, high = bootstrap_band(new)
            rows = pd.DataFrame(
                {"update": np.arange(start, num_updates), "low": low, "high": high}
                | {name: interquartile_mean(metrics[name], axis=1) for name in self.METRICS}
            )
            self._middle = pd.concat([self._middle, rows], ignore_index=True)
        self._latest = Curves(num_updates, self._middle, self._thinned())

    def _thinned(self) -> pd.DataFrame:
        num_updates, num_seeds = self._returns.shape
        stride = max(1, -(-num_updates * num_seeds // MAX_SEED_ROWS))
        kept = np.arange(0, num_updates, stride)
        if num_updates and kept[-1] != num_updates - 1:
            kept = np.append(kept, num_updates - 1)
        update, seed = np.meshgrid(kept, np.arange(num_seeds), indexing="ij")
        return pd.DataFrame(
            {
                "update": update.ravel(),
                "seed": seed.ravel(),
                "episode_return": self._returns[kept].ravel(),
            }
        )
