"""G − V̂ becomes a matrix, averaged over returns."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-9",
    report=(
        "REINFORCE with a learned baseline on CartPole. “It goes in the right direction, in"
        " most seeds, only very slowly.”"
    ),
    why="At each t the actions of all sixteen environments get the same mean return: only V̂ still tells them apart.",
    others=("action-baseline", "broadcast-values", "one-episode"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
