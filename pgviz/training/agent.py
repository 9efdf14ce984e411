"""The networks of a method: its policy and, if its Ψ asks for one, its critic.

Both lie in one row of theta, the policy first: whatever keeps theta keeps the critic too.
Axes: S seeds, P parameters of one seed, D observations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from pgviz.policies import MLP, Array32
from pgviz.training.config import Config
from pgviz.training.optimizer import NONE
from pgviz.worlds.cartpole import MAX_EPISODE_STEPS

VALUE_COEF = 0.5  # the critic's share in a joint loss, as is common
POLICY_LAST_SCALE = 0.01  # of the last layer at birth: π is almost a coin …
CRITIC_LAST_SCALE = 0.1  # … and V̂ has hardly any opinion


@dataclass(frozen=True)
class Agent:
    """A policy π(a|s) and a critic V̂(s), or no critic: two networks that share nothing.

    Unless they are told to share their hidden layer: then W₁ stands twice in a row of theta, begins
    equal and takes equal steps.
    """

    policy: MLP
    critic: MLP | None = None
    shared: bool = False

    @classmethod
    def of(cls, config: Config) -> "Agent":
        """The networks that a configuration asks for."""
        policy = MLP(hidden=config.hidden)
        if not config.has_critic:
            return cls(policy)
        critic = MLP(hidden=config.hidden, output_scale=value_scale(config.gamma))
        return cls(policy, critic, config.share_network)

    def initial_theta(self, streams: Sequence[np.random.Generator]) -> Array32:
        """Seed k from stream k: a policy that is almost a coin, a critic of hardly any opinion."""
        parts = [self.policy.initial_theta(streams, last_scale=POLICY_LAST_SCALE)]
        if self.critic is not None:
            parts.append(self.critic.initial_theta(streams, last_scale=CRITIC_LAST_SCALE))
        if self.shared:
            parts[1][:, self.body] = parts[0][:, self.body]
        return np.concatenate(parts, axis=1)

    @property
    def num_parameters(self) -> int:
        """P, the length of a row of theta."""
        critic = 0 if self.critic is None else self.critic.num_parameters
        return self.policy.num_parameters + critic

    @property
    def body(self) -> slice:
        """Where W₁ lies in the parameters of either network."""
        return slice(0, prod(self.policy.shapes[0]))

    @property
    def copies(self) -> slice:
        """The columns of theta that hold the shared W₁ a second time; none unless it is shared."""
        start = self.policy.num_parameters
        return slice(start, start + self.body.stop) if self.shared else NONE

    def learning_rates(self, config: Config) -> Array32:
        """The step size of every parameter [P]: the policy's, and for the critic's head its own."""
        sizes = self.policy.num_parameters, self.body.stop
        rates = np.full(2 * sizes[0], config.critic_learning_rate, np.float32)
        rates[: sum(sizes)] = config.learning_rate
        return rates

    def joint(self, policy_gradient: Array32, value_gradient: Array32) -> Array32:
        """The gradient of J − ½ loss_V for a row of theta: both pull at the hidden layer they share."""
        parts = policy_gradient.copy(), np.float32(-VALUE_COEF) * value_gradient
        together = parts[0][:, self.body] + parts[1][:, self.body]
        for part in parts:
            part[:, self.body] = together
        return np.concatenate(parts, axis=1)

    def policy_part(self, theta: Array32) -> Array32:
        """A view of the policy's columns of theta [S, P]."""
        return theta[:, : self.policy.num_parameters]

    def critic_part(self, theta: Array32) -> Array32:
        """A view of the critic's columns of theta [S, P]; there are none without a critic."""
        return theta[:, self.policy.num_parameters :]

    def values(self, theta: Array32, obs: Array32) -> Array32:
        """V̂(s) [S, rows] for observations [S, rows, D]; 0 without a critic."""
        if self.critic is None:
            return np.zeros(obs.shape[:-1], np.float32)
        layers = self.critic.layers(self.critic_part(theta))
        return self.critic.forward(layers, self.critic.features(obs))[0]


def value_scale(gamma: float) -> float:
    """Half the value of a pole that never falls: a critic's output of 1, in rewards.

    ½ Σ_{t < 500} γ^t
    """
    return 0.5 * float(np.sum(gamma ** np.arange(MAX_EPISODE_STEPS)))
