"""Questions about the theorem whose answers are computed, wrong ones with a counterexample.

An answer is right because a line holds, and wrong because a number says so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pgviz.exact.values import gradient, occupancy
from pgviz.proofs.derivation import (
    gradient_is_an_expectation,
    log_trick,
    past_rewards_drop_out,
    score_has_mean_zero,
    theorem_with_reward_to_go,
    with_few_episodes,
)
from pgviz.worlds.named import shared_logit_chain, short_corridor, two_arms
from pgviz.worlds.tabular import Floats


@dataclass(frozen=True)
class Question:
    """One question, its answers, which of them is right, and a computed reply to each."""

    key: str
    asked: str
    answers: tuple[str, ...]
    right: int
    replies: tuple[str, ...]


def order_of_the_proof() -> Question:
    """The order is the one in which the receipts of the log trick stand."""
    equations = {
        "derivative of the sum": r"$\nabla J = \sum_\tau \nabla P(\tau)\,R(\tau)$",
        "log trick": r"$\nabla P = P\,\nabla\log P$",
        "an expectation": r"$\nabla J = \mathbb{E}[R\,\nabla\log P]$",
        "a mean of samples": r"$\nabla J \approx \frac1N\sum_n R(\tau_n)\,\nabla\log P(\tau_n)$",
    }
    expectation, mean = (
        [line.title for line in log_trick].index(title)
        for title in ("an expectation", "a mean of samples")
    )
    assert expectation < mean
    broken = gradient_is_an_expectation(with_few_episodes(two_arms()), "drop the log")
    wanted, found = float(broken.left[0, 0]), float(broken.right[0, 0])
    # The lines under letters, in an order that gives nothing away.
    letters = dict(
        zip(
            "ABCD",
            ("an expectation", "derivative of the sum", "a mean of samples", "log trick"),
            strict=True,
        )
    )
    listed = "  \n".join(f"{letter}: {equations[title]}" for letter, title in letters.items())
    return Question(
        "order",
        f"In which order do these lines prove that episodes can be averaged?\n\n{listed}",
        ("B → C → D → A", "B → D → A → C", "C → A → D → B"),
        1,
        (
            "Averaging before the log is there means averaging R ∇P over episodes. On the two arms"
            f" that gives {found:+.3f} for arm 1, where ∇J is {wanted:+.3f}.",
            "First only P knows θ, then the log puts P back in front, and a sum with P in front"
            " is an expectation, which samples estimate.",
            "This begins with its conclusion: the mean of samples is what has to be shown.",
        ),
    )


def the_false_line() -> Question:
    """One of four lines is false; each is evaluated."""
    corridor, chain = with_few_episodes(short_corridor()), with_few_episodes(shared_logit_chain())
    score = score_has_mean_zero(corridor)
    past = past_rewards_drop_out(corridor)
    future = past_rewards_drop_out(corridor, "drop future rewards too")
    theorem = theorem_with_reward_to_go(chain)
    return Question(
        "false-line",
        "One of these lines is false. Which?",
        (
            r"$\mathbb{E}_{a\sim\pi}\,\nabla\log\pi(a|s) = 0$",
            r"$\mathbb{E}\big[\sum_t \nabla\log\pi(a_t|s_t) \sum_{u<t} \gamma^u r_u\big] = 0$",
            r"$\mathbb{E}\big[\sum_t \nabla\log\pi(a_t|s_t) \sum_{u\ge t} \gamma^u r_u\big] = 0$",
            r"$\nabla J = \mathbb{E}\big[\sum_t \gamma^t\, G_t\, \nabla\log\pi(a_t|s_t)\big]$",
        ),
        2,
        (
            f"This one holds: in the corridor it is 0 up to {score.difference:.0e}.",
            "This one holds: the past is settled when a_t is chosen. In the corridor it is 0 up to"
            f" {past.difference:.0e}.",
            "If it were 0 there would be nothing to learn: what comes after an action is what the"
            f" gradient is made of. In the corridor, cut after 5 steps, it is {future.difference:.3f}.",
            f"This one holds: on the chain both sides are {float(theorem.left[0, 1]):.4f}.",
        ),
    )


def what_proportional_hides() -> Question:
    """∇J = L(θ) Σ_s μ(s) Σ_a ∇π Q: L is the mean length of an episode."""
    lengths = [float(occupancy(short_corridor(p), 1.0).sum()) for p in (0.05, 0.5)]
    factor = hidden_factor(0.5)
    return Question(
        "proportional",
        r"Books write $\nabla J \propto \sum_s \mu(s) \sum_a \nabla\pi(a|s)\,Q(s,a)$, where μ is the"
        " share of time spent in s. Does the ∝ hide something that depends on θ?",
        (
            "No, a constant of the world",
            "Yes, the mean length of an episode",
            "Yes, the policy's entropy",
        ),
        1,
        (
            f"In the corridor the factor is {lengths[0]:.1f} at p = .05 and {lengths[1]:.1f} at"
            " p = .5: turning θ changes it.",
            f"At p = .5 in the corridor ∇J is {factor:.6g} times the sum, and an episode lasts"
            f" {lengths[1]:.6g} steps. It is a hidden step size, which θ changes.",
            f"At p = .5 the entropy is {np.log(2):.3f}, and ∇J is {factor:.6g} times the sum.",
        ),
    )


def hidden_factor(p: float) -> float:
    """∇J divided by Σ_s μ(s) Σ_a ∇π(a|s) Q(s, a), in the corridor."""
    world = short_corridor(p)
    visits = occupancy(world, 1.0)
    by_share: Floats = gradient_with_visits(p, visits / visits.sum())
    return float(gradient(world)[0, 0] / by_share[0, 0])


def gradient_with_visits(p: float, visits: Floats) -> Floats:
    """Σ_s visits(s) Σ_a π ∇log π Q in the corridor."""
    from pgviz.exact.values import action_values, weighted_scores

    world = short_corridor(p)
    return weighted_scores(world, world.policy * visits[:, None] * action_values(world))


QUESTIONS: tuple[Callable[[], Question], ...] = (
    order_of_the_proof,
    the_false_line,
    what_proportional_hides,
)
