"""The log is missing."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-1",
    report=(
        "REINFORCE on two arms that pay 1 and .8; the policy begins at π = (.4, .6). “After"
        " sixty updates nearly every pull, in every seed, is of the arm that pays less. No"
        " error, no warning.”"
    ),
    why="Sampling counts π once, and ∇π = π ∇log π counts it again: the arms are compared by π · r, and .6 · .8 beats .4 · 1.",
    others=("own-mean", "action-baseline", "one-episode"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
