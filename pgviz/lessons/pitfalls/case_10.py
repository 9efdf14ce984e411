"""G − V̂ becomes a matrix, averaged over values."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-10",
    report=(
        "REINFORCE with a learned baseline on CartPole. “A colleague found a line that is"
        " wrong. But the run looks like the one beside it.” What did the colleague find?"
    ),
    why="At each t it subtracts one number from all sixteen returns, whatever the action: that is a baseline.",
    others=("broadcast-returns", "own-mean", "sign"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
