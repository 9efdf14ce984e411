"""The methods as one would write them on a blank page: Gymnasium, torch, and nothing of pgviz.

One seed, one environment, no tricks: slow, and short enough to be read at one go. The tests hold
their gradients to those of the engine.
"""

from collections.abc import Iterator

import gymnasium
import torch
from torch.distributions import Categorical


def reinforce(
    env: gymnasium.Env,
    policy: torch.nn.Module,
    learning_rate: float = 0.02,
    num_episodes: int = 16,
    max_grad_norm: float = 0.5,
) -> Iterator[float]:
    """ĝ = (1/N) Σ_episodes Σ_t G_t ∇θ log π(a_t|s_t), γ = 1: the mean return of each update.

    env = gymnasium.make("CartPole-v1")
    policy = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
    for mean_return in reinforce(env, policy):
        print(mean_return)

    Source: Williams, 1992, doi:10.1007/BF00992696.
    """
    optimizer = torch.optim.Adam(policy.parameters(), learning_rate)
    while True:
        loss, total = torch.zeros(()), 0.0
        for _ in range(num_episodes):
            obs, _ = env.reset()
            log_probs, rewards, over = [], [], False
            while not over:  # play one episode
                pi = Categorical(logits=policy(torch.as_tensor(obs)))
                action = pi.sample()
                obs, reward, terminated, truncated, _ = env.step(action.item())
                log_probs.append(pi.log_prob(action))
                rewards.append(float(reward))
                over = terminated or truncated
            total += sum(rewards)
            to_go = 0.0
            for log_prob, reward in zip(reversed(log_probs), reversed(rewards), strict=True):
                to_go += reward  # G_t: the rewards from here to the end
                loss = loss - to_go * log_prob / num_episodes
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
        optimizer.step()
        yield total / num_episodes


def actor_critic(
    env: gymnasium.Env,
    policy: torch.nn.Module,
    critic: torch.nn.Module,
    gae_lambda: float = 0.0,
    gamma: float = 0.99,
    num_steps: int = 512,
    learning_rate: float = 0.01,
    critic_learning_rate: float = 0.03,
    max_grad_norm: float = 0.5,
) -> Iterator[float]:
    """δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t),   Â_t = δ_t + γλ Â_{t+1}: the steps per episode of each update.

    λ = 0 is the one-step actor-critic, Â = δ; λ > 0 is GAE.

    env = gymnasium.make("CartPole-v1")
    policy = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
    critic = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    for steps_per_episode in actor_critic(env, policy, critic, gae_lambda=0.95):
        print(steps_per_episode)

    Source: Schulman et al., 2016, arXiv:1506.02438, equations 11 and 16.
    """
    act = torch.optim.Adam(policy.parameters(), learning_rate)
    judge = torch.optim.Adam(critic.parameters(), critic_learning_rate)
    obs, _ = env.reset()
    while True:
        steps = []
        for _ in range(num_steps):  # play on, across the ends of episodes
            pi, value = (
                Categorical(logits=policy(torch.as_tensor(obs))),
                critic(torch.as_tensor(obs)),
            )
            action = pi.sample()
            obs, reward, terminated, truncated, _ = env.step(action.item())
            with torch.no_grad():  # a fall is worth 0; a time limit is not a fall
                target = reward + gamma * critic(torch.as_tensor(obs)) * (not terminated)
            over = terminated or truncated
            steps.append((pi.log_prob(action), value, target, over))
            if over:
                obs, _ = env.reset()
        advantage = actor_loss = critic_loss = torch.zeros(1)
        for log_prob, value, target, over in reversed(steps):
            td_error = target - value.detach()
            advantage = td_error + gamma * gae_lambda * advantage * (not over)
            actor_loss = actor_loss - advantage * log_prob / num_steps
            y = advantage + value.detach()  # what the critic should have said
            critic_loss = critic_loss + (value - y) ** 2 / 2 / num_steps
        for loss, network, optimizer in (
            (actor_loss, policy, act),
            (critic_loss, critic, judge),
        ):
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
            optimizer.step()
        yield num_steps / max(1, sum(over for *_, over in steps))
