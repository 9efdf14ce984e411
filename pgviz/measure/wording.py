"""Training in the toy language towards its exact best policy, many seeds at once.

Axes: S seeds, N sentences of a batch.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.exact import language
from pgviz.exact.language import LENGTH, NUM_TOKENS, START, Floats

METHODS = language.GROUPS
NUM_SEEDS, BATCH, NUM_UPDATES = 4, 64, 240
LEARNING_RATE = 4.0
EVERY = 6  # updates between two looks at all sentences
BASE = NUM_TOKENS ** np.arange(LENGTH - 1, -1, -1)  # a sentence as its row in the list of all


@dataclass(frozen=True)
class Trained:
    """Every EVERY updates, [U, S]: J and the mean reward of the policy, and its KL to the best one."""

    update: NDArray[np.intp]
    objective: Floats
    reward: Floats
    distance: Floats
    best: float


def drawn(log_table: Floats, noise: Floats) -> NDArray[np.intp]:
    """Sentences [S, N, 4] of the models log_table [S, 4, 9, 8], from Gumbel noise [S, N, 4, 8]."""
    seeds = np.arange(len(log_table))[:, None]
    before = np.full(noise.shape[:2], START)
    tokens = []
    for t in range(LENGTH):
        before = (log_table[seeds, t, before] + noise[:, :, t]).argmax(axis=-1)
        tokens.append(before)
    return np.stack(tokens, axis=-1)


def advantages(rewards: Floats, method: str, group: int) -> Floats:
    """r − b for groups of K sentences, [S, N]: b is 0, the mean of the K − 1 others, or of all K."""
    if method == "no baseline":
        return rewards
    groups = rewards.reshape(len(rewards), -1, group)
    centred = groups - groups.mean(axis=-1, keepdims=True)
    if method == "leave one out":
        centred = centred * group / (group - 1)
    return centred.reshape(rewards.shape)


@lru_cache(24)
def train(method: str, group: int, beta: float, rng_seed: int = 0) -> Trained:
    """θ ← θ + α (1/N) Σ (r_i − β log(π/π_ref)(y_i) − b_i) ∇log π(y_i), from the reference model.

    The KL stands in the reward, as a number: nothing is differentiated through it. The model has a
    table for each position, so the best policy for `counting`, which is a Markov chain, is one of
    them.
    """
    log_ref = language.log_probs(language.reference())
    rewards, draw = language.counting(), np.random.default_rng(rng_seed)
    best, top = language.best_policy(rewards, beta, log_ref)
    shape = (NUM_SEEDS, LENGTH, NUM_TOKENS + 1, NUM_TOKENS)
    theta = np.broadcast_to(language.reference(), shape).copy()
    seeds, places = np.arange(NUM_SEEDS)[:, None, None], np.arange(LENGTH)
    told = []
    for update in range(NUM_UPDATES + 1):
        if update % EVERY == 0:
            told.append([looked_at(language.log_probs(t), rewards, beta, best) for t in theta])
        log_table = language.log_softmax(theta)
        noise = draw.gumbel(size=(NUM_SEEDS, BATCH, LENGTH, NUM_TOKENS))
        tokens = drawn(log_table, noise)
        row = tokens @ BASE
        before = np.concatenate([np.full((*row.shape, 1), START), tokens[..., :-1]], axis=-1)
        log_ratio = log_table[seeds, places, before, tokens].sum(axis=-1) - log_ref[row]
        weight = advantages(rewards[row] - beta * log_ratio, method, group) / BATCH
        gradient = np.zeros(shape)
        each = np.broadcast_to(weight[..., None], tokens.shape)
        np.add.at(gradient, (seeds, places, before, tokens), each)
        visited = np.zeros(shape[:-1])
        np.add.at(visited, (seeds, places, before), each)
        gradient -= visited[..., None] * np.exp(log_table)
        theta += LEARNING_RATE * gradient
    objective, reward, distance = np.moveaxis(np.array(told), 2, 0)
    return Trained(np.arange(len(told)) * EVERY, objective, reward, distance, top)


def looked_at(
    log_p: Floats, rewards: Floats, beta: float, best: Floats
) -> tuple[float, float, float]:
    """J, the mean reward and the KL to the best policy, over all sentences."""
    log_ref = language.log_probs(language.reference())
    return (
        language.objective(log_p, rewards, beta, log_ref),
        float(np.exp(log_p) @ rewards),
        language.kl(log_p, best),
    )


def curves(methods: tuple[str, ...], group: int, beta: float, rng_seed: int = 0) -> pd.DataFrame:
    """method, update, distance, objective, reward: means over the seeds."""
    tables = []
    for method in methods:
        found = train(method, group, beta, rng_seed)
        tables.append(
            pd.DataFrame(
                {
                    "method": method,
                    "update": found.update,
                    "distance": found.distance.mean(axis=1),
                    "objective": found.objective.mean(axis=1),
                    "reward": found.reward.mean(axis=1),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
