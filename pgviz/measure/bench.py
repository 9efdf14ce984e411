"""The estimator bench: every estimator on the SAME episodes of one frozen policy of CartPole.

Nothing is learned here. A policy is held still, N episodes are played, and each estimator makes
of each episode one gradient; what they differ in is bias and noise, not luck.

The return is undiscounted and nothing is normalised: with γ < 1 full return and reward-to-go have
different means, and normalising would slip a baseline under every estimator. CartPole's step
limit ends the episode, so what is estimated is the gradient of J = E[Σ_{t<500} r_t].

Axes: K estimators, N episodes, T time, P parameters, D observations, H hidden units.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from pgviz import estimators
from pgviz.policies import MLP, Array32, probability
from pgviz.training.config import Config
from pgviz.training.loop import stream
from pgviz.training.rollout import Rollout, collect_episodes
from pgviz.worlds.cartpole import MAX_EPISODE_STEPS, CartPoleEnsemble

Floats = NDArray[np.floating]

GAE_LAMBDA = 0.95
CRITIC_EPISODES = 256
NUM_FEATURES = 64
PART = 1024  # episodes played at once
CHUNK = 16  # episodes of similar length whose gradients are taken at once

ESTIMATORS = ("full-return", "reinforce", "constant", "baseline", "actor-critic", "gae")


@dataclass(frozen=True, eq=False)
class Critic:
    """V̂(s, t): linear in random tanh features of the observation and of the time that is left."""

    inner: Floats
    outer: Floats

    def values(self, obs: Floats, steps: NDArray[np.integer]) -> Floats:
        """V̂ of observations [..., D] at time steps [...]; 0 where the step limit is reached."""
        values = random_features(self.inner, obs, steps) @ self.outer
        return np.where(steps < MAX_EPISODE_STEPS, values, 0.0)


def fitted_critic(rollout: Rollout, rng: np.random.Generator) -> Critic:
    """min Σ_t (G_t − V̂(s_t, t))² + ridge. The bench plays other episodes: no baseline knows them."""
    mask = rollout.mask[0]
    inner = 1.5 * rng.standard_normal((rollout.obs.shape[-1] + 2, NUM_FEATURES))
    returns = estimators.reward_to_go(rollout.rewards[0], 1.0)[mask]
    features = random_features(inner, rollout.obs[0][mask], np.nonzero(mask)[1])
    gram = features.T @ features + 1e-4 * len(returns) * np.eye(NUM_FEATURES + 1)
    return Critic(inner, np.linalg.solve(gram, features.T @ returns))


def random_features(inner: Floats, obs: Floats, steps: NDArray[np.integer]) -> Floats:
    """tanh(inner ᵀ (c ∘ o, time left, 1)) and a constant: observations [..., D] to [..., 65]."""
    left = 1 - np.asarray(steps, np.float64)[..., None] / MAX_EPISODE_STEPS
    one = np.ones_like(left)
    scaled = obs * np.array(MLP().obs_scale)
    return np.concatenate([np.tanh(np.concatenate([scaled, left, one], -1) @ inner), one], -1)


def bench_weights(rollout: Rollout, critic: Critic, constant: float) -> Floats:
    """Ψ of every estimator in ESTIMATORS, [K, N, T], 0 in the padding."""
    mask, rewards = rollout.mask[0], rollout.rewards[0]
    steps = np.broadcast_to(np.arange(mask.shape[1]), mask.shape)
    values = np.where(mask, critic.values(rollout.obs[0], steps), 0.0)
    next_values = np.zeros_like(values)
    next_values[:, :-1] = values[:, 1:]  # 0 at the end: both endings are ends of J
    terminated = rollout.terminated[0] | rollout.truncated[0]
    returns = estimators.reward_to_go(rewards, 1.0)
    psi = np.stack(
        [
            estimators.full_return(rewards, 1.0),
            returns,
            returns - constant,
            returns - values,
            estimators.td_errors(rewards, values, next_values, terminated, 1.0),
            estimators.gae(rewards, values, next_values, terminated, 1.0, GAE_LAMBDA),
        ]
    )
    return np.where(mask, psi, 0.0)


def episode_gradients(policy: MLP, theta: Array32, rollout: Rollout, weights: Floats) -> Array32:
    """Σ_t Ψ_t ∇θ log π(a_t|s_t) of every estimator and episode, [K, N, P].

    The score of a step is an outer product, (a − σ(f)) φ(o) (w₂ ∘ (1 − h²))ᵀ for the first layer, so
    it is computed once, and the sums over time of all estimators are one matrix product per layer.

    Shapes: theta [P], a rollout of ONE seed, weights [K, N, T].
    """
    num_estimators, num_episodes, _ = weights.shape
    gradient = np.empty((num_episodes, num_estimators, policy.num_parameters), np.float32)
    layers = policy.layers(theta[None])
    first, last, bias = policy.layers(gradient.reshape(-1, policy.num_parameters))
    lengths = rollout.mask[0].sum(axis=1)
    for chunk in np.array_split(np.argsort(lengths), -(-num_episodes // CHUNK)):
        steps = lengths[chunk].max()
        features = policy.features(rollout.obs[0, chunk, :steps])
        outputs, hidden = policy.forward(layers, features.reshape(1, -1, features.shape[-1]))
        hidden = hidden.reshape(*features.shape[:2], -1)
        surprise = rollout.actions[0, chunk, :steps] - probability(outputs).reshape(-1, steps)
        scaled = (weights[:, chunk, :steps] * surprise).astype(np.float32).swapaxes(0, 1)
        inner = layers[1][0, :, 0] * (1 - np.square(hidden))
        outer = (scaled[:, :, None] * features.swapaxes(1, 2)[:, None]).reshape(
            len(chunk), -1, steps
        )
        rows = (chunk[:, None] * num_estimators + np.arange(num_estimators)).ravel()
        first[rows] = (outer @ inner).reshape(len(rows), *first.shape[1:])
        last[rows] = (scaled @ hidden).reshape(len(rows), -1, 1)
        bias[rows, 0, 0] = scaled.sum(axis=-1).ravel()
    return gradient.swapaxes(0, 1)


@dataclass(frozen=True, eq=False)
class FrozenPolicy:
    """The policy of one seed at one update, and where its random numbers come from."""

    config: Config
    theta: Array32  # [P]
    seed: int
    update: int

    @property
    def network(self) -> MLP:
        """The policy's architecture."""
        return MLP(hidden=self.config.hidden)

    def play(self, num_episodes: int, part: int) -> Rollout:
        """Episodes from a stream of their own: no two parts share a random number."""
        env = CartPoleEnsemble(num_episodes, 1, autoreset_mode=AutoresetMode.DISABLED)
        numbers = stream(self.config, self.seed, "bench", self.update, part)
        return collect_episodes(env, self.network, self.theta[None], [numbers])

    def critic(self) -> tuple[Critic, float]:
        """A critic fitted on episodes of its own, and their mean return, a constant baseline."""
        rollout = self.play(CRITIC_EPISODES, part=0)
        critic = fitted_critic(rollout, stream(self.config, self.seed, "bench", self.update, 1))
        steps = rollout.mask[0]
        return critic, float(estimators.reward_to_go(rollout.rewards[0], 1.0)[steps].mean())


def bench(policy: FrozenPolicy, num_episodes: int) -> Iterator[Array32]:
    """One gradient per estimator and episode, a part [K, n, P] at a time, N episodes in all."""
    critic, constant = policy.critic()
    for part, begin in enumerate(range(0, num_episodes, PART), start=2):
        rollout = policy.play(min(PART, num_episodes - begin), part)
        weights = bench_weights(rollout, critic, constant)
        yield episode_gradients(policy.network, policy.theta, rollout, weights)
