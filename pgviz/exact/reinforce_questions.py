"""Questions about REINFORCE whose answers are computed, wrong ones with a counterexample."""

from dataclasses import replace

import numpy as np

from pgviz import estimators
from pgviz.exact.questions import Question
from pgviz.exact.values import gradient
from pgviz.worlds.named import two_arms
from pgviz.worlds.tabular import TabularMDP


def the_first_weight() -> Question:
    """Three rewards and a discount."""
    rewards = np.array([1.0, 0.0, 2.0])
    right, forgotten = (estimators.reward_to_go(rewards, gamma)[0] for gamma in (0.5, 1.0))
    last = estimators.reward_to_go(rewards, 0.5)[-1]
    return Question(
        "reinforce-weight",
        "An episode pays 1, 0, 2, and γ = ½. What is $G_0$, the weight of its first action?",
        tuple(f"{x:g}" for x in (forgotten, right, last)),
        1,
        (
            f"{forgotten:g} is the sum without γ: what comes k steps later counts γᵏ.",
            f"1 + ½ · 0 + ¼ · 2 = {right:g}.",
            f"{last:g} is the weight of the last action: nothing follows it.",
        ),
    )


def all_weights_are_positive() -> Question:
    """Every action taken is pushed up, and still the worse one goes down."""
    world = two_arms()
    arms = world.rewards[0, :, -1]
    better, worse = gradient(world)[0]
    return Question(
        "reinforce-positive",
        f"Two arms pay {arms[0]:g} and {arms[1]:g}, so every Ψ is positive: whichever arm is pulled"
        " is pushed up. What happens to the worse arm on average?",
        ("It goes up, too, only more slowly", "It goes down", "It stays where it is"),
        1,
        (
            f"Its logit moves by {worse:.3f} on average, the better one's by +{better:.3f}:"
            " probabilities add up to 1.".replace("-", "−"),
            f"∇J = (+{better:.3f}, {worse:.3f}): what is pushed less than the average goes"
            " down.".replace("-", "−"),
            f"∇J = (+{better:.3f}, {worse:.3f}): it moves, away.".replace("-", "−"),
        ),
    )


def what_the_loss_says() -> Question:
    """A constant added to every reward changes the loss at will and the gradient not at all."""
    world = two_arms()
    richer = replace(world, rewards=world.rewards + 10)
    before, after = pseudo_loss(world), pseudo_loss(richer)
    change = float(np.abs(gradient(richer) - gradient(world)).max())
    return Question(
        "reinforce-loss",
        "Both arms now pay 10 more. What happens to the expected “loss” −Ψ log π, and to ∇J?",
        ("Both change", "The loss changes, ∇J does not", "Neither changes"),
        1,
        (
            f"The loss goes from {before:.2f} to {after:.2f}, but ∇J changes by {change:.0g}.",
            f"The loss goes from {before:.2f} to {after:.2f} and ∇J stays (up to {change:.0g}): the"
            " loss is no measure of anything.",
            f"The loss goes from {before:.2f} to {after:.2f}.",
        ),
    )


def pseudo_loss(world: TabularMDP) -> float:
    """−E[R log π(a)] where one decision is all there is."""
    policy = world.policy[0]
    return -float((policy * world.rewards[0, :, -1] * np.log(policy)).sum())


REINFORCE = (the_first_weight, all_weights_are_positive, what_the_loss_says)
