"""The one-step actor-critic in NumPy: three functions, beside one that is given.

δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t),   ĝ = Σ_t δ_t ∇θ log π(a_t|s_t)

The critic is linear, V̂ = obs @ weights, and used in place of all rewards after the first. The
policy is a softmax whose logits are obs @ theta. Axes: T steps, F numbers in an observation,
A actions.

Check it:  python -m pgviz check actor-critic actor_critic.py
"""

import numpy as np


def probabilities(theta, obs):
    """π(a|s) at every step: theta [F, A], obs [T, F]; the result is [T, A]."""
    logits = obs @ theta
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def td_errors(rewards, values, next_values, terminated, gamma):
    """δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t), where V̂(s_{t+1}) = 0 if the episode terminated.

    rewards, values, next_values and terminated (True or False) are [T]; so is the result.
    """
    following = np.where(terminated, 0.0, next_values)
    return rewards + gamma * following - values


def critic_step(weights, obs, next_obs, rewards, terminated, gamma, learning_rate):
    """One step of semi-gradient descent on ½ mean_t (V̂(s_t) − y_t)²: the new weights.

    The target y_t = r_t + γ V̂(s_{t+1}) is a number by now: its own slope does not count.

    weights [F], obs and next_obs [T, F], rewards and terminated [T]; the result is [F].
    """
    errors = td_errors(rewards, obs @ weights, next_obs @ weights, terminated, gamma)
    return weights + learning_rate * obs.T @ errors / len(errors)


def actor_gradient(theta, obs, actions, td_errors):
    """ĝ = Σ_t δ_t ∇θ log π(a_t|s_t): a sum over the steps, uphill on J.

    theta [F, A], obs [T, F], actions and td_errors [T]; the result is [F, A].
    """
    chosen = np.eye(theta.shape[1])[actions]
    push = chosen - probabilities(theta, obs)
    return obs.T @ (td_errors[:, None] * push)
