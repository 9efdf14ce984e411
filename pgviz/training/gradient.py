"""ĝ = (1/N) Σ_rows Σ_t Ψ_t ∇θ log π(a_t|s_t), for all seeds at once, by torch's autograd."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgviz.networks import Array32
from pgviz.training.agent import Agent
from pgviz.training.rollout import Rollout

# Steps of one seed per forward and backward pass. Small enough to stay in the cache; and FIXED,
# so that no seed's sums depend on how long the episodes of the others were.
CHUNK_ROWS = 512


def policy_gradient(
    agent: Agent, theta: Array32, rollout: Rollout, weights: NDArray[np.floating]
) -> tuple[Array32, NDArray[np.float64]]:
    """The gradient of every seed [S, P] and the pseudo-loss [S] it was taken from.

    L(θ) = −(1/N) Σ Ψ_t log π(a_t|s_t),   ĝ = −∇θ L

    N counts the rows of the rollout: whole episodes, or the windows of N parallel environments. No
    row is divided by its length. Whole episodes estimate ∇J. A window of T steps holds T/L of an
    episode of L steps, so windows estimate ∇J · T/E[L]: the sums over all windows that an episode
    is cut into add up to the sum over the episode.

    Ψ is a constant here: nothing flows back into a critic. L does not estimate −J: its value says
    nothing about learning.
    """
    num_rows = rollout.mask.shape[1]
    parameters = torch.tensor(theta, requires_grad=True)
    gradient = np.zeros(theta.shape, np.float32)
    objective = np.zeros(len(theta))
    for obs, actions, psi in chunks(rollout.mask, rollout.obs, rollout.actions, weights / num_rows):
        log_probs = agent.log_prob(parameters, obs, actions)
        surrogate = psi * log_probs
        gradient += torch.autograd.grad(surrogate.sum(), parameters)[0].numpy()
        objective += surrogate.detach().numpy().sum(axis=1)
    return gradient, -objective


def chunks(
    mask: NDArray[np.bool_], *arrays: NDArray, num_rows: int | None = None
) -> list[tuple[Tensor, ...]]:
    """The steps of arrays [S, N, T, …] that happened, as blocks [S, 512, …] of each.

    Each seed's steps lie densely, in order of time; what is left of a block is 0.
    """
    num_rows = num_rows or CHUNK_ROWS
    num_chunks = -(-int(mask.sum(axis=(1, 2)).max()) // num_rows)
    blocks = [np.zeros((num_chunks, len(mask), num_rows, *x.shape[3:]), np.float32) for x in arrays]
    for block, x in zip(blocks, arrays, strict=True):
        ordered = in_order_of_time(mask, x)
        # All seeds at once where they have equally many steps, else one after the other.
        parts = (
            [(slice(None), ordered)]
            if isinstance(ordered, np.ndarray)
            else [(slice(k, k + 1), rows[None]) for k, rows in enumerate(ordered)]
        )
        for seeds, rows in parts:
            for c, start in enumerate(range(0, rows.shape[1], num_rows)):
                part = rows[:, start : start + num_rows]
                block[c, seeds, : part.shape[1]] = part
    return list(zip(*map(torch.from_numpy, blocks), strict=True))


def in_order_of_time(mask: NDArray[np.bool_], x: NDArray) -> NDArray | list[NDArray]:
    """Each seed's steps of x [S, N, T, …] that happened, [number of its steps, …].

    One array [S, N·T, …] where all of them happened.
    """
    if mask.all():
        return x.swapaxes(1, 2).reshape(len(x), -1, *x.shape[3:])
    return [x[k].swapaxes(0, 1)[mask[k].T] for k in range(len(x))]


def of_each_seed(
    measure: Callable[..., Any], mask: NDArray[np.bool_], x: NDArray
) -> NDArray[np.float64]:
    """measure(steps, axis=…) of every seed's steps of x [S, N, T] that happened, [S]: np.mean, np.var."""
    rows = in_order_of_time(mask, x)
    if isinstance(rows, np.ndarray):
        return measure(rows, axis=1, dtype=np.float64)
    return np.array([measure(row, axis=0, dtype=np.float64) for row in rows])
