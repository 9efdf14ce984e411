"""Write RLOO: the file of pgviz.from_scratch with three gaps."""

import inspect

from pgviz.figures import fixed, plural
from pgviz.from_scratch import rlhf as from_scratch
from pgviz.lessons.rlhf.shared import best
from pgviz.ui.exercise import exercise
from pgviz.ui.listing import source_of
from pgviz.ui.screen import Screen

# What a line of the solution holds, and the hint in its place.
HINTS = {
    "others = (": "the mean of the K − 1 others",
    "rewards = reward(y)": "R = r − β log(π/π_ref)",
    "loss = -(": "R − b times log π, as a loss",
}
BETA: float = inspect.signature(from_scratch.main).parameters["beta"].default


def draw(screen: Screen) -> None:
    screen.words(
        "RLOO in one file, with torch alone. Three lines are missing: the mean of the K − 1 others,"
        " the reward with the KL in it, and the loss. Download the file, fill them in and run it. If J"
        " only falls, look at the sign of the loss. If it rises and then falls, look at the KL."
    )
    source = solution()
    exercise(screen, "rlhf", source, HINTS, start="def leave_one_out")
    screen.says(
        f"{plural(len(HINTS), 'gap')} in {plural(len(source.splitlines()), 'line')}: at β ="
        f" {BETA:g}, J should come within 0.001 of the best possible, {fixed(best(BETA)[1], 4)}."
    )


def solution() -> str:
    """The whole file, as the tests run it."""
    return source_of(from_scratch)
