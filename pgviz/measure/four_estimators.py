"""Four estimators on the same episodes of one policy: measured beforehand, and shipped.

In a finite world the truth is exact and cheap, and what was sampled stands beside it. On CartPole
the policy of a training is held still at a few of its updates; ∇J is the mean of other episodes.

`python -m pgviz.measure.four_estimators` measures everything anew and writes the file: about a
minute of computing, which is why no page does it.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.moments import Moments, moments
from pgviz.exact.values import gradient, objective
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import TabularMDP

FILE = Path(__file__).with_name("four_estimators.json")
FOUR = ("full-return", "reinforce", "constant", "baseline")
LABELS = {
    "full-return": "full return",
    "reinforce": "reward-to-go",
    "constant": "minus a constant",
    "baseline": "minus V(s)",
}
WORLDS = ("ladder", "bandit-a", "survival", "short-corridor")
METHODS = ("reinforce", "baseline")  # whose training is frozen
NUM_UPDATES, SEED = 60, 0
UPDATES = (0, 12, 24, 36, 48, 60)
WORLD_EPISODES, CARTPOLE_EPISODES, REFERENCE_RATIO = 4000, 512, 4


def described(world: TabularMDP) -> dict[str, GradientEstimator]:
    """The four in a finite world: the constant is J, the critic is the exact V."""
    return {
        "full-return": GradientEstimator("full-return"),
        "reinforce": GradientEstimator("reward-to-go"),
        "constant": GradientEstimator("reward-to-go", baseline=objective(world)),
        "baseline": GradientEstimator("reward-to-go", values=true_values(world)),
    }


@lru_cache(8)
def exact(name: str) -> dict[str, Moments]:
    """The exact mean and covariance trace of each in a named world."""
    world = named_worlds[name]()
    return {key: moments(world, estimator) for key, estimator in described(world).items()}


@lru_cache(1)
def recorded() -> dict[str, dict[str, Any]]:
    """What was measured: {place: {"episodes", "length", "rows": {estimator: {trace, low, high}}}}.

    A place is a world, or METHOD/UPDATE of a training on CartPole; length is ‖∇J‖.
    """
    document: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return document


# --- measuring ---


def _document(rows: Any, length: float, num_episodes: int) -> dict[str, Any]:
    return {
        "episodes": num_episodes,
        "length": float(f"{length:.6g}"),
        "rows": {
            row.name: {
                "trace": _rounded(row.measured.covariance_trace.value),
                "low": _rounded(row.measured.covariance_trace.low),
                "high": _rounded(row.measured.covariance_trace.high),
                "needed": row.measured.episodes_for_cosine,
                "downhill": _rounded(row.measured.wrong_sign.value),
            }
            for row in rows
        },
    }


def _rounded(x: Any) -> float | None:
    return None if x is None else float(f"{float(x):.6g}")


def in_world(name: str, num_episodes: int = WORLD_EPISODES) -> dict[str, Any]:
    """The four on the same sampled episodes of a named world."""
    from pgviz.measure.bench import rows_of
    from pgviz.sampled.episodes import Choices, paired_estimates
    from pgviz.sampled.statistics import Reference

    world = named_worlds[name]()
    four, choices = described(world), Choices(world, world.gamma)
    found = paired_estimates(world, list(four.values()), num_episodes, 0, choices)
    reference = Reference(gradient(world).ravel())
    rows = rows_of(dict(zip(four, found, strict=True)), reference, choices.num_choices)
    return _document(rows, float(np.linalg.norm(reference.mean)), num_episodes)


def on_cartpole(policy: Any, num_episodes: int = CARTPOLE_EPISODES) -> dict[str, Any]:
    """The four on the same episodes of a frozen policy, against a reference of its own episodes."""
    from pgviz.measure.bench import rows_of
    from pgviz.sampled.statistics import Reference

    parts = list(policy.gradients(num_episodes, names=FOUR))
    others = policy.gradients(REFERENCE_RATIO * num_episodes, 2 + len(parts), ("baseline",))
    reference = Reference.measured(np.concatenate([part[0] for part in others]))
    estimates = dict(zip(FOUR, np.concatenate(parts, axis=1), strict=True))
    squared = float(reference.squared_length.value)  # type: ignore[arg-type]
    return _document(rows_of(estimates, reference), max(squared, 0.0) ** 0.5, num_episodes)


def frozen_policies(method: str, updates: tuple[int, ...] = UPDATES) -> dict[int, Any]:
    """The policy of one seed of a training, at these of its updates."""
    from pgviz.measure.frozen import FrozenPolicy
    from pgviz.training.config import presets
    from pgviz.training.loop import train

    config = presets[method].replace(num_updates=NUM_UPDATES, stop_when_solved=True)
    theta: list[Any] = []
    for update in train(config, [SEED]):
        if not theta:
            theta.append(update.played[0])
        theta.append(update.theta[0])
        if len(theta) > max(updates):
            break
    return {
        u: FrozenPolicy(config, np.array(theta[min(u, len(theta) - 1)]), SEED, u) for u in updates
    }


def record() -> dict[str, dict[str, Any]]:
    """Every world, then every update of both trainings."""
    places = {name: in_world(name) for name in WORLDS}
    for method in METHODS:
        for update, policy in frozen_policies(method).items():
            places[f"{method}/{update}"] = on_cartpole(policy)
    return places


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(), separators=(",", ":")), encoding="utf-8")
