"""Three climbers on one hill: the exact gradient, samples of it, and a mistake."""

import numpy as np
import pandas as pd

from pgviz.charts.theorem import climbers, cosines, triangle
from pgviz.exact.landscape import BREAKS
from pgviz.figures import number, percent
from pgviz.lessons.theorem.proof import PAST
from pgviz.measure import theorem
from pgviz.proofs.ascent import STEP_CAP
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.luck import other_samples
from pgviz.ui.screen import Screen
from pgviz.worlds.tabular import TabularMDP

HILL = world.control("hill")
MISTAKE = Choice(
    "mistake",
    "The mistake",
    (*(b for b in BREAKS if "γ" not in b), PAST),
    listed=True,
)
EPISODES = Choice("episodes", "Episodes per step, N", (1, 3, 10, 30, 100))
CONTROLS = (HILL, MISTAKE, EPISODES)
BEATS = (
    {"episodes": 3},
    {"hill": "short-corridor", "mistake": "sample from the wrong policy", "episodes": 30},
)
NUM_STEPS = theorem.NUM_STEPS


def draw(screen: Screen) -> None:
    screen.words(
        "All three start at the same θ and add a step size times their direction. One knows ∇J;"
        " one estimates it from N new episodes per step; one makes a mistake in the proof."
    )
    shown = world.chosen(screen, HILL, "two-arms")
    mistake: str = screen.control(MISTAKE, "drop the log")
    num: int = screen.control(EPISODES, 30)
    seed = other_samples(screen)
    shown, run, note = world.found_or_instead(
        shown, "two-arms", race, shown.story.turned, mistake, shown.story.learning_rate, num, seed
    )
    drawn, frame = in_frame(run.steps)
    screen.chart(
        climbers, ink(), NUM_STEPS,
        tables={"steps": drawn, "frame": frame, "ends": ends(drawn, frame)},
        title=headline(run),
        note="dashed: ∇J · blue: samples · red: the mistake"
        + (", sampled" if mistake == PAST else ", on average")
        + f" · step size {number(shown.story.learning_rate)}"
        + world.found(shown, cut_in_words),
        share=0.48 if screen.present else 0.6,
    )  # fmt: skip
    screen.chart(
        cosines, ink(), NUM_STEPS,
        tables={"steps": run.steps, "zero": pd.DataFrame({"cosine": [0.0]})},
        title="Does the step point uphill?",
        note="1: along ∇J · below 0: downhill",
        height=round(0.33 * screen.height),
    )  # fmt: skip
    screen.says(sentence(run) + note)
    screen.numbers(run.steps)
    if "x" in run.steps:
        with screen.fold("Where π goes", ":material/change_history:"):
            _triangle(screen, run.steps, shown.story.actions)
    screen.code(theorem.race)
    world.fold(screen, shown)


def race(
    here: TabularMDP, action: int, mistake: str, step_size: float, num: int, seed: int
) -> theorem.Race:
    """The three ascents."""
    return theorem.race(here, action, mistake, step_size, num, seed)


def cut_in_words(here: TabularMDP) -> str:
    """A word where sampled episodes may be cut."""
    return f" · cut at {STEP_CAP} steps" if theorem.share_cut(here) > 1e-9 else ""


def _triangle(screen: Screen, steps: pd.DataFrame, actions: tuple[str, ...]) -> None:
    from pgviz.ui.screen import chart

    corners = pd.DataFrame(
        {"x": [0.0, 1.0, 0.5], "y": [-0.07, -0.07, 3**0.5 / 2 + 0.06], "label": actions}
    )
    outline = pd.DataFrame({"x": [0, 1, 0.5, 0], "y": [0, 0, 3**0.5 / 2, 0], "order": range(4)})
    chart(
        f"triangle-{screen.key}", triangle, ink(),
        tables={"steps": steps, "corners": corners, "outline": outline},
        height=300,
        says="Three paths of π on the triangle of its probabilities.",
    )  # fmt: skip


def in_frame(steps: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The part worth looking at: a climber that leaves it ends at its edge."""
    good = steps[steps["update"] != theorem.BROKEN]["objective"]
    worst, best = float(good.quantile(0.02)), float(good.max())
    reach = max(best - worst, 1e-6 * abs(best)) or 1.0
    low = max(worst - 1.2 * reach, float(steps["objective"].min()) - 0.05 * reach)
    high = min(best + 1.2 * reach, float(steps["objective"].max()) + 0.05 * reach)
    drawn = steps.assign(drawn=steps["objective"].clip(low, high))
    outside = drawn["drawn"] != steps["objective"]
    before = outside.groupby(steps["update"]).shift(fill_value=False)
    drawn.loc[outside & before, "drawn"] = np.nan
    return drawn, pd.DataFrame({"step": [0, 0], "drawn": [low, high]})


WHO = {
    theorem.EXACT: "∇J ends",
    theorem.SAMPLED: "samples",
    theorem.BROKEN: "the mistake",
}
NAMES = {theorem.EXACT: "exact", theorem.SAMPLED: "samples", theorem.BROKEN: "✗ mistake"}


def ends(drawn: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The names at the ends of the lines, moved apart where they would cover each other."""
    last = drawn.dropna(subset=["drawn"]).groupby("update", sort=False).tail(1)
    last = last.assign(label=last["update"].map(NAMES)).sort_values("drawn")
    gap = 0.13 * float(np.ptp(frame["drawn"]))
    places: list[float] = []
    for place in last["drawn"]:
        places.append(max(float(place), places[-1] + gap) if places else float(place))
    over = max(0.0, places[-1] - float(frame["drawn"].max()))
    return last.assign(drawn=[place - over for place in places])


def headline(run: theorem.Race) -> str:
    """What the lines show, said of these lines."""
    rows = theorem.last_rows(run.steps)
    start = float(run.steps["objective"].iloc[0])
    gain = {name: float(row["objective"]) - start for name, row in rows.items()}
    if theorem.SAMPLED in run.capped or theorem.EXACT in run.capped:
        return "A line ends where its episodes grow too long"
    nothing = 1e-9 * max(map(abs, gain.values()))
    if gain[theorem.SAMPLED] > 0 > gain[theorem.BROKEN] + nothing:
        return "Samples climb, the mistake goes down"
    if gain[theorem.BROKEN] > nothing and gain[theorem.SAMPLED] > 0:
        return "Here the mistake climbs, too"
    return "The exact gradient climbs"


def sentence(run: theorem.Race) -> str:
    """Where each of the three ends, and how often the steps pointed uphill."""
    steps = run.steps
    parts = []
    for name, row in theorem.last_rows(steps).items():
        if name in run.capped:
            parts.append(f"{WHO[name]} after {run.capped[name]} steps, its episodes too long")
        else:
            parts.append(f"{WHO[name]} at {number(float(row['objective']))}")
    start = number(float(steps["objective"].iloc[0]))
    words = f"From J = {start}, {', '.join(parts)}."
    sampled, broken = (
        steps[steps["update"] == name]["cosine"].dropna()
        for name in (theorem.SAMPLED, theorem.BROKEN)
    )
    if len(sampled):
        words += f" Uphill: {_uphill(sampled)} of the sampled steps"
        if len(broken):
            words += f", {_uphill(broken)} of the mistake's"
        words += "."
    return words


def _uphill(cosine: pd.Series) -> str:
    """The share of steps that point uphill, not to be broken before its sign."""
    return percent(float((cosine > 1e-9).mean())).replace(" ", "\N{NO-BREAK SPACE}")
