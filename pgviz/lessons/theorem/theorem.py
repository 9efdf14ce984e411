"""The policy gradient theorem: its parts lead to their steps, its proof is read line by line."""

import pandas as pd

from pgviz.charts.theorem import two_sides
from pgviz.figures import listed, plural, with_minus
from pgviz.lessons.theorem.proof import BREAKS, PROOF, Evaluated, evaluate, marks, short
from pgviz.proofs.derivation import Line
from pgviz.proofs.receipts import is_cut
from pgviz.ui import proof as proof_ui
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.proof import mark_of, size_of
from pgviz.ui.screen import Screen

NOTHING = "nothing"
LINE = Choice("line", "Line of the proof", tuple(range(1, len(PROOF) + 1)))
BREAK = Choice("break", "Break a step", (NOTHING, *BREAKS), listed=True)
WORLD = world.control("world")
CONTROLS = (LINE, BREAK, WORLD)
BEATS = ({"line": 3}, {"line": 9}, {"line": 11}, {"line": 3, "break": "drop the log"})
# The theorem's terms, each with the step that shows it.
TERMS = (
    (r"$\nabla J$", "product"),
    (r"$\;=\;\mathbb{E}$", "average"),
    (r"$\textstyle\sum_t$", "no-model"),
    (r"$G_t$", "causality"),
    (r"$\nabla\log$", "divide"),
    (r"$\pi(a_t|s_t)$", "policy"),
)
SAMPLED_AT = [line.title for line in PROOF].index("a mean of samples")


def draw(screen: Screen) -> None:
    screen.words(
        "This is the **policy gradient theorem**; press a term to see its step. The number that"
        " multiplies the score of an action is its **weight** $\\Psi_t$; here $\\Psi_t = G_t$."
        " Later pages choose other weights. Every line of the proof is computed on both sides."
        " Break a step: the altered formula fails, and says by how much."
    )
    number: int = screen.control(LINE, 1)
    chosen: str = screen.control(BREAK, NOTHING)
    shown = world.chosen(screen, WORLD, "ladder")
    broken = None if chosen == NOTHING else chosen
    line, actions = PROOF[number - 1], shown.story.actions
    shown, found, note = world.found_or_instead(
        shown, "ladder", evaluate, line.title, broken, actions
    )
    all_marks = world.found(shown, marks, broken, actions)
    proof_ui.formula(screen, TERMS)
    struck = broken if broken and broken in line.altered else ""
    latex = line.written(broken, shown.world)
    proof_ui.line(
        screen, number, line.reason, latex, found.reading, all_marks, struck, which(found)
    )
    screen.chart(
        two_sides, ink(), bool(found.names),
        tables={
            "sides": found.sides.assign(name=found.names or ""),
            "zero": pd.DataFrame({"left": [0.0]}),
        },
        title=title(number, found),
        note="bar: left side · dot: right side · red cross: it differs",
        height=screen.height - (360 if screen.present else 236),
    )  # fmt: skip
    screen.says(sentence(number, found, broken, all_marks) + _cut(shown) + note)
    screen.code(line.line.evaluate)
    world.fold(screen, shown)


def title(number: int, found: Evaluated) -> str:
    """What the numbers in the picture are."""
    if found.total > len(found.sides):
        return f"Both sides of line {number}: {len(found.sides)} of its {found.total} numbers"
    if found.names and line_of(number).axes == "feature action":
        return f"Both sides of line {number}, for each of {found.total} θ"
    return f"Both sides of line {number}: {plural(found.total, 'number')}"


def line_of(number: int) -> Line:
    """The line as it is evaluated."""
    return PROOF[number - 1].line


def which(found: Evaluated) -> str:
    """Of which of its numbers the two sides are written out."""
    where = found.reading.where.replace("logit of", "θ of").replace(" · 1 of", ", one of")
    return f"{where}: " if where else ""


def _cut(shown: world.Shown) -> str:
    """A word where the world was cut so that its episodes can be listed."""
    here = shown.world
    few = short(here)
    if not is_cut(here, few):
        return ""
    return f" (Here {shown.label} ends after {plural(few.horizon or 0, 'step')}: all its episodes can be listed.)"


def sentence(number: int, found: Evaluated, broken: str | None, all_marks: tuple[str, ...]) -> str:
    """Of this line and of the whole proof: what holds, what fails, by how much."""
    failing = [str(at) for at, mark in enumerate(all_marks, 1) if mark == "fails"]
    if "±" in found.reading.right:
        return samples_in_words(found)
    if broken is None and not failing:
        exact = sum(mark == "holds" for mark in all_marks) - (all_marks[SAMPLED_AT] == "holds")
        return (
            f"All {exact} exact lines hold; line {SAMPLED_AT + 1} is an estimate. The largest"
            f" difference here is {size_of(found.reading)}."
        )
    where = f"Line{'' if len(failing) == 1 else 's'} {listed(failing)}"
    if not failing:
        return f"“{broken}” changes nothing in this world: look at another one."
    if found.reading.mark == "fails":
        others = "" if len(failing) == 1 else f" {where} fail."
        return (
            f"Line {number} fails, by {size_of(found.reading)}.{others} The other exact lines hold."
        )
    verb = "fails" if len(failing) == 1 else "fail"
    return f"Line {number} does not use this step and holds. {where} {verb}: look there."


def samples_in_words(found: Evaluated) -> str:
    """What the line of samples says: whether its interval holds the exact number, and the sign."""
    sides = with_minus(f"{found.reading.right} estimates {found.reading.left}")
    kind = mark_of(found.reading)
    if kind == "open":
        return f"{sides}: the 95 % interval misses it, as one in twenty does."
    if kind == "unsure":
        return f"{sides}: the interval holds it, but cannot tell its sign yet."
    sign = "" if found.reading.left == "0" else ", and tells its sign"
    return f"{sides}: the 95 % interval holds it{sign}."
