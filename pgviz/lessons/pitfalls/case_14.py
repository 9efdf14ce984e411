"""The entropy term has the wrong sign."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-14",
    report=(
        "GAE in the short corridor, where the best policy is nearly a coin. To keep the policy"
        " random, the update also has .3 times the slope of the policy's entropy. “It becomes"
        " certain, and worse.”"
    ),
    why="It makes the policy more certain, whatever pays.",
    others=("sign", "softmax-twice", "own-mean"),
    telling="entropy",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
