"""The baseline depends on the action."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-5",
    report=(
        "REINFORCE with a baseline on CartPole, and a critic that is trained with care. “It"
        " learns, at a fraction of the speed of the run without my improved baseline.”"
    ),
    others=("own-mean", "broadcast-returns", "gamma-twice"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
