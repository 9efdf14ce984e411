"""What may not be subtracted: whatever knows something about the action."""

import pandas as pd

from pgviz import broken, estimators
from pgviz.charts import baselines as charts
from pgviz.exact.subtracted import GROUP, RATE
from pgviz.figures import percent
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.measure import noise
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

WORLD = Choice("not-free", "World", ("survival", "three arms", "ladder"))
SHOWN = Choice("subtractions", "Show", ("all", "free", "not free"))
CONTROLS = (WORLD, SHOWN)
BEATS = ({"subtractions": "free"}, {"subtractions": "all"}, {"not-free": "three arms"})
START = "survival"
MOVED = f"a running mean, moved first (α = {RATE:g})"
TITLES = {  # of measure.noise.effects: what this page calls them
    "nothing": "nothing",
    "V(s)": "V(s)",
    "the largest reward": "a constant: the largest reward",
    "the mean of the 3 others": "mean of the other 3 episodes",
    MOVED: f"running mean, {percent(RATE)} of it this G",
    "the episode's own mean": "mean of this episode's G",
    "Q(s, a)": "Q(s, a), the average return after a",
    "the mean of all 4": "mean of this batch of 4",
}


def draw(screen: Screen) -> None:
    screen.words(
        "A baseline may depend on the state and the past, never on this action or what followed it."
        " This episode's own mean, a running mean that contains this G, the average return Q(s, a)"
        " after this action: each takes a part of ∇J away. In survival, stay pays 1 and goes on; stop"
        " ends it."
    )
    name: str = screen.control(WORLD, START, horizontal=True)
    shown: str = screen.control(SHOWN, "all", horizontal=True)
    table = effects(name)
    rows = table if shown == "all" else table[table["free"] == (shown == "free")]
    screen.chart(
        charts.part_kept, ink(),
        tables={"effects": rows, "whole": pd.DataFrame({"kept": [1.0]})},
        title="What is left of ∇J when this is subtracted",
        note="exact, over all episodes · green circle: the mean of ĝ stays ∇J · red cross: it does not",
        says="; ".join(f"{r.title}: {r.label}" for r in rows.itertuples()),
    )  # fmt: skip
    screen.says(sentence(name))
    screen.numbers(table[["title", "kept", "noise", "why"]])
    screen.code(broken.own_episode_mean, broken.group_mean_with_self, estimators.reward_to_go)
    worlds.card(screen, worlds.NAMES[name])


@in_memory
def effects(name: str) -> pd.DataFrame:
    """What each subtraction leaves: title, order, kept, free, label, noise, why."""
    found = noise.effects(worlds.NAMES[name])
    found = found[found["title"].isin(TITLES)]
    return pd.DataFrame(
        {
            "title": [TITLES[title] for title in found["title"]],
            "order": found["order"],
            "zero": 0.0,
            "kept": found["kept"],
            "free": found["legal"],
            "label": [percent(kept) for kept in found["kept"]],
            "noise": [round(x, 4) + 0.0 for x in found["spread"]],
            "why": found["reason"],
        }
    )


def sentence(name: str) -> str:
    """What of ∇J is left under each of the four."""
    kept = effects(name).set_index("title")["kept"]
    own, action = kept[TITLES["the episode's own mean"]], kept[TITLES["Q(s, a)"]]
    moved = kept[TITLES[MOVED]]
    words = (
        f"Subtracting the episode's own mean leaves {percent(own)} of ∇J; Q(s, a) leaves"
        f" {percent(action)}; a running mean that contains this G leaves {percent(moved)}"
    )
    if TITLES["the mean of all 4"] in kept:
        fitted = percent(kept[TITLES["the mean of all 4"]])
        words += f"; a critic fitted to this batch of {GROUP}, here its mean, leaves {fitted}"
    return f"{words}."
