"""Wrong on purpose: what looks harmless, each with its diff, its symptom and its reason.

Nothing that trains imports this file. Every function has the shapes of its right twin in
`pgviz.estimators`: arrays [..., T], one episode a row unless said, all of them whole.
"""

import numpy as np
from numpy.typing import NDArray

from pgviz.estimators import discounted_sum, gae, reward_to_go, td_errors

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]


def own_episode_mean(rewards: Floats, gamma: float, mask: NDArray[np.bool_]) -> Floats:
    """The mean is taken over the very returns it is subtracted from.

    - Ψ_t = G_t − b
    + Ψ_t = G_t − mean of this episode's G

    Symptom: the gradient shrinks, or turns. Why: the mean contains what the action caused.
    """
    returns = reward_to_go(rewards, gamma)
    mean = (returns * mask).sum(-1, keepdims=True) / mask.sum(-1, keepdims=True)
    return np.where(mask, returns - mean, 0.0)


def updated_before_use(returns: Floats, baseline: float, rate: float) -> Floats:
    """A running mean b ← (1 − α) b + α G that is moved first and subtracted afterwards.

    - Ψ = G − b;   b ← b + α (G − b)
    + b ← b + α (G − b);   Ψ = G − b

    Symptom: everything is 1 − α times too small. Why: G − b − α (G − b) = (1 − α)(G − b).
    """
    return returns - (baseline + rate * (returns - baseline))


def action_value(returns: Floats, action_values: Floats) -> Floats:
    """A baseline that knows the action: Q(s, a) where V(s) belongs.

    - Ψ_t = G_t − V(s_t)
    + Ψ_t = G_t − Q(s_t, a_t)

    Symptom: nothing is learned. Why: given s and a, what is left has mean 0.
    """
    return returns - action_values


def group_mean_with_self(returns: Floats) -> Floats:
    """The mean of K returns [..., K], the sample's own among them.

    - Ψ_k = R_k − mean of the OTHER returns
    + Ψ_k = R_k − mean of all K returns

    Symptom: the gradient is (K − 1)/K of itself. Why: a K-th of what is subtracted is R_k.
    """
    return returns - returns.mean(axis=-1, keepdims=True)


def truncation_as_termination(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    terminated: Bools,
    truncated: Bools,
    gamma: float,
    gae_lambda: float,
) -> Floats:
    """A time limit is taken for a fall: V̂ of the final observation is thrown away.

    - δ_t = r_t + γ (1 − terminated_t) V̂(s_{t+1}) − V̂(s_t)
    + δ_t = r_t + γ (1 − terminated_t − truncated_t) V̂(s_{t+1}) − V̂(s_t)

    Symptom: the last steps of the best episodes are punished. Why: they would have gone on.
    """
    over = terminated | truncated
    return gae(rewards, values, next_values, over, gamma, gae_lambda)


def leak_across_the_end(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    terminated: Bools,
    gamma: float,
    gae_lambda: float,
) -> Floats:
    """The recursion does not stop at the end of an episode.

    - Â_t = δ_t + γλ (1 − over_t) Â_{t+1}
    + Â_t = δ_t + γλ Â_{t+1}

    Symptom: the end of one episode is praised for the beginning of the next. Why: no cut.
    """
    errors = td_errors(rewards, values, next_values, terminated, gamma)
    return discounted_sum(errors, gamma * gae_lambda)
