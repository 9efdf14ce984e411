"""The probability of a whole episode: a product of the policy's factors and the world's."""

from functools import lru_cache

import pandas as pd

from pgviz.charts.theorem import episode_path
from pgviz.exact.factors import POLICY, WORLD, factors
from pgviz.exact.trajectories import Trajectory
from pgviz.figures import fixed, number
from pgviz.in_memory import in_memory
from pgviz.measure.example_episodes import sampled_episodes
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import ladder
from pgviz.worlds.stories import stories

CLIMB = Choice("climb", "π(climb), in %", tuple(range(5, 100, 5)))
EPISODE = Choice("episode", "Episode", (1, 2, 3, 4, 5, 6))
CONTROLS = (CLIMB, EPISODE)
BEATS = ({"climb": 80}, {"episode": 4})
SEED = 14
ACTION = stories["ladder"].turned


def draw(screen: Screen) -> None:
    screen.words(
        "The ladder has three rungs, an episode six steps. Climb goes one rung up with probability"
        " 0.8, rest stays with 0.8, else one down; at an end it stays. A step that ends on top pays"
        " 1. The whole episode is a **trajectory** τ. With state $s_t$ and action $a_t$ at step t,"
        " its probability is a product:"
        " $P(\\tau) = \\prod_t \\pi(a_t|s_t)\\,p(s_{t+1}|s_t,a_t)$."
    )
    start = 50
    field = screen.live(CLIMB, start)
    percent: int = screen.control(CLIMB, start)
    which: int = screen.control(EPISODE, 1)
    screen.chart(
        episode_path, field, CLIMB.options.index(start), ink(), 6, 3,
        tables=tables(which),
        title=f"Episode {which}: two factors for every step",
        note="blue: the policy's choice · orange: the world's move · black dot: the step paid 1",
    )  # fmt: skip
    screen.says(sentence(which, percent))
    screen.code(factors)
    world.fold(screen, world.Shown("ladder"))


@lru_cache(1)
def episodes() -> list[Trajectory]:
    """Six different episodes of the ladder."""
    return sampled_episodes(ladder(), len(EPISODE.options), SEED)


@in_memory
def tables(which: int) -> dict[str, pd.DataFrame]:
    """The path of one episode and its factors at every position of the slider."""
    tau, names = episodes()[which - 1], stories["ladder"].actions
    path = [*tau.states, *tau.next_states[-1:]]
    moves = [
        {
            "step": t,
            "rung": path[t],
            "next_step": t + 1,
            "next_rung": path[t + 1],
            "action": names[tau.actions[t]],
        }
        for t in range(len(tau.states))
    ]
    nodes = [{"step": t, "rung": s, "paid": t > 0 and s == 2} for t, s in enumerate(path)]
    written, products = [], []
    for at, percent in enumerate(CLIMB.options):
        found = factors(ladder(), tau, ACTION, percent / 100)
        for row in found.table.to_dict("records"):
            text = fixed(row["factor"], 2 if row["part"] == POLICY else 1)
            written.append({"at": at, "step": row["step"], "part": row["part"], "text": text})
        text = f"P(τ) = product of all twelve = {number(found.probability)}"
        products.append({"at": at, "text": text})
    labels = [
        {"line": -0.8, "part": POLICY, "text": "π"},
        {"line": -1.15, "part": WORLD, "text": "p"},
    ]
    return {
        "moves": pd.DataFrame(moves),
        "nodes": pd.DataFrame(nodes),
        "factors": pd.DataFrame(written),
        "product": pd.DataFrame(products),
        "labels": pd.DataFrame(labels),
    }


def sentence(which: int, percent: int) -> str:
    """The product of this episode, by part."""
    tau = episodes()[which - 1]
    found = factors(ladder(), tau, ACTION, percent / 100)
    parts = found.table.groupby("part")["factor"].prod()
    return (
        f"P(τ) = {number(parts[POLICY])} (policy) × {number(parts[WORLD])} (world)"
        f" = {number(found.probability)}. The return is {number(sum(tau.rewards))}."
    )
