"""Five questions about the actor-critic; every reply is computed."""

import numpy as np

from pgviz import estimators
from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.moments import moments
from pgviz.exact.one_update import updated
from pgviz.exact.values import gradient
from pgviz.figures import fixed, number, signed
from pgviz.lessons.actor_critic.closer import no_longer_closer
from pgviz.lessons.question import Question
from pgviz.proofs.two_uses import uses
from pgviz.ui.quiz import quiz
from pgviz.ui.screen import Screen
from pgviz.worlds.named import short_corridor


def draw(screen: Screen) -> None:
    screen.words(
        "Five questions on this page. A wrong answer gets a computed reply, and another try is"
        " free."
    )
    quiz(screen, QUESTIONS)


def is_subtracting_bootstrapping() -> Question:
    """The same wrong critic, two uses."""
    world = short_corridor()
    true, values = gradient(world), np.full(3, -12.0)
    used = {
        name: moments(world, GradientEstimator(name, values=values))
        for name in ("reward-to-go", "td")
    }
    kept, lost = (number(used[n].bias_squared(true)) for n in ("reward-to-go", "td"))
    mean, exact = (f"({signed(x[0, 0], 0)}, {signed(x[0, 1], 0)})" for x in (used["td"].mean, true))
    return Question(
        "ac-two-uses",
        "In the corridor, at p = 0.5, a critic predicts −12 in every room. You subtract it, or you"
        " bootstrap from it. Which ĝ is biased?",
        ("Both", "Only the one that subtracts", "Only the one that bootstraps"),
        2,
        (
            f"Subtracted, the bias² is {kept}: −12 is the same for both actions.",
            f"The other way round: bias² is {kept} subtracted and {lost} bootstrapped.",
            f"Bias² is {kept} subtracted and {lost} bootstrapped: that mean is {mean}, and ∇J is"
            f" {exact}.",
        ),
    )


def what_the_noise_does() -> Question:
    """The exact V, subtracted or bootstrapped from."""
    world = short_corridor()
    values = true_values(world)
    to_go, td = (
        moments(world, GradientEstimator(name, values=values)).covariance_trace
        for name in ("reward-to-go", "td")
    )
    change = f"It goes from {number(to_go)} to {number(td)}"
    return Question(
        "ac-noise",
        "Now the critic is the exact V of the corridor. How much smaller is the variance of ĝ if"
        " you bootstrap from it than if you subtract it?",
        ("Not smaller", "About half", f"About {number(to_go / td, 2)} times smaller"),
        2,
        (
            f"{change}: the randomness of all later steps is gone.",
            f"{change}: much more than that.",
            f"{change}. Both have the mean ∇J.",
        ),
    )


def where_truncation_counts() -> Question:
    """500 ones, cut by the limit."""
    ones, values = np.ones(500), np.full(500, 100.0)
    never, last = np.zeros(500, bool), np.arange(500) == 499
    right = float(estimators.td_errors(ones, values, values, never, 0.99)[-1])
    wrong = float(estimators.td_errors(ones, values, values, last, 0.99)[-1])
    answers = (number(round(right, 9)), number(round(wrong, 9)), "1")
    return Question(
        "ac-truncation",
        "A pole stands for 500 steps, and the time limit truncates the episode. V̂ = 100"
        " everywhere, γ = 0.99. What is δ at the last step?",
        answers,
        0,
        (
            f"1 + 0.99 · 100 − 100 = {answers[0]}: the pole would have gone on, so V̂(s′) counts.",
            f"{answers[1]} comes from treating the limit as a fall: the best episodes would be"
            " punished most.",
            "1 is only the reward. V̂(s′) and V̂(s) are missing.",
        ),
    )


def which_numbers_move() -> Question:
    """One update with and without the detach."""
    fixed_target, free = (updated(2.0, 3.0, detached) for detached in (True, False))
    return Question(
        "ac-detach",
        "r = 1, V̂(s) = 2, V̂(s′) = 3, γ = 1, learning rate 0.2, each V̂ a number of its own. δ and"
        " the target are detached. Where is V̂(s′) after the critic's step?",
        (fixed(free.next_value), fixed(fixed_target.next_value), "3.40"),
        1,
        (
            f"{fixed(free.next_value)} is where it goes if nothing is detached: the target"
            f" {fixed(1 + 3.0)} is pulled down to {fixed(free.target)}.",
            f"It stays. Only V̂(s) moves, from 2 to {fixed(fixed_target.value)}, towards the target"
            f" {fixed(fixed_target.target)}.",
            f"V̂(s) moves by 0.2 · δ = {fixed(0.2 * fixed_target.error)}; V̂(s′) is part of the"
            " target and stays.",
        ),
    )


def when_biased_is_closer() -> Question:
    """V / 2 on the ladder."""
    found = uses("ladder", "too small")
    turn = no_longer_closer(0.5)
    few, many = ([fixed(float(x), 3) for x in found.mean_squared_error(0.5, n)] for n in (10, 100))
    return Question(
        "ac-closer",
        "On the ladder the critic predicts V / 2. With which number of episodes is ĝ closer to ∇J"
        " if you bootstrap?",
        ("With every number", "With few", "With many"),
        1,
        (
            f"With 100 episodes the mean squared error is {many[0]} bootstrapped and {many[1]}"
            " subtracted: the bias stays.",
            f"With 10 it is {few[0]} bootstrapped and {few[1]} subtracted; from {turn} episodes on"
            " subtracting is closer.",
            f"The other way round. With 100 it is {many[0]} bootstrapped and {many[1]} subtracted;"
            f" with 10, {few[0]} and {few[1]}.",
        ),
    )


QUESTIONS = (
    is_subtracting_bootstrapping,
    what_the_noise_does,
    when_biased_is_closer,
    which_numbers_move,
    where_truncation_counts,
)
