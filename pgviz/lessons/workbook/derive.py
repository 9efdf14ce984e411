"""The theorem from its lines, by trajectories, checked in a world drawn at random."""

from pgviz.lessons.theorem import derive
from pgviz.lessons.workbook import drawn
from pgviz.proofs.puzzles import TRAJECTORIES, Proof
from pgviz.ui import puzzle
from pgviz.ui.screen import Screen

CONTROLS = (drawn.NUMBER,)


def draw(screen: Screen) -> None:
    screen.words(
        "Put the lines in order and give the reason for each. Some offered lines are false. Each line"
        " is computed in a small world that was drawn at random; a true one holds in every world."
    )
    proof_in_a_drawn_world(screen, TRAJECTORIES)


def proof_in_a_drawn_world(screen: Screen, proof: Proof) -> None:
    """The puzzle, its sentence, and the world as a table."""
    number, here = drawn.world(screen)
    lines, reasons = puzzle.draw(screen, derive.posed(proof, here))
    screen.says(f"World {number}. {derive.sentence(proof, here, lines, reasons)}")
    screen.numbers(drawn.table(here))
    screen.code(proof.number_of)
