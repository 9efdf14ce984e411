"""Four estimators on the same episodes of one policy: their noise, and the episodes they need."""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from pgviz.charts import baselines as charts
from pgviz.exact.direction import episodes_for_cosine
from pgviz.exact.subtracted import with_an_end
from pgviz.exact.uphill import four_weights, uphill_shares
from pgviz.exact.values import gradient, objective
from pgviz.figures import count, fixed, number, percent
from pgviz.in_memory import in_memory
from pgviz.lessons.baselines import worlds
from pgviz.measure import four_estimators, frozen
from pgviz.measure.four_estimators import FOUR, LABELS
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds

CARTPOLE = "CartPole"
FROZEN = "reinforce/12"  # the policy of CartPole that is shown here
WORLD = Choice(
    "bench-world", "Policy of", ("ladder", "three arms", "survival", "corridor", CARTPOLE)
)
SHOWN = Choice("bench-shows", "Show", ("noise", "distance against N"))
CONTROLS = (WORLD, SHOWN)
BEATS = (
    {"bench-shows": "distance against N"},
    {"bench-world": "corridor"},
    {"bench-world": CARTPOLE},
)
COSINE = 0.9
GOAL = (1 / COSINE**2 - 1) ** 0.5  # the distance, in lengths of ∇J, that suffices for it
LONGEST = 4000
LISTED = ("ladder", "three arms", "survival")  # whose episodes can all be listed


def draw(screen: Screen) -> None:
    screen.words(
        "One policy is kept fixed; four weights are used on the same episodes of it. The"
        " **cosine** of ĝ and ∇J is 1 if they point the same way, 0 at a right angle. Written at"
        f" each dot: the episodes that suffice for a cosine of {COSINE}. Later pages add their own"
        " estimators to this list."
    )
    name: str = screen.control(WORLD, "ladder", horizontal=True)
    shown: str = screen.control(SHOWN, "noise", horizontal=True)
    table = rows(name)
    if shown == "noise":
        screen.chart(
            charts.noise_of_four, ink(), tuple(labels(name).values()),
            tables={"rows": table},
            title="Each weight leaves less noise than the one before" if falls(name)
            else "Subtracting takes noise away",
            note=f"measured on {episodes(name):,} episodes, the same for all four · "
            + ("bars: 95 % intervals" if name == CARTPOLE else "black ticks: exact"),
            says="; ".join(f"{r.label}: {r.trace:.4g}" for r in table.itertuples()),
        )  # fmt: skip
    else:
        screen.chart(
            charts.errors_of_four, ink(),
            tables=errors(name),
            title="All fall like 1/√N; less noise starts lower",
            note="measured" if name == CARTPOLE else "exact",
            says="The distance of ĝ from ∇J against the number of episodes.",
        )  # fmt: skip
    screen.says(sentence(name))
    screen.numbers(numbers(name))
    screen.code(frozen.psi if name == CARTPOLE else four_estimators.described)
    screen.command("python -m pgviz.measure.four_estimators")
    if name != CARTPOLE:
        worlds.card(screen, worlds.NAMES[name])


def labels(name: str) -> dict[str, str]:
    """The four weights, with what is subtracted here."""
    if name == CARTPOLE:
        return LABELS | {"constant": "minus the mean of G", "baseline": "minus V̂(s)"}
    world = named_worlds[worlds.NAMES[name]]()
    value = "minus V(s)" if world.horizon is None else "minus V(s, steps left)"
    return LABELS | {"constant": f"minus J = {fixed(objective(world))}", "baseline": value}


def _place(name: str) -> dict[str, Any]:
    return four_estimators.recorded()[FROZEN if name == CARTPOLE else worlds.NAMES[name]]


def episodes(name: str) -> int:
    """How many episodes were measured."""
    return int(_place(name)["episodes"])


