"""The proof of this page as a puzzle, in a short ladder."""

from functools import lru_cache

from pgviz.lessons.theorem.proof import theta_in_words
from pgviz.proofs.puzzles import TRAJECTORIES, largest
from pgviz.proofs.receipts import listed
from pgviz.worlds.named import ladder
from pgviz.worlds.stories import stories
from pgviz.worlds.tabular import TabularMDP

PROOF = TRAJECTORIES


@lru_cache(1)
def world() -> TabularMDP:
    """The ladder, so short that every episode can be listed."""
    few = listed(ladder())
    assert few is not None
    return few


def name() -> str:
    """The θ whose slope is shown."""
    return theta_in_words(world(), largest(world()), stories["ladder"].actions)
