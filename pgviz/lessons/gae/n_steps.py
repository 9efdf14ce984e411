"""The n-step advantage: n real rewards, then the critic, in one recorded episode."""

import numpy as np
import pandas as pd

from pgviz.charts import gae as charts
from pgviz.exact.n_steps import n_step_advantages
from pgviz.figures import fixed, signed
from pgviz.in_memory import in_memory
from pgviz.measure.n_steps import recorded
from pgviz.ui import world
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

N = Choice("n", "n real rewards", (1, 2, 3, 4, 5, 6))
STEP = Choice("t", "From step t", (0, 1, 2, 3, 4, 5))
CONTROLS = (N, STEP)
BEATS = ({"n": 1, "t": 0}, {"n": 3}, {"n": 6}, {"n": 3, "t": 2})
# heights in the picture
ACTIONS_AT, REWARDS_AT, VALUES_AT, STEPS_AT, SUM_AT = 6.5, 5.2, 3.2, 1.95, 0.7


def draw(screen: Screen) -> None:
    screen.words(
        "The TD error takes one real reward, then the critic. Take n of them, and it becomes the"
        " **n-step advantage**: $\\hat A^{(n)} = r_t + \\dots + r_{t+n-1} + \\hat V(s_{t+n})"
        " - \\hat V(s_t)$, with γ = 1. Past the end nothing follows: $\\hat V = 0$. Here the critic"
        " predicts half of the exact value, which depends on rung and steps left."
    )
    start = 2
    n_field, t_field = screen.live(N, start), screen.live(STEP, 0)
    n: int = screen.control(N, start)
    t: int = screen.control(STEP, 0)
    tiles, sums, path, names, steps = tables()
    screen.chart(
        charts.stretch, n_field, t_field, N.options.index(start), 0, recorded().num_steps, ink(),
        tables={"tiles": tiles, "sums": sums, "path": path, "names": names, "steps": steps},
        title="n rewards, one value ahead, the value now",
        note="one recorded episode on the ladder: six steps, rung 2 pays 1 · drag n and t",
    )  # fmt: skip
    screen.says(sentence(n, t))
    screen.numbers(numbers())
    screen.code(n_step_advantages)
    world.fold(screen, world.Shown("ladder"))


@in_memory
def tables() -> tuple[pd.DataFrame, ...]:
    """All positions of both sliders: tiles, sums, path, names, steps of the chart."""
    seen = recorded()
    tiles, sums = [], []
    for at_n, n in enumerate(N.options):
        for t in STEP.options:
            place = {"n": at_n, "t": t}
            end = min(t + n, seen.num_steps)
            for k, reward in enumerate(seen.rewards):
                kind = "reward" if t <= k < end else "unused"
                tiles.append(
                    {**place, "x": k + 0.5, "y": REWARDS_AT, "text": f"{reward:g}", "kind": kind}
                )
            for k, value in enumerate(seen.values):
                kind = "value" if k in (t, end) else "unused"
                sign = "− " if k == t else "+ " if k == end else ""
                text = sign + ("0" if k == seen.num_steps else fixed(value))
                tiles.append({**place, "x": k, "y": VALUES_AT, "text": text, "kind": kind})
            sums.append({**place, "x": 2.6, "y": SUM_AT, "text": equation(n, t)})
    path = pd.DataFrame(
        {"x": range(seen.num_steps + 1), "rung": seen.states, "y": 7.4 + seen.states}
    )
    names = pd.DataFrame(
        [
            {"y": 8.4, "text": "rung", "kind": "unused"},
            {"y": ACTIONS_AT, "text": "action", "kind": "unused"},
            {"y": REWARDS_AT, "text": "reward r", "kind": "reward"},
            {"y": VALUES_AT, "text": "critic V̂", "kind": "value"},
            {"y": STEPS_AT, "text": "step", "kind": "unused"},
        ]
    ).assign(x=-1.7)
    steps = pd.DataFrame(
        {
            "x": range(seen.num_steps + 1),
            "y": STEPS_AT,
            "text": [*map(str, range(seen.num_steps)), "end"],
        }
    )
    actions = {"x": np.arange(seen.num_steps) + 0.5, "y": ACTIONS_AT, "text": seen.actions}
    steps = pd.concat([steps, pd.DataFrame(actions)])
    return pd.DataFrame(tiles), pd.DataFrame(sums), path, names, steps


def equation(n: int, t: int) -> str:
    """Â⁽²⁾ = 0 + 1 + 1.42 − 0.87 = 1.55."""
    seen = recorded()
    end = min(t + n, seen.num_steps)
    rewards = " + ".join(f"{r:g}" for r in seen.rewards[t:end])
    ahead = "0" if end == seen.num_steps else fixed(seen.values[end])
    total = seen.rewards[t:end].sum() + seen.values[end] - seen.values[t]
    return f"Â{raised(n)} = {rewards} + {ahead} − {fixed(seen.values[t])} = {fixed(total)}"


def raised(n: int) -> str:
    """⁽²⁾."""
    return "⁽" + str(n).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) + "⁾"


def lowered(n: int) -> str:
    """₂."""
    return str(n).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def sentence(n: int, t: int) -> str:
    """What this n uses from step t, beside the exact advantage."""
    seen = recorded()
    estimate, exact = seen.advantages()[n - 1, t], seen.exact[t]
    left = seen.num_steps - t
    if n >= left:
        used = (
            f"The episode ends {left} step{'s' * (left != 1)} after t = {t}: all its rewards are"
            " real, and V̂ of the end is 0"
        )
    else:
        plural = "reward is" if n == 1 else "rewards are"
        later = left - n
        used = f"{n} {plural} real; V̂(s{lowered(t + n)}) replaces the {later} later one{'s' * (later != 1)}"
    return (
        f"{used}. The estimate is {signed(estimate)}; the exact advantage of"
        f" “{seen.actions[t]}” at t = {t} is {signed(exact)}."
    )


def numbers() -> pd.DataFrame:
    """Â^(n) of every step, one column for each n."""
    seen = recorded()
    columns = {f"n = {n}": seen.advantages()[n - 1] for n in N.options}
    return pd.DataFrame({"t": range(seen.num_steps), "exact A": seen.exact} | columns).round(3)
