"""REINFORCE with a value baseline in NumPy: two functions, beside one that is given.

ĝ = (1/N) Σ_episodes Σ_t (G_t − V̂(s_t)) ∇θ log π(a_t|s_t)

The critic is linear, V̂ = obs @ weights. It is subtracted, and never believed. Axes: T steps, F
numbers in an observation.

Check it:  python -m pgviz check baseline baseline.py
"""

import numpy as np


def returns_to_go(rewards, gamma):
    """The return from each step on: G_t = r_t + γ G_{t+1}, [T]."""
    returns = np.zeros(len(rewards))
    following = 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns


def advantages(rewards, values, gamma):
    """How much better it went than V̂ expected: G_t − V̂(s_t).

    rewards [T] is one whole episode, values [T] what V̂ says at each of its steps; the result is
    [T].
    """
    return returns_to_go(rewards, gamma) - values


def value_step(weights, obs, returns, learning_rate):
    """One step of gradient descent on ½ mean_t (V̂(s_t) − G_t)²: the new weights.

    weights [F], obs [T, F], returns [T]; the result is [F].
    """
    errors = obs @ weights - returns
    gradient = obs.T @ errors / len(returns)
    return weights - learning_rate * gradient