@in_memory
def rows(name: str) -> pd.DataFrame:
    """Of each estimator: the noise as measured with its interval, exact, and the episodes it needs."""
    place = _place(name)
    found = []
    for key in FOUR:
        row = place["rows"][key]
        exact = None if name == CARTPOLE else four_estimators.exact(worlds.NAMES[name])[key]
        trace = row["trace"] if exact is None else exact.covariance_trace
        needed = row["needed"]
        if exact is not None:
            needed = episodes_for_cosine(
                exact.mean, exact.covariance_trace, gradient(named_worlds[worlds.NAMES[name]]())
            )
        found.append(
            {
                "name": key,
                "label": labels(name)[key],
                "trace": row["trace"],
                "low": row["low"],
                "high": row["high"],
                "exact": None if exact is None else exact.covariance_trace,
                "noise": trace,
                "needed": needed,
                "needs": f"{short(trace)} · {needed:,} episodes",
            }
        )
    return pd.DataFrame(found)


def short(x: float) -> str:
    """A noise as it is written: 2.92, 1,466, 1.02 M."""
    return number(x) if x < 1e4 else count(x)


def falls(name: str) -> bool:
    """Whether the noise falls from each estimator to the next."""
    return bool((np.diff(rows(name)["noise"]) < 0).all())


@in_memory
def errors(name: str) -> dict[str, pd.DataFrame]:
    """√(noise / N) / ‖∇J‖ of each estimator, the names at the ends, and the goal."""
    length = _place(name)["length"]
    lines, ends = [], []
    for row in rows(name).to_dict("records"):
        for num in np.geomspace(1, LONGEST, 13):
            error = float(np.sqrt(row["noise"] / num) / length)
            lines.append({"name": row["name"], "num": num, "error": error})
        ends.append({"name": row["name"], "num": LONGEST, "error": error, "label": row["label"]})
    ends.sort(key=lambda end: end["error"])
    table = pd.DataFrame(lines)
    apart = 0.055 * float(np.log10(table["error"].max() / table["error"].min()))
    levels = [float(np.log10(end["error"])) for end in ends]
    for k in range(1, len(levels)):
        levels[k] = max(levels[k], levels[k - 1] + apart)
    goal = pd.DataFrame({"error": [GOAL], "label": [f"suffices for a cosine of {COSINE}"]})
    shown = pd.DataFrame(ends).assign(shown=[10**level for level in levels])
    return {"lines": table, "ends": shown, "goal": goal}


@lru_cache(8)
def uphill(name: str) -> dict[str, float] | None:
    """The share of single episodes whose estimate points uphill, exactly, where all can be listed."""
    if name not in LISTED:
        return None
    here = with_an_end(named_worlds[worlds.NAMES[name]]())
    return uphill_shares(here, four_weights(here))


def sentence(name: str) -> str:
    """The staircase of the noise, the episodes it saves, and how many single episodes go uphill."""
    table = rows(name)
    noises = " → ".join(short(x) for x in table["noise"])
    needed = [int(x) for x in table["needed"]]
    words = (
        f"Noise: {noises}. A cosine of {COSINE} takes {needed[0]:,} episodes with the full return and"
        f" {needed[-1]:,} with V subtracted"
    )
    shares = uphill(name)
    if shares is not None:
        first, last = (percent(shares[key]) for key in (FOUR[0], FOUR[-1]))
        return (
            f"{words}. Of the single episodes, {first} point uphill with the full return and {last}"
            " with V subtracted."
        )
    if name == "corridor":
        return f"{words}; the constant needs fewer, {needed[2]:,}."
    return f"{words} (V̂ fitted to other episodes of the same policy)."


def numbers(name: str) -> pd.DataFrame:
    """Everything, one row per estimator."""
    table = rows(name)[["label", "trace", "low", "high", "exact", "needed"]]
    table = table.rename(
        columns={
            "label": "estimator",
            "trace": "noise, measured",
            "exact": "noise, exact",
            "needed": f"episodes for cosine {COSINE}",
        }
    )
    if (shares := uphill(name)) is not None:
        table = table.assign(**{"single episodes uphill": [shares[key] for key in FOUR]})
    return table.round(4)
