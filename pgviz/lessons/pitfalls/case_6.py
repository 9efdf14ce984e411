"""γ is multiplied in twice."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-6",
    report=(
        "REINFORCE on CartPole with γ = .98. “Short episodes soon become longer. But most seeds"
        " stop improving at one to three hundred of 500 steps.”"
    ),
    why="A reward at step t counts γᵗ on top of its discount: of step 100 an eighth is left.",
    others=("time-limit", "action-baseline", "one-episode"),
    telling="advantages",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
