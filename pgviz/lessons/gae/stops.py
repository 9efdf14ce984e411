"""Three kinds of end: all of them stop the sum, only one drops the value; each with its bug."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz import broken, estimators
from pgviz.charts import gae as charts
from pgviz.figures import fixed
from pgviz.lessons.gae.settings import HUNDREDTHS, LAMBDA, LAMBDA_START
from pgviz.measure.ledger import GAMMA, LEAK, LIMIT, Ledger, typed
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

NUM_STEPS = 8  # before each end
CONTROLS = (LAMBDA,)
BEATS = ({"lam": 0.0}, {"lam": 0.95})


@dataclass(frozen=True, eq=False)
class End:
    """One kind of end, what stops there, and the bug that is often made."""

    title: str
    rule: str
    bug_name: str
    bug: str
    rows: pd.DataFrame


ENDS = (
    End(
        "A fall: terminated",
        "it stops, V̂(s′) = 0",
        "runs into the next episode",
        LEAK,
        typed(
            [1] * 12,
            [4.9, 4.4, 3.9, 3.4, 2.8, 2.1, 1.4, 0.7, 6, 6.6, 6.2, 6.4],
            {11: 6.3},
            terminated=(7,),
        ),
    ),
    End(
        "A time limit: truncated",
        "it stops, V̂(s′) counts",
        "taken for a fall",
        LIMIT,
        typed([1] * 8, [93, 95, 96, 95, 97, 96, 98, 97], {7: 97.0}, truncated=(7,)),
    ),
    End(
        "A window's end",
        "it stops, V̂(s′) counts",
        "taken for a fall",
        LIMIT,
        typed([1] * 8, [31, 32, 33, 33, 35, 36, 36, 37], {7: 38.0}),
    ),
)


def draw(screen: Screen) -> None:
    screen.words(
        "Three things end a sum of TD errors. After a fall nothing follows, so V̂(s′) = 0. A time"
        " limit and a window's end only cut: more would have followed, and V̂(s′) stands for it."
        " Each has a common bug. Its error goes back from step to step, γλ times as large each time."
    )
    field = screen.live(LAMBDA, LAMBDA_START)
    lam: float = screen.control(LAMBDA, LAMBDA_START)
    screen.chart(
        charts.stops, field, HUNDREDTHS.index(LAMBDA_START), NUM_STEPS, ink(),
        tables={"lines": lines(), "bands": bands()},
        title="One wrong end spoils all steps before it"
        if lam
        else "At λ = 0 a wrong end spoils one step",
        note=f"Â of the {NUM_STEPS} steps before each end, γ = {GAMMA:g} · ✗ with the bug · drag λ",
    )  # fmt: skip
    screen.says(sentence(lam))
    screen.numbers(numbers(lam))
    screen.code(
        estimators.discounted_sum, broken.truncation_as_termination, broken.leak_across_the_end
    )


@lru_cache(len(ENDS))
def ledger_of(band: int) -> Ledger:
    """The rows of one end; a window's end is marked as the bug sees it, which changes no right Â."""
    rows = ENDS[band].rows
    if ENDS[band].bug == LIMIT:
        rows = rows.assign(truncated=rows.index == NUM_STEPS - 1)
    return Ledger.of(rows, GAMMA, 0.0)


def found(end: End, lam: float) -> tuple[np.ndarray, np.ndarray]:
    """Â of the steps before the end, right and with the bug."""
    ledger = replace(ledger_of(ENDS.index(end)), gae_lambda=lam)
    return ledger.advantages()[:NUM_STEPS], ledger.with_bug(end.bug)[:NUM_STEPS]


@lru_cache(1)
def lines() -> pd.DataFrame:
    """Both at every λ; heights within the band of each end."""
    tables = []
    for band, end in enumerate(ENDS):
        at_all = [found(end, lam) for lam in HUNDREDTHS]
        low, high = float(np.min(at_all)), float(np.max(at_all))
        low, high = min(low, 0.0), max(high, 0.0)

        def height(
            x: np.ndarray, band: int = band, low: float = low, high: float = high
        ) -> np.ndarray:
            return band + 0.86 - 0.72 * (x - low) / (high - low)

        for at, (right, wrong) in enumerate(at_all):
            tables.append(
                pd.DataFrame(
                    {
                        "at": at,
                        "band": band,
                        "step": range(1 - NUM_STEPS, 1),
                        "right": height(right),
                        "wrong": height(wrong),
                        "advantage": right,
                        "bug": wrong,
                        "zero": height(np.zeros(1))[0],
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def bands() -> pd.DataFrame:
    """The words of each band and where they stand."""
    zero = lines().groupby("band")["zero"].first()
    return pd.DataFrame(
        [
            {
                "band": band,
                "zero": zero[band],
                "title": end.title,
                "rule": end.rule,
                "bug": f"✗ {end.bug_name}",
                "title_at": band + 0.24,
                "rule_at": band + 0.46,
                "bug_at": band + 0.66,
                "begin": 0.5 - NUM_STEPS,
                "end": 0.5,
                "top": band + 0.08,
                "bottom": band + 0.92,
            }
            for band, end in enumerate(ENDS)
        ]
    )


def sentence(lam: float) -> str:
    """What each bug does to the last step, and how far back it reaches."""
    (fall, fall_bug), (limit, limit_bug), (window, window_bug) = (found(end, lam) for end in ENDS)
    back = GAMMA * lam
    reach = (
        "With λ = 0 only the last step is wrong; the first bug does nothing."
        if lam == 0
        else f"Each step back has {fixed(back)} of the error."
    )
    return (
        f"Last step: {fixed(fall[-1])} → {fixed(fall_bug[-1])}, {fixed(limit[-1])}"
        f" → {fixed(limit_bug[-1])}, {fixed(window[-1])} → {fixed(window_bug[-1])}."
        f" {reach}"
    )


def numbers(lam: float) -> pd.DataFrame:
    """Both of all ends, step by step."""
    columns: dict[str, np.ndarray] = {}
    for end in ENDS:
        right, wrong = found(end, lam)
        columns |= {end.title: right.round(3), f"✗ {end.title}": wrong.round(3)}
    return pd.DataFrame({"steps to the end": range(NUM_STEPS - 1, -1, -1)} | columns)
