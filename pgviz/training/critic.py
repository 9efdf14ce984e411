"""The critic V̂(s): what it says about a rollout, and how it learns from it.

It regresses on what Ψ was made of, y = Ψ_t + V̂(s_t):

    reward-to-go − V̂    y = G_t                    Monte Carlo: the critic learns from returns
    TD error            y = r_t + γ V̂(s_{t+1})     bootstrapping: the critic believes itself
    GAE                 y = Â_t + V̂(s_t)           the λ-return, between the two

The y are numbers, computed before the first step: nothing is differentiated through V̂(s_{t+1}).
That is the "detach" of other code, and what makes the bootstrapped gradients semi-gradients.

Axes: S seeds, N rows, T time, P parameters of one seed's critic.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pgviz.policies import MLP, Array32
from pgviz.training.config import Config
from pgviz.training.gradient import chunks, in_order_of_time
from pgviz.training.optimizer import Adam
from pgviz.training.rollout import Rollout

Floats = NDArray[np.floating]
END_ROWS = 64  # a seed's rows that end where the critic is asked, per forward pass


def with_values(critic: MLP, theta: Array32, rollout: Rollout) -> Rollout:
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
    critic: MLP,
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
    critic: MLP,
    theta: Array32,
    optimizer: Adam,
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
    critic: MLP, theta: Array32, batch: Iterable[tuple[Array32, Array32, Array32]]
) -> Array32:
    """The semi-gradient of Σ w ½ (V̂(s) − y)², [S, P]; the batch is blocks of states, y and w.

    Σ w (V̂(s) − y) ∇V̂(s): y is held still, whatever it was computed from.
    """
    layers = critic.layers(theta)
    gradient = np.zeros(theta.shape, np.float32)
    for obs, targets, shares in batch:
        features = critic.features(obs)
        values, hidden = critic.forward(layers, features)
        slopes = shares * (values - targets)
        gradient += critic.backward(theta, features, hidden, slopes)
    return gradient


def undetached_gradient(
    critic: MLP, theta: Array32, rollout: Rollout, td_errors: Floats, gamma: float
) -> Array32:
    """The full gradient of mean (½ δ_t² − δ_t log π(a_t|s_t)), [S, P]: nothing is held still.

    Σ w (δ_t − log π(a_t|s_t)) (γ ∇V̂(s_{t+1}) − ∇V̂(s_t)), without ∇V̂(s_{t+1}) after a fall

    What code computes that forgets to detach δ from the critic. Two things go wrong: the critic
    also learns to please the policy's loss, and it moves V̂(s_{t+1}) towards V̂(s_t) as well.
    """
    slopes = (td_errors - rollout.log_probs) / rollout.num_steps[:, None, None]
    gradient = np.zeros(theta.shape, np.float32)
    layers = critic.layers(theta)
    for obs, factor in (
        (rollout.obs, -slopes),
        (rollout.next_obs, np.where(rollout.terminated, 0, gamma * slopes)),
    ):
        for block, slope in chunks(rollout.mask, obs, factor):
            features = critic.features(block.numpy())
            hidden = critic.forward(layers, features)[1]
            gradient += critic.backward(theta, features, hidden, slope.numpy())
    return gradient


def minibatches(
    rollout: Rollout, targets: Floats, streams: Sequence[np.random.Generator], config: Config
) -> Iterator[list[tuple[Array32, Array32, Array32]]]:
    """For each step of the critic: blocks of obs, targets and each row's share of the mean.

    minibatch_size steps drawn with replacement, or all steps where it is 0.
    """
    if config.minibatch_size == 0:
        shares = rollout.mask / rollout.num_steps[:, None, None]
        blocks = chunks(rollout.mask, rollout.obs, targets, shares)
        everything = [(obs.numpy(), y.numpy(), w.numpy()) for obs, y, w in blocks]
        for _ in range(config.critic_steps):
            yield everything
        return
    size = config.critic_steps, config.minibatch_size
    steps = zip(
        in_order_of_time(rollout.mask, rollout.obs),
        in_order_of_time(rollout.mask, targets),
        streams,
        strict=True,
    )
    drawn = []
    for seen, returns, stream in steps:
        rows = stream.integers(len(returns), size=size)
        drawn.append((seen[rows], returns[rows]))
    obs, y = (np.stack(x, axis=1, dtype=np.float32) for x in zip(*drawn, strict=True))
    shares = np.full(y.shape, 1 / config.minibatch_size, np.float32)
    yield from ([batch] for batch in zip(obs, y, shares, strict=True))


def value_loss(rollout: Rollout, targets: Floats) -> NDArray[np.float64]:
    """mean ½ (V̂(s_t) − y_t)² of each seed, [S]: of V̂ before it learned from these y."""
    errors = in_order_of_time(rollout.mask, targets - rollout.values)
    return np.array([0.5 * np.square(error).mean() for error in errors])


def explained_variance(rollout: Rollout, targets: Floats) -> NDArray[np.float64]:
    """1 − Var(y − V̂)/Var(y) of each seed, [S]: 1 for a perfect critic, 0 for a constant.

    Of V̂ before it learned from these y. NaN where y does not vary. Bootstrapped y contain V̂
    itself, so only Monte Carlo ones (y = G) tell how well the critic knows the world.
    """
    errors = in_order_of_time(rollout.mask, targets - rollout.values)
    unexplained = np.array([error.var() for error in errors])
    variance = np.array([y.var() for y in in_order_of_time(rollout.mask, targets)])
    varies = variance > 0
    return np.where(varies, 1 - unexplained / np.where(varies, variance, 1), np.nan)
