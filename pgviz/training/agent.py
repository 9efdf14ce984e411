"""The networks of a method: its policy and, if its Ψ asks for one, its critic.

Both lie in one row of theta, the policy first: whatever keeps theta keeps the critic too.
Axes: S seeds, P parameters of one seed, O numbers of an observation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from pgviz.networks import MLP, Array32, Head, Linear, Network
from pgviz.policies import Gaussian, Policy, Softmax, TwoActions
from pgviz.training.config import Config
from pgviz.worlds.world import World, find

VALUE_COEF = 0.5  # the critic's share in a joint loss, as is common
POLICY_LAST_SCALE = 0.01  # of the last layer at birth: π is almost a coin …
CRITIC_LAST_SCALE = 0.1  # … and V̂ has hardly any opinion


@dataclass(frozen=True)
class Agent:
    """A policy π(a|s) and a critic V̂(s), or no critic: two networks that share nothing.

    Unless `shared` is the network whose heads they are: then they share its hidden layer.
    A policy that is linear in the features of a finite world begins at `start`, that world's θ.
    """

    policy: Network
    critic: Network | None = None
    distribution: Policy = field(default_factory=TwoActions)
    shared: MLP | None = None
    start: tuple[float, ...] = ()

    @classmethod
    def of(cls, config: Config) -> "Agent":
        """The networks that a configuration asks for."""
        world = find(config.world)
        distribution = kind_of_policy(world)
        outputs = distribution.output_shape
        if world.linear:
            policy = Linear(len(world.obs_scale), outputs)
            value = Linear(len(world.obs_scale)) if config.has_critic else None
            return cls(policy, value, distribution, start=first_theta(config, world))
        scale = value_scale(world, config.gamma)
        size = world.obs_scale, config.hidden
        if config.share_network:
            num_logits = prod(outputs)
            both = MLP(*size, (num_logits + 1,), (1.0,) * num_logits + (scale,))
            which = slice(0, num_logits) if outputs else 0
            return cls(Head(both, which), Head(both, num_logits), distribution, both)
        network = MLP(*size, outputs, num_constant=distribution.num_constant)
        value_network = MLP(*size, output_scale=scale) if config.has_critic else None
        return cls(network, value_network, distribution)

    def initial_theta(self, streams: Sequence[np.random.Generator]) -> Array32:
        """Seed k from stream k: a policy that is almost a coin, a critic of hardly any opinion."""
        if self.shared is not None:
            *logits, _ = self.shared.output_scale  # type: ignore[misc]
            scales = [POLICY_LAST_SCALE] * len(logits) + [CRITIC_LAST_SCALE]
            return self.shared.initial_theta(streams, scales)
        theta = np.zeros((len(streams), self.num_parameters), np.float32)
        if self.start:
            self.policy_part(theta)[:] = self.start
        if isinstance(self.policy, MLP):
            self.policy_part(theta)[:] = self.policy.initial_theta(streams, POLICY_LAST_SCALE)
        if isinstance(self.critic, MLP):
            self.critic_part(theta)[:] = self.critic.initial_theta(streams, CRITIC_LAST_SCALE)
        return theta

    @property
    def num_parameters(self) -> int:
        """P, the length of a row of theta."""
        if self.shared is not None:
            return self.shared.num_parameters
        critic = 0 if self.critic is None else self.critic.num_parameters
        return self.policy.num_parameters + critic

    def learning_rates(self, config: Config) -> Array32:
        """The step size of every parameter [P] of a shared network: its value has its own."""
        assert self.shared is not None
        rates = np.full((1, self.num_parameters), config.learning_rate, np.float32)
        _, last, bias = self.shared.layers(rates)
        last[..., -1] = bias[..., -1] = config.critic_learning_rate
        return rates[0]

    def policy_part(self, theta: Array32) -> Array32:
        """A view of the policy's columns of theta [S, P]; all of them, if it shares its network."""
        return theta[:, : self.policy.num_parameters]

    def critic_part(self, theta: Array32) -> Array32:
        """A view of the critic's columns of theta [S, P]; there are none without a critic."""
        return theta if self.shared is not None else theta[:, self.policy.num_parameters :]

    def log_prob(self, policy_theta: Tensor, obs: Tensor, actions: Tensor) -> Tensor:
        """log π(a|s) [S, rows], differentiable: policy_theta [S, P], obs [S, rows, O]."""
        return self.distribution.log_prob(self.policy(policy_theta, obs), actions)

    def value(self, critic_theta: Tensor, obs: Tensor) -> Tensor:
        """V̂(s) [S, rows], differentiable; there must be a critic."""
        assert self.critic is not None
        return self.critic(critic_theta, obs)

    def values(self, theta: Array32, obs: Array32) -> Array32:
        """V̂(s) [S, rows] for observations [S, rows, O]; 0 without a critic."""
        if self.critic is None:
            return np.zeros(obs.shape[:-1], np.float32)
        layers = self.critic.layers(self.critic_part(theta))
        return self.critic.forward(layers, self.critic.features(obs))[0]


def kind_of_policy(world: World) -> Policy:
    """How actions are drawn in a world.

    A finite world's θ has a column for each action; elsewhere two actions need one output only.
    """
    space = world.action_space
    if isinstance(space, Discrete):
        return TwoActions() if space.n == 2 and not world.linear else Softmax(int(space.n))
    assert isinstance(space, Box)
    low, high = (tuple(x.astype(float).ravel().tolist()) for x in (space.low, space.high))
    return Gaussian(low, high)


def first_theta(config: Config, world: World) -> tuple[float, ...]:
    """Where a policy that is linear in features begins: at initial_theta, or at the world's own θ."""
    if config.initial_theta:
        return tuple(float(x) for x in config.initial_theta.split(","))
    return () if world.table is None else tuple(world.table.theta.ravel().tolist())


def value_scale(world: World, gamma: float) -> float:
    """Half of what the longest episode is worth: a critic's output of 1, in rewards.

    On CartPole ½ Σ_{t < 500} γ^t, half the value of a pole that never falls.
    """
    return 0.5 * world.horizon_value(gamma)
