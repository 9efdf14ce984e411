"""Write PPO: the file of pgviz.from_scratch with three gaps."""

from pgviz.figures import plural
from pgviz.from_scratch import ppo as from_scratch
from pgviz.ui.exercise import exercise
from pgviz.ui.listing import source_of
from pgviz.ui.screen import Screen

# What a line of the solution holds, and the hint in its place.
HINTS = {
    "clipped = torch.clip(": "ρ within 1 ± ε",
    "return -torch.min(": "the smaller of both, as a loss",
    "loss = ppo_loss(": "the ratio: π now / π that played",
}


def draw(screen: Screen) -> None:
    screen.words(
        "PPO in one file: Gymnasium, torch, one seed. Three lines are missing: the clipped ratio,"
        " their minimum, and the ratio itself, from `log_probs` now and `old_`, those of the policy"
        " that played. Download the file, fill them in and run it."
    )
    source = solution()
    exercise(screen, "ppo", source, HINTS, start="def ppo_loss")
    screen.says(
        f"{plural(len(HINTS), 'gap')} in {plural(len(source.splitlines()), 'line')}: run it, and it"
        " should solve CartPole. At the first minibatch all ratios must be 1."
    )


def solution() -> str:
    """The whole file, as the tests run it."""
    return source_of(from_scratch)
