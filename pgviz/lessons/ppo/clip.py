"""The clipped promise: where it ends, for every ε."""

import pandas as pd

from pgviz.charts import ppo as charts
from pgviz.figures import fixed
from pgviz.lessons.baselines import worlds
from pgviz.measure import proximal
from pgviz.training.updates import clipped_surrogate
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

NO_CLIP = 10.0
EPSILON = Choice("clip-coef", "ε, 10 for no clip", (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, NO_CLIP))
CONTROLS = (EPSILON,)
BEATS = ({"clip-coef": NO_CLIP}, {"clip-coef": 0.5}, {"clip-coef": 0.2})


def draw(screen: Screen) -> None:
    screen.words(
        "**PPO**, proximal policy optimisation, ends the promise where ρ leaves 1 ± ε, the **clip**:\n\n"
        "$\\min(\\rho A,\\; \\mathrm{clip}(\\rho,\\, 1-\\varepsilon,\\, 1+\\varepsilon)\\, A)$\n\n"
        "A good action taken even more often then promises nothing more. The minimum keeps what gets"
        " worse. The clip does not hold the policy back: it takes away the gain of going on."
    )
    epsilon: float = screen.control(EPSILON, 0.2)
    table = proximal.promises(epsilon)
    best = proximal.best_promise(epsilon)
    height = proximal.promised(best, epsilon)
    marks = pd.DataFrame(
        [
            {
                "p": best,
                "value": height,
                "label": f"largest at {fixed(best)}",
                "kind": "promise",
            },
            {
                "p": best,
                "value": proximal.truth(best),
                "label": f"true J {fixed(proximal.truth(best), 1)}",
                "kind": "true J",
            },
        ]
    )
    screen.chart(
        charts.promises, ink(), proximal.OLD_CORRIDOR, epsilon if epsilon < 1 else 0.0, tables={"curves": table, "marks": marks},
        title="The promise is largest where the ratio meets the clip"
        if epsilon < 1
        else "Without the clip the promise rises to the end",
        note="exact, short corridor, played with P(right) = ½ · shaded: ρ of “right” within 1 ± ε",
    )  # fmt: skip
    screen.says(sentence(epsilon, best))
    screen.numbers(table.pivot(index="p", columns="kind", values="value").reset_index().round(3))
    screen.code(clipped_surrogate)
    worlds.card(screen, "short-corridor")


def sentence(epsilon: float, best: float) -> str:
    """Where the promise is largest, and what is true there."""
    true, begun = proximal.truth(best), proximal.truth(proximal.OLD_CORRIDOR)
    clip = f"With ε = {epsilon:g} the promise" if epsilon < 1 else "Without the clip the promise"
    verdict = "better" if true > begun else "worse"
    return (
        f"{clip} is largest at P(right) = {fixed(best)}, where J is {fixed(true)}: {verdict} than"
        f" the {fixed(begun)} of the old policy."
    )
