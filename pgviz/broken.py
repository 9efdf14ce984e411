"""Wrong on purpose: what looks harmless, each with its diff, its symptom and its reason.

Nothing that trains imports this file. Every function has the shapes of its right twin in
`pgviz.estimators`: arrays [..., T], one episode a row unless said, all of them whole.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pgviz.estimators import discounted_sum, gae, reward_to_go, td_errors

if TYPE_CHECKING:
    from pgviz.training import Config

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


def without_the_minus(config: "Config", sign: int = -1) -> Iterator[Floats]:
    """The mean return of each seed, update by update, of an optimiser that goes up the loss of −J.

    - loss = −(Ψ log π).sum() / N
    + loss = (Ψ log π).sum() / N

    Symptom: the return falls as fast as it should rise. Why: what was rewarded is made less likely.
    `sign` +1 puts the minus back: then it is training, update for update (the tests hold it to that).
    """
    from pgviz.training.gradient import policy_gradient
    from pgviz.training.loop import Learners
    from pgviz.training.methods import weights
    from pgviz.training.optimizer import clipped

    learners = Learners(config, list(range(config.num_seeds)))
    for index in range(config.num_updates):
        rollout = learners.collect(index)
        psi = weights(rollout, config)
        gradient, loss = policy_gradient(learners.agent.policy, learners.policy, rollout, psi)
        gradient, norm = clipped(gradient, config.max_grad_norm)
        learners.ascend(sign * gradient)
        learners.record(rollout, pseudo_loss=loss, grad_norm=norm)
        yield learners.snapshot()["episode_return"]
        if not learners.keep_going():
            return
