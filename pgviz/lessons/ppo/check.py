"""Four questions about PPO; every reply is computed."""

import numpy as np

from pgviz.exact.surrogate import surrogate_gradient
from pgviz.exact.values import gradient
from pgviz.figures import fixed, signed
from pgviz.lessons.ppo.sides import term
from pgviz.lessons.question import Question
from pgviz.measure import proximal
from pgviz.ui.quiz import quiz
from pgviz.ui.screen import Screen
from pgviz.worlds.named import short_corridor

EPSILON = 0.2


def draw(screen: Screen) -> None:
    screen.words(
        "The page in one line: a batch is right about the policy that played it, less so about"
        " others, and the clip takes away the reward for leaving. Four questions follow. A wrong"
        " answer gets a computed reply, and another try is free."
    )
    quiz(screen, QUESTIONS)


def slope_of_a_term(ratio: float, advantage: float) -> float:
    """∂/∂ρ of min(ρ A, clip(ρ) A), by autograd."""
    return term(ratio, advantage, EPSILON)[1]


def ratio_one() -> Question:
    """All ratios are 1 at the first step."""
    played = short_corridor(0.5)
    first = float(surrogate_gradient(played, played)[0, 0])
    true = float(gradient(played)[0, 0])
    return Question(
        "ratio-one",
        "At the first minibatch of a batch every ratio is 1. What does the gradient of the surrogate"
        " estimate there?",
        ("Zero: nothing has changed yet", "The gradient of J", "Nothing: it is undefined"),
        1,
        (
            f"The ratio is 1, its slope is not 0. In the corridor at p = ½ it is {signed(first)}.",
            f"In the corridor at p = ½ both are {signed(true)}: ∇ρ = ρ ∇log π.",
            f"It is smooth there. In the corridor at p = ½ it is {signed(first)}.",
        ),
    )


def no_gradient() -> Question:
    """Which of three clipped steps has none."""
    cases = ((1.5, 2.0), (1.5, -2.0), (0.5, 2.0))
    slopes = [slope_of_a_term(*case) for case in cases]
    said = [
        f"ρ = {ratio:g}, A = {signed(advantage, 0)}: the slope by ρ is {signed(slope, 0)}"
        for (ratio, advantage), slope in zip(cases, slopes, strict=True)
    ]
    return Question(
        "no-gradient",
        "ε = 0.2. Which of these steps has no gradient?",
        tuple(f"ρ = {ratio:g}, A = {signed(advantage, 0)}" for ratio, advantage in cases),
        int(np.flatnonzero(np.array(slopes) == 0)[0]),
        (
            f"{said[0]}. It has become likelier by more than the clip, as its advantage asks.",
            f"{said[1]}. It went the wrong way, and is pulled back.",
            f"{said[2]}. It is good and has become rarer: it is pulled back.",
        ),
    )


def the_promise() -> Question:
    """The largest clipped promise in the corridor."""
    at = proximal.best_promise(EPSILON)
    return Question(
        "promise",
        "The corridor was played with P(right) = ½, ε = 0.2. At which policy is the clipped"
        " surrogate largest?",
        ("0.5", "0.6", "0.9"),
        1,
        (
            f"There it is {fixed(proximal.promised(0.5, EPSILON))}, at {fixed(at)}"
            f" {fixed(proximal.promised(at, EPSILON))}.",
            f"ρ of “right” is p / ½, and meets 1.2 at p = {fixed(at)}. There it is"
            f" {fixed(proximal.promised(at, EPSILON))}.",
            f"Without the clip it would be {fixed(proximal.promised(0.9))} there; with it,"
            f" {fixed(proximal.promised(0.9, EPSILON))}.",
        ),
    )


def one_pass() -> Question:
    """One pass, one minibatch: every ratio is 1 when the only step is taken."""
    slopes = [slope_of_a_term(1.0, a) for a in (2.0, -2.0)]
    kept = ", ".join(signed(slope, 0) for slope in slopes)
    return Question(
        "one-pass",
        "One pass over one minibatch. What does the clip do?",
        ("Nothing", "It shortens long steps", "It removes negative advantages"),
        0,
        (
            f"All ratios are 1 when the only step is taken: with A = +2 and −2 the slopes by ρ are"
            f" {kept}, as without the clip.",
            "It looks at ratios, not at the length of a gradient. At ratio 1 it cuts nothing.",
            f"With A = −2 at ratio 1 the slope is {signed(slopes[1], 0)}: it counts in full.",
        ),
    )


QUESTIONS = (ratio_one, no_gradient, the_promise, one_pass)
