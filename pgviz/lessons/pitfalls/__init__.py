"""Pitfalls: it runs but does not learn. Which line?"""

from pgviz.lessons.step import Page, Step

CASES: dict[str, tuple[str, str, str, bool]] = {
    # step → name in training/zoo.py, question, title, deeper
    "case-1": ("no-log", "It settles on the worse arm", "The log is missing", False),
    "case-2": (
        "own-mean",
        "The policy never changes",
        "The baseline is the episode's own mean",
        False,
    ),
    "case-3": (
        "one-episode",
        "It stops exploring too early",
        "Each update learns from one episode",
        False,
    ),
    "case-4": (
        "sign",
        "The critic learns, the return falls",
        "The advantage has the wrong sign",
        False,
    ),
    "case-5": (
        "action-baseline",
        "Slow, and some seeds never",
        "The baseline depends on the action",
        True,
    ),
    "case-6": ("gamma-twice", "It stops improving half-way", "γ is multiplied in twice", True),
    "case-7": (
        "no-detach",
        "The critic is nearly perfect",
        "The critic's target is differentiated",
        False,
    ),
    "case-8": (
        "broadcast-loss",
        "The critic learns one number",
        "V̂ − y becomes a matrix of all pairs",
        False,
    ),
    "case-9": (
        "broadcast-returns",
        "The update is far too short",
        "G − V̂ becomes a matrix, averaged over returns",
        True,
    ),
    "case-10": (
        "broadcast-values",
        "Is anything wrong here?",
        "G − V̂ becomes a matrix, averaged over values",
        True,
    ),
    "case-11": ("time-limit", "Solved, but never calm", "A time limit is taken for a fall", False),
    "case-12": (
        "leak",
        "Advantages larger than any return",
        "GAE's sum runs on into the next episode",
        True,
    ),
    "case-13": (
        "forwards",
        "Advantages a hundred times too wide",
        "GAE's recursion runs forwards in time",
        True,
    ),
    "case-14": (
        "entropy",
        "More certain than it should be",
        "The entropy term has the wrong sign",
        True,
    ),
    "case-15": ("softmax-twice", "It never becomes certain", "The softmax is taken twice", True),
    "case-16": (
        "softmax-in-the-loss",
        "Each seed ends elsewhere",
        "Only the loss takes a second softmax",
        True,
    ),
    "case-17": (
        "stale",
        "Certain after a few updates",
        "A batch is used ten times, as if fresh",
        False,
    ),
}

PAGE = Page(
    slug="pitfalls",
    section="Bridges",
    title="Pitfalls",
    icon=":material/bug_report:",
    question="It runs but does not learn. Which line?",
    steps=(
        Step(
            "instruments",
            "Five instruments of a run that learns",
            introduces=("entropy", "explained variance"),
        ),
        *(
            Step(slug, title, question=f"Case {slug[5:]}: {question}", deeper=deeper)
            for slug, (_, question, title, deeper) in CASES.items()
        ),
        Step(
            "still",
            "Some wrong lines still learn",
            question="Seventeen wrong lines: how many still learn?",
        ),
        Step("score", "What you found, and with how many instruments"),
    ),
)
