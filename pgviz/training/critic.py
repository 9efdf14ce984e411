"""The critic V̂(s): what it says about a rollout, and how it learns from it.

It regresses on what Ψ was made of, y = Ψ_t + V̂(s_t):

    reward-to-go − V̂    y = G_t                    Monte Carlo: the critic learns from returns
    TD error            y = r_t + γ V̂(s_{t+1})     bootstrapping: the critic believes itself
    GAE                 y = Â_t + V̂(s_t)           the λ-return, between the two

The y are numbers, computed before the first step: nothing is differentiated through V̂(s_{t+1}).
That is the "detach" of torch code, and what makes the bootstrapped gradients semi-gradients.

Axes: S seeds, N rows, T time, P parameters of one seed's critic.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgviz.networks import Array32, Network
from pgviz.training.agent import Agent
from pgviz.training.config import Config
from pgviz.training.gradient import chunks, in_order_of_time, of_each_seed
from pgviz.training.optimizer import Optimizer
from pgviz.training.rollout import Rollout

Floats = NDArray[np.floating]
END_ROWS = 64  # a seed's rows that end where the critic is asked, per forward pass


def with_values(critic: Network, theta: Array32, rollout: Rollout) -> Rollout:
    """The rollout and what the critics theta [S, P] say about its states.

    V̂(s_{t+1}) is the next step's V̂(s_t), except where there is no next step of the same episode:
    there the critic is asked about the true last observation, which is no start of a new episode.
    """
    values = evaluate(critic, theta, rollout.obs, rollout.mask)
    next_values = np.empty_like(values)
    next_values[..., :-1] = values[..., 1:]
    next_values[..., -1] = 0
    ends = rollout.mask & rollout.episode_over
    ends[..., -1] |= rollout.mask[..., -1]
    said = evaluate(critic, theta, rollout.next_obs, ends, END_ROWS)
    return replace(rollout, values=values, next_values=np.where(ends, said, next_values))


def evaluate(
    critic: Network,
    theta: Array32,
    obs: Array32,
    mask: NDArray[np.bool_],
    num_rows: int | None = None,
) -> Array32:
    """V̂ of the observations [S, N, T, D] where mask is True, else 0, [S, N, T]."""
    layers = critic.layers(theta)
    blocks = [
        critic.forward(layers, critic.features(block.numpy()))[0]
        for (block,) in chunks(mask, obs, num_rows=num_rows)
    ]
    values = np.zeros(mask.shape, np.float32)
    for k, said in enumerate(np.concatenate(blocks, axis=1)):
        steps = mask[k].T
        values[k].T[steps] = said[: steps.sum()]
    return values


def fit(
    critic: Network,
    theta: Array32,
    optimizer: Optimizer,
    rollout: Rollout,
    targets: Floats,
    streams: Sequence[np.random.Generator],
    config: Config,
) -> None:
    """A few Adam steps of regression on targets [S, N, T]; theta [S, P] is changed in place.

    loss = mean ½ (V̂(s) − y)² over a minibatch, drawn for each seed from its own stream
    """
    for batch in minibatches(rollout, targets, streams, config):
        optimizer.ascend(theta, -value_gradient(critic, theta, batch))


def value_gradient(
    critic: Network, theta: Array32, batch: Iterable[tuple[Tensor, Tensor, Tensor]]
) -> Array32:
    """The semi-gradient of Σ w ½ (V̂(s) − y)², [S, P]; the batch is blocks of states, y and w.

    Σ w (V̂(s) − y) ∇V̂(s): y is a number, whatever it was computed from.
    """
    parameters = torch.tensor(theta, requires_grad=True)
    gradient = np.zeros(theta.shape, np.float32)
    for obs, y, shares in batch:
        loss = (shares * 0.5 * (critic(parameters, obs) - y).square()).sum()
        gradient += torch.autograd.grad(loss, parameters)[0].numpy()
    return gradient


def td_gradient(
    agent: Agent, theta: Array32, rollout: Rollout, gamma: float, detach: bool
) -> Array32:
    """∇ of mean [½ (y_t − V̂(s_t))² − δ_t log π(a_t|s_t)] by the critic's parameters, [S, P].

    y_t = r_t + γ V̂(s_{t+1}), 0 for V̂ after an end by the world's rules; δ_t = y_t − V̂(s_t)

    The loss of the one-step actor-critic as code writes it. With `detach`, y and δ are numbers, and
    what is left is the semi-gradient. Without it, autograd differentiates V̂ in them too. Then two
    things go wrong: the critic also learns to please the policy's loss, and it moves V̂(s_{t+1})
    towards V̂(s_t) as well.
    """
    parameters = torch.tensor(theta, requires_grad=True)
    gradient = np.zeros(theta.shape, np.float32)
    shares = rollout.mask / rollout.num_steps[:, None, None]
    goes_on = gamma * ~rollout.terminated
    for obs, next_obs, rewards, discounts, log_probs, w in chunks(
        rollout.mask,
        *(rollout.obs, rollout.next_obs, rollout.rewards, goes_on, rollout.log_probs, shares),
    ):
        values = agent.value(parameters, obs)
        targets = rewards + discounts * agent.value(parameters, next_obs)
        td_errors = targets - values
        if detach:
            targets, td_errors = targets.detach(), td_errors.detach()
        loss = (w * (0.5 * (targets - values).square() - td_errors * log_probs)).sum()
        gradient += torch.autograd.grad(loss, parameters)[0].numpy()
    return gradient


def minibatches(
    rollout: Rollout, targets: Floats, streams: Sequence[np.random.Generator], config: Config
) -> Iterator[list[tuple[Tensor, Tensor, Tensor]]]:
    """For each step of the critic: blocks of obs, targets and each row's share of the mean.

    minibatch_size steps drawn with replacement, or all steps where it is 0.
    """
    if config.minibatch_size == 0:
        shares = rollout.mask / rollout.num_steps[:, None, None]
        everything = chunks(rollout.mask, rollout.obs, targets, shares)
        for _ in range(config.critic_steps):
            yield everything  # type: ignore[misc]
        return
    size = config.critic_steps, config.minibatch_size
    seen, returns = (in_order_of_time(rollout.mask, x) for x in (rollout.obs, targets))
    rows = [s.integers(len(z), size=size) for s, z in zip(streams, returns, strict=True)]
    drawn = [
        np.stack([z[k] for z, k in zip(x, rows, strict=True)], axis=1, dtype=np.float32)
        for x in (seen, returns)
    ]
    tensors = [torch.from_numpy(x) for x in drawn]
    tensors.append(torch.full(tensors[1].shape, 1 / config.minibatch_size))
    yield from ([batch] for batch in zip(*tensors, strict=True))


def value_loss(rollout: Rollout, targets: Floats) -> NDArray[np.float64]:
    """mean ½ (V̂(s_t) − y_t)² of each seed, [S]: of V̂ before it learned from these y."""
    return of_each_seed(np.mean, rollout.mask, 0.5 * np.square(targets - rollout.values))


def explained_variance(rollout: Rollout, targets: Floats) -> NDArray[np.float64]:
    """1 − Var(y − V̂)/Var(y) of each seed, [S]: 1 for a perfect critic, 0 for a constant.

    Of V̂ before it learned from these y. NaN where y does not vary. Bootstrapped y contain V̂
    itself, so only Monte Carlo ones (y = G) tell how well the critic knows the world.
    """
    unexplained = of_each_seed(np.var, rollout.mask, targets - rollout.values)
    variance = of_each_seed(np.var, rollout.mask, targets)
    varies = variance > 0
    return np.where(varies, 1 - unexplained / np.where(varies, variance, 1), np.nan)
