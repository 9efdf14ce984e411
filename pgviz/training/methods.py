"""One function per method: the Ψ it puts in front of ∇θ log π(a_t|s_t). Nothing else differs.

`rollout.values` and `rollout.next_values` are the critic's: of the critic as it was when these
episodes were played, which has learned from EARLIER updates only. A critic fitted on the very
returns it is subtracted from would bias ĝ, to zero if it fitted them perfectly.
"""

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


def baseline(rollout: Rollout, config: Config) -> Weights:
    """Ψ_t = G_t − V̂(s_t): what came after, against what was to be expected.

    V̂ is only subtracted. It has been fitted on the returns of earlier updates, and not yet on
    these, so it knows nothing of the actions it is subtracted from: ĝ stays unbiased.
    """
    return estimators.baselined_reward_to_go(rollout.rewards, rollout.values, config.gamma)


def actor_critic(rollout: Rollout, config: Config) -> Weights:
    """Ψ_t = δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t): one real step, and the critic's word for the rest."""
    return estimators.td_errors(
        rollout.rewards,
        rollout.values,
        rollout.next_values,
        rollout.terminated,
        config.gamma,
    )


def gae(rollout: Rollout, config: Config) -> Weights:
    """Ψ_t = Σ_k (γλ)^k δ_{t+k}: the critic is believed the less, the larger λ."""
    return estimators.gae(
        rollout.rewards,
        rollout.values,
        rollout.next_values,
        rollout.terminated,
        config.gamma,
        config.gae_lambda,
        rollout.episode_over,
    )


methods: dict[str, Callable[[Rollout, Config], Weights]] = {
    "full-return": full_return,
    "reinforce": reinforce,
    "baseline": baseline,
    "actor-critic": actor_critic,
    "gae": gae,
}


def weights(rollout: Rollout, config: Config) -> Weights:
    """Ψ [S, N, T] as it multiplies ∇θ log π(a_t|s_t)."""
    return weighted(methods[config.method](rollout, config), rollout, config)


def weighted(psi: Weights, rollout: Rollout, config: Config) -> Weights:
    """A method's bare Ψ, normalised and discounted if the configuration says so; 0 in padding."""
    if config.normalize_advantages:
        psi = normalized(psi, rollout.mask)
    if not config.drop_gamma_t and config.method != "full-return":
        psi = psi * estimators.discount_factors(config.gamma, psi.shape[-1])
    return np.where(rollout.mask, psi, 0.0)


def normalized(psi: Weights, mask: NDArray[np.bool_]) -> Weights:
    """Each seed's Ψ minus their mean over its batch, divided by their standard deviation.

    Not innocent: the mean is a baseline made of the batch itself, and the division sets the step
    size anew at every update. Where all Ψ are equal but for rounding they are 0: there is nothing
    to learn from, and Adam would scale rounding errors up to whole steps.
    """
    result = np.zeros_like(psi)
    for k in range(len(psi)):  # seed by seed: a sum over padding would depend on the neighbours
        mine = psi[k][mask[k]]
        spread = mine.std()
        if spread > 1e-6 * np.abs(mine).max():
            result[k][mask[k]] = (mine - mine.mean()) / (spread + 1e-8)
    return result
