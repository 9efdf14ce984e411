"""Where γ^t went: with a discount the theorem has a factor that most code leaves out."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.charts.theorem import curl, with_and_without
from pgviz.exact.landscape import knob, landscape
from pgviz.exact.values import gradient
from pgviz.figures import fixed, number, signed
from pgviz.measure import theorem
from pgviz.proofs.receipts import Reading, read_out
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.proof import line_by_line
from pgviz.ui.screen import Screen
from pgviz.worlds.tabular import TabularMDP, WorldError

GAMMA = Choice("gamma", "Discount γ", (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0))
VIEW = Choice("arrows", "Show arrows over two θ", (True, False))
WORLD = world.control("discounted", ("shared-logit-chain", "short-corridor", "ladder", "survival"))
CONTROLS = (GAMMA, VIEW, WORLD)
BEATS = ({"gamma": 0.9}, {"gamma": 0.5, "arrows": True})
CHAIN = "shared-logit-chain"
GRID = np.linspace(0.05, 0.95, 37)
WITH, WITHOUT = "with γᵗ", "without γᵗ"


def draw(screen: Screen) -> None:
    screen.words(
        "A **discount** γ < 1 counts a reward k steps later as $\\gamma^k$. Now"
        " $G_t = \\sum_{u\\ge t} \\gamma^{u-t} r_u$ counts from step t, but J from the start:"
        " $\\nabla J = \\mathbb{E}\\sum_t \\gamma^t G_t\\,\\nabla\\log\\pi(a_t|s_t)$. Most methods"
        " drop this $\\gamma^t$ (Nota and Thomas, 2020). Their direction is then not ∇J, and may"
        " point downhill. The chain is made to show it."
    )
    start = 0.5
    field, at = screen.live(GAMMA, start), GAMMA.options.index(start)
    gamma: float = screen.control(GAMMA, start)
    arrows: bool = screen.control(VIEW, False)
    shown = world.chosen(screen, WORLD, CHAIN, discounted=True)
    shown, paths, note = world.found_or_instead(shown, CHAIN, along, shown.story.turned)
    if not arrows:
        screen.chart(
            with_and_without, field, at, ink(), shown.story.actions[shown.story.turned],
            tables={
                "paths": paths,
                "ends": labels(paths),
                "zero": pd.DataFrame({"slope": [0.0]}),
            },
            title="The slope of J, and the direction without γᵗ",
            note=story(shown),
        )  # fmt: skip
        screen.says(sentence(paths, gamma) + note)
    else:
        seen = world.found(shown, field_of, gamma)
        screen.chart(
            curl, *axes_of(seen), tables={"arrows": seen.arrows, "square": seen.square},
            title="No hill has such slopes",
            note="arrows: the direction without γᵗ · blue: a round trip",
        )  # fmt: skip
        screen.says(curl_sentence(seen) + note)
    screen.numbers(paths[paths["at"] == GAMMA.options.index(gamma)])
    if readings := world.found(shown, lines, gamma):
        line_by_line(screen, readings, theorem.FORGET)
    screen.code(gradient)
    world.fold(screen, shown)


def story(shown: world.Shown) -> str:
    """What happens in the world; of the chain, when its rewards come."""
    if shown.document:
        return "your world"
    if shown.name != CHAIN:
        return shown.story.sentence
    later, cost = shown.world.rewards[1, 0, -1], shown.world.rewards[2, 1, -1]
    return (
        f"one policy, two steps · action 1 in step 0: step 1 pays {number(later)} more · action 1"
        f" in step 1: it pays {number(cost)}"
    )


def at_discount(here: TabularMDP, gamma: float) -> TabularMDP:
    """The same world with another γ."""
    return replace(here, gamma=gamma)


def lines(here: TabularMDP, gamma: float) -> list[Reading]:
    """The lines in which γ^t stands, without it."""
    try:
        there = at_discount(here, gamma)
    except WorldError:
        return []
    names = ("trajectory form", "unrolling ∇V")
    return [r for name in names for r in read_out(there, name, theorem.FORGET) if r.is_broken]


def along(here: TabularMDP, action: int) -> pd.DataFrame:
    """Slope and update along the knob for every γ: at, p, update, slope."""
    turn = knob(here, action)
    if turn is None:
        raise WorldError("the features of this world leave no policy to turn")
    tables = []
    for at, gamma in enumerate(GAMMA.options):
        try:
            fields = [
                landscape(at_discount(here, gamma), turn.thetas(GRID), broken).field
                for broken in (None, theorem.FORGET)
            ]
        except WorldError:
            continue  # at this γ the sums over the world's episodes are infinite
        for name, field in zip((WITH, WITHOUT), fields, strict=True):
            slope = (field * turn.direction).sum(axis=(1, 2))
            tables.append(pd.DataFrame({"at": at, "p": GRID, "update": name, "slope": slope}))
    if not tables:
        raise WorldError("the sums over this world's episodes are infinite at every γ")
    return pd.concat(tables, ignore_index=True)


def labels(paths: pd.DataFrame) -> pd.DataFrame:
    """The names at the right ends, joined where both lines end together."""
    rows = []
    for _, every in paths.groupby("at"):
        span = float(np.ptp(np.append(every["slope"], 0))) or 1.0
        both = every[every["p"] == every["p"].max()].set_index("update")
        gap = float(both.loc[WITH, "slope"] - both.loc[WITHOUT, "slope"])
        if abs(gap) < 0.05 * span:
            rows.append({**both.loc[WITH].to_dict(), "update": WITH, "label": "both"})
            continue
        for name in (WITH, WITHOUT):
            mark = "" if name == WITH else "✗ "
            rows.append({**both.loc[name].to_dict(), "update": name, "label": mark + name})
    return pd.DataFrame(rows)


def sentence(paths: pd.DataFrame, gamma: float) -> str:
    """Both numbers at p = .5, and whether they point the same way."""
    here = paths[paths["at"] == GAMMA.options.index(gamma)]
    if here.empty:
        return f"At γ = {number(gamma)} the sums over this world's episodes are infinite."
    middle = here[np.isclose(here["p"], 0.5)].set_index("update")["slope"]
    true, wrong = float(middle[WITH]), float(middle[WITHOUT])
    words = f"At p = 0.5 and γ = {number(gamma)} the slope is {signed(true, 4)}; without γᵗ the direction is {signed(wrong, 4)}"
    scale = max(abs(true), abs(wrong))
    if abs(true - wrong) <= 1e-9 * scale:
        return f"{words}: here the factor makes no difference."
    if true * wrong < 0:
        return f"{words}: downhill."
    if abs(wrong) <= 1e-9 * scale:
        return f"{words}: θ does not move."
    return f"{words}: its sign is right here, its size is not."


@lru_cache(32)
def _curl_of_the_chain(gamma: float) -> theorem.Curl:
    from pgviz.worlds.named import shared_logit_chain

    return theorem.curl_of(shared_logit_chain(gamma))


def field_of(here: TabularMDP, gamma: float) -> theorem.Curl:
    """The arrows of the update without γ^t, with one logit for each state where that is needed."""
    try:
        return theorem.curl_of(at_discount(here, gamma))
    except WorldError:
        return _curl_of_the_chain(gamma)


def axes_of(seen: theorem.Curl) -> tuple[str, str]:
    """What the two directions are."""
    first, second = (f"θ of action {a} in state {s}" for s, a in seen.axes)
    return first, second


def curl_sentence(seen: theorem.Curl) -> str:
    """A gradient adds up to zero on a round trip; this does not."""
    loop = seen.broken_loop
    words = f"Once around the square, ∇J adds up to {fixed(seen.true_loop, 4)}"
    if abs(loop) <= 1e-9 * float(seen.arrows["length"].max()):
        return f"{words}, and so does the direction without γᵗ."
    return f"{words}, as every gradient must; the direction without γᵗ to {signed(loop, 4)}: it is the gradient of nothing."
