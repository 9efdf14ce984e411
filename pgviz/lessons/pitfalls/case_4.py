"""The advantage has the wrong sign."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-4",
    report=(
        "REINFORCE with a learned baseline on CartPole. “The critic predicts well. But the"
        " return falls to nine steps and stays there.”"
    ),
    why="What paid more than expected is made less likely. The critic is fitted as before: it predicts the short returns well.",
    others=("no-log", "broadcast-loss", "action-baseline"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
