"""The numbers behind the two arms: one knob θ, two probabilities, and what sampling does to them.

θ is the one knob of the page: π = softmax(θ, 0), so ∂π(1)/∂θ = π(1) π(2) = −∂π(2)/∂θ.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pgviz.worlds.named import two_arms
from pgviz.worlds.tabular import Floats

NUM_STEPS = 80
STEP_SIZE = 1.0


def rewards() -> Floats:
    """What the arms pay, [2]."""
    world = two_arms()
    return np.asarray((world.transitions * world.rewards).sum(axis=-1)[0])


def probabilities(theta: Floats | float) -> Floats:
    """π = softmax(θ, 0), [..., 2]."""
    first = 1 / (1 + np.exp(-np.asarray(theta, float)))
    return np.stack([first, 1 - first], axis=-1)


def slopes(theta: Floats | float) -> Floats:
    """∂π/∂θ, [..., 2]."""
    p = probabilities(theta)
    both = p[..., 0] * p[..., 1]
    return np.stack([both, -both], axis=-1)


def objective(theta: Floats | float) -> Floats:
    """J(θ) = Σ P R."""
    return np.asarray(probabilities(theta) @ rewards())


def gradient(theta: Floats | float) -> Floats:
    """∇J = Σ R ∇P."""
    return np.asarray(slopes(theta) @ rewards())


def without_log(theta: Floats | float) -> Floats:
    """What sampled R ∇P has on average: Σ P R ∇P, where P stands twice."""
    return np.asarray((probabilities(theta) * slopes(theta)) @ rewards())


def terms(thetas: Sequence[float]) -> pd.DataFrame:
    """Of every arm at every position of the slider: P, R, ∇P, R ∇P and ∇P / P."""
    rows = []
    for at, theta in enumerate(thetas):
        p, slope = probabilities(theta), slopes(theta)
        for arm, pays in enumerate(rewards()):
            rows.append(
                {
                    "at": at,
                    "arm": f"arm {arm + 1}",
                    "probability": p[arm],
                    "reward": pays,
                    "slope": slope[arm],
                    "product": pays * slope[arm],
                    "divided": slope[arm] / p[arm],
                }
            )
    return pd.DataFrame(rows)


def curve(thetas: Sequence[float]) -> pd.DataFrame:
    """J with its tangent at every position of the slider: at, theta, objective, slope."""
    at = np.array(thetas)
    return pd.DataFrame(
        {"at": range(len(at)), "theta": at, "objective": objective(at), "slope": gradient(at)}
    )


def ascents(starts: Sequence[float], every: int = 2) -> pd.DataFrame:
    """The probability of arm 1 along θ ← θ + u, with ∇J and with sampled R ∇P, both on average.

    at (the start's position), update ("R ∇ log P" or "R ∇P"), step, probability.
    """
    tables = []
    for name, update in ((KEPT, gradient), (DROPPED, without_log)):
        theta = np.array(starts, float)
        for step in range(NUM_STEPS + 1):
            if step % every == 0:
                tables.append(
                    pd.DataFrame(
                        {
                            "at": range(len(theta)),
                            "update": name,
                            "step": step,
                            "probability": probabilities(theta)[:, 0],
                        }
                    )
                )
            theta = theta + STEP_SIZE * update(theta)
    return pd.concat(tables, ignore_index=True)


KEPT, DROPPED = "slope of J", "sampled R ∇P"
