"""REINFORCE in NumPy: four functions.

ĝ = (1/N) Σ_episodes Σ_t G_t ∇θ log π(a_t|s_t),   G_t = Σ_{k ≥ t} γ^{k−t} r_k

The policy is a softmax whose logits are obs @ theta. Axes: T steps, F numbers in an observation,
A actions.

Check it:  python -m pgviz check reinforce reinforce.py
"""

import numpy as np


def returns_to_go(rewards, gamma):
    """The return from each step on: G_t = r_t + γ G_{t+1}.

    rewards [T] is one whole episode; the result is [T].
    """
    returns = np.zeros(len(rewards))
    following = 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns


def probabilities(theta, obs):
    """π(a|s) = exp(z_a) / Σ_b exp(z_b) with z = obs @ theta; it must work for logits of 1000, too.

    theta [F, A], obs [F]; the result is [A].
    """
    logits = obs @ theta
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def score(theta, obs, action):
    """∇θ log π(a|s) = s ⊗ (e_a − π(·|s)), where e_a is 1 at the action and 0 elsewhere.

    theta [F, A], obs [F], action a number from 0 to A − 1; the result is [F, A].
    """
    chosen = np.eye(theta.shape[1])[action]
    return np.outer(obs, chosen - probabilities(theta, obs))


def policy_gradient(theta, episodes, gamma):
    """ĝ = (1/N) Σ_episodes Σ_t G_t ∇θ log π(a_t|s_t): uphill on J.

    The theorem for γ < 1 has a γ^t in front of G_t; training leaves it out, and so does this.

    theta [F, A], episodes a list of (obs [T, F], actions [T], rewards [T]); the result is [F, A].
    """
    gradient = np.zeros(theta.shape)
    for obs, actions, rewards in episodes:
        returns = returns_to_go(rewards, gamma)
        for t in range(len(rewards)):
            gradient += returns[t] * score(theta, obs[t], actions[t])
    return gradient / len(episodes)
