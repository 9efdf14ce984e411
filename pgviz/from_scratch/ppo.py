"""PPO solves CartPole-v1. Run it: python ppo.py

L(θ) = (1/M) Σ min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â),   ρ = π_θ(a|s) / π_old(a|s)

Â is GAE's. M steps make a minibatch; each window of T steps of N environments is used for several
epochs. At ρ = 1 the gradient of L is the mean of Â ∇θ log π(a|s).
Source: Schulman et al., 2017, arXiv:1707.06347, equation 7 and algorithm 1.
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


def ppo_loss(ratios: Tensor, advantages: Tensor, clip_coef: float) -> Tensor:
    """−L: where a ratio has passed 1 ± ε in the direction of Â, its gradient is 0."""
    clipped = torch.clip(ratios, 1 - clip_coef, 1 + clip_coef)
    return -torch.min(ratios * advantages, clipped * advantages).mean()


def ppo(
    envs: gymnasium.vector.VectorEnv,
    policy: torch.nn.Module,
    critic: torch.nn.Module,
    gae_lambda: float = 0.95,
    gamma: float = 0.99,
    num_steps: int = 64,
    clip_coef: float = 0.2,
    update_epochs: int = 4,
    num_minibatches: int = 4,
    learning_rate: float = 0.003,
    critic_learning_rate: float = 0.01,
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
        window = (torch.as_tensor(np.stack(x)) for x in zip(*steps, strict=True))
        seen, acted, paid_now, seen_next, fell, ended, real = window
        with torch.no_grad():  # what is learned from stands still while θ moves
            values = critic(seen)[..., 0]
            next_values = critic(seen_next)[..., 0] * ~fell
            td_errors = paid_now.float() + gamma * next_values - values
            advantages = gae(td_errors, ended, gamma * gae_lambda)
            targets = advantages + values
            old = Categorical(logits=policy(seen)).log_prob(acted)
        batch = [x[real] for x in (seen, acted, advantages, targets, old)]
        batch[2] = (batch[2] - batch[2].mean()) / (batch[2].std(correction=0) + 1e-8)
        for _ in range(update_epochs):
            for rows in torch.randperm(len(batch[0])).tensor_split(num_minibatches):
                obs_, actions_, psi, y, old_ = (x[rows] for x in batch)
                log_probs = Categorical(logits=policy(obs_)).log_prob(actions_)
                loss = ppo_loss(torch.exp(log_probs - old_), psi, clip_coef)
                critic_loss = ((critic(obs_)[..., 0] - y) ** 2 / 2).mean()
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
                optimizer.step()
                critic_optimizer.zero_grad()
                critic_loss.backward()
                critic_optimizer.step()
        yield int(real.sum()), returns


def main(seed: int = 0, max_steps: int = 2_000_000) -> None:
    """Learn until the last 100 episodes return 475 on average, or until max_steps are spent."""
    torch.set_num_threads(1)  # networks as small as these are faster on one core
    torch.manual_seed(seed)
    envs = gymnasium.make_vec("CartPole-v1", num_envs=16)
    policy = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
    critic = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    started, steps, last = time.perf_counter(), 0, deque[float]([0.0], maxlen=100)
    for update, (num_steps, returns) in enumerate(ppo(envs, policy, critic, seed=seed), start=1):
        steps += num_steps
        last.extend(returns)
        mean = sum(last) / len(last)
        solved = len(last) == 100 and mean >= 475
        if update % 20 == 0 or solved:
            returned = f"last {len(last)} episodes returned {mean:.1f}"
            print(f"update {update}, {steps:,} steps: {returned}")
        if solved or steps >= max_steps:
            break
    seconds = time.perf_counter() - started
    print(f"seed {seed}: {'solved' if solved else 'not solved'} after {seconds:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    options, _ = parser.parse_known_args()  # a notebook has arguments of its own
    if options.seed < 0:
        parser.error("--seed must be 0 or more")
    main(options.seed)
