"""One reward plus the value of the next state: the same mean as G, known after one step."""

import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.exact import futures as exact
from pgviz.figures import fixed, number, percent, plural
from pgviz.in_memory import in_memory
from pgviz.measure import futures
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

RUNG = Choice("rung", "Rung", futures.RUNGS)
LEFT = Choice("left", "Steps left", (1, 2, 3, 4, 5, 6))
ACTION = Choice("action", "Action", futures.ACTIONS)
CONTROLS = (RUNG, LEFT, ACTION)
BEATS = ({"left": 6}, {"left": 3}, {"left": 1})
FIRST = 6  # steps left
ONE_STEP = "r\N{NO-BREAK SPACE}+\N{NO-BREAK SPACE}V(s′)"  # in a sentence: in one piece
NAMES = pd.DataFrame(
    [
        {"kind": "G", "label": "G: all later rewards", "place": 2.2, "base": 1.3},
        {"kind": "one step", "label": "r + V(s′)", "place": 0.92, "base": 0.02},
    ]
)


def draw(screen: Screen) -> None:
    screen.words(
        "Q is unknown, too. After one step only the next state s′ matters:"
        " $Q(s,a) = \\mathbb{E}[r + V(s')]$. So put $r + V(s')$ in place of G: the same mean, known"
        " after one step, only this step's randomness. A value in place of later rewards:"
        " **bootstrapping**. Here V is exact, with one step less left."
    )
    rung_field, left_field = screen.live(RUNG, 0), screen.live(LEFT, FIRST)
    rung: int = screen.control(RUNG, 0)
    left: int = screen.control(LEFT, FIRST)
    action: str = screen.control(ACTION, "climb", horizontal=True)
    bars, means = tables(action)
    screen.chart(
        charts.two_distributions, (rung_field, left_field), (0, LEFT.options.index(FIRST)), futures.NUM_STEPS, ink(),
        tables={"bars": bars, "exact": means, "names": NAMES},
        title=title(rung, action, left),
        note="above a bar: its exact probability · on the ladder · drag rung and steps left",
    )  # fmt: skip
    screen.says(sentence(rung, action, left))
    screen.numbers(numbers(action))
    screen.code(exact.sums_of_rewards, exact.one_step)
    world.fold(screen, world.Shown("ladder"))


def title(rung: int, action: str, left: int) -> str:
    """What the two rows have in common here, and in what they differ."""
    g, one = map(exact.variance, futures.distributions(rung, action, left))
    if one >= 0.99 * g:
        return "Nothing random follows: both are the same"
    return "The same mean, far less spread" if one < 0.5 * g else "The same mean, less spread"


@in_memory
def tables(action: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every position of both sliders: the bars, and the mean Q."""
    bars, means = [], []
    for rung in futures.RUNGS:
        for at, left in enumerate(LEFT.options):
            place = {"rung": rung, "left": at}
            both = futures.distributions(rung, action, left)
            for kind, found in zip(("G", "one step"), both, strict=True):
                bars += [
                    {
                        **place,
                        "kind": kind,
                        "value": x,
                        "probability": round(p, 5),
                        "side": side(x, exact.mean(both[0])),
                    }
                    for x, p in found.items()
                ]
            means.append({**place, "value": exact.mean(both[0])})
    return pd.DataFrame(bars), pd.DataFrame(means)


def side(value: float, mean: float) -> str:
    """Where the numbers of a bar stand: on it, or, close to the line of the mean, beside that."""
    if abs(value - mean) > 0.25:
        return "on"
    return "left" if value < mean - 1e-9 else "right"


def sentence(rung: int, action: str, left: int) -> str:
    """Both variances, and the mean that both have."""
    g, one = futures.distributions(rung, action, left)
    q, noise, less = exact.mean(g), exact.variance(g), exact.variance(one)
    if left == 1:
        return (
            f"One step is left: nothing follows, so {ONE_STEP} is G. Both have the mean {fixed(q)}."
        )
    if noise < 1e-12:
        return f"From here no reward can come: G and {ONE_STEP} are both {number(q)}."
    if less < 1e-12:
        return (
            f"G takes {plural(len(g), 'value')}, with variance {number(noise)}. {action.title()}"
            f" on rung {rung} has one outcome: {ONE_STEP} is always {fixed(q)}, its variance is 0."
        )
    return (
        f"Both have the mean {fixed(q)}. G: known after {left} steps, {plural(len(g), 'value')},"
        f" variance {number(noise)}. {ONE_STEP}: known after 1 step, {plural(len(one), 'value')},"
        f" variance {number(less)}, {percent(less / noise)} of that of G."
    )


def numbers(action: str) -> pd.DataFrame:
    """Mean and both variances everywhere."""
    rows = []
    for rung in futures.RUNGS:
        for left in LEFT.options:
            g, one = futures.distributions(rung, action, left)
            rows.append(
                {
                    "rung": rung,
                    "steps left": left,
                    "Q": exact.mean(g),
                    "variance of G": exact.variance(g),
                    "variance of r + V(s′)": exact.variance(one),
                }
            )
    return pd.DataFrame(rows).round(4)
