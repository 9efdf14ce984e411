"""ĝ = (1/N) Σ_episodes Σ_t Ψ_t ∇θ log π(a_t|s_t), for all seeds at once, by torch's autograd."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgviz.policies import MLP, Array32, log_prob
from pgviz.training.rollout import Rollout

# Rows of one seed per forward and backward pass. Small enough to stay in the cache; and FIXED,
# so that no seed's sums depend on how long the episodes of the others were.
CHUNK_ROWS = 512


def policy_gradient(
    policy: MLP, theta: Tensor, rollout: Rollout, weights: NDArray[np.floating]
) -> tuple[Array32, NDArray[np.float64]]:
    """The gradient of every seed [S, P] and the pseudo-loss [S] it was taken from.

    L(θ) = −(1/N) Σ Ψ_t log π(a_t|s_t),   ĝ = −∇θ L

    ĝ estimates ∇J. L does not estimate −J: its value says nothing about learning.
    """
    num_episodes = rollout.mask.shape[1]
    gradient = torch.zeros_like(theta)
    objective = np.zeros(len(theta))
    for obs, actions, psi in chunks(rollout, weights / num_episodes):
        log_probs = log_prob(policy(theta, obs), actions)
        surrogate = (psi * log_probs).sum(dim=1)
        gradient += torch.autograd.grad(surrogate.sum(), theta)[0]
        objective += surrogate.detach().numpy()
    return gradient.numpy(), -objective


def chunks(rollout: Rollout, weights: NDArray[np.floating]) -> list[tuple[Tensor, Tensor, Tensor]]:
    """The steps that happened as blocks of obs [S, 512, D], actions [S, 512], weights [S, 512].

    Each seed's steps lie densely, in order of time; what is left of a block has weight 0.
    """
    num_seeds = len(rollout.mask)
    num_chunks = -(-int(rollout.num_steps.max()) // CHUNK_ROWS)
    obs, actions, psi = (
        np.zeros((num_seeds, num_chunks * CHUNK_ROWS, *x.shape[3:]), np.float32)
        for x in (rollout.obs, rollout.actions, weights)
    )
    for k in range(num_seeds):
        steps = rollout.mask[k].T  # [T, N]: in order of time
        count = np.count_nonzero(steps)
        obs[k, :count] = rollout.obs[k].swapaxes(0, 1)[steps]
        actions[k, :count] = rollout.actions[k].T[steps]
        psi[k, :count] = weights[k].T[steps]
    return [
        tuple(torch.from_numpy(x[:, start : start + CHUNK_ROWS]) for x in (obs, actions, psi))
        for start in range(0, obs.shape[1], CHUNK_ROWS)
    ]
