"""The sign of the TD error decides whether an action becomes more likely."""

import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.exact.values import gradient
from pgviz.figures import fixed, signed
from pgviz.lessons.actor_critic.bootstrap import RUNG
from pgviz.measure import futures
from pgviz.ui import world
from pgviz.ui.controls import Number
from pgviz.ui.screen import Screen

UPDATE = Number("updates", "Update", 0, futures.NUM_UPDATES)
CONTROLS = (UPDATE, RUNG)
BEATS = ({"updates": 0}, {"updates": 10}, {"updates": 60}, {"rung": 2})
START = 20
SIGNS = {"kept": 1, "flipped": -1}


def draw(screen: Screen) -> None:
    screen.words(
        "The update multiplies the action's score by δ. Where δ is positive on average over the"
        " visits, the action is better than the policy's average and becomes more likely; where it"
        " is negative, less likely. Flip the sign, and the same code unlearns. Here all rungs learn"
        " at once, along the exact mean of ĝ, without samples."
    )
    field = screen.live(UPDATE, START)
    update: int = screen.control(UPDATE, START, slider=True)
    rung: int = screen.control(RUNG, 0)
    screen.chart(
        charts.signs, field, START, futures.NUM_UPDATES,
        tables={"paths": paths(rung)},
        title=title(rung),
        note=f"ladder, rung {rung} · learning rate {futures.RATE:g} · drag the update",
    )  # fmt: skip
    screen.says(sentence(rung, update))
    screen.numbers(paths(rung).round(4))
    screen.code(gradient)
    world.fold(screen, world.Shown("ladder"))


def title(rung: int) -> str:
    """What the picture shows on this rung."""
    if abs(futures.mean_advantages()[rung]) < 1e-9:
        return "No advantage: neither sign moves the policy here"
    return "One sign climbs, the other unlearns"


def paths(rung: int) -> pd.DataFrame:
    """sign, update, share, objective."""
    return pd.concat(
        [
            futures.climbed(sign)[["update", "objective"]].assign(
                sign=name, share=futures.climbed(sign)[f"rung {rung}"]
            )
            for name, sign in SIGNS.items()
        ],
        ignore_index=True,
    )


def sentence(rung: int, update: int) -> str:
    """The advantage at the start, and what either sign has made of it."""
    mean = futures.mean_advantages()[rung]
    now = {name: futures.climbed(sign).iloc[update] for name, sign in SIGNS.items()}
    kept, flipped = now["kept"], now["flipped"]
    returns = f"J is {fixed(kept['objective'])} with the sign kept, {fixed(flipped['objective'])} with it flipped."
    if abs(mean) < 1e-9:
        return (
            f"On rung {rung} climb and rest lead to the same places: both advantages are 0, and"
            f" π(climb) stays at {fixed(kept[f'rung {rung}'])}. {returns}"
        )
    first = futures.advantage(rung, "climb")
    at = (
        f"At first, on rung {rung}, the advantage of climb is {signed(first)} with six steps left and"
        f" {signed(mean)} on average over all visits."
    )
    if update == 0:
        return f"{at} Before the first update π(climb) is {fixed(kept[f'rung {rung}'])}; {returns}"
    return (
        f"{at} After {update} update{'s' * (update != 1)} π(climb) is"
        f" {fixed(kept[f'rung {rung}'])} with the sign kept and {fixed(flipped[f'rung {rung}'])}"
        f" with it flipped; J is {fixed(kept['objective'])} and {fixed(flipped['objective'])}."
    )
