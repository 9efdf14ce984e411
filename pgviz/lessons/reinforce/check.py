"""Questions about REINFORCE: every reply is computed."""

from dataclasses import replace

import numpy as np

from pgviz import estimators
from pgviz.exact import reuse
from pgviz.exact.values import gradient
from pgviz.figures import fixed, number, signed
from pgviz.lessons.question import Question
from pgviz.ui.quiz import quiz
from pgviz.ui.screen import Screen
from pgviz.worlds.named import two_arms
from pgviz.worlds.tabular import TabularMDP


def draw(screen: Screen) -> None:
    screen.words(
        "Five questions on what samples, signs and losses do. Each answer gets a reply that was"
        " computed, wrong ones with a number that shows why. Try again as often as you like."
    )
    quiz(screen, QUESTIONS)


def the_second_weight() -> Question:
    """Three rewards: what counts for the second action."""
    rewards = np.array([1.0, 0.0, 2.0])
    to_go = estimators.reward_to_go(rewards, 1.0)
    full = estimators.full_return(rewards, 1.0)
    before = rewards[:1].sum()
    return Question(
        "reinforce-weight",
        "An episode pays 1, 0, 2. What is $G_1$, the reward-to-go of its second action?",
        (f"{before:g}", f"{to_go[1]:g}", f"{full[1]:g}"),
        1,
        (
            f"{before:g} was paid before this action, which cannot have caused it.",
            f"0 + 2 = {to_go[1]:g}: the rewards from this action on.",
            f"{full[1]:g} is the full return: it counts the 1 that was paid before.",
        ),
    )


def all_weights_are_positive() -> Question:
    """Every action taken is pushed up, and still the worse one goes down."""
    world = two_arms()
    arms = world.rewards[0, :, -1]
    better, worse = gradient(world)[0]
    slopes = f"∇J = ({signed(better, 3)}, {signed(worse, 3)})"
    return Question(
        "reinforce-positive",
        f"Two arms pay {arms[0]:g} and {arms[1]:g}, so every weight is positive: whichever arm is"
        " chosen is pushed up. What happens to the worse arm on average?",
        ("It goes up, too, only more slowly", "It goes down", "It stays where it is"),
        1,
        (
            f"{slopes}: the worse arm goes down. Probabilities sum to 1.",
            f"{slopes}: what is pushed less than the average goes down.",
            f"{slopes}: the worse arm moves.",
        ),
    )


def what_the_loss_says() -> Question:
    """A constant added to every reward changes the loss at will and the gradient not at all."""
    world = two_arms()
    richer = replace(world, rewards=world.rewards + 10)
    before, after = mean_loss(world), mean_loss(richer)
    change = float(np.abs(gradient(richer) - gradient(world)).max())
    moved = f"The mean loss goes from {fixed(before)} to {fixed(after)}"
    return Question(
        "reinforce-loss",
        "Both arms now pay 10 more. What happens to the mean surrogate loss, and to ∇J?",
        ("Both change", "The loss changes, ∇J does not", "Neither changes"),
        1,
        (
            f"{moved}, but ∇J changes by {number(change, 1)}.",
            f"{moved}, and ∇J stays (up to {number(change, 1)}): the loss does not say how good a"
            " policy is.",
            f"{moved}.",
        ),
    )


def without_the_minus() -> Question:
    """One exact step down J."""
    world = two_arms()
    up, down = (
        float(world.at(world.theta + sign * gradient(world)).policy[0, 0]) for sign in (1, -1)
    )
    now = float(world.policy[0, 0])
    return Question(
        "reinforce-minus",
        f"The better arm has probability {fixed(now)}. Code minimises $+\\frac1N \\sum R \\log\\pi$"
        " with learning rate 1. Where is that probability after one step, on average?",
        (f"at {fixed(up, 3)}", f"at {fixed(now, 3)}", f"at {fixed(down, 3)}"),
        2,
        (
            f"That is one step up J. Without the minus the step goes down: {fixed(down, 3)}.",
            f"Only where ∇J is 0 does a step change nothing; here it leads to {fixed(down, 3)}.",
            f"The step goes down J. With the minus it would be {fixed(up, 3)}.",
        ),
    )


def yesterdays_episodes() -> Question:
    """The ladder, moved from .5 to .7, with the episodes of .5."""
    old, now = 0.5, 0.7
    truth, mean = reuse.slope(now), reuse.slope_with_old_episodes(old, now)
    computed = f"The slope of J is {signed(truth)}; the old episodes give {signed(mean)} on average"
    return Question(
        "reinforce-fresh",
        f"On the ladder the policy has moved from π(climb) = {old:g} to {now:g}. ĝ is computed"
        f" again, with the episodes played at {old:g}. What is its mean?",
        ("The slope of J", "Smaller than the slope, but uphill", "It points downhill"),
        2,
        (
            f"{computed}: actions and returns are still the old policy's.",
            f"{computed}.",
            f"{computed}: each climb among them is already made likely, and the rests pull back.",
        ),
    )


def mean_loss(world: TabularMDP) -> float:
    """−E[R log π(a)] where one decision is all there is."""
    policy = world.policy[0]
    return -float((policy * world.rewards[0, :, -1] * np.log(policy)).sum())


QUESTIONS = (
    the_second_weight,
    all_weights_are_positive,
    what_the_loss_says,
    without_the_minus,
    yesterdays_episodes,
)
