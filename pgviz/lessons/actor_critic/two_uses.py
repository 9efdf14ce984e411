"""A prediction: one critic, subtracted or bootstrapped from. Where do both end?"""

import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.charts.worlds import corridor
from pgviz.exact.trust import follow_one_number
from pgviz.exact.values import state_values
from pgviz.figures import fixed, number, signed
from pgviz.in_memory import in_memory
from pgviz.proofs import two_uses as exact
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen
from pgviz.worlds.named import short_corridor

START = Choice("start", "p = π(right) at the start", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8))
CONTROLS = (START,)
BEATS = ({"start": 0.5}, {"start": 0.1}, {"start": 0.8})
NUM_STEPS, RATE = 120, 0.02
BEST = 2 - 2**0.5
USES = {"subtract": "baseline", "bootstrap": "actor-critic"}
NAMES = {"subtract": "subtracted", "bootstrap": "bootstrapped"}
# Each answer, and where it puts both uses: at the best p or at p = 1.
ANSWERS = {
    "Both end at the best policy": ("best", "best"),
    "Subtracting: best. Bootstrapping: worst": ("best", "worst"),
    "Subtracting: worst. Bootstrapping: best": ("worst", "best"),
    "Both end at the worst policy": ("worst", "worst"),
}
RIGHT = "Subtracting: best. Bootstrapping: worst"


def draw(screen: Screen) -> None:
    screen.words(
        "The corridor's rooms look alike: one p = π(right), and one prediction V̂, always the exact"
        f" value of the first room ({number(state_values(short_corridor())[0])} at p = 0.5);"
        " V̂(goal) = 0. The weight is G − V̂ (subtracting) or r + V̂(s′) − V̂(s) (bootstrapping)."
        " Each follows the exact mean of its own ĝ, from p = 0.5 at first."
    )
    guess = screen.predict(tuple(ANSWERS), verdict)
    if guess is None:
        screen.drawing(corridor(short_corridor()))
        screen.says(critic_sentence())
        world.fold(screen)
        return
    start = 0.5
    field = screen.live(START, start)
    chosen: float = screen.control(START, start)
    paths, ends = tables()
    screen.chart(
        charts.walks, field, START.options.index(start), NUM_STEPS, ink(),
        tables={
            "paths": paths,
            "ends": ends,
            "best": pd.DataFrame({"probability": [BEST]}),
            "guess": guessed(guess),
        },
        title="Bootstrapping walks to the worst policy",
        note=f"exact, no samples · learning rate {RATE:g} · drag the start"
        + (" · ◇: you" if guess in ANSWERS else ""),
    )  # fmt: skip
    screen.says(sentence(chosen))
    screen.numbers(paths[paths["at"] == START.options.index(chosen)].drop(columns="at").round(4))
    screen.code(exact.corridor_walk, follow_one_number)
    world.fold(screen, world.Shown("short-corridor"))


def critic_sentence() -> str:
    """How wrong the critic is."""
    values = [number(v) for v in state_values(short_corridor())]
    return (
        f"At p = 0.5 the exact values of the three rooms are {values[0]}, {values[1]} and"
        f" {values[2]}; the critic predicts {values[0]} in each. The best p is {fixed(BEST, 3)}; near"
        " p = 0 and p = 1 episodes hardly ever end: J has no lower bound."
    )


def verdict(guess: str | None) -> tuple[bool, str]:
    """Where both end, and why bootstrapping goes wrong."""
    last = -1 - exact.corridor_objective(0.5)
    return guess == RIGHT, (
        "A number that is the same for all actions can be subtracted. Bootstrapped, it makes every"
        f" δ −1 and the last one {signed(last, 0)} (at p = 0.5): only going right from the last"
        " room pays, whatever it costs before."
    )


def guessed(guess: str) -> pd.DataFrame:
    """The guess as two places at the right."""
    places = {"best": BEST, "worst": 0.985}
    rows = [
        {"name": USES[use], "probability": places[end]}
        for use, end in zip(USES, ANSWERS.get(guess, ()), strict=False)
    ]
    return pd.DataFrame(rows, columns=["name", "probability"])


@in_memory
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both walks from every start: at, name, step, probability, objective; and their ends."""
    paths, ends = [], []
    for at, start in enumerate(START.options):
        for use, name in USES.items():
            walk = exact.corridor_walk(use, start, NUM_STEPS, RATE)
            table = pd.DataFrame(
                {
                    "at": at,
                    "name": name,
                    "step": range(len(walk.p)),
                    "probability": walk.p,
                    "objective": walk.objective,
                }
            )
            paths.append(table)
            last = table.iloc[-1].to_dict()
            ends.append({**last, "text": f"{NAMES[use]}: J = {number(last['objective'])}"})
    return pd.concat(paths, ignore_index=True), pd.DataFrame(ends)


def sentence(start: float) -> str:
    """Where both arrive from this start."""
    _, ends = tables()
    here = ends[ends["at"] == START.options.index(start)].set_index("name")
    kept, lost = (
        {c: float(here[c][name]) for c in ("step", "probability", "objective")}
        for name in ("baseline", "actor-critic")
    )
    return (
        f"From p = {start:g}, subtracting ends at p = {fixed(kept['probability'], 3)} with J ="
        f" {fixed(kept['objective'])}, the best there is. Bootstrapping reaches p ="
        f" {fixed(lost['probability'], 3)} after {int(lost['step'])} updates: J ="
        f" {fixed(lost['objective'], 0)}, and on towards p = 1, where no episode ends."
    )
