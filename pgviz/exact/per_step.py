"""Dividing each episode's sum by its own number of steps T climbs another objective.

    E[(1/T) Σ_t G_t ∇log π(a_t|s_t)],   1/T = ∫₀¹ z^{T−1} dz

With z in front of every step the expectation of z^T Σ_t G_t ∇log π is a product of two linear
solves, so no episode is cut off, however long; the integral is Gauss–Legendre's.

    W(s) = E[z^T | s] = z (P_π W + p_end),     M(s) = E[G z^T | s] = z (P_π (r W + M) + p_end r)
"""

import numpy as np

from pgviz.exact.values import weighted_scores
from pgviz.worlds.tabular import Floats, TabularMDP

NUM_NODES = 60  # more change the 13th digit


def mean_divided_by_steps(world: TabularMDP) -> Floats:
    """E[(1/T) Σ_t G_t ∇log π(a_t|s_t)], γ = 1, no horizon, shape [F, A]."""
    if world.horizon is not None:
        raise ValueError("with a horizon the last state is not known by its place alone")
    nodes, shares = np.polynomial.legendre.leggauss(NUM_NODES)
    nodes, shares = (nodes + 1) / 2, shares / 2
    # z = 1 − u³ puts the nodes where long episodes need them.
    zs, weights = 1 - nodes**3, 3 * shares * nodes**2
    return np.tensordot(weights / zs, _weighted_by_length(world, zs), axes=1)


def _weighted_by_length(world: TabularMDP, zs: Floats) -> Floats:
    """E[z^T Σ_t G_t ∇log π(a_t|s_t)] for each z, shape [Z, F, A]."""
    moves, over = world.flow[:, :, :-1].sum(axis=1), world.flow[:, :, -1].sum(axis=1)
    z = zs[:, None]
    chain = np.eye(world.num_states) - z[..., None] * moves
    one, zero = np.ones((len(zs), 1)), np.zeros((len(zs), 1))
    length = np.hstack([_solved(chain, z * over), one])  # W, and 1 at the end
    paid = z * np.einsum("sak,sak,zk->zs", world.flow, world.rewards, length)
    returns = np.hstack([_solved(chain, paid), zero])  # M, and 0 at the end
    visits = _solved(chain.swapaxes(1, 2), np.broadcast_to(world.start, paid.shape))
    after = world.rewards * length[:, None, None] + returns[:, None, None]
    return weighted_scores(world, (z * visits)[..., None] * (world.flow * after).sum(axis=-1))


def _solved(chain: Floats, right: Floats) -> Floats:
    return np.linalg.solve(chain, right[..., None])[..., 0]
