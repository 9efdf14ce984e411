"""Derive the theorem yourself: choose the next line, then its reason; numbers check each line."""

from pgviz.figures import plural, signed
from pgviz.lessons.theorem import puzzle
from pgviz.ui import puzzle as puzzle_ui
from pgviz.ui import world
from pgviz.ui.screen import Screen


def draw(screen: Screen) -> None:
    screen.words(
        "Now you. Choose the next line of the proof, then the reason for it. Some lines are false:"
        " their number is not that of ∇J. Others are true, but come later. Each is computed over"
        f" all episodes of a ladder of {puzzle.world().horizon} steps, along one θ: the"
        f" {puzzle.name()}."
    )
    lines, reasons = puzzle_ui.draw(
        screen,
        puzzle_ui.Puzzle(
            (
                r"\nabla J = \nabla\sum_\tau P(\tau)\,R(\tau)",
                signed(puzzle.exact(), 3),
                "J is the average return.",
            ),
            [line.formula for line in puzzle.ALL],
            [signed(puzzle.number_of(at), 3) for at in range(len(puzzle.RIGHT))],
            [line.reason for line in puzzle.RIGHT],
            puzzle.offered,
            lambda placed: puzzle.reasons(placed)[0],
            reply_to_line,
            reply_to_reason,
        ),
    )
    screen.says(sentence(lines, reasons))
    screen.code(puzzle.number_of)
    world.fold(screen, world.Shown("ladder"))


def reply_to_line(placed: int, choice: int) -> tuple[bool, str]:
    """Whether a line comes next, and why by its number."""
    value, exact = signed(puzzle.number_of(choice), 3), signed(puzzle.exact(), 3)
    if choice == placed:
        return True, f"Its right side is {value}, as is ∇J. What makes it follow?"
    if choice < len(puzzle.RIGHT):
        return False, f"This line is true: it gives {value}. But a step before it is missing."
    why = puzzle.ALL[choice].why_false
    return False, f"False: it gives {value}, but ∇J is {exact}; {why}."


def reply_to_reason(placed: int, choice: int) -> tuple[bool, str]:
    """Whether this is the reason for the line placed last."""
    options, right = puzzle.reasons(placed)
    if choice == right:
        return True, options[right]
    return False, f"“{options[choice]}” does not lead from the line before to this one."


def sentence(lines: int, reasons: int) -> str:
    """How far the proof stands."""
    total = len(puzzle.RIGHT)
    if reasons == total:
        return f"The proof stands: {plural(total, 'line')}, each {signed(puzzle.exact(), 3)}."
    return f"{lines} of {total} lines and {reasons} of {total} reasons are in place."
