"""With the log, the mean of samples finds the slope; its error shrinks like 1/√N."""

import numpy as np
import pandas as pd

from pgviz.charts.theorem import mean_of_samples
from pgviz.figures import number, signed
from pgviz.measure import theorem
from pgviz.proofs.ascent import STEP_CAP
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.luck import other_samples
from pgviz.ui.screen import Screen
from pgviz.worlds.tabular import TabularMDP

SAMPLES = Choice("samples", "Samples N", (10, 30, 100, 300, 1000, 3000, 10_000))
WORLD = world.control("sampled")
CONTROLS = (SAMPLES, WORLD)
BEATS = ({"samples": 100}, {"samples": 10_000}, {"sampled": "short-corridor"})


def draw(screen: Screen) -> None:
    screen.words(
        "So the slope is an average over samples:"
        " $\\nabla J = \\mathbb{E}[R\\,\\nabla\\log P]$. The mean of N samples is an **estimate**"
        " of it. The band is its 95 % **confidence interval**: it holds the exact slope in about"
        " 95 of 100 repetitions, and narrows like $1/\\sqrt{N}$."
    )
    start = 1000
    field = screen.live(SAMPLES, start)
    num: int = screen.control(SAMPLES, start)
    shown = world.chosen(screen, WORLD, "two-arms")
    luck = theorem.DICE_SEED + other_samples(screen)
    shown, table, note = world.found_or_instead(shown, "two-arms", means, luck)
    exact = float(table["exact"].iloc[0])
    marks = rows_of(table)
    reach = 3.5 * float(table["spread"].iloc[0]) / np.sqrt(10) or abs(exact) or 1.0
    screen.chart(
        mean_of_samples, field, SAMPLES.options.index(start), ink(),
        tables={
            "means": table,
            "marks": marks,
            "zero": pd.DataFrame({"mean": [0.0] if abs(exact) < reach else []}),
            "ends": pd.DataFrame(
                [{"num": 10_000, "exact": exact, "label": f"exact: {signed(exact, 3)}"}]
            ),
            "frame": pd.DataFrame({"num": [10, 36_000], "mean": [exact - reach, exact + reach]}),
        },
        title="The mean of samples closes in on the exact slope",
        note="blue: the mean · band: its 95 % interval · dashed: exact" + world.found(shown, cut_in_words),
    )  # fmt: skip
    screen.says(sentence(table, num) + note)
    screen.numbers(table)
    screen.code(theorem.closing_in)
    world.fold(screen, shown)


def means(here: TabularMDP, rng_seed: int) -> pd.DataFrame:
    """The mean of the first N samples and its interval: num, mean, low, high, exact, spread."""
    return theorem.closing_in(here, rng_seed).rename(columns={"num_episodes": "num"})


def cut_in_words(here: TabularMDP) -> str:
    """A word where sampled episodes are cut: the exact slope is that of the cut world."""
    if not theorem.share_cut(here) > 1e-9:
        return ""
    cut, true = theorem.cut_gradient(here)
    without = "" if number(cut, 4) == number(true, 4) else f"; without the cut {signed(true, 3)}"
    return f" · episodes are cut after {STEP_CAP} steps{without}"


def rows_of(table: pd.DataFrame) -> pd.DataFrame:
    """The row of the table next to every position of the slider."""
    counts = table["num"].to_numpy()
    near = [int(np.abs(np.log(counts / num)).argmin()) for num in SAMPLES.options]
    return table.iloc[near].assign(at=range(len(near)))


def sentence(table: pd.DataFrame, num: int) -> str:
    """What N samples say of the slope: whether the interval holds it, and tells its sign."""
    row = rows_of(table).iloc[SAMPLES.options.index(num)]
    mean, low, high, exact = (float(row[name]) for name in ("mean", "low", "high", "exact"))
    reach = (high - low) / 2
    words = (
        f"With {int(row['num']):,} samples the interval is {signed(mean, 3)} ± {number(reach, 2)}"
    )
    if not reach > 0:
        return f"{words}: so far all samples are equal, so it has no width."
    if not low <= exact <= high:
        return (
            f"{words}: it misses the exact {signed(exact, 3)}. One interval in twenty does, and"
            " more where something rare has not been drawn yet."
        )
    holds = f"{words}: it holds the exact {signed(exact, 3)}"
    if low <= 0 <= high:
        return (
            f"{holds}, but cannot tell its sign yet." if abs(exact) > 1e-9 * reach else f"{holds}."
        )
    return f"{holds}, and all of it lies {'above' if low > 0 else 'below'} 0."
