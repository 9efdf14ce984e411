"""Five questions about the theorem; every reply is computed."""

import numpy as np

from pgviz.exact.factors import POLICY, WORLD, factors
from pgviz.exact.values import action_values, occupancy, weighted_scores
from pgviz.exact.values import gradient as exact_gradient
from pgviz.figures import fixed, number, percent, signed
from pgviz.lessons.question import Question
from pgviz.lessons.theorem import puzzle
from pgviz.lessons.theorem.episode import ACTION, episodes
from pgviz.measure import two_arms
from pgviz.proofs.derivation import past_rewards_drop_out, score_has_mean_zero
from pgviz.ui import world
from pgviz.ui.quiz import quiz
from pgviz.ui.screen import Screen
from pgviz.worlds.named import ladder, logit, short_corridor
from pgviz.worlds.tabular import Floats

THETA = logit(0.4)


def draw(screen: Screen) -> None:
    screen.words(
        "Five questions on this page. A wrong answer gets a computed counterexample, and another"
        " try is free."
    )
    quiz(screen, QUESTIONS)
    world.fold(screen)


def order_of_the_proof() -> Question:
    """Which order of the lines proves that samples can be averaged."""
    wrong, true = float(two_arms.without_log(THETA)), float(two_arms.gradient(THETA))
    listed = "  \n".join(
        f"{letter}: {formula}"
        for letter, formula in (
            ("A", r"$\nabla J = \mathbb{E}[R\,\nabla\log P]$"),
            ("B", r"$\nabla J = \sum_\tau \nabla P(\tau)\,R(\tau)$"),
            ("C", r"$\nabla J \approx \frac1N\sum_n R(\tau_n)\,\nabla\log P(\tau_n)$"),
            ("D", r"$\nabla P = P\,\nabla\log P$"),
        )
    )
    return Question(
        "order",
        f"In which order do these lines show that a mean of samples estimates ∇J?\n\n{listed}",
        ("B → C → D → A", "B → D → A → C", "C → A → D → B"),
        1,
        (
            "Averaging before the log is there averages R ∇P over samples. On the two arms that"
            f" gives {signed(wrong, 3)}, where ∇J = {signed(true, 3)}.",
            "First only P depends on θ; then the log puts P back in front; a sum with P in front"
            " is an average, and samples estimate it.",
            "This begins with its conclusion: the mean of samples is what has to be shown.",
        ),
    )


def what_no_log_climbs() -> Question:
    """Sampled R ∇P is, on average, the slope of ½ Σ P² R."""
    p = two_arms.probabilities(THETA)
    pays = two_arms.rewards()
    half = 0.5 * float((p**2) @ pays)
    step = 1e-5
    moved = [0.5 * float((two_arms.probabilities(THETA + d) ** 2) @ pays) for d in (-step, step)]
    slope = (moved[1] - moved[0]) / (2 * step)
    wrong, true = float(two_arms.without_log(THETA)), float(two_arms.gradient(THETA))
    return Question(
        "no-log",
        "Samples that add R ∇P climb something, too. What, on average?",
        (r"J $= \sum P R$", r"$\tfrac12 \sum P^2 R$", r"$\sum R$"),
        1,
        (
            f"J has slope {signed(true, 3)} on the two arms; R ∇P adds {signed(wrong, 3)} on"
            " average.",
            f"Its slope is Σ P R ∇P. On the two arms it is {number(half)}, with slope"
            f" {signed(slope, 3)}, and R ∇P adds {signed(wrong, 3)} on average.",
            "The rewards are fixed numbers: their sum has slope 0, but R ∇P adds"
            f" {signed(wrong, 3)} on average.",
        ),
    )


