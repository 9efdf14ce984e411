"""A time limit is taken for a fall."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-11",
    report=(
        "The actor-critic on CartPole. “All seeds reach 500 steps. After that the advantages"
        " should go to zero, for nothing is left to improve. They do not, and some seeds get worse"
        " again.”"
    ),
    why="At step 500 nothing falls, but V̂(s′) is set to 0. The critic cannot see the time: the same states now end and now go on.",
    others=("no-detach", "gamma-twice", "broadcast-loss"),
    telling="advantages",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
