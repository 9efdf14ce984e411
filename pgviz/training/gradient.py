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
    policy: MLP, theta: Array32, rollout: Rollout, weights: NDArray[np.floating]
) -> tuple[Array32, NDArray[np.float64]]:
    """The gradient of every seed [S, P] and the pseudo-loss [S] it was taken from.

    L(θ) = −(1/N) Σ Ψ_t log π(a_t|s_t),   ĝ = −∇θ L

    ĝ estimates ∇J. L does not estimate −J: its value says nothing about learning.
    """
    num_episodes = rollout.mask.shape[1]
    parameters = torch.tensor(theta, requires_grad=True)
    gradient = np.zeros_like(theta)
    objective = np.zeros(len(theta))
    for obs, actions, psi in chunks(rollout, weights / num_episodes):
        log_probs = log_prob(policy(parameters, obs), actions)
        surrogate = psi * log_probs
        gradient += torch.autograd.grad(surrogate.sum(), parameters)[0].numpy()
        objective += surrogate.detach().numpy().sum(axis=1)
    return gradient, -objective


def chunks(rollout: Rollout, weights: NDArray[np.floating]) -> list[tuple[Tensor, Tensor, Tensor]]:
    """The steps that happened as blocks of obs [S, 512, D], actions [S, 512], weights [S, 512].

    Each seed's steps lie densely, in order of time; what is left of a block has weight 0.
    """
    num_seeds = len(rollout.mask)
    num_chunks = -(-int(rollout.num_steps.max()) // CHUNK_ROWS)
    blocks = [
        np.zeros((num_chunks, num_seeds, CHUNK_ROWS, *x.shape[3:]), np.float32)
        for x in (rollout.obs, rollout.actions, weights)
    ]
    for k in range(num_seeds):
        steps = rollout.mask[k].T  # [T, N]: in order of time
        for block, x in zip(blocks, (rollout.obs, rollout.actions, weights), strict=True):
            rows = x[k].swapaxes(0, 1)[steps]
            for c, start in enumerate(range(0, len(rows), CHUNK_ROWS)):
                part = rows[start : start + CHUNK_ROWS]
                block[c, k, : len(part)] = part
    obs, actions, psi = (torch.from_numpy(block) for block in blocks)
    return list(zip(obs, actions, psi, strict=True))
