"""A prediction: the log-ratio as a loss. Then what each form of the KL does on average."""

import numpy as np
import pandas as pd

from pgviz.charts import rlhf as charts
from pgviz.exact import language
from pgviz.figures import fixed
from pgviz.lessons.rlhf.reading import read
from pgviz.lessons.rlhf.shared import log_ref
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

ANSWERS = ("It lowers the KL", "It raises the KL", "Nothing")
SHARPER = Choice("sharper", "π: logits of π_ref times", (0.0, 0.5, 1.4, 2.0))
CONTROLS = (SHARPER,)
BEATS = ({"sharper": 1.4}, {"sharper": 0.5})


def draw(screen: Screen) -> None:
    screen.words(
        "Code estimates the KL from samples of π by one of three: $k_1 = \\log \\pi/\\pi_{ref}$,"
        " $k_2 = \\frac12 k_1^2$, $k_3 = e^{-k_1} - 1 + k_1$. Each can be put into the loss and"
        " differentiated. What does autograd then give on average, over samples of π?"
    )
    guess = screen.predict(ANSWERS, verdict)
    if guess is None:
        estimates = estimates_table(1.4)
        screen.chart(
            charts.estimates, ink(), true_kl(1.4), tables={"estimates": estimates},
            title="As estimates, k₁ and k₃ have the right mean", note="exact means over all sentences",
        )  # fmt: skip
        screen.says(f"The true KL is {fixed(true_kl(1.4), 4)} nats.")
        return
    sharper: float = screen.control(SHARPER, 1.4)
    losses = losses_table(sharper)
    screen.chart(
        charts.losses, ink(), tables={"losses": losses},
        title="As a loss, k₁ has no mean, and k₃ another direction",
        note="exact means, their length in units of ‖∇KL(π‖π_ref)‖",
    )  # fmt: skip
    screen.says(sentence(losses))
    screen.numbers(losses.round(4))
    screen.code(language.kl_losses, language.kl_estimates)
    read(screen)


def policy(sharper: float) -> np.ndarray:
    """The logits of the reference model times a number."""
    return sharper * language.reference()


def true_kl(sharper: float) -> float:
    """KL(π ‖ π_ref)."""
    return language.kl(language.log_probs(policy(sharper)), log_ref())


def estimates_table(sharper: float) -> pd.DataFrame:
    """name, mean, spread."""
    found = language.kl_estimates(policy(sharper), log_ref())
    return pd.DataFrame(
        [(name, *x) for name, x in found.items()], columns=["name", "mean", "spread"]
    )


def losses_table(sharper: float) -> pd.DataFrame:
    """name, length of the mean gradient in units of ‖∇KL‖, its cosine to ∇KL (0 where it is none)."""
    found = language.kl_losses(policy(sharper), log_ref())
    true = found["k1 in the reward"]
    unit = float(np.linalg.norm(true))
    rows = []
    for name, mean in found.items():
        size = float(np.linalg.norm(mean))
        nothing = size < 1e-9 * unit
        cosine = 0.0 if nothing else float(mean @ true) / (size * unit)
        rows.append((name, 0.0 if nothing else size / unit, cosine))
    return pd.DataFrame(rows, columns=["name", "length", "cosine"])


def verdict(guess: str | None) -> tuple[bool, str]:
    """E[∇log π] = 0."""
    return guess == ANSWERS[2], (
        "Nothing: the gradient of k₁ on a sample is ∇log π, and scores average to zero."
    )


def sentence(losses: pd.DataFrame) -> str:
    """What k2 and k3 do."""
    at = losses.set_index("name").to_dict("index")
    return (
        f"k₁ as a loss: {fixed(at['k1 as a loss']['length'])}. k₂ as a loss is ∇KL(π‖π_ref) exactly,"
        " as is k₁ in the reward. k₃ as a loss is ∇KL(π_ref‖π), the other direction: its length is"
        f" {fixed(at['k3 as a loss']['length'])}, its cosine to the first"
        f" {fixed(at['k3 as a loss']['cosine'])}."
    )
