"""Training that is wrong on purpose; nothing that trains imports this file."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pgviz.training.config import Config
from pgviz.training.gradient import policy_gradient
from pgviz.training.loop import Learners
from pgviz.training.methods import weights
from pgviz.training.optimizer import clipped


def without_the_minus(config: Config, sign: int = -1) -> Iterator[NDArray[np.float64]]:
    """The mean return of each seed, update by update, of an optimiser that goes up the loss of −J.

    - loss = −(Ψ log π).sum() / N
    + loss = (Ψ log π).sum() / N

    Symptom: the return falls as fast as it should rise. Why: what was rewarded is made less likely.
    `sign` +1 puts the minus back: then it is training, update for update (the tests hold it to that).
    """
    learners = Learners(config, list(range(config.num_seeds)))
    for index in range(config.num_updates):
        rollout = learners.collect(index)
        psi = weights(rollout, config)
        gradient, loss = policy_gradient(learners.agent, learners.policy, rollout, psi)
        gradient, norm = clipped(gradient, config.max_grad_norm)
        learners.ascend(sign * gradient)
        learners.record(rollout, pseudo_loss=loss, grad_norm=norm)
        yield learners.snapshot()["episode_return"]
        if not learners.keep_going():
            return
