"""Write a value baseline: the function of pgviz.from_scratch with three gaps."""

from pgviz.figures import plural
from pgviz.from_scratch import baseline as from_scratch
from pgviz.ui.exercise import exercise
from pgviz.ui.listing import source_of
from pgviz.ui.screen import Screen

# What a line of the solution holds, and the hint in its place.
HINTS = {
    "weights = ": "G − V̂, a plain number",
    "loss = loss - ": "add this episode",
    "critic_loss = ": "half the squared error",
}


def draw(screen: Screen) -> None:
    screen.words(
        "REINFORCE with a critic to subtract: Gymnasium, torch, one seed. Three lines are missing."
        " Mind two things. V̂ is fitted after the policy's update, not to the returns it is subtracted"
        " from. And it is subtracted as a plain number: the policy's loss must not move V̂."
        " `clip_grad_norm_` shortens a long ĝ."
    )
    source = solution()
    exercise(screen, "baseline", source, HINTS, start="loss = torch.zeros")
    screen.says(
        f"{plural(len(HINTS), 'gap')} in {plural(len(source.splitlines()), 'line')}: run it, and it"
        " should solve CartPole."
    )


def solution() -> str:
    """The whole file, as the tests run it."""
    return source_of(from_scratch)
