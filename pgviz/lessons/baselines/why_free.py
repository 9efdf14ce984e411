"""Why subtracting is free: the proof, one line at a time, each with both of its sides computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.charts.baselines import terms_that_cancel
from pgviz.charts.theorem import two_sides
from pgviz.exact.values import action_values, logit_scores, settled
from pgviz.figures import listed, plural, signed, with_minus
from pgviz.figures import number as number_of
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.lessons.theorem.proof import Evaluated, short, sides
from pgviz.proofs.derivation import Line
from pgviz.proofs.receipts import is_cut, read
from pgviz.proofs.subtraction import (
    KNOWS_THE_ACTION,
    MOVED_FIRST,
    OWN_MEAN,
    baseline,
    baseline_is_free,
)
from pgviz.ui import proof as proof_ui
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.proof import mark_of, size_of
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds
from pgviz.worlds.stories import stories

NOTHING = "nothing"
LINES = {line.title: line for line in baseline_is_free}
SCORE = r"\nabla\log\pi(a_t|s_t)"


@dataclass(frozen=True)
class FreeLine:
    """One line: what it says with γ = 1, why, and how it looks when it is broken."""

    title: str
    equation: str
    reason: str
    altered: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> Line:
        return LINES[self.title]


PROOF: tuple[FreeLine, ...] = (
    FreeLine(
        "the log trick",
        r"\pi(a|s)\,\nabla\log\pi(a|s) = \nabla\pi(a|s)",
        "The slope of log x is 1/x.",
    ),
    FreeLine(
        "probabilities sum to one",
        r"\sum_a \nabla\pi(a|s) = 0",
        "Probabilities sum to 1, whatever θ is.",
    ),
    FreeLine(
        "one state",
        r"\sum_a \pi(a|s)\,b(s)\,\nabla\log\pi(a|s) = b(s)\sum_a \nabla\pi(a|s) = 0",
        "b(s) is the same for every action: it comes out of the sum.",
        {
            KNOWS_THE_ACTION: r"\sum_a \pi(a|s)\,\cancel{b(s)}\,b(s,a)\,\nabla\log\pi(a|s) = 0",
        },
    ),
    FreeLine(
        "a whole episode",
        rf"\mathbb{{E}}\Big[\sum_t b(s_t)\,{SCORE}\Big] = 0",
        "In every state it is zero, whatever came before.",
        {
            KNOWS_THE_ACTION: rf"\mathbb{{E}}\Big[\sum_t \cancel{{b(s_t)}}\,b(s_t,a_t)\,{SCORE}\Big] = 0",
            OWN_MEAN: rf"\mathbb{{E}}\Big[\sum_t \cancel{{b(s_t)}}\,\bar G\,{SCORE}\Big] = 0",
        },
    ),
    FreeLine(
        "the centre stays",
        rf"\nabla J = \mathbb{{E}}\Big[\sum_t \big(G_t - b(s_t)\big)\,{SCORE}\Big]",
        "What was subtracted is zero on average.",
        {
            MOVED_FIRST: rf"\nabla J = \mathbb{{E}}\Big[\sum_t \big(G_t - \cancel{{b(s_t)}}\,"
            rf"(0.9\,b(s_t) + 0.1\,G_t)\big)\,{SCORE}\Big]",
            OWN_MEAN: rf"\nabla J = \mathbb{{E}}\Big[\sum_t \big(G_t - \cancel{{b(s_t)}}\,\bar G\big)"
            rf"\,{SCORE}\Big]",
        },
    ),
    FreeLine(
        "the spread",
        r"\operatorname{tr}\operatorname{Cov}\hat g_b = \text{lowest}"
        r" + \sum_s d(s)\,\big(b(s)-b^*(s)\big)^2",
        "The noise is a parabola in each b(s), steep by d(s), lowest at b*(s).",
    ),
    FreeLine(
        "a mean of samples",
        rf"\nabla J \approx \frac1N\sum_n\sum_t \big(G_t - b(s_t)\big)\,{SCORE}",
        "4,000 sampled episodes: the same centre.",
    ),
)
SAMPLED_AT = len(PROOF) - 1
ONE_STATE = "one state"
STATES = {
    "ladder": ("rung 0", "rung 1", "rung 2"),
    "short-corridor": ("room 1", "room 2", "room 3"),
}
BREAKS = (KNOWS_THE_ACTION, OWN_MEAN, MOVED_FIRST)
LINE = Choice("line", "Line of the proof", tuple(range(1, len(PROOF) + 1)))
BREAK = Choice("break-b", "Break a step", (NOTHING, *BREAKS), listed=True)
WORLD = Choice("proof-world", "World", tuple(worlds.NAMES), listed=True)
CONTROLS = (LINE, BREAK, WORLD)
BEATS = ({"line": 2}, {"line": 3}, {"line": 5}, {"line": 5, "break-b": OWN_MEAN})
START = 3


def draw(screen: Screen) -> None:
    screen.words(
        "b may differ from state to state: b(s). Given the state, the average score is zero, so b(s)"
        " times it is zero, too: the centre stays, b is **free**. This fails once b depends on the"
        " action: then it does not come out of the sum. Break a step to see by how much."
    )
    number: int = screen.control(LINE, START)
    chosen: str = screen.control(BREAK, NOTHING)
    name: str = screen.control(WORLD, "ladder")
    broken = None if chosen == NOTHING else chosen
    line = PROOF[number - 1]
    found = evaluate(worlds.NAMES[name], line.title, broken)
    all_marks = marks(worlds.NAMES[name], broken)
    struck = broken if broken and broken in line.altered else ""
    latex = line.altered.get(broken or "", line.equation)
    proof_ui.line(screen, number, line.reason, latex, found.reading, all_marks, struck)
    height = screen.height - (330 if screen.present else 206)
    if line.title == ONE_STATE:
        parts, sums = terms(worlds.NAMES[name], broken)
        screen.chart(
            terms_that_cancel, ink(), stories[worlds.NAMES[name]].actions,
            tables={"terms": parts, "sums": sums, "axis": pd.DataFrame({"size": [0.0]})},
            title="The terms of a state cancel" if sums["zero"].all() else "They no longer cancel",
            note=f"π b ∇ log π along the θ of “{stories[worlds.NAMES[name]].actions[0]}”; b: the average"
            f" return {'after the action' if broken == KNOWS_THE_ACTION else 'from the state on'}",
            height=height,
        )  # fmt: skip
    else:
        screen.chart(
            two_sides, ink(),
            tables={"sides": found.sides, "zero": pd.DataFrame({"left": [0.0]})},
            title=f"{len(found.sides)} of its {found.total} numbers"
            if found.total > len(found.sides)
            else f"Its {plural(found.total, 'number')}",
            note="bars: left side · points: right side · red cross: it differs",
            height=height,
        )  # fmt: skip
    screen.says(sentence(number, found, broken, all_marks) + in_this_world(worlds.NAMES[name]))
    screen.code(line.line.evaluate)
    worlds.card(screen, worlds.NAMES[name])


@in_memory
def terms(name: str, broken: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """π(a|s) b ∇ log π(a|s) along the θ of the first action, for every action; and their sums."""
    few, story = short(named_worlds[name]()), stories[name]
    b = np.broadcast_to(baseline(few)[:, None], few.policy.shape)
    if broken == KNOWS_THE_ACTION:
        values = action_values(few)
        b = values if few.horizon is None else values[0]
    size = few.policy * b * logit_scores(few)[:, :, 0]
    states = STATES.get(name, ("",))
    parts = [
        {"state": states[s], "action": story.actions[a], "size": float(size[s, a])}
        for s in range(few.num_states)
        for a in range(few.num_actions)
    ]
    totals = settled(size.sum(axis=1), np.abs(size).sum(axis=1))
    sums = [
        {"state": states[s], "action": "sum", "size": float(x), "zero": bool(x == 0)}
        | {"label": signed(float(x)) if x else "sum 0"}
        for s, x in enumerate(totals)
    ]
    return pd.DataFrame(parts), pd.DataFrame(sums)


@lru_cache(200)
def evaluate(name: str, title: str, broken: str | None) -> Evaluated:
    """One line in a named world, cut so that its episodes can be listed."""
    line, few = LINES[title], short(named_worlds[name]())
    receipt = line(few, broken if broken in line.breaks else None)
    reading = read(line, receipt, few, stories[name].actions)
    return Evaluated(reading, sides(receipt), int(receipt.left.size))


def marks(name: str, broken: str | None) -> tuple[str, ...]:
    """Which lines hold, in their order."""
    return tuple(mark_of(evaluate(name, each.title, broken).reading) for each in PROOF)


def in_this_world(name: str) -> str:
    """A word on where the world was cut."""
    whole = named_worlds[name]()
    few = short(whole)
    if not is_cut(whole, few):
        return ""
    return f" (Cut after {plural(few.horizon or 0, 'step')}, so that all episodes can be listed.)"


def sentence(number: int, found: Evaluated, broken: str | None, all_marks: tuple[str, ...]) -> str:
    """Of this line and of the whole proof: what holds, what fails, by how much."""
    failing = [str(at) for at, mark in enumerate(all_marks, 1) if mark == "fails"]
    if number - 1 == SAMPLED_AT and not broken:
        holds = mark_of(found.reading) != "open"
        return with_minus(
            f"{found.reading.right} estimates {found.reading.left}: the 95 % interval"
            f" {'holds' if holds else 'misses'} it."
        )
    if not failing:
        if broken:
            return f"“{broken}” changes nothing in this world: look at another one."
        exact = sum(mark == "holds" for mark in all_marks[:SAMPLED_AT])
        return (
            f"The {exact} exact lines hold; the largest difference here is {size_of(found.reading)}. Line"
            f" {len(PROOF)} is a mean of samples."
        )
    where = f"Line{'' if len(failing) == 1 else 's'} {listed(failing)}"
    verb = "fails" if len(failing) == 1 else "fail"
    if found.reading.mark == "fails":
        size = number_of(found.reading.size)
        return f"Line {number} fails, by {size}. In all, {where.lower()} {verb}."
    return f"Line {number} does not use this step and holds. {where} {verb}: look there."
