"""REINFORCE with a value baseline solves CartPole-v1. Run it: python baseline.py

ĝ = (1/N) Σ_episodes Σ_t (G_t − V̂(s_t)) ∇θ log π(a_t|s_t),   G_t = r_t + r_{t+1} + … + r_T

V̂ is only subtracted. It was fitted to earlier episodes, so it knows nothing of these actions.
Source: Williams, 1992, doi:10.1007/BF00992696, section 4.
"""

import argparse
import time
from collections import deque
from collections.abc import Iterator

import gymnasium
import torch
from torch import Tensor
from torch.distributions import Categorical


def play(env: gymnasium.Env, policy: torch.nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """One episode: observations [T, 4], actions [T] and the rewards [T] that followed them."""
    obs, _ = env.reset()
    seen, actions, rewards, over = [], [], [], False
    while not over:
        seen.append(torch.as_tensor(obs))
        with torch.no_grad():
            actions.append(torch.multinomial(policy(seen[-1]).softmax(-1), 1)[0])  # a ~ π
        obs, reward, terminated, truncated, _ = env.step(actions[-1].item())
        rewards.append(float(reward))
        over = terminated or truncated  # it fell, or stood for 500 steps
    return torch.stack(seen), torch.stack(actions), torch.tensor(rewards)


def reward_to_go(rewards: Tensor) -> Tensor:
    """G_t = r_t + G_{t+1}: the rewards from here to the end, [T]."""
    return rewards.flip(0).cumsum(0).flip(0)


def baseline(
    env: gymnasium.Env,
    policy: torch.nn.Module,
    critic: torch.nn.Module,
    num_episodes: int = 16,
    learning_rate: float = 0.01,
    critic_learning_rate: float = 0.02,
    critic_steps: int = 16,
    max_grad_norm: float = 0.5,
) -> Iterator[list[float]]:
    """Update policy and critic for ever; yields the returns of each update's episodes."""
    optimizer = torch.optim.Adam(policy.parameters(), learning_rate)
    critic_optimizer = torch.optim.Adam(critic.parameters(), critic_learning_rate)
    while True:
        episodes = [play(env, policy) for _ in range(num_episodes)]
        loss = torch.zeros(())
        for obs, actions, rewards in episodes:
            log_probs = Categorical(logits=policy(obs)).log_prob(actions)
            weights = reward_to_go(rewards) - critic(obs)[:, 0].detach()
            loss = loss - (weights * log_probs).sum() / num_episodes
        optimizer.zero_grad()
        loss.backward()  # the gradient of the loss is −ĝ
        torch.nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
        optimizer.step()
        all_obs = torch.cat([obs for obs, _, _ in episodes])
        returns = torch.cat([reward_to_go(r) for *_, r in episodes])
        # Last, so that V̂ had not seen the returns it was subtracted from.
        for _ in range(critic_steps):
            critic_loss = ((critic(all_obs)[:, 0] - returns) ** 2 / 2).mean()
            critic_optimizer.zero_grad()
            critic_loss.backward()
            critic_optimizer.step()
        yield [float(rewards.sum()) for _, _, rewards in episodes]


def main(seed: int = 0, max_steps: int = 2_000_000) -> None:
    """Learn until the last 100 episodes return 475 on average, or until max_steps are spent."""
    torch.set_num_threads(1)  # networks as small as these are faster on one core
    torch.manual_seed(seed)
    env = gymnasium.make("CartPole-v1")
    env.reset(seed=seed)
    policy = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
    critic = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    started, steps, last = time.perf_counter(), 0, deque[float](maxlen=100)
    for update, returns in enumerate(baseline(env, policy, critic), start=1):
        steps += int(sum(returns))  # every step pays 1
        last.extend(returns)
        mean = sum(last) / len(last)
        print(f"update {update}, {steps:,} steps: last {len(last)} episodes returned {mean:.1f}")
        solved = len(last) == 100 and mean >= 475
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
