"""The objective of many θ at once: what `values.objective` says of one, for a whole ensemble.

Axes: K policies, S states, A actions, F features. No θ notices which others there are, not even in
the last bit of its J.
"""

import numpy as np
from numpy.typing import NDArray

from pgviz.worlds.tabular import MAX_MEAN_LENGTH, TabularMDP

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
    if world.horizon is None:
        values = _endless_sums(world, gamma * moves, rewards, check=gamma == 1)
    else:
        values = np.zeros_like(rewards)
        for _ in range(world.horizon):
            values = rewards + gamma * (moves @ values[..., None])[..., 0]
    return (values * world.start).sum(axis=-1)


def _endless_sums(world: TabularMDP, chains: Floats, rewards: Floats, check: bool) -> Floats:
    """(I − γ P_π)⁻¹ r_π [K, S], 0 where no episode comes; NaN for a policy whose sums have no value.

    `check` is for γ = 1: there a sum has a value where episodes end, which must not take too long.
    """
    visited = np.broadcast_to(world.start > 0, rewards.shape)
    while True:
        wider = visited | (visited[:, None] @ chains > 0)[:, 0]
        if (wider == visited).all():
            break
        visited = wider
    # Of a state that no episode visits nothing is asked: from there one might never end.
    chains = np.where(visited[..., None], chains, 0)
    right = np.stack([np.where(visited, rewards, 0), visited], axis=-1)
    values, lengths = np.moveaxis(_solved(np.eye(world.num_states) - chains, right), -1, 0)
    if check:
        lasts = (lengths >= 0).all(axis=-1) & (lengths.max(axis=-1) <= MAX_MEAN_LENGTH)
        values = np.where(lasts[:, None], values, np.nan)
    return values


def _solved(systems: Floats, right: Floats) -> Floats:
    """The solution of each system [K, S, …] by itself, NaN where there is none."""
    try:
        return np.linalg.solve(systems, right)
    except np.linalg.LinAlgError:
        if len(systems) == 1:
            return np.full_like(right, np.nan)
        rows = zip(systems, right, strict=True)
        return np.concatenate([_solved(one[None], its[None]) for one, its in rows])
