"""γ is multiplied in twice."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-6",
    report=(
        "REINFORCE on CartPole with γ = .98. “Short episodes soon become longer. Then, somewhere"
        " between one and three hundred steps, most seeds stop improving.”"
    ),
    others=("time-limit", "action-baseline", "one-episode"),
    telling="advantages",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
