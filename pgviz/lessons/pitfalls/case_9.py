"""G − V̂ becomes a matrix, averaged over returns."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-9",
    report=(
        "REINFORCE with a baseline on CartPole. “It learns in the right direction, only very"
        " slowly. A larger learning rate helps, but then it is noisy.”"
    ),
    others=("action-baseline", "broadcast-values", "one-episode"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
