"""The softmax is taken twice."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-15",
    report=(
        "REINFORCE on the ladder; the network ends in a softmax layer. “It learns, but no action"
        " is ever taken with more than 73 %, however long I train.”"
    ),
    why="What reaches the second softmax lies between 0 and 1: with two actions no probability exceeds e/(1 + e), 73 %.",
    others=("entropy", "softmax-in-the-loss", "gamma-twice"),
    telling="entropy",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
