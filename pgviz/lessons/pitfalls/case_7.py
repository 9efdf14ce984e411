"""The critic's target is differentiated."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-7",
    report=(
        "The actor-critic on CartPole. “My critic explains nearly all of the variance of its"
        " targets, more than the right code's does. The policy is worse.”"
    ),
    why="The loss falls, too, when V̂ moves the target towards itself: V̂ then agrees with its targets, not with the returns.",
    others=("broadcast-loss", "time-limit", "sign"),
    telling="explained variance",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
