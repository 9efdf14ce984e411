"""A frozen policy of CartPole: its episodes, and what every estimator makes of each of them.

Nothing is learned here. A policy is held still, N episodes are played, and each estimator makes
of each episode one gradient; what they differ in is bias and noise, not luck.

The return is undiscounted and nothing is normalised: with γ < 1 full return and reward-to-go have
different means, and normalising would slip a baseline under every estimator. CartPole's step
limit ends the episode, so what is estimated is the gradient of J = E[Σ_{t<500} r_t].

Axes: K estimators, N episodes, T time, M steps, P parameters, D observations, H hidden units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgviz import estimators
from pgviz.networks import MLP, Array32
from pgviz.policies import probability
from pgviz.training.config import Config
from pgviz.worlds.cartpole import MAX_EPISODE_STEPS, initial_states, next_state, out_of_bounds
from pgviz.worlds.world import CARTPOLE_V1

Bools = NDArray[np.bool_]

GAE_LAMBDA = 0.95
CRITIC_EPISODES = 512
NUM_FEATURES = 32
PART = 1024  # episodes played at once; more would not stay in the cache
CHUNK = 16  # episodes of similar length whose gradients are taken at once
PURPOSE = 1000  # of the random streams: training's own purposes are small numbers

ESTIMATORS = ("full-return", "reinforce", "constant", "baseline", "actor-critic", "gae")


@dataclass(frozen=True, eq=False)
class Episodes:
    """N episodes of ONE policy side by side, padded with zeros after their ends.

    features [N, T, D+1] are φ(o_t), surprise [N, T] is a_t − π(right|o_t), mask [N, T].
    """

    features: Array32
    surprise: Array32
    mask: Bools

    @property
    def rewards(self) -> Array32:
        """CartPole pays 1 for every step."""
        return self.mask.astype(np.float32)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each episode, [N]."""
        return self.mask.sum(axis=1)


def play(policy: MLP, theta: Array32, num_episodes: int, numbers: np.random.Generator) -> Episodes:
    """Whole episodes of the policy theta [P]; those that have ended take no more time."""
    layers = policy.layers(theta[None])
    shape = (num_episodes, MAX_EPISODE_STEPS)
    features = np.zeros((*shape, len(policy.obs_scale) + 1), np.float32)
    surprise = np.zeros(shape, np.float32)
    lengths = np.zeros(num_episodes, np.int64)
    state = np.ascontiguousarray(initial_states(numbers, num_episodes).T)
    alive = np.arange(num_episodes)
    for t in range(MAX_EPISODE_STEPS):
        here = policy.features(state.T.astype(np.float32))
        right = probability(policy.forward(layers, here[None])[0][0])
        actions = numbers.random(len(alive), np.float32) < right
        features[alive, t] = here
        surprise[alive, t] = actions - right
        lengths[alive] = t + 1
        next_state(state, actions, out=state)
        over = out_of_bounds(state)
        if over.any():
            alive, state = alive[~over], np.ascontiguousarray(state[:, ~over])
            if not len(alive):
                break
    steps = lengths.max()
    mask = np.arange(steps) < lengths[:, None]
    return Episodes(features[:, :steps], surprise[:, :steps], mask)


@dataclass(frozen=True, eq=False)
class Critic:
    """V̂(s, t): linear in random tanh features of the observation and of the time that is left."""

    inner: Array32
    outer: Array32

    def values(self, features: Array32, steps: NDArray[np.integer]) -> Array32:
        """V̂ of φ(o) [M, D+1] at time steps [M]."""
        return random_features(self.inner, features, steps) @ self.outer


def fitted_critic(episodes: Episodes, numbers: np.random.Generator) -> Critic:
    """min Σ_t (G_t − V̂(s_t, t))² + ridge. The bench plays other episodes: no baseline knows them."""
    mask = episodes.mask
    num_inputs = episodes.features.shape[-1] + 1
    inner = 1.5 * numbers.standard_normal((num_inputs, NUM_FEATURES)).astype(np.float32)
    returns = estimators.reward_to_go(episodes.rewards, 1.0)[mask].astype(np.float64)
    features = random_features(inner, episodes.features[mask], np.nonzero(mask)[1])
    gram = features.T.astype(np.float64) @ features
    gram += 1e-4 * len(returns) * np.eye(NUM_FEATURES + 1)
    outer = np.linalg.solve(gram, features.T @ returns)
    return Critic(inner, outer.astype(np.float32))


