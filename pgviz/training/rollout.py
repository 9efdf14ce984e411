"""Rollouts: what S seeds × N episodes did under their policies.

Axes: S seeds, N parallel episodes of a seed, T time, D observation features.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgviz.policies import MLP, Array32
from pgviz.worlds.cartpole import CartPoleEnsemble

NOISE_BLOCK = 50  # steps of noise drawn at once; each seed from its own stream


@dataclass(frozen=True)
class Rollout:
    """Whole episodes, one a row, padded after their end; `mask` is True where a step happened.

    obs [S, N, T, D] is what the policy saw, actions [S, N, T] what it did (True = right),
    rewards [S, N, T] what followed (0 in the padding), logits [S, N, T] the log-odds of "right";
    terminated and truncated [S, N, T] mark the last step of an episode, by the rules of the world
    or by the step limit; final_obs [S, N, D] is the observation after it.
    """

    obs: Array32
    actions: NDArray[np.bool_]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    logits: Array32
    final_obs: Array32

    @property
    def episode_returns(self) -> NDArray[np.float64]:
        """Undiscounted return of each episode, [S, N]."""
        return self.rewards.sum(axis=-1)

    @property
    def num_steps(self) -> NDArray[np.int64]:
        """Environment steps of each seed, [S]."""
        return self.mask.sum(axis=(-2, -1))


def collect_episodes(
    env: CartPoleEnsemble,
    policy: MLP,
    theta: Array32,
    streams: Sequence[np.random.Generator],
) -> Rollout:
    """N whole episodes of every seed; seed k's starts and actions come from stream k alone.

    Exactly one episode per environment is kept, so long and short ones are equally likely.
    """
    num_seeds = len(streams)
    num_envs = env.num_envs // num_seeds
    grid = (env.max_episode_steps, num_seeds, num_envs)
    obs = np.empty((grid[0] + 1, *grid[1:], len(env.state)), np.float32)
    logits = np.empty(grid, np.float32)
    actions = np.empty(grid, np.bool_)
    rewards = np.empty((grid[0], env.num_envs))
    terminated, truncated = (np.empty(rewards.shape, np.bool_) for _ in range(2))

    layers = policy.layers(theta)
    noise = logistic_noise(streams, num_envs)
    obs[0] = env.reset(seed=streams)[0].reshape(obs.shape[1:])
    alive = np.ones(env.num_envs, np.bool_)
    t = 0
    while alive.any():
        logits[t], _ = policy.forward(layers, policy.features(obs[t]))
        np.greater(logits[t], next(noise), out=actions[t])
        latest, rewards[t], terminated[t], truncated[t], _ = env.step(actions[t].ravel())
        obs[t + 1] = latest.reshape(obs.shape[1:])
        alive &= ~(terminated[t] | truncated[t])
        t += 1

    over = (terminated[:t] | truncated[:t]).reshape(t, *grid[1:])
    ended_before = np.zeros_like(over)
    np.logical_or.accumulate(over[:-1], axis=0, out=ended_before[1:])
    mask = ~ended_before
    last = mask.sum(axis=0)  # [S, N]: the number of steps of each episode
    final_obs = np.take_along_axis(obs, last[None, :, :, None], axis=0)[0]

    def time_last(x: NDArray) -> NDArray:
        return np.moveaxis(x[:t].reshape(t, *grid[1:], *x.shape[3:]), 0, 2)

    return Rollout(
        obs=time_last(obs),
        actions=time_last(actions),
        rewards=np.where(time_last(mask), time_last(rewards), 0.0),
        terminated=time_last(terminated) & time_last(mask),
        truncated=time_last(truncated) & time_last(mask),
        mask=time_last(mask),
        logits=time_last(logits),
        final_obs=final_obs,
    )


def logistic_noise(streams: Sequence[np.random.Generator], num_envs: int) -> Iterator[Array32]:
    """Noise [S, N] for every step: "right" is drawn with probability σ(f) where f > noise.

    P(f > log(u / (1 − u))) = P(u < σ(f)) = σ(f) for u uniform in (0, 1)
    """
    while True:
        size = (NOISE_BLOCK, num_envs)
        uniform = np.stack([stream.random(size, np.float32) for stream in streams], axis=1)
        with np.errstate(divide="ignore"):  # log 0 = −∞: still "right" with probability σ(f)
            yield from np.log(uniform) - np.log1p(-uniform)
