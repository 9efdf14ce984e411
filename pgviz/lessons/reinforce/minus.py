"""Why code has a minus sign, and the run that forgot it: recorded beforehand and shipped.

`python -m pgviz.lessons.reinforce.minus` trains both runs anew and writes the file.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pgviz.charts import reinforce as charts
from pgviz.charts.learning import SOLVED_RETURN
from pgviz.figures import fixed
from pgviz.in_memory import in_memory
from pgviz.ui.screen import Screen

if TYPE_CHECKING:
    from pgviz.training import Config

FILE = Path(__file__).with_name("minus.json")
SIGNS = {"kept": 1, "forgotten": -1}
LABELS = {"kept": "with the minus", "forgotten": "without it"}


def draw(screen: Screen) -> None:
    screen.words(
        "An optimiser goes down a loss: θ ← θ − α ∇L, with α the learning rate. But we climb J."
        " The minus in\n\n"
        r"$\displaystyle L = -\frac1N \sum_{\text{episodes}} \sum_t G_t\,\log\pi(a_t|s_t)$"
        "\n\nturns one into the other: −∇L = +ĝ. Without it each term makes its own action less"
        " likely, the more so the larger $G_t$. No error is raised; only the return shows it."
    )
    tables = _tables()
    screen.chart(
        charts.forgotten_minus,
        len(recorded()["kept"]),
        tables=tables,
        title="One character decides whether it learns",
        note="recorded; thin: one of 16 seeds each · thick: mean of the middle half of the seeds",
        says="Return against updates with the minus and without it.",
    )
    screen.says(in_words())
    screen.numbers(
        tables["middle"]
        .pivot(index="update", columns="sign", values="episode_return")
        .reset_index()
    )
    from pgviz.training import broken

    screen.code(broken.without_the_minus)


@lru_cache(1)
def recorded() -> dict[str, np.ndarray]:
    """The mean return of each seed at each update [U, 16], with the minus and without it."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: np.array(document[name]) for name in SIGNS}


def middle(name: str) -> np.ndarray:
    """The mean of the middle half of the seeds, [U]."""
    ordered = np.sort(recorded()[name], axis=1)
    quarter = ordered.shape[1] // 4
    return ordered[:, quarter:-quarter].mean(axis=1)


@in_memory
def _tables() -> dict[str, pd.DataFrame]:
    seeds, middles, ends = [], [], []
    for name, returns in recorded().items():
        table = pd.DataFrame(returns).melt(var_name="seed", value_name="episode_return")
        table["update"] = [*range(len(returns))] * returns.shape[1]
        seeds.append(table.assign(sign=name))
        line = middle(name)
        middles.append(
            pd.DataFrame({"sign": name, "update": range(len(line)), "episode_return": line})
        )
        ends.append(
            {
                "sign": name,
                "update": len(line) - 1,
                "episode_return": line[-1],
                "label": LABELS[name],
            }
        )
    return {"seeds": pd.concat(seeds), "middle": pd.concat(middles), "ends": pd.DataFrame(ends)}


def in_words() -> str:
    """Where both began and where both ended."""
    kept, lost = middle("kept"), middle("forgotten")
    seeds = recorded()["kept"]
    once_there = np.maximum.accumulate(seeds) >= SOLVED_RETURN
    fallen = seeds[once_there].min()
    return (
        f"Both begin at a return of {fixed(kept[0], 0)}. After {len(kept)} updates it is"
        f" {fixed(kept[-1], 0)} with the minus and {fixed(lost[-1], 1)} without it. Single seeds"
        f" that had reached {SOLVED_RETURN} fall again, as far as {fixed(fallen, 0)}: ĝ is noisy."
    )


def config() -> "Config":
    """The run of this page, all seeds to the end."""
    from pgviz.training import presets

    return presets["reinforce"].replace(num_updates=60)


def record() -> dict[str, list[list[float]]]:
    """Train both."""
    from pgviz.training import broken

    return {
        name: [
            np.round(returns, 1).tolist() for returns in broken.without_the_minus(config(), sign)
        ]
        for name, sign in SIGNS.items()
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(), separators=(",", ":")), encoding="utf-8")
