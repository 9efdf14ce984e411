"""A language small enough to list: 8 tokens, sentences of 4 of them, 4,096 sentences in all.

A token is an action, the text so far is the state, and one reward is paid at the end. A model is a
bigram: logits θ[previous token, next token], where row 8 stands before the first token, the same at
every position or, [4, 9, 8], one for each. Everything is a sum over all sentences, so J, KL, the best
policy and every mean are exact.

Axes: Y sentences, P parameters, 9 · 8 or 4 · 9 · 8, K sentences of a group.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NUM_TOKENS, LENGTH = 8, 4
START = NUM_TOKENS  # the previous token of the first one


@cache
def sentences() -> NDArray[np.intp]:
    """All sentences, [Y, 4]."""
    grid = np.meshgrid(*[np.arange(NUM_TOKENS)] * LENGTH, indexing="ij")
    return np.stack(grid, axis=-1).reshape(-1, LENGTH)


@cache
def contexts() -> NDArray[np.intp]:
    """The token before each token of every sentence, [Y, 4]."""
    first = np.full((len(sentences()), 1), START)
    return np.concatenate([first, sentences()[:, :-1]], axis=1)


def reference() -> Floats:
    """The logits of the reference model, [9, 8]: .8 cos(previous + 2 · next)."""
    previous, following = np.arange(NUM_TOKENS + 1)[:, None], np.arange(NUM_TOKENS)
    return 0.8 * np.cos(previous + 2 * following)


def log_softmax(logits: Floats) -> Floats:
    """log π(next | previous), row by row."""
    below = logits - logits.max(axis=-1, keepdims=True)
    return below - np.log(np.exp(below).sum(axis=-1, keepdims=True))


def by_position(theta: Floats) -> Floats:
    """log π(next | previous) at every position, [4, 9, 8]."""
    table = log_softmax(theta)
    return np.broadcast_to(table, (LENGTH, *table.shape[-2:]))


def log_probs(theta: Floats) -> Floats:
    """log π(y) of every sentence, [Y]: the sum over its tokens."""
    return by_position(theta)[np.arange(LENGTH), contexts(), sentences()].sum(axis=1)


def scores(theta: Floats) -> Floats:
    """∇θ log π(y) of every sentence, [Y, P]."""
    rows = np.arange(len(sentences()))
    score = np.zeros((len(rows), LENGTH, NUM_TOKENS + 1, NUM_TOKENS))
    next_probs = np.exp(by_position(theta))
    for t in range(LENGTH):
        before = contexts()[:, t]
        score[rows, t, before, sentences()[:, t]] += 1
        score[rows, t, before] -= next_probs[t, before]
    whole = score if theta.ndim == 3 else score.sum(axis=1)
    return whole.reshape(len(rows), -1)


@cache
def counting() -> Floats:
    """The share of the three neighbours that count upwards, y_i = y_{i−1} + 1 (mod 8), [Y]."""
    y = sentences()
    return ((y[:, 1:] - y[:, :-1]) % NUM_TOKENS == 1).mean(axis=1)


@cache
def divisible() -> Floats:
    """1 where the sum of the tokens is divisible by 5, else 0, [Y]."""
    return (sentences().sum(axis=1) % 5 == 0).astype(float)


@cache
def gold() -> Floats:
    """What is meant by `counting`: the same, but a sentence that only counts says nothing, 0."""
    return np.where(counting() == 1, 0.0, counting())


def kl(log_p: Floats, log_q: Floats) -> float:
    """KL(p ‖ q) = Σ p log(p/q), nats."""
    return float(np.exp(log_p) @ (log_p - log_q))


def objective(log_p: Floats, rewards: Floats, beta: float, log_ref: Floats) -> float:
    """J = E[r] − β KL(π ‖ π_ref)."""
    return float(np.exp(log_p) @ rewards) - beta * kl(log_p, log_ref)


def best_policy(rewards: Floats, beta: float, log_ref: Floats) -> tuple[Floats, float]:
    """log π*(y) with π* ∝ π_ref exp(r/β), and J* = β log Σ π_ref exp(r/β): no policy has a larger J."""
    tilted = log_ref + rewards / beta
    top = tilted.max()
    log_z = top + np.log(np.exp(tilted - top).sum())
    return tilted - log_z, float(beta * log_z)


def gradient(theta: Floats, rewards: Floats, beta: float, log_ref: Floats) -> Floats:
    """∇θ J = E[(r − β log(π/π_ref)) ∇log π], [P]: the mean of β ∇log π is 0."""
    log_p = log_probs(theta)
    return (np.exp(log_p) * (rewards - beta * (log_p - log_ref))) @ scores(theta)


# --- three baselines for a group of K sentences ---

GROUPS = ("no baseline", "leave one out", "group mean")


def group_moments(theta: Floats, rewards: Floats, group: int) -> dict[str, tuple[float, float]]:
    """Of ĝ = (1/K) Σ (r_i − b_i) ∇log π(y_i): its mean as a share of ∇J, and its covariance trace.

    b_i is 0, the mean of the K − 1 others, or the mean of all K. The second is the sample covariance
    of r and ∇log π, the third (1 − 1/K) of it, so their variances follow from moments of one
    sentence: tr = (1/K) [E (r − μ)²‖s‖² − (K−2)/(K−1) ‖∇J‖² + 1/(K−1) Var r E‖s‖²].
    """
    p, score = np.exp(log_probs(theta)), scores(theta)
    squares = np.square(score).sum(axis=1)
    true = float(np.square((p * rewards) @ score).sum())
    mean = p @ rewards
    spread = p @ np.square(rewards - mean)
    plain = (p @ (np.square(rewards) * squares) - true) / group
    centred = p @ (np.square(rewards - mean) * squares)
    others = (
        centred - (group - 2) / (group - 1) * true + spread * (p @ squares) / (group - 1)
    ) / group
    share = 1 - 1 / group
    return {
        GROUPS[0]: (1.0, float(plain)),
        GROUPS[1]: (1.0, float(others)),
        GROUPS[2]: (share, float(share**2 * others)),
    }


def divided_by_spread(success: float, group: int) -> float:
    """E[ĝ] as a share of ∇J where r_i − r̄ is divided by the group's spread, for rewards 0 and 1.

    `success` is P(r = 1). Groups that are all 0 or all 1 give nothing. Of m ones in K the terms are
    (1 − m/K)/√(m/K (1 − m/K)) for each one and −(m/K)/√… for each zero, and
    E[∇log π | r = 1] = ∇p/p, E[∇log π | r = 0] = −∇p/(1 − p).
    """
    m = np.arange(1, group)
    log_choose = np.array([np.log(np.arange(1, group + 1)).sum()] * len(m))
    for each, less in ((m, group - m),):
        log_choose = log_choose - _log_factorial(each) - _log_factorial(less)
    chance = np.exp(log_choose + m * np.log(success) + (group - m) * np.log1p(-success))
    share = m / group
    spread = np.sqrt(share * (1 - share))
    ones, zeros = m / group * (1 - share) / spread, (group - m) / group * share / spread
    return float(chance @ (ones / success + zeros / (1 - success)))


def _log_factorial(n: NDArray[np.intp]) -> Floats:
    return np.array([np.log(np.arange(1, k + 1)).sum() for k in n])


# --- KL as a loss, as an estimate, in the reward ---


def kl_losses(theta: Floats, log_ref: Floats) -> dict[str, Floats]:
    """What autograd gives on average for a loss on samples of π, [P]; log_ratio = log π − log π_ref.

    k1 = log_ratio                     E[∇log π] = 0: nothing
    k2 = ½ log_ratio²                  E[log_ratio ∇log π] = ∇KL(π ‖ π_ref)
    k3 = e^{−log_ratio} − 1 + log_ratio  −E_ref[∇log π] = ∇KL(π_ref ‖ π), the other direction
    In the reward, r − β log_ratio, k1 has the gradient of k2: the right one.
    """
    log_p, score = log_probs(theta), scores(theta)
    p, log_ratio = np.exp(log_p), log_p - log_ref
    weights: dict[str, Floats] = {
        "k1 as a loss": p,
        "k2 as a loss": p * log_ratio,
        "k3 as a loss": p * (1 - np.exp(-log_ratio)),
        "k1 in the reward": p * log_ratio,
    }
    return {name: weight @ score for name, weight in weights.items()}


KL_ESTIMATES: dict[str, Callable[[Floats], Floats]] = {
    "k1 = log π/π_ref": lambda log_ratio: log_ratio,
    "k2 = ½ (log π/π_ref)²": lambda log_ratio: 0.5 * log_ratio**2,
    "k3 = π_ref/π − 1 + log π/π_ref": lambda log_ratio: np.exp(-log_ratio) - 1 + log_ratio,
    "k1, turned round": lambda log_ratio: -log_ratio,
    "k3, turned round": lambda log_ratio: np.exp(log_ratio) - 1 - log_ratio,
}


def kl_estimates(theta: Floats, log_ref: Floats) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of estimates of KL(π ‖ π_ref) from one sentence of π."""
    log_p = log_probs(theta)
    p, log_ratio = np.exp(log_p), log_p - log_ref
    found = {}
    for name, estimate in KL_ESTIMATES.items():
        values = estimate(log_ratio)
        mean = float(p @ values)
        found[name] = (mean, float(np.sqrt(p @ np.square(values - mean))))
    return found
