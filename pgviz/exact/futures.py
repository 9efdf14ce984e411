"""What follows an action or a state, exactly: every sum of rewards with its probability.

Axes: S states, A actions, H horizon. A distribution is a dict {sum: probability}.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from pgviz.exact.values import state_values
from pgviz.worlds.tabular import TabularMDP

Distribution = Mapping[float, float]
DIGITS = 9  # sums that agree in so many decimals are the same sum


def sums_of_rewards(
    world: TabularMDP, state: int, action: int, num_steps: int
) -> list[Distribution]:
    """P(r_0 + … + r_{k−1} = x | s_0, a_0) for k = 1 … num_steps; later actions are the policy's.

    The horizon is not asked: `num_steps` says how many steps there are.
    """
    at: dict[tuple[int, float], float] = {(state, 0.0): 1.0}
    result: list[Distribution] = []
    for k in range(num_steps):
        following: defaultdict[tuple[int, float], float] = defaultdict(float)
        for (s, total), chance in at.items():
            if s == world.num_states:  # the episode has ended: nothing is added
                following[s, total] += chance
                continue
            flow = world.transitions[s, action][None] if k == 0 else world.flow[s]
            rewards = world.rewards[s, action][None] if k == 0 else world.rewards[s]
            for a, to in np.argwhere(flow > 0):
                reached = round(total + float(rewards[a, to]), DIGITS)
                following[int(to), reached] += chance * float(flow[a, to])
        at = dict(following)
        sums: defaultdict[float, float] = defaultdict(float)
        for (_, total), chance in at.items():
            sums[total] += chance
        result.append(dict(sorted(sums.items())))
    return result


def return_distribution(world: TabularMDP, state: int, steps_left: int) -> Distribution:
    """{g: P(G = g)} of the undiscounted return of `steps_left` steps from this state.

    P(G = g | s) = Σ_a π(a|s) P(G = g | s, a)
    """
    if steps_left == 0:
        return {0.0: 1.0}
    found: defaultdict[float, float] = defaultdict(float)
    for action, share in enumerate(world.policy[state]):
        for total, chance in sums_of_rewards(world, state, action, steps_left)[-1].items():
            found[total] += float(share) * chance
    return dict(sorted(found.items()))


def one_step(world: TabularMDP, step: int, state: int, action: int) -> Distribution:
    """P(r + V(s′) = x | s, a) at this step of a world with a horizon."""
    assert world.horizon is not None
    values = state_values(world)
    after = np.append(
        values[step + 1] if step + 1 < world.horizon else np.zeros(world.num_states), 0.0
    )
    found: defaultdict[float, float] = defaultdict(float)
    for to in np.flatnonzero(world.transitions[state, action] > 0):
        x = round(float(world.rewards[state, action, to] + world.gamma * after[to]), DIGITS)
        found[x] += float(world.transitions[state, action, to])
    return dict(sorted(found.items()))


def mean(distribution: Distribution) -> float:
    """E[x]."""
    return float(sum(x * p for x, p in distribution.items()))


def variance(distribution: Distribution) -> float:
    """E[(x − E x)²]."""
    middle = mean(distribution)
    return float(sum((x - middle) ** 2 * p for x, p in distribution.items()))
