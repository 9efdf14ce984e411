"""Four questions about GAE; every reply is computed."""

import numpy as np

from pgviz import broken, estimators
from pgviz.exact.trust import believed, wrong_critic
from pgviz.exact.values import gradient
from pgviz.figures import fixed, number, signed
from pgviz.lessons.question import Question
from pgviz.proofs.believing import mixture
from pgviz.ui.quiz import quiz
from pgviz.ui.screen import Screen
from pgviz.worlds.named import ladder


def draw(screen: Screen) -> None:
    screen.words(
        "The page in one line: λ weighs the critic's bias against the variance of real rewards, and"
        " with more episodes a larger λ is best where the critic biases ĝ. Four questions follow. A"
        " wrong answer gets a computed reply, and another try is free."
    )
    quiz(screen, QUESTIONS)


def by_hand() -> Question:
    """Two steps, a termination, three λ."""
    rewards, values, after = np.array([1.0, 1.0]), np.array([3.0, 2.0]), np.array([2.0, 9.0])
    ends = np.array([False, True])
    half, one, zero = (
        number(float(estimators.gae(rewards, values, after, ends, 1.0, lam)[0]))
        for lam in (0.5, 1.0, 0.0)
    )
    return Question(
        "by-hand",
        "Two rewards, 1 and 1, then the episode terminates. The critic predicts 3 at the first step"
        r" and 2 at the second. With γ = 1 and λ = ½, what is $\hat A_0$?",
        (zero, one, half),
        2,
        (
            f"{zero} is λ = 0: δ₀ = 1 + 2 − 3. Half of the next row is added to it.",
            f"{one} is λ = 1: G − V̂ = 2 − 3.",
            "Nothing follows a termination, so δ₁ = 1 + 0 − 2 = −1. δ₀ = 1 + 2 − 3 = 0. Together 0"
            f" + ½ · (−1) = {half}.",
        ),
    )


def the_misprint() -> Question:
    """Σ λ^{n−1} Â^{(n)} without the factor 1 − λ."""
    rewards, values = np.ones(200), np.zeros(200)
    right, wrong = (
        number(float(mixture(rewards, values, values, 0.9, 0.9, factor)[0]))
        for factor in (None, 1.0)
    )
    both = f"with rewards of 1 and V̂ = 0 it gives {wrong}, GAE {right}"
    return Question(
        "misprint",
        r"A text defines GAE as $\hat A = \sum_{n\ge1}\lambda^{n-1}\hat A^{(n)}$. How large is that"
        " with λ = 0.9 in long episodes, beside the true GAE?",
        ("The same", "About 10 times as large", "About 0.9 times as large"),
        1,
        (
            f"The weights λⁿ⁻¹ do not sum to 1: {both}.",
            f"The weights λⁿ⁻¹ sum to 1 / (1 − λ) = 10: {both}.",
            f"The missing factor is 1 − λ = 0.1, not λ: {both}.",
        ),
    )


def the_leak() -> Question:
    """Two episodes in one window, and a recursion that does not stop between them."""
    rewards, values = np.ones(6), np.array([2.5, 2.1, 0.8, 6, 6.2, 6.1])
    after = np.array([2.1, 0.8, 0.0, 6.2, 6.1, 6.3])
    terminated = np.arange(6) == 2
    right = estimators.gae(rewards, values, after, terminated, 0.99, 0.95)
    wrong = broken.leak_across_the_end(rewards, values, after, terminated, 0.99, 0.95)
    gap = wrong - right
    rows = ", ".join(str(t) for t in np.flatnonzero(np.abs(gap) > 1e-9))
    return Question(
        "leak",
        "A window of six steps, 0 to 5, holds two episodes; the first terminates at step 2. The"
        " recursion does not stop there. Which steps are wrong?",
        ("Steps 0, 1 and 2", "Step 2 only", "Steps 3, 4 and 5"),
        0,
        (
            f"Steps {rows}: the recursion goes backwards, so the error at step 2, {signed(gap[2])}"
            " in the ledger “two episodes”, reaches every earlier step.",
            f"Step 2 is wrong by {signed(gap[2])} in the ledger “two episodes”, and γλ of that is"
            f" carried to step 1: {signed(gap[1])}.",
            "The recursion goes backwards: steps 3, 4 and 5 never use an earlier one, and their"
            f" error is {fixed(np.abs(gap[3:]).max(), 0)}.",
        ),
    )


def which_lambda_is_biased() -> Question:
    """With the exact V none is."""
    world, true = ladder(), gradient(ladder())

    def bias(error: float, lam: float, window: int | None = None) -> float:
        found = believed(world, wrong_critic(world, "too small", error), lam, window)
        return round(found.bias_squared(true), 12)

    exact, half = ([number(bias(error, lam)) for lam in (0.0, 0.5, 1.0)] for error in (0.0, 0.5))
    cut = number(bias(0.5, 1.0, 2))
    return Question(
        "exact-v",
        "The critic is exact: V̂ = V. Which λ bias the gradient?",
        ("All but λ = 1", "None", "All but λ = 0"),
        1,
        (
            f"It takes a wrong critic. On the ladder with the exact V bias² is {exact[0]} at λ = 0;"
            f" with V / 2 it is {half[0]}.",
            f"On the ladder bias² is {exact[0]}, {exact[1]} and {exact[2]} at λ = 0, ½ and 1. With"
            f" V / 2 it is {half[0]}, {half[1]} and {half[2]}.",
            f"In whole episodes λ = 1 has no bias whatever the critic: {half[2]} with V / 2. In"
            f" windows of 2 steps the same critic gives bias² {cut}. With the exact V: {exact[2]}.",
        ),
    )


QUESTIONS = (by_hand, the_misprint, the_leak, which_lambda_is_biased)
