"""GAE's sum runs on into the next episode."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-12",
    report=(
        "GAE on CartPole with λ = 1 and γ = .999, two environments, windows of 512 steps. “In"
        " the first updates the advantages are larger than any return I have seen. It learns all"
        " the same, later.”"
    ),
    why="Later episodes were not caused by this action. What leaks in adds noise, and nothing on average.",
    others=("time-limit", "forwards", "gamma-twice"),
    telling="advantages",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
