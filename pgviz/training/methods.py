"""One function per method: the Ψ it puts in front of ∇θ log π(a_t|s_t). Nothing else differs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pgviz import estimators
from pgviz.training.config import Config
from pgviz.training.rollout import Rollout

Weights = NDArray[np.floating]


def full_return(rollout: Rollout, config: Config) -> Weights:
    """Ψ_t = R(τ), Williams' first form: every action answers for every reward."""
    return estimators.full_return(rollout.rewards, config.gamma)


def reinforce(rollout: Rollout, config: Config) -> Weights:
    """Ψ_t = G_t: an action answers for what came after it."""
    return estimators.reward_to_go(rollout.rewards, config.gamma)


methods: dict[str, Callable[[Rollout, Config], Weights]] = {
    "full-return": full_return,
    "reinforce": reinforce,
}


def weights(rollout: Rollout, config: Config) -> Weights:
    """Ψ [S, N, T] of the method, normalised and discounted if the configuration says so; 0 in padding."""
    psi = methods[config.method](rollout, config)
    if config.normalize_advantages:
        psi = normalized(psi, rollout.mask)
    if not config.drop_gamma_t and config.method != "full-return":
        psi = psi * estimators.discount_factors(config.gamma, psi.shape[-1])
    return np.where(rollout.mask, psi, 0.0)


def normalized(psi: Weights, mask: NDArray[np.bool_]) -> Weights:
    """Each seed's Ψ minus their mean over its batch, divided by their standard deviation.

    Not innocent: the mean is a baseline made of the batch itself, and the division sets the step
    size anew at every update.
    """
    result = np.zeros_like(psi)
    for k in range(len(psi)):  # seed by seed: a sum over padding would depend on the neighbours
        mine = psi[k][mask[k]]
        result[k][mask[k]] = (mine - mine.mean()) / (mine.std() + 1e-8)
    return result
