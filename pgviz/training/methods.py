"""The methods, in one table: what each puts in front of ∇θ log π(a_t|s_t), and how it learns from it.

A new method is one entry here, with its Ψ; if one gradient step is not its update, also a function
in updates.py. Everything that lists methods reads this table.

`rollout.values` and `rollout.next_values` are the critic's: of the critic as it was when these
episodes were played, which has learned from EARLIER updates only. A critic fitted on the very
returns it is subtracted from would bias ĝ, to zero if it fitted them perfectly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pgviz import estimators

if TYPE_CHECKING:
    from pgviz.training.config import Config
    from pgviz.training.rollout import Rollout

Weights = NDArray[np.floating]


def full_return(rollout: "Rollout", config: "Config") -> Weights:
    """Ψ_t = R(τ), Williams' first form: every action answers for every reward."""
    return estimators.full_return(rollout.rewards, config.gamma)


def reinforce(rollout: "Rollout", config: "Config") -> Weights:
    """Ψ_t = G_t: an action answers for what came after it."""
    return estimators.reward_to_go(rollout.rewards, config.gamma)


def baseline(rollout: "Rollout", config: "Config") -> Weights:
    """Ψ_t = G_t − V̂(s_t): what came after, against what was to be expected.

    V̂ is only subtracted. It has been fitted on the returns of earlier updates, and not yet on
    these, so it knows nothing of the actions it is subtracted from: ĝ stays unbiased.
    """
    return estimators.baselined_reward_to_go(rollout.rewards, rollout.values, config.gamma)


def actor_critic(rollout: "Rollout", config: "Config") -> Weights:
    """Ψ_t = δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t): one real reward, then the critic."""
    return estimators.td_errors(
        rollout.rewards,
        rollout.values,
        rollout.next_values,
        rollout.terminated,
        config.gamma,
    )


def gae(rollout: "Rollout", config: "Config") -> Weights:
    """Ψ_t = Σ_k (γλ)^k δ_{t+k}: the larger λ, the less the critic counts."""
    return estimators.gae(
        rollout.rewards,
        rollout.values,
        rollout.next_values,
        rollout.terminated,
        config.gamma,
        config.gae_lambda,
        rollout.episode_over,
    )


@dataclass(frozen=True)
class Method:
    """What a method is.

    weight     Ψ [S, N, T] of a rollout
    equation   the same in LaTeX
    critic     whether Ψ asks a critic
    windows    whether it may learn from windows of steps; the others need whole episodes
    update     the function of updates.py that learns from a rollout
    settings   the fields of a Config that mean something to this method only
    preset     its own numbers on CartPole, where they are not those of a Config
    """

    label: str
    weight: Callable[["Rollout", "Config"], Weights]
    equation: str
    critic: bool = False
    windows: bool = False
    update: str = "gradient_step"
    settings: tuple[str, ...] = ()
    preset: Mapping[str, Any] = field(default_factory=dict)


REGRESSION = ("critic_learning_rate", "critic_steps", "minibatch_size")
PPO = ("clip_coef", "update_epochs", "num_minibatches")
RATIO_METRICS = ("approx_kl", "clip_fraction", "zero_gradient_fraction")  # of PPO alone

methods: dict[str, Method] = {
    # The very settings of reinforce. Some seeds are solved late and some not at all: Ψ carries the
    # noise of rewards that were paid before the action.
    "full-return": Method(
        "full return",
        full_return,
        r"\sum_k \gamma^k r_k",
    ),
    # Undiscounted and not normalised: ĝ is an unbiased estimate of ∇J. It is followed in direction
    # only, since max_grad_norm shortens nearly all of them: pages say so. Seeds are solved after
    # about 35 updates; discounting or normalising makes some ensembles wait for a straggler that
    # collapsed.
    "reinforce": Method(
        "REINFORCE",
        reinforce,
        r"\sum_{k\ge t} \gamma^{k-t} r_k = G_t",
    ),
    # The very same settings again, so that the critic is all that differs. 16 steps of regression an
    # update explain most of the variance of the returns in mid-training (4 hardly any); once all
    # episodes last 500 steps the return depends on the time alone, which no critic of s can see.
    "baseline": Method(
        "with a baseline",
        baseline,
        r"G_t - \hat V(s_t)",
        critic=True,
        settings=REGRESSION,
    ),
    # Here a critic is believed, so it must converge: γ < 1, since truncation bootstraps and the
    # value of a pole that never falls would have no bound. The critic learns faster than the policy,
    # else the policy follows a critic of the past: slow critics (.003) need ten times the updates.
    # One step of it over the whole window, as in A2C; 16 steps long instead of A2C's 5, because Ψ is
    # as noisy in every window and four times the updates learn no more.
    "actor-critic": Method(
        "actor-critic",
        actor_critic,
        r"r_t + \gamma \hat V(s_{t+1}) - \hat V(s_t) = \delta_t",
        critic=True,
        windows=True,
        settings=REGRESSION,
        preset={
            "num_updates": 1000,
            "num_envs": 32,
            "num_steps": 16,
            "gamma": 0.99,
            "learning_rate": 0.005,
            "critic_learning_rate": 0.03,
            "critic_steps": 1,
            "minibatch_size": 0,
        },
    ),
    # λ = .95 trusts rewards more than the critic, which allows twice the step size, and windows
    # twice as long: 100 updates, and hardly a difference between the first and the last seed.
    "gae": Method(
        "GAE",
        gae,
        r"\sum_k (\gamma\lambda)^k\, \delta_{t+k}",
        critic=True,
        windows=True,
        settings=("gae_lambda", *REGRESSION),
        preset={
            "num_updates": 300,
            "num_envs": 32,
            "num_steps": 32,
            "hidden": 16,
            "gamma": 0.99,
            "learning_rate": 0.01,
            "critic_learning_rate": 0.03,
            "critic_steps": 2,
            "minibatch_size": 256,
        },
    ),
    # The same Ψ, and each batch used for 16 steps: a smaller step size, and normalised advantages,
    # so that one step size fits every batch. Windows twice as long as those of gae
    # with half the environments.
    "ppo": Method(
        "PPO",
        gae,
        r"\sum_k (\gamma\lambda)^k\, \delta_{t+k}",
        critic=True,
        windows=True,
        update="ppo",
        settings=("gae_lambda", "critic_learning_rate", *PPO),
        preset={
            "num_updates": 300,
            "num_envs": 16,
            "num_steps": 64,
            "hidden": 16,
            "gamma": 0.98,
            "learning_rate": 0.002,
            "critic_learning_rate": 0.005,
            "normalize_advantages": True,
        },
    ),
}


def irrelevant(method: str) -> set[str]:
    """The fields of a Config that mean something to other methods and nothing to this one."""
    special = {name for each in methods.values() for name in each.settings}
    return special - {*methods[method].settings}


def weights(rollout: "Rollout", config: "Config") -> Weights:
    """Ψ [S, N, T] as it multiplies ∇θ log π(a_t|s_t)."""
    return weighted(methods[config.method].weight(rollout, config), rollout, config)


def weighted(psi: Weights, rollout: "Rollout", config: "Config") -> Weights:
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
