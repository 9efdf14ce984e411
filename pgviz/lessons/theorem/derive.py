"""Derive the theorem yourself: choose the next line, then its reason; numbers check each line."""

from functools import partial

from pgviz.figures import plural, signed
from pgviz.lessons.theorem import puzzle
from pgviz.proofs.puzzles import Proof
from pgviz.ui import puzzle as puzzle_ui
from pgviz.ui import world
from pgviz.ui.screen import Screen
from pgviz.worlds.tabular import TabularMDP


def draw(screen: Screen) -> None:
    screen.words(
        "Now you. Choose the next line of the proof, then the reason for it. Some lines are false:"
        " their number is not that of ∇J. Others are true, but come later. Each is computed over"
        f" all episodes of a ladder of {puzzle.world().horizon} steps, along one θ: the"
        f" {puzzle.name()}."
    )
    lines, reasons = puzzle_ui.draw(screen, posed(puzzle.PROOF, puzzle.world()))
    screen.says(sentence(puzzle.PROOF, puzzle.world(), lines, reasons))
    screen.code(puzzle.PROOF.number_of)
    world.fold(screen, world.Shown("ladder"))


def posed(proof: Proof, here: TabularMDP) -> puzzle_ui.Puzzle:
    """The puzzle of a proof with the numbers of a world."""
    formula, reason = proof.given
    return puzzle_ui.Puzzle(
        (formula, signed(proof.exact(here), 3), reason),
        [line.formula for line in proof.lines],
        [signed(proof.number_of(here, at), 3) for at in range(len(proof.right))],
        [line.reason for line in proof.right],
        proof.offered,
        lambda placed: proof.reasons(placed)[0],
        partial(reply_to_line, proof, here),
        partial(reply_to_reason, proof),
    )


def reply_to_line(proof: Proof, here: TabularMDP, placed: int, choice: int) -> tuple[bool, str]:
    """Whether a line comes next, and why by its number."""
    value, exact = (signed(x, 3) for x in (proof.number_of(here, choice), proof.exact(here)))
    if choice == placed:
        return True, f"Its right side is {value}, as is ∇J. What makes it follow?"
    if choice < len(proof.right):
        return False, f"This line is true: it gives {value}. But a step before it is missing."
    why = proof.lines[choice].why_false
    return False, f"False: it gives {value}, but ∇J is {exact}; {why}."


def reply_to_reason(proof: Proof, placed: int, choice: int) -> tuple[bool, str]:
    """Whether this is the reason for the line placed last."""
    options, right = proof.reasons(placed)
    if choice == right:
        return True, options[right]
    return False, f"“{options[choice]}” does not lead from the line before to this one."


def sentence(proof: Proof, here: TabularMDP, lines: int, reasons: int) -> str:
    """How far the proof stands."""
    total = len(proof.right)
    if reasons == total:
        return f"The proof stands: {plural(total, 'line')}, each {signed(proof.exact(here), 3)}."
    return f"{lines} of {total} lines and {reasons} of {total} reasons are in place."
