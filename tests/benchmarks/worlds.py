"""Every method at its preset in every world: what it learned, in how many steps and seconds.

    python -m tests.benchmarks.worlds [METHOD …] [--world WORLD …] [--markdown]

Sixteen seeds each. "solved" counts seeds whose last 100 training episodes reached the world's
threshold; a finite world is known exactly, there J of the last policies stands instead, the lowest,
the middle and the highest of the seeds.
"""

import argparse
import time

import numpy as np
import pandas as pd

from pgviz.figures import number
from pgviz.training import methods, train
from pgviz.training.config import preset
from pgviz.worlds.named import named_worlds
from pgviz.worlds.world import CLASSIC, find

WORLDS = (*CLASSIC, *(name for name in named_worlds if name != "survival"), "FrozenLake-v1")


def row(method: str, world: str) -> dict[str, str]:
    """Train, and say what came of it."""
    begun = time.process_time()
    for update in train(preset(method, world)):  # noqa: B007
        pass
    seconds = time.process_time() - begun
    metrics, record = update.metrics, find(world)
    returns = metrics["trailing_return"]
    said = {
        "world": world,
        "method": method,
        "solved": "–"
        if record.solved_at is None
        else f"{int(metrics['solved'].sum())} of {len(returns)}",
        "return": low_middle_high(returns),
        "J": "" if record.table is None else low_middle_high(metrics["objective"]),
        "steps of a seed": f"{metrics['env_steps'].mean():,.0f}",
        "CPU s": f"{seconds:.1f}",
    }
    print(*said.values(), sep="\t", flush=True)
    return said


def low_middle_high(values: np.ndarray) -> str:
    """The lowest, the middle and the highest of the seeds."""
    return " · ".join(number(float(x)) for x in (values.min(), np.median(values), values.max()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", default=list(methods.methods))
    parser.add_argument("--world", action="append", dest="worlds")
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    rows = [row(method, world) for world in asked.worlds or WORLDS for method in asked.methods]
    table = pd.DataFrame(rows)
    if asked.markdown:
        lines = [list(table), ["---"] * len(list(table)), *table.to_numpy().tolist()]
        print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    else:
        print(table.to_string(index=False))


if __name__ == "__main__":
    main()
