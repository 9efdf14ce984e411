"""The Ψ's: what multiplies ∇θ log π(a_t|s_t).

Every policy gradient method in this project is one equation,

    ĝ = (1/N) Σ_episodes Σ_t Ψ_t ∇θ log π(a_t|s_t),

and this file holds everything they differ in: one function per Ψ, in the order of the story.

Axes: arrays are [..., T], time last and indexed [..., t]; whatever stands in front (seed,
episode) rides along. rewards[..., t] is what follows actions[..., t]. A row may hold several
episodes one after the other: `episode_over` is True at the last step of each. Without it a row
is one episode, padded with zero rewards after its end. Lists are taken for arrays and 0 and 1 for
flags; all arrays of one call have one shape, or a ValueError says which has not.
"""

import numpy as np
from numpy.typing import NDArray

from pgviz.shapes import same_shape

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]


@same_shape
def full_return(rewards: Floats, gamma: float, episode_over: Bools | None = None) -> Floats:
    """The return of the whole episode, the same at every step.

    Ψ_t = R(τ) = Σ_k γ^k r_k

    Every action is credited with every reward, those it could not have caused included.

    Shapes: rewards, episode_over and the result [..., T].
    Source: Williams, 1992, eq. 11; Sutton & Barto, 2018, section 13.2.
    """
    weights = reward_to_go(rewards, gamma, episode_over)
    if episode_over is None:
        return np.broadcast_to(weights[..., :1], weights.shape).copy()
    for t in range(1, weights.shape[-1]):
        same_episode = ~episode_over[..., t - 1]
        weights[..., t] = np.where(same_episode, weights[..., t - 1], weights[..., t])
    return weights


@same_shape
def reward_to_go(rewards: Floats, gamma: float, episode_over: Bools | None = None) -> Floats:
    """The return from step t on: an action cannot cause the rewards that came before it.

    Ψ_t = G_t = Σ_{k ≥ t} γ^{k−t} r_k

    Shapes: rewards, episode_over and the result [..., T].
    Source: Sutton & Barto, 2018, eq. 3.8 and section 13.3.
    """
    return discounted_sum(rewards, gamma, episode_over)


@same_shape
def baselined_reward_to_go(
    rewards: Floats, values: Floats, gamma: float, episode_over: Bools | None = None
) -> Floats:
    """The reward-to-go minus what the critic expected: it is subtracted, and never believed.

    Ψ_t = G_t − V̂(s_t)

    Any V̂ that has not seen these actions leaves the expectation unchanged, a bad one included.

    Shapes: every array and the result [..., T].
    Source: Williams, 1992, section 4; Sutton & Barto, 2018, section 13.4.
    """
    return reward_to_go(rewards, gamma, episode_over) - values


@same_shape
def td_errors(
    rewards: Floats, values: Floats, next_values: Floats, terminated: Bools, gamma: float
) -> Floats:
    """The TD error: the critic is believed about everything after one step.

    Ψ_t = δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t), and V̂(s_{t+1}) = 0 where the episode terminated

    Only termination removes the bootstrap. A truncated episode would have gone on: there
    next_values holds the value of the final observation, and it counts.

    Shapes: every array and the result [..., T].
    Source: Sutton & Barto, 2018, eq. 6.5 and section 13.5.
    """
    return rewards + gamma * np.where(terminated, 0, next_values) - values


@same_shape
def gae(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    terminated: Bools,
    gamma: float,
    gae_lambda: float,
    episode_over: Bools | None = None,
) -> Floats:
    """Generalised advantage estimation: the reward-to-go of the TD errors.

    Ψ_t = Â_t = Σ_k (γλ)^k δ_{t+k}

    λ = 0 is the TD error. λ = 1 is G_t − V̂(s_t) if the sum runs to termination; cut
    after n steps, by a time limit or the end of the window, it is
    r_t + … + γⁿ V̂(s_{t+n}) − V̂(s_t), and a wrong V̂ biases. `episode_over` (terminated
    or truncated) cuts the sum; None says that episodes end by termination only.

    Shapes: every array and the result [..., T].
    Source: Schulman et al., 2016, arXiv:1506.02438, eq. 16.
    """
    errors = td_errors(rewards, values, next_values, terminated, gamma)
    return discounted_sum(
        errors, gamma * gae_lambda, terminated if episode_over is None else episode_over
    )


@same_shape
def discounted_sum(x: Floats, discount: float, episode_over: Bools | None = None) -> Floats:
    """The one backward recursion of this project; sums never cross the end of an episode.

    X_t = x_t + discount · (1 − over_t) · X_{t+1}

    Shapes: x, episode_over and the result [..., T]; integers are summed as float64.
    """
    total = np.empty(x.shape, np.result_type(x.dtype, np.float32))
    following = np.zeros(x.shape[:-1], total.dtype)
    for t in reversed(range(x.shape[-1])):
        if episode_over is not None:
            following = np.where(episode_over[..., t], 0, following)
        following = x[..., t] + total.dtype.type(discount) * following
        total[..., t] = following
    return total


def discount_factors(gamma: float, num_steps: int) -> Floats:
    """γ^t for t = 0 … T−1: the factor that the theorem puts in front of ∇ log π, shape [T]."""
    return gamma ** np.arange(num_steps)
