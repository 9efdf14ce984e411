"""How a method learns from a rollout: one gradient step, or PPO's several on the same batch.

An update changes the learners and returns what it measured, name → [S].
Axes: S seeds, N parallel environments, T time, B = N·T steps of a batch, P parameters.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgviz.estimators import discount_factors, reward_to_go
from pgviz.networks import Array32, Linear
from pgviz.training import critic
from pgviz.training.agent import Agent
from pgviz.training.config import Config
from pgviz.training.gradient import in_order_of_time, of_each_seed, policy_gradient
from pgviz.training.methods import methods, weighted
from pgviz.training.optimizer import clipped
from pgviz.training.rollout import Rollout

if TYPE_CHECKING:
    from pgviz.training.loop import Learners

Measured = dict[str, NDArray[np.float64]]


def gradient_step(learners: "Learners", rollout: Rollout, config: Config) -> Measured:
    """θ ← θ + Adam(clip(ĝ)),   ĝ = (1/N) Σ_rows Σ_t Ψ_t ∇θ log π(a_t|s_t); then the critic learns."""
    psi = methods[config.method].weight(rollout, config)
    advantages = weighted(psi, rollout, config)
    gradient, pseudo_loss = policy_gradient(learners.agent, learners.policy, rollout, advantages)
    gradient = learners.with_critic(gradient, rollout, psi)
    gradient, grad_norm = clipped(gradient, config.max_grad_norm)
    learners.ascend(gradient)
    fit = learners.fit_critic(rollout, psi)
    told = {"pseudo_loss": pseudo_loss, "grad_norm": grad_norm}
    return told | moments(advantages, rollout) | fit


def ppo(learners: "Learners", rollout: Rollout, config: Config) -> Measured:
    """Epochs of minibatches on the clipped surrogate; the critic learns from the same minibatches.

    L(θ) = (1/M) Σ min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â),   ρ = π_θ(a|s) / π_old(a|s),   ε = clip_coef

    Â is GAE's, normalised over the batch if the configuration says so. M steps make a minibatch,
    without replacement; each seed shuffles with its own stream. Â and ρ's denominator stand still.
    Left out of what PPO's own code has: clipped value losses, an entropy bonus, annealing.
    Source: Schulman et al., 2017, arXiv:1707.06347, equation 7 and algorithm 1.
    """
    psi = methods[config.method].weight(rollout, config)
    targets, weights = psi + rollout.values, weighted(psi, rollout, config)
    batch = Batch(rollout, weights, targets, rollout.log_probs)
    agent, told, norms, losses = learners.agent, [], [], []
    assert agent.critic is not None
    for rows in minibatches(batch, learners.critic_streams, config):
        obs, actions, advantages, returns, log_probs = batch.at(rows)
        gradient, surrogate, ratios = surrogate_gradient(
            agent, learners.policy, obs, actions, advantages, log_probs, config.clip_coef
        )
        gradient, norm = clipped(gradient, config.max_grad_norm)
        learners.ascend(gradient)
        shares = torch.full(returns.shape, 1 / returns.shape[1])
        states_and_y = torch.from_numpy(obs), torch.from_numpy(returns), shares
        down = critic.value_gradient(agent.critic, learners.critic, [states_and_y])
        learners.critic_optimizer.ascend(learners.critic, -down)
        told.append(clipping(ratios, advantages, config.clip_coef))
        norms.append(norm)
        losses.append(-surrogate)
    learners.keep_theta()
    last = told[-config.num_minibatches :]  # of the last epoch, when the policy has moved most
    return {
        "pseudo_loss": mean(losses),
        "grad_norm": mean(norms),
        "value_loss": critic.value_loss(rollout, targets),
        "explained_variance": critic.explained_variance(rollout, targets),
        **moments(weights, rollout),
        **{name: mean([x[name] for x in last]) for name in last[0]},
    }


def step_by_step(learners: "Learners", rollout: Rollout, config: Config) -> Measured:
    """One episode, walked through from its first step: at each t first V̂ moves, then θ.

    δ = G_t − V̂(s_t),   w ← w + α_w δ ∇V̂(s_t),   θ ← θ + α γ^t δ ∇log π(a_t|s_t)

    V̂ = 0 without a critic; the γ^t only where the configuration keeps it. The sum over a whole
    episode in one step, as in `gradient_step`, would move w by α_w times the number of steps.
    Source: Sutton & Barto, 2018, chapter 13, REINFORCE and REINFORCE with baseline.
    """
    agent = learners.agent
    policy, distribution, value = agent.policy, agent.distribution, agent.critic
    assert isinstance(policy, Linear)
    lengths = rollout.mask[:, 0].sum(axis=1)
    longest_first = np.argsort(-lengths, kind="stable")
    theta, w = learners.policy[longest_first], learners.critic[longest_first]
    obs, actions = rollout.obs[longest_first, 0], rollout.actions[longest_first, 0]
    returns = reward_to_go(rollout.rewards, config.gamma)[longest_first, 0].astype(np.float32)
    discounts = discount_factors(1.0 if config.drop_gamma_t else config.gamma, returns.shape[1])
    psi = np.where(rollout.mask[longest_first, 0], returns * discounts.astype(np.float32), 0)
    moved = np.zeros(theta.shape)
    going_on = (lengths[:, None] > np.arange(returns.shape[1])).sum(axis=0)
    for t, n in enumerate(going_on.tolist()):  # the first n rows have a step t
        seen, mine, its = obs[:n, t : t + 1], theta[:n], w[:n]
        if isinstance(value, Linear):
            said, hidden = value.forward(value.layers(its), seen)
            delta = returns[:n, t] - said[:, 0]
            down = value.backward(its, seen, hidden, -delta[:, None])
            learners.critic_optimizer.ascend(its, -down)
            psi[:n, t] = delta * discounts[t]
        outputs, hidden = policy.forward(policy.layers(mine), seen)
        slopes = distribution.slopes(outputs, actions[:n, t : t + 1]) * psi[:n, t, None, None]
        gradient = policy.backward(mine, seen, hidden, slopes.astype(np.float32))
        learners.optimizer.ascend(mine, gradient)
        moved[:n] += gradient
    learners.policy[longest_first], learners.critic[longest_first] = theta, w
    learners.keep_theta()
    measured = {name: np.empty(len(theta)) for name in ("pseudo_loss", "grad_norm")}
    log_probs = rollout.log_probs[longest_first, 0]
    measured["pseudo_loss"][longest_first] = -(psi * log_probs).sum(axis=1, dtype=np.float64)
    measured["grad_norm"][longest_first] = np.sqrt(np.square(moved).sum(axis=1))
    advantages = np.empty_like(psi)
    advantages[longest_first] = psi
    measured |= moments(advantages[:, None], rollout)
    if agent.critic is None:
        return measured
    targets = reward_to_go(rollout.rewards, config.gamma)
    return measured | {
        "value_loss": critic.value_loss(rollout, targets),
        "explained_variance": critic.explained_variance(rollout, targets),
    }


def moments(advantages: NDArray[np.floating], rollout: Rollout) -> Measured:
    """Mean and standard deviation [S] of Ψ [S, N, T], as it multiplies ∇ log π, over the steps."""
    return {
        "advantage_mean": of_each_seed(np.mean, rollout.mask, advantages),
        "advantage_std": of_each_seed(np.std, rollout.mask, advantages),
    }


def mean(measured: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The mean of arrays [S], added one after the other: numpy's own order depends on S."""
    return sum(measured[1:], start=measured[0]) / len(measured)


