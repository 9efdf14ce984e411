"""What is shown as written from scratch is the very method that the engine runs."""

from itertools import islice

import gymnasium
import numpy as np
import pytest
import torch

from pgviz import from_scratch
from pgviz.policies import CARTPOLE_OBS_SCALE, MLP
from pgviz.training.config import presets
from pgviz.training.critic import minibatches, value_gradient
from pgviz.training.gradient import policy_gradient
from pgviz.training.methods import weights
from pgviz.training.rollout import Rollout

ENDLESS = float("inf")


class Written(gymnasium.Wrapper):
    """CartPole, and everything that was seen, done and paid in it, episode by episode."""

    def __init__(self, max_episode_steps=500):
        super().__init__(gymnasium.make("CartPole-v1", max_episode_steps=max_episode_steps))
        self.env.reset(seed=3)
        self.episodes = []

    def reset(self, **arguments):
        self.obs, info = super().reset(**arguments)
        self.episodes.append([])
        return self.obs, info

    def step(self, action):
        obs, reward, terminated, truncated, info = super().step(action)
        self.episodes[-1].append((self.obs, action, reward, terminated, terminated or truncated))
        self.obs = obs
        return obs, reward, terminated, truncated, info


class Twin(torch.nn.Module):
    """The engine's network f(o) = w₂ᵀ tanh(W₁ᵀ φ) + b₂ as a torch module: logits 0 and f, or V̂."""

    def __init__(self, theta, as_critic=False):
        super().__init__()
        self.as_critic = as_critic
        self.theta = torch.nn.Parameter(torch.tensor(theta))

    def forward(self, obs):
        features = torch.cat([obs * torch.tensor(CARTPOLE_OBS_SCALE), torch.ones(1)])
        first = self.theta[:160].view(5, 32)
        output = torch.tanh(features @ first) @ self.theta[160:192] + self.theta[192]
        return output[None] if self.as_critic else torch.stack([torch.zeros(()), output])


def network(num_outputs):
    return torch.nn.Sequential(
        torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, num_outputs)
    )


def rollout_of(rows, **more):
    """The engine's record of these rows of (obs, action, reward, terminated, over)."""
    length = max(map(len, rows))
    mask = np.arange(length) < np.array([[len(row)] for row in rows])

    def padded(k, *shape):
        x = np.zeros((1, len(rows), length, *shape), np.float32)
        for n, row in enumerate(rows):
            x[0, n, : len(row)] = [step[k] for step in row]
        return x

    terminated, over = padded(3).astype(bool), padded(4).astype(bool)
    nothing = np.zeros((1, len(rows), length), np.float32)
    record = {
        "obs": padded(0, 4),
        "actions": padded(1).astype(bool),
        "rewards": padded(2),
        "next_obs": padded(0, 4),
        "terminated": terminated,
        "truncated": over & ~terminated,
        "mask": mask[None],
        "logits": nothing,
        "paid_before": nothing[..., 0],
        "values": nothing,
        "next_values": nothing,
    }
    return Rollout(**record | more)


def born():
    """The engine's network, its parameters of one seed, and itself as torch modules."""
    mlp = MLP()
    theta = mlp.initial_theta([np.random.default_rng(5)], 1.0)
    torch.manual_seed(0)
    return mlp, theta


def test_one_update_of_reinforce_has_the_gradient_of_the_engine():
    (mlp, theta), env = born(), Written()
    twin = Twin(theta[0])
    updates = from_scratch.reinforce(env, twin, num_episodes=5, max_grad_norm=ENDLESS)
    mean_return = next(updates)
    assert mean_return == np.mean([len(episode) for episode in env.episodes])
    rollout = rollout_of(env.episodes)
    assert rollout.mask.shape[1] == 5
    psi = weights(rollout, presets["reinforce"])
    gradient, _ = policy_gradient(mlp, theta, rollout, psi)
    np.testing.assert_allclose(-twin.theta.grad.numpy(), gradient[0], rtol=2e-4, atol=2e-3)


@pytest.mark.parametrize("gae_lambda", [0.0, 0.7, 1.0])
def test_one_update_of_the_actor_critic_has_both_gradients_of_the_engine(gae_lambda):
    (mlp, theta), env = born(), Written(max_episode_steps=15)
    actor, judge = Twin(theta[0]), Twin(theta[0], as_critic=True)
    told = []
    judge.register_forward_hook(lambda _, seen, said: told.append(float(said.detach()[0])))
    next(
        from_scratch.actor_critic(
            env, actor, judge, gae_lambda, num_steps=60, max_grad_norm=ENDLESS
        )
    )
    steps = [step for episode in env.episodes for step in episode]
    assert len(steps) == 60
    values, next_values = np.float32(told).reshape(60, 2).T
    rollout = rollout_of([steps], values=values[None, None], next_values=next_values[None, None])
    assert rollout.terminated.any()
    assert rollout.truncated.any()
    config = presets["gae"].replace(gae_lambda=gae_lambda)
    psi = weights(rollout, config)
    gradient, _ = policy_gradient(mlp, theta, rollout, psi)
    np.testing.assert_allclose(-actor.theta.grad.numpy() * 60, gradient[0], rtol=1e-3, atol=1e-3)
    batch = next(minibatches(rollout, psi + rollout.values, [], config.replace(minibatch_size=0)))
    down = value_gradient(mlp, theta, batch)
    np.testing.assert_allclose(judge.theta.grad.numpy(), down[0], rtol=1e-3, atol=1e-4)


def test_reinforce_from_scratch_learns():
    torch.manual_seed(0)
    updates = from_scratch.reinforce(Written(), network(2), num_episodes=6)
    returns = [*islice(updates, 9)]
    assert np.mean(returns[-3:]) > 1.5 * np.mean(returns[:3])


class Enough(Exception):
    """Two updates were printed."""


@pytest.mark.parametrize("function", [from_scratch.reinforce, from_scratch.actor_critic])
def test_what_the_docstring_says_can_be_typed(function):
    example = [line[4:] for line in function.__doc__.splitlines() if line[4:].strip()]
    begin, end = (
        next(i for i, line in enumerate(example) if word in line) for word in ("env =", "print")
    )
    printed = []

    def stop(value):
        printed.append(value)
        if len(printed) == 2:
            raise Enough

    with pytest.raises(Enough):
        exec("\n".join(example[begin : end + 1]), vars(from_scratch) | {"print": stop})
    assert min(printed) > 5
