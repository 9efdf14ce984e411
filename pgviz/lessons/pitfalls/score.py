"""What the reader has found, and with how many instruments."""

import pandas as pd
import streamlit as st

from pgviz.figures import plural
from pgviz.lessons.pitfalls import CASES as PLACES
from pgviz.lessons.pitfalls.still import ROW
from pgviz.measure import symptoms
from pgviz.training.zoo import CASES
from pgviz.ui import progress
from pgviz.ui.screen import Screen


def draw(screen: Screen) -> None:
    screen.words(
        "A good diagnosis needs few instruments. Begin with the return; then ask what could make it"
        " look like this, and read the instrument that separates the answers. Each case can be asked"
        " again."
    )
    table = cases(screen.page.slug)
    with screen.picture():
        st.dataframe(
            table,
            hide_index=True,
            height=screen.height,
            row_height=ROW,
            key=f"score-{screen.key}",
            alt="What was found in each case",
        )
    screen.says(sentence(screen.page.slug))
    seen = {
        name: symptoms.measured()[name]
        for slug, (name, *_) in PLACES.items()
        if progress.is_revealed(screen.page.slug, slug)
    }
    if seen:
        screen.numbers(symptoms.table(seen).round(3))
    screen.command("python -m pgviz.measure.symptoms")


def cases(page: str) -> pd.DataFrame:
    """A row per case: its question, its fault once it is known, and how it was found."""
    rows = []
    for slug, (_, question, title, _) in PLACES.items():
        record = progress.of(page, slug)
        known = progress.is_revealed(page, slug)
        rows.append(
            {
                "case": f"{slug[5:]}. {title if known else question}",
                "found": "✓" if found(record) else "shown" if known else "",
                "instruments": str(len(record.get("looked", []))) if found(record) else "",
                "mistakes": str(int(record.get("tries", 0))) if found(record) else "",
            }
        )
    return pd.DataFrame(rows)


def found(record: dict) -> bool:
    """Whether the fault was named and the line was found, with nothing shown."""
    return record.get("answered") == [True, True]


def sentence(page: str) -> str:
    """How many, and with how many instruments on average."""
    records = [progress.of(page, slug) for slug in PLACES]
    mine = [record for record in records if found(record)]
    if not mine:
        return f"You have found none of the {len(CASES)} wrong lines yet."
    looked = sum(len(record.get("looked", [])) for record in mine)
    tries = sum(int(record.get("tries", 0)) for record in mine)
    return (
        f"You have found {len(mine)} of {len(CASES)} wrong lines, with"
        f" {looked / len(mine):.1f} instruments a case and {plural(tries, 'wrong answer')} in all."
    )
