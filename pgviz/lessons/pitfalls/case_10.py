"""G − V̂ becomes a matrix, averaged over values."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-10",
    report=(
        "REINFORCE with a baseline on CartPole. “A colleague found a line that is wrong. But the"
        " run looks like the one beside it. What did they find?”"
    ),
    others=("broadcast-returns", "own-mean", "sign"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
