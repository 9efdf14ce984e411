"""Write REINFORCE: the file of pgviz.from_scratch with four gaps."""

from pgviz.figures import plural
from pgviz.from_scratch import reinforce
from pgviz.ui.exercise import exercise
from pgviz.ui.listing import source_of
from pgviz.ui.screen import Screen

# What a line of the solution holds, and the hint in its place.
HINTS = {
    "a ~ π": "draw an action from the policy",
    "rewards.flip(0)": "G, the rewards from each step on",
    "loss - (": "its part of L; which sign?",
    "loss.backward()": "compute −ĝ",
}


def draw(screen: Screen) -> None:
    screen.words(
        "This is all of REINFORCE: Gymnasium for the world, torch for autograd, one seed, no"
        " tricks. The listing shows the function that plays, the reward-to-go and the update;"
        " scroll to see all gaps. Fill them in and run the file: within some twenty updates the"
        " return should pass 100. If it falls to 9, look at your minus."
    )
    source = solution()
    exercise(screen, "reinforce", source, HINTS, start="def play")
    screen.says(f"{plural(len(HINTS), 'gap')} in {plural(len(source.splitlines()), 'line')}.")


def solution() -> str:
    """The whole file."""
    return source_of(reinforce)
