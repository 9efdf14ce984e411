"""A batch is used ten times, as if fresh."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-17",
    report=(
        "CartPole with GAE. “To save samples, I make forty small steps on each batch, not one."
        " Within a few updates the entropy is almost zero, and the return stays low.”"
    ),
    others=("sign", "one-episode", "forwards"),
    telling="entropy",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
