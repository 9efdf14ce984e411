"""V*, the value of the best policy: what Q-learning's maximum is about. Axes: S states, H horizon."""

import numpy as np

from pgviz.worlds.tabular import Floats, TabularMDP, WorldError


def best_values(world: TabularMDP) -> Floats:
    """V*_t(s) = max_a E[r + γ V*_{t+1}(s′)], shape [H, S]; the world's own policy plays no part."""
    if world.horizon is None:
        raise WorldError("this recursion runs backwards from the last step: it needs a horizon")
    rewards = (world.transitions * world.rewards).sum(axis=-1)
    values = np.zeros((world.horizon + 1, world.num_states))
    for t in reversed(range(world.horizon)):
        following = world.transitions[:, :, :-1] @ values[t + 1]
        values[t] = (rewards + world.gamma * following).max(axis=1)
    return values[:-1]
