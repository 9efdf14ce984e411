"""The baseline depends on the action."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-5",
    report=(
        "REINFORCE with a learned baseline on CartPole. “To lower the variance further I"
        " subtract one more term. Now some seeds learn nothing, and the others learn slowly.”"
    ),
    why="r + γ V̂(s′) holds what this action did. Only what comes after the next state is left to learn from.",
    others=("own-mean", "broadcast-returns", "gamma-twice"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