class Batch:
    """The steps of a rollout in rows: [S, B, …] of obs, actions, advantages, returns, log π_old."""

    def __init__(self, rollout: Rollout, *others: NDArray) -> None:
        arrays = (rollout.obs, rollout.actions, *others)
        rows = [np.asarray(in_order_of_time(rollout.mask, x), np.float32) for x in arrays]
        self.arrays: list[Array32] = rows
        self.num_rows = rows[0].shape[1]

    def at(self, rows: NDArray[np.intp]) -> tuple[Array32, ...]:
        """The rows [S, M] of every array."""
        seeds = np.arange(len(rows))[:, None]
        return tuple(x[seeds, rows] for x in self.arrays)


def minibatches(
    batch: Batch, streams: list[np.random.Generator], config: Config
) -> Iterator[NDArray[np.intp]]:
    """Rows [S, M] of one minibatch after the other: every epoch a new order, each row once."""
    for _ in range(config.update_epochs):
        order = np.stack([stream.permutation(batch.num_rows) for stream in streams])
        yield from np.array_split(order, config.num_minibatches, axis=1)


def surrogate_gradient(
    agent: Agent,
    theta: Array32,
    obs: Array32,
    actions: Array32,
    advantages: Array32,
    old_log_probs: Array32,
    clip_coef: float,
) -> tuple[Array32, NDArray[np.float64], Array32]:
    """∇θ L(θ) [S, P], L [S] and the ratios [S, M] of a minibatch of M steps. At ρ = 1 it is ĝ's mean.

    L(θ) = (1/M) Σ min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â)
    """
    parameters = torch.tensor(theta, requires_grad=True)
    x, a, psi, old = (torch.from_numpy(y) for y in (obs, actions, advantages, old_log_probs))
    ratios = torch.exp(agent.log_prob(parameters, x, a) - old)
    surrogate = clipped_surrogate(ratios, psi, clip_coef)
    gradient = torch.autograd.grad(surrogate.sum(), parameters)[0].numpy() / obs.shape[1]
    objective = surrogate.detach().numpy().mean(axis=1, dtype=np.float64)
    return gradient, objective, ratios.detach().numpy()


def clipped_surrogate(ratios: Tensor, advantages: Tensor, clip_coef: float) -> Tensor:
    """min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â), elementwise."""
    return torch.minimum(
        ratios * advantages, ratios.clamp(1 - clip_coef, 1 + clip_coef) * advantages
    )


def clipping(ratios: Array32, advantages: Array32, clip_coef: float) -> Measured:
    """How far the policy has gone from the one that played, by CleanRL's names, each [S].

    approx_kl                mean (ρ − 1) − log ρ
    clip_fraction            share of the steps with |ρ − 1| > ε
    zero_gradient_fraction   share of the steps whose gradient is exactly 0: beyond the clip, on the
                             side to which Â pushes
    """
    least = np.finfo(np.float32).tiny  # in place of a ratio that float32 rounds to 0
    far = np.abs(ratios - 1) > clip_coef
    log_ratios = np.log(np.maximum(ratios, least).astype(np.float64))
    beyond = far & ((ratios > 1) == (advantages > 0)) & (advantages != 0)
    return {
        "approx_kl": (np.expm1(log_ratios) - log_ratios).mean(axis=1),
        "clip_fraction": far.mean(axis=1),
        "zero_gradient_fraction": (beyond | (advantages == 0)).mean(axis=1),
    }


updates: dict[str, Callable[["Learners", Rollout, Config], Measured]] = {
    "gradient_step": gradient_step,
    "ppo": ppo,
    "step_by_step": step_by_step,
}
