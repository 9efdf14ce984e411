"""A sweep of λ: the runs, what they gave, and how they compare seed by seed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pgviz.measure.solving import paired_difference, steps_to_solved, summary, within
from pgviz.runs.recording import Recording
from pgviz.training.config import Config, preset

SWEPT = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0)
NUM_UPDATES = 240
# Steps per seed. With less than the first not even the best λ gets most seeds solved.
BUDGETS = (96_000, 100_000, 110_000)


def configs(swept: Sequence[float] = SWEPT, world: str = "CartPole-v1") -> list[Config]:
    """The same method on the same seeds; only λ differs."""
    common = preset("gae", world).replace(num_updates=NUM_UPDATES, stop_when_solved=True)
    return [common.replace(gae_lambda=gae_lambda) for gae_lambda in swept]


def within_budget(gae_lambda: float, budget: int) -> Config:
    """A run that has only so many steps for each seed."""
    return configs((gae_lambda,))[0].replace(max_env_steps=budget)


def steps_in(config: Config) -> int:
    """Environment steps of a seed when all updates are made."""
    return config.num_updates * config.num_envs * config.num_steps


def tables(found: dict[float, Recording]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """seeds (label, seed, steps, solved) and summary (label, steps, low, high, solved, seeds)."""
    budget = steps_in(configs()[0])
    seeds, names, all_steps = [], [], []
    for gae_lambda, recording in found.items():
        steps = steps_to_solved(recording)
        names.append(label(gae_lambda))
        all_steps.append(steps)
        seeds.append(
            pd.DataFrame(
                {
                    "label": label(gae_lambda),
                    "seed": np.arange(len(steps)),
                    "steps": within(steps, budget),
                    "solved": ~np.isnan(steps),
                }
            )
        )
    return pd.concat(seeds), summary(names, all_steps, budget).rename(columns={"name": "label"})


def label(gae_lambda: float) -> str:
    """How a λ is written: 0, .5, .95, 1."""
    return f"{gae_lambda:g}"


def compared(found: dict[float, Recording], against: float = 0.95) -> pd.DataFrame:
    """Steps until solved minus those at λ = `against`, on common seeds: mean and 95 % interval."""
    budget = steps_in(configs()[0])
    reference = within(steps_to_solved(found[against]), budget)
    rows = []
    for gae_lambda, recording in found.items():
        if gae_lambda == against:
            continue
        mean, low, high = paired_difference(within(steps_to_solved(recording), budget), reference)
        rows.append({"λ": label(gae_lambda), "difference": mean, "low": low, "high": high})
    return pd.DataFrame(rows)


def spent(recording: Recording) -> dict[str, str]:
    """What a budget of steps bought."""
    metrics = recording.metrics()
    solved = int(metrics["solved"][-1].sum())
    returns = metrics["trailing_return"][-1]
    return {
        "solved": f"{solved} of {recording.num_seeds}",
        "mean return": f"{np.mean(returns):.0f}",
    }
