"""The actor-critic and GAE solve CartPole-v1. Run it: python actor_critic.py --gae-lambda 0.95

δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t),   Â_t = δ_t + γλ Â_{t+1}
ĝ = (1/N) Σ_windows Σ_t Â_t ∇θ log π(a_t|s_t)

λ = 0 is the one-step actor-critic, Â = δ; λ > 0 is GAE. A window is T steps of one environment.
Source: Schulman et al., 2016, arXiv:1506.02438, equations 11 and 16.
"""

import argparse
import time
from collections import deque
from collections.abc import Iterator

import gymnasium
import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical


def gae(td_errors: Tensor, over: Tensor, discount: float) -> Tensor:
    """Â_t = δ_t + γλ Â_{t+1}, summed backwards and never across the end of an episode, [T, N]."""
    advantages, following = torch.zeros_like(td_errors), torch.zeros(td_errors.shape[1])
    for t in reversed(range(len(td_errors))):
        following = td_errors[t] + discount * following * ~over[t]
        advantages[t] = following
    return advantages


def actor_critic(
    envs: gymnasium.vector.VectorEnv,
    policy: torch.nn.Module,
    critic: torch.nn.Module,
    gae_lambda: float = 0.0,
    gamma: float = 0.99,
    num_steps: int = 16,
    learning_rate: float = 0.005,
    critic_learning_rate: float = 0.03,
    max_grad_norm: float = 0.5,
    seed: int = 0,
) -> Iterator[tuple[int, list[float]]]:
    """Update both for ever; yields the steps of each update and the returns of what ended in it."""
    optimizer = torch.optim.Adam(policy.parameters(), learning_rate)
    critic_optimizer = torch.optim.Adam(critic.parameters(), critic_learning_rate)
    obs, _ = envs.reset(seed=seed)
    resets, paid = np.zeros(envs.num_envs, bool), np.zeros(envs.num_envs)
    while True:
        steps, returns = [], []
        for _ in range(num_steps):  # play on, across the ends of episodes
            with torch.no_grad():
                actions = Categorical(logits=policy(torch.as_tensor(obs))).sample()
            next_obs, rewards, terminated, truncated, _ = envs.step(actions.numpy())
            over = terminated | truncated
            # The step after an end only resets: nobody acted, so it is left out below.
            steps.append((obs, actions, rewards, next_obs, terminated, over, ~resets))
            paid += rewards
            returns += paid[over].tolist()
            paid[over] = 0
            obs, resets = next_obs, over
        window = [torch.as_tensor(np.stack(x)) for x in zip(*steps, strict=True)]
        seen, acted, paid_now, seen_next, fell, ended, real = window
        values = critic(seen)[..., 0]
        with torch.no_grad():  # a fall is worth 0; a time limit is no fall, so V̂ counts there
            next_values = critic(seen_next)[..., 0] * ~fell
        td_errors = paid_now.float() + gamma * next_values - values.detach()
        advantages = gae(td_errors, ended, gamma * gae_lambda)
        targets = advantages + values.detach()  # what the critic should have said
        log_probs = Categorical(logits=policy(seen)).log_prob(acted)
        loss = -(advantages * log_probs)[real].sum() / envs.num_envs
        critic_loss = ((values - targets) ** 2 / 2)[real].mean()
        optimizer.zero_grad()
        loss.backward()  # the gradient of the loss is −ĝ
        torch.nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
        optimizer.step()
        critic_optimizer.zero_grad()
        critic_loss.backward()
        critic_optimizer.step()
        yield int(real.sum()), returns


def main(seed: int = 0, gae_lambda: float = 0.0, max_steps: int = 2_000_000) -> None:
    """Learn until the last 100 episodes return 475 on average, or until max_steps are spent."""
    torch.set_num_threads(1)  # networks as small as these are faster on one core
    torch.manual_seed(seed)
    envs = gymnasium.make_vec("CartPole-v1", num_envs=32)
    policy = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
    critic = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    started, steps, last = time.perf_counter(), 0, deque[float]([0.0], maxlen=100)
    updates = actor_critic(envs, policy, critic, gae_lambda, seed=seed)
    for update, (num_steps, returns) in enumerate(updates, start=1):
        steps += num_steps
        last.extend(returns)
        mean = sum(last) / len(last)
        solved = len(last) == 100 and mean >= 475
        if update % 20 == 0 or solved:
            print(
                f"update {update}, {steps:,} steps: last {len(last)} episodes returned {mean:.1f}"
            )
        if solved or steps >= max_steps:
            break
    seconds = time.perf_counter() - started
    print(f"seed {seed}: {'solved' if solved else 'not solved'} after {seconds:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gae-lambda", type=float, default=0.0)
    options, _ = parser.parse_known_args()  # a notebook has arguments of its own
    if options.seed < 0:
        parser.error("--seed must be 0 or more")
    if not 0 <= options.gae_lambda <= 1:
        parser.error("--gae-lambda must lie in [0, 1]")
    main(options.seed, options.gae_lambda)
