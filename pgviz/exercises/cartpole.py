"""CartPole for the last check: episodes under a softmax policy that is linear in what it sees."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgviz.exercises.checking import Refused
from pgviz.figures import number
from pgviz.worlds import cartpole

Floats = NDArray[np.floating]
TIME_LIMIT = 200  # steps; an episode that reaches it is truncated
NUM_UPDATES = 20
LEARNED = 150.0  # the mean return that counts as learned; a policy that knows nothing gets 22


class Episode(NamedTuple):
    """One episode; all arrays have a first axis of T steps."""

    obs: Floats
    next_obs: Floats
    actions: NDArray[np.integer]
    rewards: Floats
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


def play(theta: Floats, num_episodes: int, stream: np.random.Generator) -> list[Episode]:
    """Episodes side by side, each until its pole falls or its time is up."""
    state = cartpole.initial_states(stream, num_episodes).T
    seen, acted, ended = [_observed(state)], [], []
    for _ in range(TIME_LIMIT):
        logits = seen[-1] @ theta
        right = 1 / (1 + np.exp(np.clip(logits[:, 0] - logits[:, 1], -500, 500)))
        actions = (stream.random(num_episodes) < right).astype(int)
        state = cartpole.next_state(state, actions)
        seen.append(_observed(state))
        acted.append(actions)
        ended.append(cartpole.out_of_bounds(state))
        if np.any(ended, axis=0).all():
            break
    fallen = np.array(ended)
    return [
        _episode(np.array(seen)[:, i], np.array(acted)[:, i], fallen[:, i])
        for i in range(num_episodes)
    ]


def joined(episodes: list[Episode]) -> Episode:
    """All episodes one after the other, as one stretch."""
    return Episode(*map(np.concatenate, zip(*episodes, strict=True)))


def features(obs: Floats) -> Floats:
    """What a linear critic sees, [T, 7]: 1, how far everything is off, and what moves away."""
    moving_away = obs[:, 0::2] * obs[:, 1::2]
    return np.column_stack([np.ones(len(obs)), obs**2, moving_away])


def uphill(theta: Floats, gradient: Floats, update: int) -> Floats:
    """θ after a step along ĝ; the steps get shorter, so that late noise does not undo it all."""
    length = 1 - update / NUM_UPDATES
    return theta + length * gradient / (np.linalg.norm(gradient) + 1e-8)


def mean_return(episodes: list[Episode]) -> float:
    """Every step pays 1."""
    return float(np.mean([episode.rewards.sum() for episode in episodes]))


def _observed(state: Floats) -> Floats:
    return (state * np.array(cartpole.OBS_SCALE)[:, None]).T


def _episode(obs: Floats, actions: NDArray[np.integer], fallen: NDArray[np.bool_]) -> Episode:
    length = int(np.argmax(fallen)) + 1 if fallen.any() else len(fallen)
    terminated = fallen[:length]
    truncated = np.zeros(length, bool)
    truncated[-1] = not terminated[-1]
    return Episode(
        obs[:length], obs[1 : length + 1], actions[:length], np.ones(length), terminated, truncated
    )


def verdict(theta: Floats, stream: np.random.Generator) -> str:
    """How long the trained policy balances; raises Refused if that is not learned."""
    mean = mean_return(play(theta, 32, stream))
    if mean < LEARNED:
        raise Refused(
            f"CartPole was not learned: 32 episodes return {number(mean)} on average, and"
            f" {number(LEARNED)} of {TIME_LIMIT} are enough."
        )
    return f"32 episodes return {number(mean)} on average, of at most {TIME_LIMIT}"