def what_must_be_known() -> Question:
    """Which slopes a learner needs of an episode."""
    found = factors(ladder(), episodes()[0], ACTION)
    sums = {part: signed(found.slope(part)) for part in (POLICY, WORLD)}
    return Question(
        "model",
        "Which of these must a learner be able to differentiate?",
        ("the rewards", "the world's moves p(s′|s, a)", "log π(a|s)"),
        2,
        (
            "A fixed number has slope 0: Σ P ∇R is"
            f" {number(puzzle.PROOF.number_of(puzzle.world(), len(puzzle.PROOF.right)))} on the ladder, ∇J is"
            f" {signed(puzzle.PROOF.exact(puzzle.world()), 3)}.",
            f"In the first episode of the ladder, the world's terms add {fixed(found.slope(WORLD), 0)}"
            f" to the slope of log P(τ), the policy's add {sums[POLICY]}.",
            f"The slope of log P(τ) is the policy's sum, {sums[POLICY]} in the first episode of the"
            " ladder. Rewards are only observed, and moves only sampled.",
        ),
    )


def the_false_line() -> Question:
    """One of four lines is false; each is computed on the ladder."""
    here = puzzle.world()
    score = score_has_mean_zero(here)
    past = past_rewards_drop_out(here)
    future = past_rewards_drop_out(here, "drop future rewards too")
    return Question(
        "false-line",
        "One of these lines is false. Which?",
        (
            r"$\mathbb{E}_{a\sim\pi}\,\nabla\log\pi(a|s) = 0$",
            r"$\mathbb{E}\big[\sum_t \nabla\log\pi(a_t|s_t) \sum_{u<t} r_u\big] = 0$",
            r"$\mathbb{E}\big[\sum_t \nabla\log\pi(a_t|s_t) \sum_{u\ge t} r_u\big] = 0$",
            r"$\nabla J = \mathbb{E}\big[\sum_t G_t\, \nabla\log\pi(a_t|s_t)\big]$",
        ),
        2,
        (
            f"This one holds: on the ladder it is 0 up to {number(score.difference, 1)}.",
            "This one holds: the past is settled when the action is chosen. On the ladder it is 0"
            f" up to {number(past.difference, 1)}.",
            "If it were 0 there would be nothing to learn: the rewards from step t on are what ∇J"
            f" is made of. On the ladder it is {number(future.difference)}.",
            f"This one holds: on the ladder both sides are {signed(puzzle.PROOF.number_of(puzzle.world(), 4), 3)}, as is"
            f" ∇J, {signed(puzzle.PROOF.exact(puzzle.world()), 3)}.",
        ),
    )


def what_proportional_hides() -> Question:
    """∇J = L(θ) Σ_s μ(s) Σ_a ∇π Q: L is the mean length of an episode."""
    lengths = [float(occupancy(short_corridor(p), 1.0).sum()) for p in (0.05, 0.5)]
    factor = hidden_factor(0.5)
    return Question(
        "proportional",
        r"Books write $\nabla J \propto \sum_s \mu(s) \sum_a \nabla\pi(a|s)\,Q(s,a)$: μ is the share"
        " of time spent in s, Q the average return after action a in s. Does ∝ hide something"
        " that depends on θ?",
        (
            "No, a constant of the world",
            "Yes, the mean length of an episode",
            "Yes, how evenly the policy mixes its actions",
        ),
        1,
        (
            f"In the corridor the factor is {fixed(lengths[0], 1)} at p = 0.05 and"
            f" {fixed(lengths[1], 1)} at p = 0.5: θ changes it.",
            f"At p = 0.5 in the corridor ∇J is {number(factor)} times the sum, and an episode lasts"
            f" {number(lengths[1])} steps: a hidden step size, which θ changes.",
            f"At p = 0.5 the mixture is as even as can be, {percent(0.5)} each, and ∇J is"
            f" {number(factor)} times the sum.",
        ),
    )


def hidden_factor(p: float) -> float:
    """∇J divided by Σ_s μ(s) Σ_a ∇π(a|s) Q(s, a), in the corridor."""
    here = short_corridor(p)
    visits = occupancy(here, 1.0)
    shares: Floats = visits / visits.sum()
    by_share = weighted_scores(here, here.policy * shares[:, None] * action_values(here))
    return float(np.asarray(exact_gradient(here))[0, 0] / by_share[0, 0])


QUESTIONS = (
    order_of_the_proof,
    what_no_log_climbs,
    what_must_be_known,
    the_false_line,
    what_proportional_hides,
)
