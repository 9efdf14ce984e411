"""The best policy of E[r] − β KL(π ‖ π_ref), exactly, for every β."""

import numpy as np
import pandas as pd

from pgviz.charts import rlhf as charts
from pgviz.exact import language
from pgviz.figures import fixed
from pgviz.lessons.rlhf.reading import read
from pgviz.lessons.rlhf.shared import BETA, best, log_ref, mean
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (BETA,)
BEATS = ({"beta": 2.0}, {"beta": 0.3}, {"beta": 0.1})


def draw(screen: Screen) -> None:
    screen.words(
        "Reward alone would let the model forget its language. **RLHF**, reinforcement learning from"
        " human feedback, maximises\n\n"
        "$J = \\mathbb{E}[r] - \\beta\\,\\mathrm{KL}(\\pi\\,\\|\\,\\pi_{ref})$\n\n"
        "The **KL divergence** is the mean of $\\log \\pi/\\pi_{ref}$ under π. The best policy is known:"
        " $\\pi^* \\propto \\pi_{ref}\\, e^{r/\\beta}$."
    )
    beta: float = screen.control(BETA, 0.3)
    log_best, _ = best(beta)
    screen.chart(
        charts.by_reward, ink(), tables={"bars": table(log_best)},
        title="A small β lets the reward decide, a large one the reference",
        note="exact, all 4,096 sentences · hollow: π_ref · full: π*",
    )  # fmt: skip
    screen.says(sentence(beta))
    screen.numbers(every_beta())
    screen.code(language.best_policy, language.objective)
    read(screen)


def table(log_best: np.ndarray) -> pd.DataFrame:
    """reward, policy, probability: how likely a sentence of this reward is."""
    rows = []
    for name, log_p in (("π_ref", log_ref()), ("π*", log_best)):
        for value in np.unique(language.counting()):
            share = float(np.exp(log_p)[language.counting() == value].sum())
            rows.append((f"{value:.2f}", name, share))
    return pd.DataFrame(rows, columns=["reward", "policy", "probability"])


def sentence(beta: float) -> str:
    """J*, its two parts, and the J of the reference model."""
    log_best, top = best(beta)
    reward, far = mean(log_best, language.counting()), language.kl(log_best, log_ref())
    begun = mean(log_ref(), language.counting())
    return (
        f"At β = {beta:g} the best policy has mean reward {fixed(reward, 3)} at a KL of"
        f" {fixed(far, 3)} nats: J = {fixed(reward, 3)} − {beta:g} · {fixed(far, 3)} ="
        f" {fixed(top, 3)}. The reference model has {fixed(begun, 3)}."
    )


def every_beta() -> pd.DataFrame:
    """The optimum for every β."""
    rows = []
    for beta in BETA.options:
        log_best, top = best(beta)
        rows.append(
            {
                "β": beta,
                "mean reward": mean(log_best, language.counting()),
                "KL": language.kl(log_best, log_ref()),
                "J": top,
            }
        )
    return pd.DataFrame(rows).round(4)
