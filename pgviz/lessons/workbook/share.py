"""How much of ∇J a baseline leaves that knows the sample's own return."""

import numpy as np

from pgviz.lessons.workbook import drawn, drill
from pgviz.lessons.workbook.drill import Drill
from pgviz.measure import drills
from pgviz.ui.screen import Screen

CONTROLS = (drawn.NUMBER,)


def draw(screen: Screen) -> None:
    screen.words(
        "Some baselines contain the very return they are subtracted from: the mean of a whole group of"
        " K, or a running mean that is moved first and subtracted then. What share of ∇J is left? 1"
        " means all of it."
    )
    drill.draw(screen, "The share of ∇J", question, drills.kept_by_group)


def question(at: int) -> Drill:
    """A group for odd numbers, a running mean for even ones."""
    rng = np.random.default_rng(at)
    if at % 2:
        size = int(rng.integers(2, 13))
        kept = drills.kept_by_group(size)
        return Drill(
            given=[
                ("subtracted", "the mean of all K returns, this one among them"),
                ("K", f"{size}"),
            ],
            answer=kept,
            slips=(
                (1.0, "The sample's own return is a K-th of what is subtracted from it."),
                (1 - kept, "That is the share which is lost."),
            ),
            because="of R − mean, a K-th of R is gone; the other returns are independent of it.",
            curve=[(k, drills.kept_by_group(k)) for k in range(2, 17)],
            at=size,
            axes=("K", "share of ∇J"),
            hint="How much of R stands in the mean of K returns?",
        )
    rate = float(rng.integers(1, 10)) / 10
    kept = drills.kept_by_running_mean(rate)
    return Drill(
        given=[("subtracted", "b ← (1 − α) b + α G, moved before it is used"), ("α", f"{rate:g}")],
        answer=kept,
        slips=(
            (1.0, "b was moved towards this very G before it was subtracted."),
            (rate, "That is the share which is lost."),
        ),
        because="G − b − α(G − b) = (1 − α)(G − b).",
        curve=[(x / 10, drills.kept_by_running_mean(x / 10)) for x in range(11)],
        at=rate,
        axes=("α", "share of ∇J"),
        hint="Write G minus the moved b, and take G − b out.",
    )
