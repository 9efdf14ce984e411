"""What Â weighs, from one TD error (λ = 0) to the whole return (λ = 1)."""

import pandas as pd

from pgviz.charts import gae as charts
from pgviz.exact.trust import weight_on_last_value, weights_on_rewards, weights_on_values
from pgviz.figures import fixed, number
from pgviz.lessons.gae.settings import HUNDREDTHS, LAMBDA, LAMBDA_START
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen

GAMMA = Choice("gamma", "γ", (0.5, 0.9, 0.95, 0.98, 0.99, 1.0))
GAMMA_START = 0.99
ENDS = TERMINATION, WINDOW = ("termination", "a window's end")
END = Choice("end", "After 12 steps comes", ENDS)
NUM_STEPS = 12
CONTROLS = (LAMBDA, GAMMA, END)
BEATS = ({"lam": 0.0}, {"lam": 1.0}, {"lam": 1.0, "end": WINDOW})


def draw(screen: Screen) -> None:
    screen.words(
        "At λ = 0 Â is δ: one reward, then the critic. At λ = 1 the later values cancel and Â is"
        " G − V̂, if the sum runs to termination. Training often cuts play into a **window** of"
        " fixed length. Its end is no termination: the next value stays, here with the weight"
        " $\\gamma^{12} \\lambda^{11}$."
    )
    lam_field, gamma_field = screen.live(LAMBDA, LAMBDA_START), screen.live(GAMMA, GAMMA_START)
    lam: float = screen.control(LAMBDA, LAMBDA_START)
    gamma: float = screen.control(GAMMA, GAMMA_START)
    end: str = screen.control(END, TERMINATION, horizontal=True)
    screen.chart(
        charts.kernel, lam_field, gamma_field, HUNDREDTHS.index(LAMBDA_START),
        GAMMA.options.index(GAMMA_START), GAMMA.options, NUM_STEPS, end == WINDOW,
        tables={"weights": places(), "names": NAMES},
        title="The larger λ, the more rewards, the later the critic",
        note="not drawn: V̂ of the present state, its weight is always −1 · drag λ",
    )  # fmt: skip
    screen.says(sentence(lam, gamma, end))
    screen.numbers(weights(lam, gamma, end))
    screen.code(weights_on_rewards, weights_on_values, weight_on_last_value)


NAMES = pd.DataFrame(
    [
        {"y": 1.16, "text": "● rewards", "kind": "reward"},
        {"y": 1.07, "text": "▲ values of later states", "kind": "value"},
    ]
)


def places() -> pd.DataFrame:
    """Where the weights stand: rewards 0 … n−1 and values 1 … n steps ahead."""
    return pd.DataFrame(
        [{"kind": "reward", "k": k} for k in range(NUM_STEPS)]
        + [{"kind": "value", "k": k + 1} for k in range(NUM_STEPS)]
    )


def weights(lam: float, gamma: float, end: str) -> pd.DataFrame:
    """The same with the weights: kind, k, weight."""
    values = weights_on_values(gamma, lam, NUM_STEPS)
    values[-1] = weight_on_last_value(gamma, lam, NUM_STEPS) if end == WINDOW else 0.0
    rewards = weights_on_rewards(gamma, lam, NUM_STEPS)
    return places().assign(weight=[*rewards, *values])


def sentence(lam: float, gamma: float, end: str) -> str:
    """How much weight rewards and values have in all."""
    table = weights(lam, gamma, end).groupby("kind")["weight"].sum()
    rewards, values = number(table["reward"]), number(table["value"])
    last = weights(lam, gamma, end)["weight"].iloc[-1]
    at = f"At λ = {lam:g} and γ = {gamma:g}"
    if lam == 0:
        return f"{at} Â is δ: one reward, and the next value with weight {number(gamma)}."
    if lam == 1 and end == TERMINATION:
        return (
            f"{at} no later value is left: Â = G − V̂, and the rewards have the weight {rewards} in"
            " all."
        )
    if end == WINDOW and lam == 1:
        return (
            f"{at} only the value behind the window is left, with weight {fixed(last)}: a wrong"
            " critic still biases Â."
        )
    behind = f", of which {fixed(last)} behind the window" if end == WINDOW else ""
    return f"{at} rewards have the weight {rewards} in all, later values {values}{behind}."
