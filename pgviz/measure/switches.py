"""The three switches of the actor-critic, each run beside the intact one on common seeds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.measure.critic_map import visited
from pgviz.measure.ensembles import interquartile_mean
from pgviz.measure.solving import steps_to_solved
from pgviz.runs.recording import Recording
from pgviz.training.config import Config, presets

NUM_UPDATES = 500  # well past the point where the intact runs are solved
INTACT = presets["actor-critic"].replace(num_updates=NUM_UPDATES)


@dataclass(frozen=True)
class Switch:
    """One thing that code gets wrong, or does otherwise."""

    config: Config
    words: str


SWITCHES: Mapping[str, Switch] = {
    "forget the detach": Switch(
        INTACT.replace(detach=False),
        "One loss, ½ δ² − δ log π, differentiated through everything: the critic learns to please"
        " the policy's loss, and drags V̂(s′) towards V̂(s).",
    ),
    "take a time limit for a fall": Switch(
        INTACT.replace(bootstrap_truncated=False),
        "At step 500 the episode is cut, not over. Code that asks only “done?” counts V̂(s′) as 0"
        " there: a pole that stood is scored like one that fell.",
    ),
    "share the network": Switch(
        INTACT.replace(share_network=True),
        "One hidden layer for both, moved by both losses at once; their joint gradient is clipped as"
        " one, and each head keeps its step size. The critic's errors are counted in rewards, the"
        " policy's logits are about one.",
    ),
}


def configs(name: str) -> tuple[Config, Config]:
    """The intact run and the switched one."""
    return INTACT, SWITCHES[name].config


def critic_errors(recording: Recording) -> NDArray[np.float64]:
    """Root mean square of V̂(s) − G over fresh episodes at the end of training, one per seed [S]."""
    last = recording.num_updates
    tables = (visited(recording, last, seed) for seed in range(recording.num_seeds))
    return np.array([np.sqrt(((t["said"] - t["came"]) ** 2).mean()) for t in tables])


@dataclass(frozen=True)
class End:
    """Where a run stands when it has ended."""

    num_seeds: int
    solved: int  # seeds that have been solved at some time
    fallen: int  # of those, how many hold it no longer: the last 100 episodes are below 475
    fallen_lowest: float  # mean return of the last 100 episodes of the worst of these, or NaN
    steps: float  # environment steps until solved, IQM over the seeds that were
    lowest: float  # mean return of the last 100 episodes of the worst seed
    error: float  # of the critic, IQM over seeds


def end_of(recording: Recording) -> End:
    """What became of every seed."""
    metrics = recording.metrics()
    solved, returns = metrics["solved"][-1] > 0, metrics["trailing_return"][-1]
    fallen = returns[solved & (returns < 475)]
    steps = steps_to_solved(recording)[solved]
    return End(
        num_seeds=recording.num_seeds,
        solved=int(solved.sum()),
        fallen=len(fallen),
        fallen_lowest=float(fallen.min()) if len(fallen) else float("nan"),
        steps=float(interquartile_mean(steps)) if solved.any() else float("nan"),
        lowest=float(returns.min()),
        error=float(interquartile_mean(critic_errors(recording))),
    )


def in_words(name: str, intact: End, switched: End) -> str:
    """What the switch did to these seeds; what it did not do is said as well."""
    least = (
        f"{name[0].upper()}{name[1:]}: {switched.solved} of {switched.num_seeds} seeds were solved"
    )
    text = f"{least}, {intact.solved} without."
    if switched.solved and intact.solved:
        ratio = switched.steps / intact.steps
        text += (
            " Those took as many steps."
            if abs(ratio - 1) < 0.02
            else f" Those took {ratio:.1f} times the steps."
        )
    if switched.fallen == 1:
        text += (
            f" 1 of them holds it no longer and ends at a return of {switched.fallen_lowest:.0f}."
        )
    elif switched.fallen:
        text += (
            f" {switched.fallen} of them hold it no longer, the worst ends at a return of"
            f" {switched.fallen_lowest:.0f}."
        )
    text += f" Of all seeds the worst ends at a return of {switched.lowest:.0f}, {intact.lowest:.0f} without."
    return (
        f"{text} At the end the critic is off by {switched.error:.1f} rewards (r.m.s.),"
        f" {intact.error:.1f} without."
    )


def table(ends: Mapping[str, End]) -> pd.DataFrame:
    """The same numbers, one row per run."""
    return pd.DataFrame(
        {
            "run": name,
            "solved": f"{end.solved} of {end.num_seeds}",
            "solved, then lost": end.fallen,
            "steps until solved": end.steps,
            "worst seed's return": end.lowest,
            "critic off by": end.error,
        }
        for name, end in ends.items()
    )
