"""The second proof: ∇V of the first state, unrolled."""

from pgviz.lessons.workbook import drawn
from pgviz.lessons.workbook.derive import proof_in_a_drawn_world
from pgviz.proofs.puzzles import VALUES
from pgviz.ui.screen import Screen

CONTROLS = (drawn.NUMBER,)


def draw(screen: Screen) -> None:
    screen.words(
        "The second proof lists no episodes. It begins with the value of the first state and uses the"
        " product rule; what changes later is the same thing one state later. The lines are checked in"
        " the same way."
    )
    proof_in_a_drawn_world(screen, VALUES)