def random_features(inner: Array32, features: Array32, steps: NDArray[np.integer]) -> Array32:
    """tanh(inner ᵀ (φ(o), time left)) and a constant: [M, D+1] to [M, 33]."""
    seen = np.empty((len(features), NUM_FEATURES + 1), np.float32)
    left = (1 - steps / MAX_EPISODE_STEPS).astype(np.float32)
    hidden = features @ inner[:-1]
    hidden += left[:, None] * inner[-1]
    np.tanh(hidden, out=seen[:, :-1])
    seen[:, -1] = 1
    return seen


def psi(episodes: Episodes, critic: Critic, constant: float, names: Sequence[str]) -> Array32:
    """Ψ of the named estimators, [K, N, T], 0 in the padding."""
    mask, rewards = episodes.mask, episodes.rewards
    values = np.zeros(mask.shape, np.float32)
    values[mask] = critic.values(episodes.features[mask], np.nonzero(mask)[1])
    next_values = np.zeros_like(values)
    next_values[:, :-1] = values[:, 1:]  # 0 at the end: the step limit is an end of J too
    returns = estimators.reward_to_go(rewards, 1.0)
    never = np.zeros_like(mask)
    weights = {
        "full-return": lambda: np.broadcast_to(returns[:, :1], mask.shape),
        "reinforce": lambda: returns,
        "constant": lambda: returns - np.float32(constant),
        "baseline": lambda: returns - values,
        "actor-critic": lambda: estimators.td_errors(rewards, values, next_values, never, 1.0),
        "gae": lambda: estimators.gae(rewards, values, next_values, never, 1.0, GAE_LAMBDA),
    }
    return np.stack([np.where(mask, weights[name](), np.float32(0)) for name in names])


def episode_gradients(policy: MLP, theta: Array32, episodes: Episodes, weights: Array32) -> Array32:
    """Σ_t Ψ_t ∇θ log π(a_t|s_t) of every estimator and episode, [K, N, P].

    The score of a step is an outer product, (a − σ(f)) φ(o) (w₂ ∘ (1 − h²))ᵀ for the first layer, so
    it is computed once, and the sums over time of all estimators are one matrix product per layer.

    Shapes: theta [P], weights [K, N, T].
    """
    num_estimators, num_episodes, _ = weights.shape
    gradient = np.empty((num_episodes, num_estimators, policy.num_parameters), np.float32)
    layers = policy.layers(theta[None])
    first, last, bias = policy.layers(gradient.reshape(-1, policy.num_parameters))
    lengths = episodes.lengths
    for chunk in np.array_split(np.argsort(lengths), -(-num_episodes // CHUNK)):
        steps = lengths[chunk].max()
        features = episodes.features[chunk, :steps]
        _, hidden = policy.forward(layers, features.reshape(1, -1, features.shape[-1]))
        hidden = hidden.reshape(*features.shape[:2], -1)
        scaled = weights[:, chunk, :steps] * episodes.surprise[chunk, :steps]
        scaled = scaled.swapaxes(0, 1)
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
    """The policy of one seed at one update of a recording, and where its random numbers come from.

    A row of theta may hold more than the policy, a critic for example: the policy comes first.
    """

    config: Config
    theta: Array32
    seed: int
    update: int

    @property
    def network(self) -> MLP:
        """The policy's architecture."""
        return MLP(CARTPOLE_V1.obs_scale, self.config.hidden)

    @property
    def policy_theta(self) -> Array32:
        """The policy's own parameters, [P]."""
        return np.ascontiguousarray(self.theta[: self.network.num_parameters])

    def numbers(self, part: int) -> np.random.Generator:
        """A stream of its own for each part: no two share a random number."""
        key = (self.seed, PURPOSE, self.update, part)
        return np.random.default_rng(np.random.SeedSequence(self.config.rng_seed, spawn_key=key))

    def play(self, num_episodes: int, part: int) -> Episodes:
        """Episodes from the stream of this part."""
        return play(self.network, self.policy_theta, num_episodes, self.numbers(part))

    def critic(self) -> tuple[Critic, float]:
        """A critic fitted on episodes of its own, and their mean G_t, a constant baseline."""
        episodes = self.play(CRITIC_EPISODES, part=0)
        returns = estimators.reward_to_go(episodes.rewards, 1.0)[episodes.mask]
        return fitted_critic(episodes, self.numbers(1)), float(returns.mean(dtype=np.float64))

    def gradients(
        self, num_episodes: int, first_part: int = 2, names: Sequence[str] = ESTIMATORS
    ) -> Iterator[Array32]:
        """One gradient per estimator and episode, a part [K, n, P] at a time, N episodes in all."""
        critic, constant = self.critic()
        for part, begin in enumerate(range(0, num_episodes, PART), start=first_part):
            episodes = self.play(min(PART, num_episodes - begin), part)
            weights = psi(episodes, critic, constant, names)
            yield episode_gradients(self.network, self.policy_theta, episodes, weights)
