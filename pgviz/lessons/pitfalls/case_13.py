"""GAE's recursion runs forwards in time."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-13",
    report=(
        "GAE on CartPole. “The advantages spread over more than a thousand, where the returns are"
        " ten. I clip the gradient, so nothing explodes; the return falls.”"
    ),
    why="Each step is credited with the δ before it, which it did not cause; they pile up towards the end.",
    others=("leak", "sign", "broadcast-loss"),
    telling="advantages",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
