"""Each update learns from a single whole return."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-3",
    report=(
        "CartPole, as many episodes as the run beside it. “I update after every single episode,"
        " so that none waits. Some seeds learn a little; most end at ten steps and never move"
        " again.”"
    ),
    why="The mean of an update is right, its variance sixteen times larger: a few lucky episodes make the policy certain before it is good.",
    others=("sign", "softmax-in-the-loss", "own-mean"),
    telling="entropy",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
