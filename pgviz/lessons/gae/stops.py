"""Three kinds of end: all of them stop the sum, only one drops the value; each with its bug."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz import broken, estimators
from pgviz.charts import gae as charts
from pgviz.figures import fixed, number
from pgviz.in_memory import in_memory
from pgviz.lessons.gae.settings import HUNDREDTHS, LAMBDA, LAMBDA_START
from pgviz.measure.ledger import GAMMA, LEAK, LIMIT, Ledger, typed
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

NUM_STEPS = 8  # before each end
GAP, LINE = 1.6, 1.9  # between the bands and between their words, in units of Â
CONTROLS = (LAMBDA,)
BEATS = ({"lam": 0.0}, {"lam": 0.95})


@dataclass(frozen=True, eq=False)
class End:
    """One kind of end, what stops there, and the bug that is often made."""

    title: str
    short: str
    bug: str
    rows: pd.DataFrame


ENDS = (
    End(
        "A fall: terminated",
        "fall",
        LEAK,
        typed(
            [1] * 12,
            [4.9, 4.4, 3.9, 3.4, 2.8, 2.1, 1.4, 0.7, 3, 9.4, 9.1, 8.6],
            {11: 7.9},
            terminated=(7,),
        ),
    ),
    End(
        "A time limit: truncated",
        "time limit",
        LIMIT,
        typed([1] * 8, [16, 15, 14.3, 13.2, 12.5, 11.3, 10.2, 9.4], {7: 8.6}, truncated=(7,)),
    ),
    End(
        "A window's end",
        "window",
        LIMIT,
        typed([1] * 8, [11.9, 11.2, 10.1, 9.3, 8, 7.2, 6.1, 5.2], {7: 4.4}),
    ),
)


def draw(screen: Screen) -> None:
    screen.words(
        "Three ends stop the sum of TD errors. After a fall nothing follows: V̂(s′) counts as 0. A"
        " time limit and a window's end only cut: more would have followed, and V̂(s′) stands for it."
        " Each end has a common bug. With each step backwards its error is multiplied by γλ, which"
        " is below 1."
    )
    field = screen.live(LAMBDA, LAMBDA_START)
    lam: float = screen.control(LAMBDA, LAMBDA_START)
    screen.chart(
        charts.stops, field, HUNDREDTHS.index(LAMBDA_START), NUM_STEPS, tall(), ink(),
        tables={"lines": lines(), "bands": bands(), "times": times()},
        title="A wrong end changes earlier Â, less and less"
        if lam
        else "At λ = 0 a wrong end changes one Â at most",
        note=f"made-up rows · Â on one scale, γ = {GAMMA:g} · ✗ with the bug · drag λ",
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
def places() -> list[tuple[float, float, float]]:
    """Top, zero and bottom of each band in units of Â, downwards: one scale for all."""
    found_, top = [], 0.0
    for end in ENDS:
        at_all = [found(end, lam) for lam in HUNDREDTHS]
        low, high = min(float(np.min(at_all)), 0.0), max(float(np.max(at_all)), 0.0)
        found_.append((top, top + high, top + high - low))
        top += high - low + GAP
    return found_


def tall() -> float:
    """Where the last band ends."""
    return places()[-1][2]


def times() -> pd.DataFrame:
    """What stands above and below the lines: when a step is, and the end."""
    below = tall() + 0.9
    return pd.DataFrame(
        [
            {"step": 1 - NUM_STEPS, "y": below, "text": f"{NUM_STEPS - 1} steps before"},
            {"step": 0, "y": below, "text": "last step"},
            {"step": 0.5, "y": -0.8, "text": "the end"},
        ]
    )


def apart(right: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Where the number of a wrong Â stands: at least a line away from the right one."""
    way = np.where(wrong >= right, 1, -1)
    return right + way * np.maximum(np.abs(wrong - right), 0.8 * LINE)


@in_memory
def lines() -> pd.DataFrame:
    """Both at every λ, with their heights in the picture: zero of the band minus Â."""
    tables = []
    for band, end in enumerate(ENDS):
        zero = places()[band][1]
        for at, lam in enumerate(HUNDREDTHS):
            right, wrong = found(end, lam)
            tables.append(
                pd.DataFrame(
                    {
                        "at": at,
                        "band": band,
                        "step": range(1 - NUM_STEPS, 1),
                        "right": zero - right,
                        "wrong": zero - wrong,
                        "wrong_at": zero - apart(right, wrong),
                        "advantage": right,
                        "bug": wrong,
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def bands() -> pd.DataFrame:
    """The words of each band and where they stand."""
    rows = []
    for band, (end, (top, zero, bottom)) in enumerate(zip(ENDS, places(), strict=True)):
        ledger = ledger_of(band)
        last = NUM_STEPS - 1
        reward, value = number(ledger.rewards[last]), number(ledger.values[last])
        ahead = f"{GAMMA:g} · {number(ledger.next_values[last])}"
        falls = bool(ledger.terminated[last])
        middle = (top + bottom) / 2
        rows.append(
            {
                "band": band,
                "zero": zero,
                "title": end.title,
                "rule": f"last Â = {reward} + {'0' if falls else ahead} − {value}",
                "bug": "✗ adds γλ Â of the next episode"
                if falls
                else f"✗ taken for a fall: {reward} + 0 − {value}",
                "title_at": middle - LINE,
                "rule_at": middle,
                "bug_at": middle + LINE,
                "begin": 0.5 - NUM_STEPS,
                "end": 0.5,
                "top": top,
                "bottom": bottom,
            }
        )
    return pd.DataFrame(rows)


def sentence(lam: float) -> str:
    """What each bug does to the last step, and how far back it reaches."""
    pairs = [(end.short, *found(end, lam)) for end in ENDS]
    last = ", ".join(f"{name} {fixed(a[-1])} → {fixed(b[-1])}" for name, a, b in pairs)
    back = GAMMA * lam
    reach = (
        "With λ = 0 only the last step is wrong; the first bug does nothing."
        if lam == 0
        else f"Each step earlier, the error is {fixed(back)} times as large."
    )
    return f"Last step, right → with the bug: {last}. {reach}"


def numbers(lam: float) -> pd.DataFrame:
    """Both of all ends, step by step."""
    columns: dict[str, np.ndarray] = {}
    for end in ENDS:
        right, wrong = found(end, lam)
        columns |= {end.title: right.round(3), f"✗ {end.title}": wrong.round(3)}
    return pd.DataFrame({"steps to the end": range(NUM_STEPS - 1, -1, -1)} | columns)
