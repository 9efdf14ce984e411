"""One decision between arms: every estimate that a draw can give, and its noise, by hand.

ĝ = (R_a − b) ∇log π(a) of one draw. With two arms it has two values, and they are opposite along θ₁
and θ₂: what is said of θ₁ says it all; the covariance trace counts both.
"""

from dataclasses import replace

import numpy as np

from pgviz.worlds.named import two_arms
from pgviz.worlds.tabular import Floats, TabularMDP


def paying_more(added: float) -> TabularMDP:
    """The two arms, each of which pays so much more."""
    world = two_arms()
    return replace(world, rewards=world.rewards + added)


def vectors(world: TabularMDP, b: float = 0.0) -> Floats:
    """(R_a − b) ∇log π(a) for every arm, [arms, parameters]."""
    policy = world.policy[0]
    pays = (world.transitions * world.rewards).sum(axis=-1)[0]
    scores = np.eye(len(policy)) - policy
    return np.asarray((pays - b)[:, None] * scores)


def estimates(world: TabularMDP, b: float = 0.0) -> list[float]:
    """Their parts along θ₁: what one draw of each arm gives."""
    return [float(x) for x in vectors(world, b)[:, 0]]


def slope(world: TabularMDP) -> float:
    """∂J/∂θ₁: their mean."""
    return float(world.policy[0] @ vectors(world)[:, 0])


def noise(world: TabularMDP, b: float = 0.0) -> float:
    """The covariance trace: their mean squared distance from their mean, over all parameters."""
    found, policy = vectors(world, b), world.policy[0]
    return float(policy @ ((found - policy @ found) ** 2).sum(axis=1))
