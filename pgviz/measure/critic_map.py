"""What a critic predicts and the returns observed, over the pole's angle and its rate."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pgviz import estimators
from pgviz.measure.ensembles import interquartile_mean
from pgviz.runs.recording import Recording
from pgviz.runs.replay import replay_together

ANGLES = np.linspace(-0.21, 0.21, 10)
RATES = np.linspace(-2.0, 2.0, 10)
AHEAD = (
    250  # steps that must follow a state in an episode that the limit cut: γ²⁵⁰ = .08 at γ = .99
)
FEWEST = 5  # states behind a cell


def visited(recording: Recording, update: int, seed: int) -> pd.DataFrame:
    """angle, rate, predicted, observed: a row for every state of fresh episodes by the policy of
    this update.

    `observed` is the discounted return, `predicted` what the critic of this update predicts. A
    state that the time limit cuts off too soon is left out: its return would be short.
    """
    return _states(recording, update, [seed])[0]


def _states(recording: Recording, update: int, seeds: Sequence[int]) -> list[pd.DataFrame]:
    """What each of these seeds visited, all played together."""
    config = recording.config
    rollout = replay_together(config, recording.theta(update)[[*seeds]], seeds, update)
    returns = estimators.reward_to_go(rollout.rewards, config.gamma)
    lengths = rollout.mask.sum(axis=-1, keepdims=True)
    cut = rollout.truncated.any(axis=-1, keepdims=True)
    left = lengths - np.arange(rollout.mask.shape[-1])
    kept = rollout.mask & (~cut | (left > AHEAD))
    return [
        pd.DataFrame(
            {
                "angle": obs[mine, 2],
                "rate": obs[mine, 3],
                "predicted": values[mine].astype(float),
                "observed": observed[mine],
            }
        )
        for obs, values, observed, mine in zip(
            rollout.obs, rollout.values, returns, kept, strict=True
        )
    ]


def critic_map(recording: Recording, update: int, seed: int) -> pd.DataFrame:
    """angle, rate, predicted, observed, states: means over the visited states of each cell."""
    states = visited(recording, update, seed)
    states["angle"] = _middle_of(ANGLES, states["angle"].to_numpy())
    states["rate"] = _middle_of(RATES, states["rate"].to_numpy())
    cells = (
        states.dropna()
        .groupby(["angle", "rate"])
        .agg(
            predicted=("predicted", "mean"),
            observed=("observed", "mean"),
            states=("predicted", "size"),
        )
    )
    return cells[cells["states"] >= FEWEST].reset_index()


def _middle_of(edges: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The middle of the cell that holds x, NaN outside."""
    at = np.digitize(x, edges) - 1
    inside = (at >= 0) & (at < len(edges) - 1)
    middles = (edges[1:] + edges[:-1]) / 2
    return np.where(inside, middles[np.clip(at, 0, len(middles) - 1)], np.nan)


def along_training(recording: Recording) -> pd.DataFrame:
    """The critic against its own targets y: update, explained_variance, error; IQM over seeds.

    `error` is the r.m.s. of V̂ − y. A bootstrapped y contains V̂ itself, so this is how far the
    critic agrees with itself.
    """
    metrics = recording.metrics()
    return pd.DataFrame(
        {
            "update": np.arange(len(metrics["value_loss"])),
            "explained_variance": interquartile_mean(metrics["explained_variance"], axis=1),
            "error": interquartile_mean(np.sqrt(2 * metrics["value_loss"]), axis=1),
        }
    )


def knowledge(recording: Recording, updates: Sequence[int]) -> Iterator[pd.DataFrame]:
    """The critic against the returns of fresh episodes: update, explained_variance, error, spread.

    A row per update, IQM over seeds: 1 − Var(G − V̂)/Var(G), the r.m.s. of V̂ − G, and the standard
    deviation of G.
    """
    for update in updates:
        explained, error, spread = [], [], []
        for states in _states(recording, update, range(recording.num_seeds)):
            gap = states["observed"] - states["predicted"]
            error.append(np.sqrt((gap**2).mean()))
            spread.append(states["observed"].std(ddof=0))
            if (variance := states["observed"].var(ddof=0)) > 0:
                explained.append(1 - gap.var(ddof=0) / variance)
        yield pd.DataFrame(
            {
                "update": [update],
                "explained_variance": [float(interquartile_mean(np.array(explained)))],
                "error": [float(interquartile_mean(np.array(error)))],
                "spread": [float(interquartile_mean(np.array(spread)))],
            }
        )
