"""The log is missing."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-1",
    report=(
        "REINFORCE on two arms that pay 1 and .8; the policy begins at π = (.4, .6). “After sixty"
        " updates it is certain, in every seed, but of the arm that pays less. No error, no"
        " warning.”"
    ),
    others=("own-mean", "action-baseline", "one-episode"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
