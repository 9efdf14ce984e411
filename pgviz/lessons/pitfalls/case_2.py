"""The baseline is the episode's own mean."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-2",
    report=(
        "REINFORCE on the same two arms. “I read that a baseline lowers the variance, so I"
        " subtract the mean return. Now nothing happens: the return stays where it began, for"
        " sixty updates, in every seed.”"
    ),
    why="An episode of one step is its own mean: return minus mean is 0, in every episode. The mean of other episodes would do no harm.",
    others=("no-log", "one-episode", "softmax-in-the-loss"),
    telling="advantages",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
