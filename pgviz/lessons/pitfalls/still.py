"""Which of the wrong lines still learn, and how well: measured beforehand."""

from typing import Any

import pandas as pd
import streamlit as st

from pgviz.charts import pitfalls as charts
from pgviz.figures import percent
from pgviz.lessons.pitfalls import CASES as PLACES
from pgviz.measure import symptoms
from pgviz.training.zoo import CASES
from pgviz.ui import progress
from pgviz.ui.controls import Number
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

GUESS = Number("still", "How many still learn?", 0, len(CASES))
ROW = 22  # pixels: all cases are to be seen at once
LEFTMOST = -0.75  # a smaller share is drawn here


def draw(screen: Screen) -> None:
    screen.words(
        "A wrong line need not stop learning: Adam forgets the length of an update, many samples"
        " hide noise, a wrong baseline may still be one. A case counts as learning when its return"
        f" improves by at least {percent(symptoms.LEARNS)} of what the right line improves it, in the"
        " same run."
    )
    guess = screen.predict(GUESS, verdict, start=5)
    if guess is None:
        seen = [f"{slug[5:]}. {question}" for slug, (_, question, *_) in PLACES.items()]
        with screen.picture():
            st.dataframe(
                pd.DataFrame({"case": seen}),
                hide_index=True,
                height=screen.height,
                row_height=ROW,
                key=f"cases-{screen.key}",
                alt="The cases",
            )
        screen.says(f"{len(seen)} cases, each with sixteen seeds, are counted.")
        return
    table = cases(screen)
    learning = symptoms.still_learn()
    screen.chart(
        charts.shares, symptoms.LEARNS, ink(),
        tables={"cases": table},
        title=f"{len(learning)} of {len(CASES)} wrong lines still learn",
        note="middle half of 16 seeds, last tenth of the run · a case is named once you have seen it",
        says="; ".join(
            f"{label}: {percent(share)}"
            for label, share in zip(table["label"], table["share"], strict=True)
        ),
    )  # fmt: skip
    screen.says(sentence())
    screen.numbers(table[["label", "share"]].round(3))
    screen.code(symptoms.share, symptoms.still_learn)
    screen.command("python -m pgviz.measure.symptoms")


def verdict(guess: Any) -> tuple[bool, str]:
    """Right within one."""
    learning = len(symptoms.still_learn())
    text = f"{learning} of {len(CASES)} do."
    return guess is not None and abs(float(guess) - learning) <= 1, text


def cases(screen: Screen) -> pd.DataFrame:
    """Shares, smallest first; a case that the reader has not seen through has no name yet."""
    rows = []
    for slug, (name, _, title, _) in PLACES.items():
        share, known = symptoms.share(name), progress.is_revealed(screen.page.slug, slug)
        rows.append(
            {
                "label": title if known else f"case {slug[5:]}",
                "share": share,
                "shown": max(share, LEFTMOST),
                "learns": share >= symptoms.LEARNS,
            }
        )
    return pd.DataFrame(rows).sort_values("share", ascending=False, kind="stable")


def sentence() -> str:
    """The best and the worst."""
    shares = sorted(symptoms.share(name) for name in CASES)
    below = sum(share < -0.01 for share in shares)
    return (
        f"The shares reach from {percent(shares[0])} to {percent(shares[-1])}. {below} of {len(CASES)}"
        " end clearly below where they began. A rising return is no proof that the code is right."
    )
