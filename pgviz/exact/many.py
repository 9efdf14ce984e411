"""The objective of many θ at once: what `values.objective` says of one, for a whole ensemble."""

import numpy as np
from numpy.typing import NDArray

from pgviz.worlds.tabular import TabularMDP

Floats = NDArray[np.floating]


def objectives(world: TabularMDP, thetas: Floats, gamma: float) -> NDArray[np.float64]:
    """J(θ) = E[Σ_t γ^t r_t] of θ [K, F, A], [K]; NaN where the sum has no value.

    V = (I − γ P_π)⁻¹ r_π, or V_t = r_π + γ P_π V_{t+1} back from the horizon.
    """
    logits = world.features @ np.asarray(thetas, np.float64)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    policy = weights / weights.sum(axis=-1, keepdims=True)
    moves = np.einsum("ksa,sat->kst", policy, world.transitions[:, :, :-1])
    rewards = np.einsum("ksa,sa->ks", policy, (world.transitions * world.rewards).sum(axis=-1))
    values = np.zeros_like(rewards)
    if world.horizon is None:
        system = np.eye(world.num_states) - gamma * moves
        try:
            values = np.linalg.solve(system, rewards[..., None])[..., 0]
        except np.linalg.LinAlgError:  # under one of the policies an episode never ends
            values[:] = np.nan
    else:
        for _ in range(world.horizon):
            values = rewards + gamma * (moves @ values[..., None])[..., 0]
    return values @ world.start
