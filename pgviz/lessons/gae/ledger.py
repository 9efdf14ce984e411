"""The recursion as a ledger: from the last row up, every number in its place."""

import pandas as pd
import streamlit as st

from pgviz import estimators
from pgviz.charts import gae as charts
from pgviz.figures import MINUS, fixed, number
from pgviz.lessons.gae.settings import HUNDREDTHS, LAMBDA, LAMBDA_START
from pgviz.measure.ledger import GAMMA, LEAK, LEDGERS, LIMIT, Ledger
from pgviz.training import methods
from pgviz.ui.controls import Choice
from pgviz.ui.guard import guarded
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

NUM_ROWS = 6  # on the screen: the last ones
NAMES = tuple(LEDGERS)
WHICH = Choice(
    "ledger",
    "Example",
    NAMES,
    "Every reward is 1, as in CartPole. “500 ones” is an episode of 500 steps with V̂ = 100"
    " everywhere, cut by the time limit; its last six rows are shown.",
)
ROWS = Choice("rows", "Rows computed", tuple(range(1, NUM_ROWS + 1)))
CONTROLS = (ROWS, LAMBDA, WHICH)
BEATS = (
    {"rows": 1, "ledger": "a fall"},
    {"rows": 2},
    {"rows": 6},
    {"ledger": "500 ones", "rows": 1},
)
TYPED = {
    "_index": st.column_config.NumberColumn("t", width=50),
    "reward": st.column_config.NumberColumn("r", format="%g", width=60),
    "value": st.column_config.NumberColumn("V̂(s)", format="%g", width=70),
    "final_value": st.column_config.NumberColumn("V̂(s′) at an end", format="%g", width=115),
    "terminated": st.column_config.CheckboxColumn("terminated", width=105),
    "truncated": st.column_config.CheckboxColumn("truncated", width=90),
}


def draw(screen: Screen) -> None:
    screen.words(
        "The sum need not be added up anew for every step. Begin at the last row and go up:"
        " $\\hat A_t = \\delta_t + \\gamma\\lambda\\,\\hat A_{t+1}$, the row's own TD error and γλ"
        " times the Â of the row below. Where an episode ends, nothing is carried up. The rows are"
        " made-up examples."
    )
    rows_field, lam_field = screen.live(ROWS, NUM_ROWS), screen.live(LAMBDA, LAMBDA_START)
    num_rows: int = screen.control(ROWS, NUM_ROWS)
    lam: float = screen.control(LAMBDA, LAMBDA_START)
    name: str = screen.control(WHICH, "a fall", horizontal=True)
    typed = rows_of(name)
    with screen.fold("Edit", ":material/edit:"):
        anew = st.session_state.setdefault("ledger.anew", 0)
        typed = st.data_editor(
            typed,
            key=f"ledger-{name}-{anew}",
            column_config=TYPED,
            num_rows="fixed",
            height=35 * 7 + 2,
            width=505,
            alt="The rows, to be edited",
        )
        st.button("Undo all edits", key="ledger.undo", on_click=guarded(_undo))
    found = Ledger.of(typed, GAMMA, lam)
    first = int(typed.index[0])
    of = f" of {first + NUM_ROWS}" if first else ""
    screen.chart(
        charts.ledger, lam_field, rows_field, HUNDREDTHS.index(LAMBDA_START), NUM_ROWS - 1,
        NUM_ROWS, ink(),
        tables={"rows": rows_table(found, first), "values": values(found), "heads": HEADS},
        title="From the last row up: each Â needs only the one below",
        note=f"γ = {GAMMA:g} · rows {first} to {first + NUM_ROWS - 1}{of} · shaded: computed last · drag λ",
    )  # fmt: skip
    screen.says(sentence(found, num_rows, first))
    screen.numbers(numbers(found, first))
    screen.code(estimators.gae, estimators.discounted_sum, methods.actor_critic, methods.gae)


def _undo() -> None:
    st.session_state["ledger.anew"] += 1


