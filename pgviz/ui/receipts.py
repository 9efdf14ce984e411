"""The table of receipts: equation, reason, left, right, difference, mark."""

from collections.abc import Sequence

import streamlit as st

from pgviz.figures import with_minus
from pgviz.in_memory import in_memory
from pgviz.proofs.derivation import TOLERANCE, Line
from pgviz.proofs.receipts import Reading, difference_in_words, listed, read
from pgviz.ui.look import quiet_text, text_red
from pgviz.ui.plain import plain
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import TabularMDP

MOST_EPISODES = 1500  # of a named world, to be listed: all of the ladder's are

MARKS = {
    "holds": '<span class="mark" role="img" aria-label="holds">✓</span>',
    "fails": '<span class="mark broken" role="img" aria-label="broken">✗</span>',
    "open": '<span class="mark" role="img" aria-label="not yet">…</span>',
    "none": '<span class="mark" role="img" aria-label="not computed">–</span>',
}


def style() -> None:
    """How receipts look: calm rows, tabular figures, one red, cards on a narrow screen."""
    red, quiet = text_red(), quiet_text()
    st.html(f"""<style>
[class*="st-key-receipts"] table {{ width: 100%; border-collapse: collapse; font-size: .92rem; }}
[class*="st-key-receipts"] :is(th, td) {{
  border: 0; border-bottom: 1px solid rgba(125, 130, 140, .25); padding: .65rem .5rem .55rem 0;
  vertical-align: top; text-align: left; }}
[class*="st-key-receipts"] th {{ font-weight: 500; font-size: .8rem; color: {quiet}; }}
[class*="st-key-receipts"] td:nth-child(n+2) {{
  font-variant-numeric: tabular-nums; white-space: nowrap; text-align: right; }}
[class*="st-key-receipts"] th:nth-child(n+2) {{ text-align: right; }}
[class*="st-key-receipts"] td:last-child {{ width: 1.6rem; font-weight: 600; }}
[class*="st-key-receipts"] small {{ display: block; line-height: 1.35; color: {quiet}; }}
[class*="st-key-receipts"] td:nth-child(4) small {{ white-space: normal; max-width: 6.5rem;
  margin-left: auto; }}
[class*="st-key-receipts"] td b {{ text-decoration: underline; text-underline-offset: 3px; }}
[class*="st-key-receipts"] tr:has(.broken) :is(td:nth-child(n+2), b) {{ color: {red}; }}
[class*="st-key-receipts"] tr:has(.broken) {{ background: {red}12; }}
[class*="st-key-receipts"] tr:has(.broken) td:first-child {{
  box-shadow: inset 3px 0 {red}; padding-left: .6rem; }}
@media (max-width: 640px) {{
  [class*="st-key-receipts"] thead {{ display: none; }}
  [class*="st-key-receipts"] tr {{ display: flex; flex-wrap: wrap; gap: 0 1rem;
    border-bottom: 1px solid rgba(125, 130, 140, .25); padding-bottom: .5rem; }}
  [class*="st-key-receipts"] td {{ border: 0; padding: .4rem 0 0; }}
  [class*="st-key-receipts"] td:nth-child(2)::before {{ content: "left "; }}
  [class*="st-key-receipts"] td:nth-child(3)::before {{ content: "right "; }}
  [class*="st-key-receipts"] td:nth-child(4)::before {{ content: "off by "; }}
  [class*="st-key-receipts"] td:nth-child(4) {{ text-align: left; }}
  [class*="st-key-receipts"] td:nth-child(4) small {{ margin: 0; max-width: none; }}
  [class*="st-key-receipts"] td::before {{ font-size: .8rem; color: {quiet}; }}
  [class*="st-key-receipts"] td:first-child {{ flex: 1 0 100%; overflow-x: auto; }}
}}
</style>""")


def table(readings: Sequence[Reading], key: str) -> None:
    """All lines of one derivation."""
    rows = ["| line | left | right | difference | holds |", "|:--|--:|--:|--:|:-:|"]
    rows += [_row(reading) for reading in readings]
    with st.container(key=f"receipts-{key}"):
        st.markdown("\n".join(rows), unsafe_allow_html=True)


def verdict(readings: Sequence[Reading], broken: str | None) -> str:
    """What the whole table says: of the break, of the lines that hold, of those that are open."""
    if any(reading.mark == "fails" for reading in readings):
        said = _failing(readings)
    elif broken is not None:
        said = _without_effect(readings, broken)
    else:
        said = _holding(readings)
    return said + _open(readings) + _unread(readings)


def _exact(readings: Sequence[Reading]) -> list[Reading]:
    return [r for r in readings if r.mark == "holds" and "±" not in r.right]


