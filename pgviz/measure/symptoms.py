"""What the wrong lines of training/zoo.py look like: curves of a recording, and a table of all cases.

`python -m pgviz.measure.symptoms CASE …` trains a case twice, with the wrong line and the right one,
and compares its expected update with ∇J; without a name it does so with all of them and writes
symptoms.json beside this file.

Axes: U updates, S seeds.
"""

import json
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.measure.ensembles import interquartile_mean
from pgviz.training import zoo
from pgviz.training.config import Config
from pgviz.training.zoo import CASES, Which
from pgviz.worlds.world import find

FILE = Path(__file__).with_name("symptoms.json")
LINES: tuple[Which, Which] = ("wrong", "right")
METRICS = ("episode_return", "entropy", "explained_variance", "advantage_mean", "advantage_std")
BESIDES = ("objective", "trailing_return", "num_episodes", "solved")
MOST_POINTS = 100  # of a curve
LEARNS = 0.9  # share of the right line's improvement from which a wrong line counts as learning
ROUNDS = 4  # of 256 batches for an expected update

Metrics = Mapping[str, NDArray[np.floating]]


def last_tenth(metrics: Metrics, name: str) -> float:
    """A metric over the last tenth of the updates: the mean of the middle half of the seeds."""
    means = of_seeds(metrics, name)
    return float(interquartile_mean(means)) if means.size else float("nan")


def return_metric(config: Config) -> str:
    """What the return is read from: J where windows of a finite world are learned from.

    There only the shortest episodes end in the first windows, and their mean is too high.
    """
    exact = config.num_steps > 0 and find(config.world).table is not None
    return "objective" if exact else "episode_return"


def of_seeds(metrics: Metrics, name: str) -> NDArray[np.floating]:
    """The mean over the last tenth of the updates of every seed that has one."""
    values = metrics[name]
    means = _mean(values[-max(1, len(values) // 10) :])
    return means[np.isfinite(means)]


def beginning(metrics: Metrics) -> float:
    """The return of the first policy: exact in a finite world, else of the first 100 episodes or so.

    Not that of the first update alone: in a short window only the shortest episodes come to an end.
    """
    if np.isfinite(metrics["objective"][0]).all():
        return float(metrics["objective"][0].mean())
    enough = (metrics["num_episodes"] >= 100).argmax(axis=0)
    return float(np.take_along_axis(metrics["trailing_return"], enough[None], axis=0).mean())


def curves(metrics: Metrics, name: str, along: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A metric along `along`, a count: middle (x, value, low, high) and seeds (x, seed, value).

    At most MOST_POINTS points, each the mean of neighbouring updates. Of the advantages, value is
    the mean, and low and high are one standard deviation away from it.
    """
    num_updates = len(metrics[name])
    groups = np.array_split(np.arange(num_updates), min(num_updates, MOST_POINTS))
    x = np.array([metrics[along][group[-1]].mean() for group in groups])
    values = np.array([_mean(metrics[name][group]) for group in groups])
    middle = interquartile_mean(values, axis=1)
    spread = np.zeros(len(middle))
    if name == "advantage_mean":
        spread = interquartile_mean(
            np.array([_mean(metrics["advantage_std"][group]) for group in groups]), axis=1
        )
    seeds = pd.DataFrame(values).assign(x=x).melt(id_vars="x", var_name="seed")
    table = pd.DataFrame({"x": x, "value": middle, "low": middle - spread, "high": middle + spread})
    return table.dropna(), seeds.dropna()


def _mean(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Over updates, of those in which a seed has a value."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=0) / np.where(known.any(0), known.sum(0), np.nan)


# ── The table of all cases ───────────────────────────────────────────────────────────────────


def reading(metrics: Metrics, config: Config) -> dict[str, Any]:
    """What the instruments say of a run: start, METRICS, worst (seed's return) and solved."""
    returns = return_metric(config)
    metrics = {**metrics, "episode_return": metrics[returns]}
    return {
        "start": beginning(metrics),
        **{metric: last_tenth(metrics, metric) for metric in METRICS},
        "worst": float(of_seeds(metrics, "episode_return").min()),
        "solved": int(metrics["solved"][-1].sum()),
    }


def measure(name: str) -> dict[str, Any]:
    """What the instruments say of a case, with the wrong line and with the right one."""
    case = CASES[name]
    found: dict[str, Any] = {}
    for which in LINES:
        metrics = zoo.watch(case, which, names=(*METRICS, *BESIDES))
        found[which] = reading(metrics, case.config)
        if case.world:
            update = zoo.expected_update(case, which, num_rounds=ROUNDS)
            found[which]["update"] = {
                "mean": update.mean.tolist(),
                "standard_error": update.standard_error.tolist(),
                "exact": update.exact.tolist(),
                "cosine": update.cosine,
            }
    return found


@lru_cache(1)
def measured() -> dict[str, dict[str, dict[str, Any]]]:
    """What was measured: case → "wrong" or "right" → start, METRICS, solved and, where there is a
    world for it, update.
    """
    document: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return document


def share(name: str) -> float:
    """The improvement of the return with the wrong line, divided by that with the right one."""
    wrong, right = (measured()[name][which] for which in LINES)
    start = right["start"]
    return float((wrong["episode_return"] - start) / (right["episode_return"] - start))


def still_learn() -> list[str]:
    """The cases whose return improves by at least LEARNS of what the right line improves it."""
    return [name for name in CASES if share(name) >= LEARNS]


def pushes(name: str, which: Which) -> pd.DataFrame:
    """The expected update and ∇J, a row per feature and action: (place, kind, value, error).

    Of two actions the second alone: the first is pushed by the same amount the other way.
    """
    case, update = CASES[name], measured()[name][which]["update"]
    table = find(case.world).table
    assert table is not None
    actions = [1] if table.num_actions == 2 else range(table.num_actions)
    rows = []
    for feature in range(table.num_features):
        for action in actions:
            place = f"action {action + 1}"
            if table.num_features > 1:
                place = f"state {feature + 1}, {place}"
            for kind, values in (("exact", update["exact"]), ("measured", update["mean"])):
                error = update["standard_error"][feature][action] if kind == "measured" else 0.0
                value = values[feature][action]
                rows.append(
                    {"place": place, "kind": kind, "value": value,
                     "low": value - 2 * error, "high": value + 2 * error}
                )  # fmt: skip
    return pd.DataFrame(rows)


def table(cases: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Cases with their symptoms, a row per case and line."""
    rows = []
    for name, lines in cases.items():
        for which, found in lines.items():
            cosine = (found.get("update") or {}).get("cosine")
            rows.append(
                {
                    "case": name,
                    "line": which,
                    "return": found["episode_return"],
                    "entropy": found["entropy"],
                    "explained variance": found["explained_variance"],
                    "advantage mean": found["advantage_mean"],
                    "advantage std": found["advantage_std"],
                    "cosine to ∇J": cosine[0] if cosine else None,
                }
            )
    return pd.DataFrame(rows)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return value


def main(names: list[str]) -> str:
    """Measure these cases, or all of them into FILE; what was found, as a text."""
    if unknown := [name for name in names if name not in CASES]:
        return f"there is no case {unknown[0]!r}; there are {', '.join(CASES)}"
    if names:
        found = {name: _rounded(measure(name)) for name in names}
    else:
        found = {name: _rounded(measure(name)) for name in CASES}
        FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
    return table(found).to_string(index=False, na_rep="")


if __name__ == "__main__":
    print(main(sys.argv[1:]))
