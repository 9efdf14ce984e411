"""What `python -m pgviz train` prints: a progress bar for people, JSON lines for machines."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from pgviz.training import Config, Update, train
from pgviz.training.config import preset
from pgviz.worlds.world import find


def run(config: Config, as_json: bool) -> Update:
    """Train and print; the last line is the summary. Returns the last update."""
    summary = Summary(config)
    if as_json:
        for update in summary.watch(train(config)):
            click.echo(json.dumps(line(update), allow_nan=False))
        click.echo(json.dumps(summary.as_dict(), allow_nan=False))
        return summary.ended
    with click.progressbar(
        summary.watch(train(config)),
        length=config.num_updates,
        label=config.method,
        item_show_func=lambda update: "" if update is None else progress(update),
        show_eta=False,
    ) as updates:
        for _ in updates:
            pass
    click.echo(summary.sentence())
    return summary.ended


class Summary:
    """What there is to say at the end of a run."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.last: Update | None = None
        self.wall_s = 0.0
        self.wall_to_all_solved_s: float | None = None

    def watch(self, updates: Iterator[Update]) -> Iterator[Update]:
        """The same updates, with an eye on the clock."""
        started = time.perf_counter()
        for update in updates:
            self.last = update
            self.wall_s = time.perf_counter() - started
            if self.wall_to_all_solved_s is None and update.metrics["solved"].all():
                self.wall_to_all_solved_s = self.wall_s
            yield update

    @property
    def ended(self) -> Update:
        """The last update."""
        assert self.last is not None, "a run has at least one update"
        return self.last

    def as_dict(self) -> dict[str, Any]:
        """The summary of the contract; env_steps is the sum over the seeds."""
        metrics = self.ended.metrics
        return {
            "method": self.config.method,
            "world": self.config.world,
            "num_seeds": self.config.num_seeds,
            "rng_seed": self.config.rng_seed,
            "num_updates": self.ended.index + 1,
            "env_steps": int(metrics["env_steps"].sum()),
            "env_steps_per_seed": metrics["env_steps"].astype(int).tolist(),
            "wall_s": self.wall_s,
            "solved_seeds": int(metrics["solved"].sum()),
            "wall_to_all_solved_s": self.wall_to_all_solved_s,
            "final_return": numbers(metrics["trailing_return"]),
            "objective": numbers(metrics["objective"]),
            "config": asdict(self.config),
        }

    def sentence(self) -> str:
        """The summary in words."""
        summary, world = self.as_dict(), find(self.config.world)
        spent = (
            f"in {summary['num_updates']} updates, {summary['env_steps']:,} environment steps"
            f" and {summary['wall_s']:.2f} s"
        )
        solved = f"{summary['solved_seeds']} of {summary['num_seeds']} seeds solved {world.name}"
        if world.solved_at is None:
            solved = f"{summary['num_seeds']} seeds learned {world.name}, which has no threshold,"
        said = f"{solved} {spent}"
        if None in summary["final_return"]:
            said += "; not every seed has finished an episode"
        else:
            said += f"; mean return of the last 100 episodes, {worst_and_median(summary['final_return'])}"
        if world.table is not None and None not in summary["objective"]:
            said += f"; exact J, {worst_and_median(summary['objective'])}"
        return f"{said}. {world.because}".rstrip()


def worst_and_median(values: list[float]) -> str:
    """The lowest and the middle of the seeds, with four digits where they are small."""
    low, middle = min(values), float(np.median(values))
    digits = 1 if abs(middle) >= 100 else 3
    return f"worst seed {low:.{digits}f}, median {middle:.{digits}f}"


def command_line(config: Config) -> str:
    """The command that computes this run in a terminal."""
    usual = asdict(preset(config.method, config.world))
    words = [f"python -m pgviz train {config.method}"]
    if config.world != Config.world:
        words.append(f"--world {config.world}")
    for name, value in asdict(config).items():
        if name in OPTIONS or value == usual[name]:
            continue
        words.append(f"--set {name}={str(value).lower() if isinstance(value, bool) else value}")
    for name in OPTIONS[1:]:
        words.append(f"--{name.replace('_', '-')} {getattr(config, name)}")
    if config.stop_when_solved:
        words.append("--stop-when-solved")
    return " ".join(words)


OPTIONS = ("stop_when_solved", "num_seeds", "rng_seed", "num_updates")


def line(update: Update) -> dict[str, Any]:
    """One update as plain numbers, each metric a list over the seeds."""
    return {"update": update.index} | {
        name: numbers(values) for name, values in update.metrics.items()
    }


def numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Plain numbers, None where there is none: JSON knows no NaN."""
    return [value if np.isfinite(value) else None for value in values.tolist()]


def progress(update: Update) -> str:
    """How the ensemble is doing, in a few words."""
    solved, returns = update.metrics["solved"], update.metrics["episode_return"]
    return f"return {np.median(returns):5.1f}   solved {int(solved.sum())}/{len(solved)}"