HEADS = pd.DataFrame(
    [
        {"text": text, "column": column, "row": -0.85}
        for text, column in charts.LEDGER_COLUMNS.items()
    ]
)


def rows_of(name: str) -> pd.DataFrame:
    """The last rows of a ledger, numbered as in the whole: no Â depends on a row above it."""
    return LEDGERS[name]().tail(NUM_ROWS)


def rows_table(found: Ledger, first: int) -> pd.DataFrame:
    """What does not depend on λ, as texts."""
    errors = estimators.td_errors(
        found.rewards, found.values, found.next_values, found.terminated, found.gamma
    )
    return pd.DataFrame(
        [
            {
                "row": row,
                "t": str(first + row),
                "reward": number(found.rewards[row], 4),
                "value": number(found.values[row], 4),
                "following": "0" if found.terminated[row] else number(found.next_values[row], 4),
                "error": fixed(errors[row], 3),
                "end": end_of(found, row),
            }
            for row in range(len(found.rewards))
        ]
    )


def numbers(found: Ledger, first: int) -> pd.DataFrame:
    """The rows with both ends of λ, G − V̂ for comparison, and what two bugs make of them."""
    return (
        found.table(NUM_ROWS)
        .assign(
            t=range(first, first + NUM_ROWS),
            **{
                "G − V̂": found.returns_minus_values(),
                "✗ the limit counts as a fall": found.with_bug(LIMIT),
                "✗ the sum does not stop": found.with_bug(LEAK),
            },
        )
        .round(4)
    )


def end_of(found: Ledger, row: int) -> str:
    """Why the sum stops behind a row; nothing if it goes on."""
    if found.terminated[row]:
        return "terminated"
    if found.truncated[row]:
        return "truncated"
    return "window ends" if row == len(found.rewards) - 1 else ""


def values(found: Ledger) -> pd.DataFrame:
    """γλ Â′ and Â of every row at every λ: at, row, carried, advantage, cut."""
    num = len(found.rewards)
    tables = []
    for at, lam in enumerate(HUNDREDTHS):
        advantages = found.advantages(lam)
        following = [*advantages[1:], 0.0]
        cut = [bool(end_of(found, row)) for row in range(num)]
        carried = [0.0 if c else found.gamma * lam * a for c, a in zip(cut, following, strict=True)]
        tables.append(
            pd.DataFrame(
                {
                    "at": at,
                    "row": range(num),
                    "carried": carried,
                    "advantage": advantages,
                    "cut": cut,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


WHY = {
    "terminated": "The episode terminated: V̂(s′) counts as 0 and nothing is carried up.",
    "truncated": "A time limit cut the episode: V̂ of the last observation counts, and nothing is"
    " carried up.",
    "window ends": "The window ends: V̂ of the next state counts, and no row below is known.",
}


def sentence(found: Ledger, num_rows: int, first: int) -> str:
    """The arithmetic of the row that was computed last."""
    row = len(found.rewards) - num_rows
    errors = estimators.td_errors(
        found.rewards, found.values, found.next_values, found.terminated, found.gamma
    )
    advantages = found.advantages()
    following = 0.0 if found.terminated[row] else found.next_values[row]
    end = end_of(found, row)
    carried = 0.0 if end else found.gamma * found.gae_lambda * advantages[row + 1]
    return (
        f"Row {first + row}: δ = {number(found.rewards[row], 4)} + {found.gamma:g} ·"
        f" {inside(number(following, 4))} {MINUS} {inside(number(found.values[row], 4))} ="
        f" {fixed(errors[row], 3)}. Â = {fixed(errors[row], 3)} +"
        f" {inside(fixed(carried, 3) if not end else '0')} = {fixed(advantages[row], 3)}."
        f" {WHY.get(end, '')}"
    ).rstrip()


def inside(text: str) -> str:
    """A number behind a sign: in brackets if it is negative."""
    return f"({text})" if text.startswith(MINUS) else text
