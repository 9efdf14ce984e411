"""A batch is used ten times, as if fresh."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-17",
    report=(
        "GAE on CartPole. “To save samples I go over each batch ten times, in forty small"
        " steps. The return rises at first and then falls to ten; within a few updates the"
        " entropy is almost zero.”"
    ),
    why="After a few small steps the policy has moved, but the batch still says what was good for the old one.",
    others=("sign", "one-episode", "forwards"),
    telling="entropy",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
