"""Each update learns from a single whole return."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-3",
    report=(
        "CartPole, as many episodes as the run beside it. “I keep the estimator unbiased and use"
        " every episode at once. Some seeds learn a little; most end at ten steps and never move"
        " again.”"
    ),
    others=("sign", "softmax-in-the-loss", "own-mean"),
    telling="entropy",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
