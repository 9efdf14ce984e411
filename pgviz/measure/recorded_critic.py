"""What fresh episodes tell of a trained actor-critic: played beforehand and shipped, 20 s of work.

`python -m pgviz.measure.recorded_critic` trains and plays anew and writes the file.
"""

import json
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.in_memory import in_memory
from pgviz.measure import critic_map, race, switches
from pgviz.measure.ensembles import interquartile_mean
from pgviz.measure.frozen import FrozenPolicy
from pgviz.runs.recording import Recorder, Recording
from pgviz.sampled.statistics import covariance_trace, trace_ratio
from pgviz.training import METRICS, Config, train

FILE = Path(__file__).with_name("recorded_critic.json")
CONFIG = race.configs(("actor-critic",))[0]
SEEDS = (0, 1, 2)  # whose maps and noise are kept
UPDATES = (*range(0, 210, 10), 209)  # of the maps; the last policy of the run is the last one
WEIGHTS = ("reinforce", "baseline", "actor-critic")  # whose noise is measured
EPISODES = 1024  # of a frozen policy
ROWS = 80  # of the curves along training


@lru_cache(1)
def _document() -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return document


@in_memory
def cells(seed: int) -> pd.DataFrame:
    """The maps of a seed: at (position in UPDATES), update, angle, rate, predicted, observed, states."""
    tables = [
        pd.DataFrame(rows, columns=["angle", "rate", "predicted", "observed", "states"]).assign(
            at=at, update=UPDATES[at]
        )
        for at, rows in enumerate(_document()["maps"][str(seed)])
    ]
    return pd.concat(tables, ignore_index=True)


def along_training() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The critic against its own targets and against fresh episodes: update, explained_variance,
    error (root mean square, in rewards), and spread, the standard deviation of the fresh returns;
    means of the middle half of the seeds."""
    own, fresh = (pd.DataFrame(_document()[name]) for name in ("own", "fresh"))
    return own, fresh


@in_memory
def noise(seed: int) -> pd.DataFrame:
    """name, update, trace, low, high: the covariance trace of one episode's ĝ, 95 % interval."""
    return pd.DataFrame(_document()["noise"][str(seed)])


@in_memory
def ratios(seed: int) -> pd.DataFrame:
    """update, length (mean of the episodes), and ratio, low, high: the trace of δ over that of
    G − V̂(s) on the same episodes, 95 % interval."""
    return pd.DataFrame(_document()["ratios"][str(seed)])


def critic_error(config: Config) -> float | None:
    """Root mean square of V̂(s) − G over fresh episodes at the end of a switch's run, in rewards."""
    errors: Mapping[str, float] = _document()["errors"]
    return next((errors[name] for name, c in _switched().items() if c == config), None)


def _switched() -> dict[str, Config]:
    return {"intact": switches.INTACT} | dict(switches.SWITCHES)


# --- how the file was made ---


def trained(config: Config, path: Path) -> Recording:
    """Train into a file."""
    recorder = None
    for update in train(config):
        recorder = recorder or Recorder(path, config, METRICS, update.played)
        recorder.append(update.theta, update.metrics, 0.0)
    assert recorder is not None
    recorder.close()
    return Recording(path)


def map_rows(recording: Recording, update: int, seed: int) -> list[list[float]]:
    """One map, a row per cell, rounded."""
    table = critic_map.critic_map(recording, update, seed)
    columns = ["angle", "rate", "predicted", "observed", "states"]
    return [
        [round(a, 4), round(r, 4), round(s, 2), round(c, 2), int(n)]
        for a, r, s, c, n in table[columns].to_numpy().tolist()
    ]


def noise_of(
    recording: Recording, seed: int, update: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of `noise` and the row of `ratios` of one frozen policy."""
    policy = FrozenPolicy(recording.config, recording.theta(update)[seed], seed, update)
    parts = list(policy.gradients(EPISODES, names=WEIGHTS))
    estimates = dict(zip(WEIGHTS, np.concatenate(parts, axis=1), strict=True))
    rows = []
    for name, each in estimates.items():
        found = covariance_trace(each)
        rows.append(
            {
                "name": name,
                "update": update,
                "trace": rounded(found.value),
                "low": rounded(found.low),
                "high": rounded(found.high),
            }
        )
    ratio = trace_ratio(estimates["actor-critic"], estimates["baseline"])
    length = float(policy.play(EPISODES, part=2).lengths.mean())
    return rows, {
        "update": update,
        "length": round(length, 1),
        "ratio": rounded(ratio.value),
        "low": rounded(ratio.low),
        "high": rounded(ratio.high),
    }


def rounded(x: NDArray[np.floating] | float | None) -> float | None:
    """Five digits; None where there is no interval."""
    return None if x is None else float(f"{float(x):.5g}")


def checkpoints(recording: Recording, num: int = 6) -> list[int]:
    """Updates spread evenly over a recording, its first and its last policy among them."""
    return sorted({int(u) for u in np.linspace(0, recording.num_updates, num).round()})


def record() -> dict[str, Any]:
    """All of it."""
    with tempfile.TemporaryDirectory() as folder:
        found = trained(CONFIG, Path(folder) / "run")
        assert found.num_updates == UPDATES[-1]
        own = critic_map.along_training(found)
        own = own.iloc[:: -(-len(own) // ROWS)]
        fresh = pd.concat(critic_map.knowledge(found, UPDATES))
        marks = checkpoints(found)
        noises = {str(seed): [noise_of(found, seed, mark) for mark in marks] for seed in SEEDS}
        errors = {}
        for number, (name, config) in enumerate(_switched().items()):
            run = trained(config, Path(folder) / f"switch{number}")
            errors[name] = round(float(interquartile_mean(switches.critic_errors(run))), 2)
        return {
            "maps": {str(s): [map_rows(found, u, s) for u in UPDATES] for s in SEEDS},
            "own": own.round(4).to_dict("list"),
            "fresh": fresh.round(4).to_dict("list"),
            "noise": {
                seed: [row for rows, _ in found for row in rows] for seed, found in noises.items()
            },
            "ratios": {seed: [row for _, row in found] for seed, found in noises.items()},
            "errors": errors,
        }


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(), separators=(",", ":")), encoding="utf-8")
