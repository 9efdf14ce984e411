"""One update of actor and critic on one transition, as code does it and with nothing detached.

Of s and s′ the critic keeps one number each, V̂ and V̂′; the actor has one logit, log p/(1−p).
The rates of both are α. With δ = r + V̂′ − V̂ and the action a taken with probability p,

    detached:   −∂/∂V̂ of ½ (V̂ − y)² with y held:    +δ       ∂/∂V̂′: 0
    not:        −∂ of  ½ δ² − δ log p  along V̂:      δ − log p;   along V̂′: −(δ − log p)
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Updated:
    """The numbers after the update."""

    error: float  # δ, before it
    value: float  # V̂(s)
    next_value: float  # V̂(s′)
    target: float  # y = r + V̂(s′)
    probability: float  # π(a|s)


def updated(
    value: float,
    next_value: float,
    detached: bool,
    reward: float = 1.0,
    probability: float = 0.5,
    rate: float = 0.2,
) -> Updated:
    """V̂(s), V̂(s′) and π(a|s) after one step along both losses."""
    error = reward + next_value - value
    push = error if detached else error - math.log(probability)
    logit = math.log(probability / (1 - probability)) + rate * error * (1 - probability)
    after = next_value if detached else next_value - rate * push
    return Updated(error, value + rate * push, after, reward + after, 1 / (1 + math.exp(-logit)))
