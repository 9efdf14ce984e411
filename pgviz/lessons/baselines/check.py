"""Questions about baselines: every reply is computed."""

import numpy as np

from pgviz.exact.by_hand import subtracted
from pgviz.exact.subtracted import GROUP, RATE
from pgviz.exact.values import gradient
from pgviz.figures import number, percent
from pgviz.lessons.question import Question
from pgviz.measure import noise
from pgviz.ui.quiz import quiz
from pgviz.ui.screen import Screen
from pgviz.worlds.named import ladder


def draw(screen: Screen) -> None:
    screen.words(
        "Five questions on what may be subtracted and what it does. Each answer gets a reply that was"
        " computed, wrong ones with a number that shows why. Try again as often as you like."
    )
    quiz(screen, QUESTIONS)


def a_thousand() -> Question:
    """b = 1000 on every rung of the ladder."""
    found = subtracted(ladder(), 1000 * np.ones(3))
    relative = found.bias_squared / float((gradient(ladder()) ** 2).sum())
    bias = "0" if relative < 1e-12 else number(relative)
    trace, plain = found.moments.covariance_trace, noise.by_hand("ladder").landmarks["none"]
    needed = f"{found.episodes:,} episodes would suffice for a cosine of 0.9"
    return Question(
        "baselines-thousand",
        "On the ladder you subtract b = 1000 in every state. What happens to ĝ?",
        ("Only: its centre moves", "Only: it scatters more", "Both", "Neither"),
        1,
        (
            f"The centre stays: its bias, squared, is {bias}.",
            f"The bias is {bias}. The noise goes from {number(plain.covariance_trace)} to"
            f" {number(trace)}: {needed}.",
            f"The noise grows to {number(trace)}, but the bias is {bias}.",
            f"The noise goes from {number(plain.covariance_trace)} to {number(trace)}.",
        ),
    )


def what_may_be_subtracted() -> Question:
    """Four candidates in the survival world."""
    left = noise.kept("survival")
    return Question(
        "baselines-free",
        "Which of these may be subtracted from $G_t$ without moving the centre?",
        (
            "The average return after $a_t$ in $s_t$",
            "The mean of this episode's returns $G$",
            "The number of steps since the start",
            "The reward $r_t$ that follows $a_t$",
        ),
        2,
        (
            f"It depends on the action: {percent(left['Q(s, a)'])} of ∇J is left in survival.",
            f"It contains what the action caused: {percent(left[noise.OWN])} of ∇J is left in"
            " survival.",
            "It is known before the action is taken, so its product with the score is zero on"
            " average.",
            f"It depends on the action. In survival, where the reward decides all, subtracting it"
            f" leaves {percent(without_own_reward())} of ∇J.",
        ),
    )


def without_own_reward() -> float:
    """The part of ∇J that G_t − r_t leaves in the survival world."""
    from pgviz.exact.subtracted import Subtraction, effect, to_go
    from pgviz.worlds.named import survival

    how = Subtraction(
        "its own reward",
        "",
        False,
        "",
        lambda world, tau: to_go(world, tau) - np.array(tau.rewards),
    )
    return effect(survival(), how).kept


def moved_first() -> Question:
    """A running mean that is updated before it is used."""
    left = next(x for title, x in noise.kept("survival").items() if "moved first" in title)
    return Question(
        "baselines-moved-first",
        f"A running mean b with rate {RATE:g} is first moved towards G, then subtracted from it. How"
        " long is the mean of ĝ?",
        ("As long as ∇J", f"{1 - RATE:g} of it", f"{RATE:g} of it"),
        1,
        (
            f"b has already moved towards this G: {percent(left)} of ∇J is left.",
            f"$G - b - \\frac{{1}}{{10}}(G - b) = \\frac{{9}}{{10}}(G - b)$: {percent(left)} is left.",
            f"Only {RATE:g} of the way is lost: {percent(left)} of ∇J is left.",
        ),
    )


def the_group() -> Question:
    """The mean of a group that includes the sample."""
    left = noise.kept("bandit-a")
    with_self, others = (
        left[f"the mean of all {GROUP}"],
        left[f"the mean of the {GROUP - 1} others"],
    )
    return Question(
        "baselines-group",
        f"{GROUP} episodes; from each return you subtract the mean of all {GROUP}. What happens to"
        " the mean of ĝ?",
        ("It stays ∇J", f"It shrinks to {GROUP - 1}/{GROUP} of ∇J", "It is zero"),
        1,
        (
            f"One {GROUP}th of the mean is the return itself: {percent(with_self)} of ∇J is left. The"
            f" mean of the {GROUP - 1} others would leave {percent(others)}.",
            f"One {GROUP}th of the mean is the return itself: {percent(with_self)} is left. The mean"
            f" of the {GROUP - 1} others leaves {percent(others)}.",
            f"{percent(with_self)} of ∇J is left: only one {GROUP}th of the mean is its own return.",
        ),
    )


def is_the_value_best() -> Question:
    """The corridor, where a constant is better."""
    marks = noise.by_hand("short-corridor").landmarks
    value, constant = (number(marks[key].covariance_trace) for key in ("value", "constant"))
    arms = noise.by_hand("two-arms").landmarks
    two = f"on the two arms V leaves {number(arms['value'].covariance_trace)} and 0.92 leaves 0"
    return Question(
        "baselines-best",
        "Is the exact value V(s) the baseline with the least noise?",
        ("Always", "Not always", "No baseline has less noise than none"),
        1,
        (
            f"In the corridor V leaves {value}, one constant {constant}; {two}.",
            f"In the corridor V leaves {value}, one constant {constant}; {two}. V can be learned.",
            f"In the corridor {number(marks['none'].covariance_trace)} without one, {value} with V.",
        ),
    )


QUESTIONS = (a_thousand, what_may_be_subtracted, moved_first, the_group, is_the_value_best)