def _failing(readings: Sequence[Reading]) -> str:
    wrong = [r for r in readings if r.mark == "fails"]
    worst = max(wrong, key=lambda r: r.size)
    lines = "One line fails" if len(wrong) == 1 else f"{len(wrong)} lines fail"
    most = "is off by" if len(wrong) == 1 else "is off most: by"
    sides = with_minus(f"{worst.left} against {worst.right}")
    others = len(_exact(readings))
    rest = " The other exact lines hold." if others > 1 else " The other exact line holds."
    return f"{lines}. “{worst.title}” {most} {worst.difference}, {sides}.{rest if others else ''}"


def _without_effect(readings: Sequence[Reading], broken: str) -> str:
    """A break that turns nothing red: it has no effect, or its lines could not be read."""
    touched = [r for r in readings if r.is_broken]
    unread = [r for r in touched if r.mark == "none"]
    if unread and len(unread) == len(touched):
        return f"“{typeset(broken)}” cannot be shown here: {plain(typeset(unread[0].reason))}."
    where = "in the lines that could be computed, " if unread else ""
    return (
        f"“{typeset(broken)}” changes nothing {where}in this world at this θ. Turn the knob, the"
        " discount or choose another world to see what it breaks."
    )


def _holding(readings: Sequence[Reading]) -> str:
    exact = _exact(readings)
    if not exact:
        return "No exact line could be computed here."
    worst_of_all = max(exact, key=lambda r: r.size / r.unit if r.size else 0.0)
    largest = difference_in_words(worst_of_all.size, TOLERANCE * worst_of_all.unit)
    if len(exact) == 1:
        return f"The one exact line holds, {_up_to(largest)}."
    worst = "" if largest == "0" else "the worst of them "
    computed = " that could be computed" if any(r.mark == "none" for r in readings) else ""
    return f"All {len(exact)} exact lines{computed} hold, {worst}{_up_to(largest)}."


def _up_to(difference: str) -> str:
    return "to the last digit" if difference == "0" else f"up to {difference}"


def _open(readings: Sequence[Reading]) -> str:
    if not any(r.mark == "open" for r in readings):
        return ""
    return (
        " The samples' 95 % interval misses the truth this time, as one in twenty does, and"
        " more where something rare has not been seen: take more episodes."
    )


def _unread(readings: Sequence[Reading]) -> str:
    unread = [r for r in readings if r.mark == "none"]
    if not unread:
        return ""
    who = "One line" if len(unread) == 1 else f"{len(unread)} lines"
    return f" {who} cannot be computed here; {'it' if len(unread) == 1 else 'each'} says why."


def _row(reading: Reading) -> str:
    equation = f"${piped(reading.equation)}$" if reading.equation else plain(typeset(reading.title))
    reason = f"<small>{plain(typeset(reading.reason))}</small>"
    where = (
        f'<small class="where">shown: {plain(typeset(reading.where))}</small>'
        if reading.where
        else ""
    )
    left, right = (_digits(side, reading) for side in (reading.left, reading.right))
    note = f"<small>{plain(typeset(reading.note))}</small>" if reading.note else ""
    return (
        f"| {equation}{reason}{where} | {left} | {right} | {reading.difference}{note} |"
        f" {MARKS[reading.mark]} |"
    )


def _digits(side: str, reading: Reading) -> str:
    """The first digit that disagrees, marked; a sign, if it is the sign."""
    if reading.mark != "fails" or reading.agreeing >= len(side):
        return with_minus(side)
    a = reading.agreeing + (side[reading.agreeing] == ".")
    return with_minus(f"{side[:a]}<b>{side[a : a + 1]}</b>{side[a + 1 :]}")


def piped(equation: str) -> str:
    """A bar inside a table's cell would end the cell."""
    return equation.replace(r"\|", r"\lVert ", 1).replace(r"\|", r"\rVert ").replace("|", r"\mid ")


SMALL = {
    "γ^t": "γᵗ",
    "γ^u": "γᵘ",
    "γ^k": "γᵏ",
    "_{u≥t}": "ᵤ≥ₜ",
    "r_u": "rᵤ",
    "s_t": "sₜ",
    "G_t": "Gₜ",
    "P_π": "Pπ",
    "(log x)'": "(log x)′",
    "V'": "V′",
}


def typeset(text: str) -> str:
    """Indices and powers as they are printed."""
    for typed, printed in SMALL.items():
        text = text.replace(typed, printed)
    return text


def listed_world(name: str) -> TabularMDP:
    """A named world, cut where its episodes could not be listed."""
    world = listed(named_worlds[name](), MOST_EPISODES)
    assert world is not None
    return world


def readings(lines: Sequence[Line], name: str, broken: str | None) -> list[Reading]:
    """Every line in a named world; only a line that is broken is worked out anew."""
    return [
        _reading(name, line.title, broken if broken in line.breaks else None, line)
        for line in lines
    ]


@in_memory
def _reading(name: str, title: str, broken: str | None, line: Line) -> Reading:
    world = listed_world(name)
    return read(line, line(world, broken), world)
