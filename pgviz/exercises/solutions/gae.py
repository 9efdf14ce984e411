"""Generalised advantage estimation in NumPy: two functions, beside one that is given.

δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t),   Â_t = δ_t + γλ Â_{t+1} within an episode

A stretch of T steps may hold several episodes, one after the other, and may end in the middle of
one. Source: Schulman et al., 2016, arXiv:1506.02438.

Check it:  python -m pgviz check gae gae.py
"""

import numpy as np


def td_errors(rewards, values, next_values, terminated, gamma):
    """δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t), where V̂(s_{t+1}) = 0 if the episode terminated, [T]."""
    return rewards + gamma * np.where(terminated, 0.0, next_values) - values


def gae(rewards, values, next_values, terminated, truncated, gamma, gae_lambda):
    """Â_t = Σ_k (γλ)^k δ_{t+k}; the sum stops where an episode ends.

    Termination is worth 0. A truncated episode would have gone on: V̂ of its last observation,
    which stands in next_values, counts, but nothing of the next episode does.

    rewards, values, next_values, terminated and truncated (True or False) are [T]; so is the
    result.
    """
    deltas = td_errors(rewards, values, next_values, terminated, gamma)
    episode_over = terminated | truncated
    advantages = np.zeros(len(rewards))
    following = 0.0
    for t in reversed(range(len(rewards))):
        if episode_over[t]:
            following = 0.0
        following = deltas[t] + gamma * gae_lambda * following
        advantages[t] = following
    return advantages


def value_targets(advantages, values):
    """What V̂ should have said: returns = Â + V̂, all of them [T]."""
    return advantages + values
