"""The worlds of the story, each small enough to solve by hand, each with the θ it is shown at.

Actions are numbered in the order in which the docstrings name them.
"""

import math
from collections.abc import Callable

import numpy as np

from pgviz.worlds.tabular import TabularMDP, WorldError

END = -1


def bandit_a() -> TabularMDP:
    """One decision among three arms paying 1, 2 and 5; θ = (1, 0, −1) prefers the worst."""
    return TabularMDP(
        name="bandit-a",
        transitions=np.array([[[0.0, 1.0]] * 3]),
        rewards=np.array([[1.0, 2.0, 5.0]]),
        start=np.ones(1),
        gamma=1.0,
        horizon=None,
        features=np.ones((1, 1)),
        theta=np.array([[1.0, 0.0, -1.0]]),
    )


def two_arms() -> TabularMDP:
    """Two arms paying 1 and .8, from the policy (.4, .6): where forgetting the log picks the loser."""
    return TabularMDP(
        name="two-arms",
        transitions=np.array([[[0.0, 1.0]] * 2]),
        rewards=np.array([[1.0, 0.8]]),
        start=np.ones(1),
        gamma=1.0,
        horizon=None,
        features=np.ones((1, 1)),
        theta=np.array([[logit(0.4), 0.0]]),
    )


def survival(probability_of_staying: float = 0.5) -> TabularMDP:
    """A cartoon of CartPole: "stay" pays 1 and goes on, "stop" pays 0 and ends.

    Its closed forms, J = p/(1−p) and dJ/dp = 1/(1−p)², are in p = P(stay). Here, as in every
    world, the parameters are logits, (log p − log(1−p), 0), and ∂/∂logits = p(1−p) (1, −1) d/dp.
    """
    return TabularMDP(
        name="survival",
        transitions=np.array([[[1.0, 0.0], [0.0, 1.0]]]),
        rewards=np.array([[1.0, 0.0]]),
        start=np.ones(1),
        gamma=1.0,
        horizon=None,
        features=np.ones((1, 1)),
        theta=np.array([[logit(probability_of_staying), 0.0]]),
    )


def short_corridor(probability_of_right: float = 0.5) -> TabularMDP:
    """Three states that look alike; "right", "left"; in the middle one they are swapped.

    Every step costs 1, the last included. Source: Sutton & Barto, 2018, example 13.1.
    """
    transitions = np.zeros((3, 2, 4))
    transitions[[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [1, 0, 0, 2, END, 1]] = 1
    return TabularMDP(
        name="short-corridor",
        transitions=transitions,
        rewards=-np.ones((3, 2)),
        start=np.array([1.0, 0.0, 0.0]),
        gamma=1.0,
        horizon=None,
        features=np.ones((3, 1)),
        theta=np.array([[logit(probability_of_right), 0.0]]),
    )


def ladder() -> TabularMDP:
    """Six steps on three rungs; "rest" stays with .8, "climb" goes up with .8, else one down.

    A step that ends on the top rung pays 1. The world for λ: noise lasts, and so do errors of V̂.
    """
    transitions = np.zeros((3, 2, 4))
    for rung in range(3):
        down = max(rung - 1, 0)
        for action, target in enumerate((rung, min(rung + 1, 2))):
            transitions[rung, action, target] += 0.8
            transitions[rung, action, down] += 0.2
    rewards = np.zeros((3, 2, 4))
    rewards[:, :, 2] = 1
    return TabularMDP(
        name="ladder",
        transitions=transitions,
        rewards=rewards,
        start=np.array([1.0, 0.0, 0.0]),
        gamma=1.0,
        horizon=6,
        features=np.eye(3),
        theta=np.zeros((3, 2)),
    )


def shared_logit_chain(gamma: float = 0.5) -> TabularMDP:
    """Two steps, actions 0 and 1, the same logits everywhere: where a dropped γ^t turns uphill
    into downhill.

    Action 1 leads from the start to state 1, action 0 to state 2; there action 1 costs 1, and
    state 1 pays 1.5 besides.
    """
    transitions = np.zeros((3, 2, 4))
    transitions[0, 1, 1] = transitions[0, 0, 2] = 1
    transitions[1:, :, END] = 1
    return TabularMDP(
        name="shared-logit-chain",
        transitions=transitions,
        rewards=np.array([[0.0, 0.0], [1.5, 0.5], [0.0, -1.0]]),
        start=np.array([1.0, 0.0, 0.0]),
        gamma=gamma,
        horizon=None,
        features=np.ones((3, 1)),
        theta=np.zeros((1, 2)),
    )


def logit(probability: float) -> float:
    """log p − log(1−p): the first of two logits, the other being 0, that make the first action's
    probability p."""
    if not 0 < probability < 1:
        raise WorldError(
            "a softmax makes every probability between 0 and 1, but neither 0 nor 1, "
            f"got {probability:g}"
        )
    return math.log(probability) - math.log1p(-probability)


named_worlds: dict[str, Callable[[], TabularMDP]] = {
    "bandit-a": bandit_a,
    "two-arms": two_arms,
    "survival": survival,
    "short-corridor": short_corridor,
    "ladder": ladder,
    "shared-logit-chain": shared_logit_chain,
}
