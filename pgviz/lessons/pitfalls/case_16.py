"""The loss takes the softmax of a softmax."""

from pgviz.lessons.pitfalls.blind import Blind

CASE = Blind(
    step="case-16",
    report=(
        "REINFORCE on three arms that pay 1, 2 and 5. “Each seed soon becomes certain of one arm."
        " Which one seems to be luck; some are certain of the worst.”"
    ),
    why="The slope is that of a flatter policy, a twenty-fifth as long: noise decides.",
    others=("softmax-twice", "no-log", "own-mean"),
    telling="one update",
)
RUNS, CONTROLS, BEATS, draw = CASE.runs, CASE.controls, CASE.beats, CASE.draw
