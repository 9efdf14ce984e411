"""V̂ − y becomes a matrix of all pairs."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-8",
    report=(
        "The actor-critic on CartPole. “The loss of the critic falls at once and stays low. The"
        " policy stays as random as it began.”"
    ),
    why="(N, 1) − (N,) is an N × N matrix. Its mean square is least where V̂ is the mean of all targets, in every state.",
    others=("no-detach", "sign", "time-limit"),
    telling="explained variance",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
