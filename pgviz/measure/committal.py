"""The bandit that commits: two baselines with the same noise, and only one keeps exploring.

Three arms pay 1, 0.7 and 0; the policy starts at θ = (0, 2, 2), so the best arm is rare. A run adds
α (R − b) ∇log π(a) once per draw, with b = b*(θ) + ε: the least noisy number at its present policy,
moved by ε. By the parabola tr Cov(b* + ε) = tr Cov(b*) + d ε², both signs of ε have the same noise.
Below b* most draws make their own arm more likely: the policy commits to what it has tried.
Source: Chung, Thomas, Machado and Le Roux, 2021, arXiv:2008.13773.

`python -m pgviz.measure.committal` runs them anew and writes the file.
"""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from pgviz.worlds.tabular import Floats

FILE = Path(__file__).with_name("committal.json")
PAYS = np.array([1.0, 0.7, 0.0])
START = np.array([0.0, 2.0, 2.0])
STEP_SIZE = 2.0
NUM_STEPS, NUM_RUNS, EVERY = 300, 2000, 10
FOUND = 0.95  # a run that ends with a larger J has found the best arm
OFFSETS = tuple(round(0.1 * k, 1) for k in range(-10, 11))


def softmax(theta: Floats) -> Floats:
    """π [..., A]."""
    weights = np.exp(theta - theta.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def least_noisy(policy: Floats) -> Floats:
    """b* = E[‖∇log π‖² R] / E[‖∇log π‖²] of each policy [..., A]."""
    squared = 1 - 2 * policy + (policy**2).sum(axis=-1, keepdims=True)
    weighted = policy * squared
    return np.asarray((weighted @ PAYS) / weighted.sum(axis=-1))


def noise(policy: Floats, offset: float) -> float:
    """The covariance trace of one draw's (R − b* − offset) ∇log π(a), at a policy [A]."""
    scores = np.eye(len(policy)) - policy
    estimates = (PAYS - least_noisy(policy) - offset)[:, None] * scores
    mean = policy @ estimates
    return float(policy @ ((estimates - mean) ** 2).sum(axis=1))


def climb(offset: float, num_runs: int = NUM_RUNS, num_steps: int = NUM_STEPS) -> Floats:
    """J of each run before every step and at the end, [num_steps + 1, num_runs]."""
    numbers = np.random.default_rng(0)  # the same draws of chance for every offset
    theta = np.tile(START, (num_runs, 1))
    objectives = np.empty((num_steps + 1, num_runs))
    rows = np.arange(num_runs)
    for step in range(num_steps + 1):
        policy = softmax(theta)
        objectives[step] = policy @ PAYS
        chance = numbers.random(num_runs)
        arms = (chance[:, None] > policy.cumsum(axis=1)[:, :-1]).sum(axis=1)
        scores = -policy
        scores[rows, arms] += 1
        beyond = PAYS[arms] - least_noisy(policy) - offset
        theta = theta + STEP_SIZE * beyond[:, None] * scores
    return objectives


def summary(objectives: Floats) -> dict[str, list[float] | float]:
    """The mean J every few steps, and the share of the runs that ended on the best arm."""
    found = float((objectives[-1] > FOUND).mean())
    return {"mean": [round(float(x), 4) for x in objectives[::EVERY].mean(axis=1)], "found": found}


@lru_cache(1)
def recorded() -> dict[float, dict]:
    """The summary of every offset, from the file."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {float(offset): row for offset, row in document.items()}


def curves() -> pd.DataFrame:
    """The mean J of every offset: offset, step, objective."""
    tables = [
        pd.DataFrame(
            {"offset": offset, "step": range(0, NUM_STEPS + 1, EVERY), "objective": row["mean"]}
        )
        for offset, row in recorded().items()
    ]
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    rows = {str(offset): summary(climb(offset)) for offset in OFFSETS}
    FILE.write_text(json.dumps(rows, separators=(",", ":")), encoding="utf-8")
