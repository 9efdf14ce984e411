"""V* and Q*, the values of the best policy: what Q-learning's maximum is about.

Axes: S states, A actions, H horizon. The world's own policy plays no part.
"""

import numpy as np

from pgviz.worlds.tabular import Floats, TabularMDP, WorldError


def best_action_values(world: TabularMDP) -> Floats:
    """Q*_t(s, a) = E[r + γ V*_{t+1}(s′)], shape [H, S, A]: the best actions afterwards."""
    if world.horizon is None:
        raise WorldError("this recursion runs backwards from the last step: it needs a horizon")
    rewards = (world.transitions * world.rewards).sum(axis=-1)
    table = np.zeros((world.horizon, *rewards.shape))
    following = np.zeros(world.num_states)
    for t in reversed(range(world.horizon)):
        table[t] = rewards + world.gamma * world.transitions[:, :, :-1] @ following
        following = table[t].max(axis=1)
    return table


def best_values(world: TabularMDP) -> Floats:
    """V*_t(s) = max_a Q*_t(s, a), shape [H, S]."""
    return np.asarray(best_action_values(world).max(axis=-1))
