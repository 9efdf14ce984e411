"""A sweep of λ on CartPole: the runs, what they gave, and how they compare seed by seed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pgviz.exact.trust import weight_on_last_value
from pgviz.measure.solving import paired_difference, steps_to_solved, summary, within
from pgviz.runs.recording import Recording
from pgviz.training.config import Config, presets

SWEPT = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0)
NUM_UPDATES = 240
# Steps per seed. With less than the first not even the best λ gets most seeds solved.
BUDGETS = (96_000, 100_000, 110_000)


def configs(swept: Sequence[float] = SWEPT) -> list[Config]:
    """The same method on the same seeds; only λ differs. The middle of the range comes first."""
    common = presets["gae"].replace(num_updates=NUM_UPDATES, stop_when_solved=True)
    return [common.replace(gae_lambda=gae_lambda) for gae_lambda in swept]


def within_budget(gae_lambda: float, budget: int) -> Config:
    """A run that has only so many steps for each seed."""
    return configs((gae_lambda,))[0].replace(max_env_steps=budget)


def steps_in(config: Config) -> int:
    """Environment steps of a seed when all updates are made."""
    return config.num_updates * config.num_envs * config.num_steps


def windows_in_words(config: Config) -> str:
    """What the training of this sweep does besides the equation: windows, and γ^t left out."""
    dropped = " The factor γ^t is left out." if config.drop_gamma_t and config.gamma < 1 else ""
    if config.whole_episodes:
        return f"Every update learns from whole episodes.{dropped}"
    weight = weight_on_last_value(config.gamma, 1.0, config.num_steps)
    return (
        f"Every update learns from windows of {config.num_steps} steps, γ = {config.gamma:g}. So here"
        " even λ = 1 believes the critic: in the first row of a window that nothing else ends, V̂"
        f" behind the window has the weight γⁿ = {weight:.2f}, in later rows more.{dropped}"
    )


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


def in_words(found: dict[float, Recording]) -> str:
    """What the sweep says, and what it does not."""
    _, middle = tables(found)
    if len(middle) == 1:
        only = middle.iloc[0]
        return f"λ = {only['label']}: {only['steps']:,.0f} steps. No other λ has finished yet."
    ranked = middle.sort_values("steps")
    best, worst = ranked.iloc[0], ranked.iloc[-1]
    level = best["steps"] == worst["steps"]
    text = (
        f"All of these λ took {best['steps']:,.0f} steps."
        if level
        else f"Least at λ = {best['label']} ({best['steps']:,.0f} steps), most at λ = {worst['label']}"
        f" ({worst['steps']:,.0f})."
    )
    if 0.95 not in found:
        return text
    table = compared(found)
    apart = table[(table["low"] > 0) | (table["high"] < 0)]["λ"].tolist()
    if not apart:
        return f"{text} On these seeds no λ can be told apart from .95."
    same = [row for row in table["λ"] if row not in apart]
    told = f"{text} Seed by seed, λ = {', '.join(apart)} can be told apart from .95"
    return f"{told}; λ = {', '.join(same)} cannot." if same else f"{told}."


def spent(recording: Recording) -> dict[str, str]:
    """What a budget of steps bought."""
    metrics = recording.metrics()
    solved = int(metrics["solved"][-1].sum())
    returns = metrics["trailing_return"][-1]
    return {
        "solved": f"{solved} of {recording.num_seeds}",
        "mean return": f"{np.mean(returns):.0f}",
    }
