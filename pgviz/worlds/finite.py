"""A finite world as an environment: its tables stepped for many copies at once."""

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from pgviz.worlds.ensemble import Dynamics, Floats, Transition
from pgviz.worlds.tabular import TabularMDP


def finite_dynamics(world: TabularMDP, max_episode_steps: int) -> Dynamics:
    """s' is drawn from transitions[s, a]; the agent sees the features of s, and 0 at the end.

    Reaching the world's horizon is an end by its rules, as it is for J. A world without one may be
    endless: an episode is cut after max_episode_steps.
    """
    num_states, num_actions = world.num_states, world.num_actions
    at_the_end = np.zeros((1, num_actions, num_states + 1))
    at_the_end[..., -1] = 1  # whoever goes on stays there and is paid nothing
    until = np.cumsum(np.concatenate([world.transitions, at_the_end]), axis=-1)
    until[..., -1] = 1
    rewards = np.concatenate([world.rewards, np.zeros_like(at_the_end)])
    features = np.zeros((num_states + 1, world.num_features), np.float32)
    features[:-1] = world.features
    until_start = np.cumsum(world.start)
    until_start[-1] = 1

    def start(stream: np.random.Generator, num_envs: int) -> Floats:
        drawn = np.searchsorted(until_start, stream.random(num_envs), side="right")
        return drawn[:, None].astype(float)

    rows = until.reshape(-1, num_states + 1)  # of a state and an action
    paid = rewards.ravel()

    def step(state: Floats, actions: NDArray, luck: NDArray | None) -> Transition:
        assert luck is not None
        row = state[0].astype(np.intp) * num_actions + actions
        there = np.add.reduce(luck[:, None] >= rows.take(row, axis=0), axis=-1)
        return (
            there[None].astype(float),
            paid.take(row * (num_states + 1) + there),
            there == num_states,
        )

    def observe(state: Floats) -> NDArray[np.float32]:
        return features[state[0].astype(np.intp)]

    return Dynamics(
        action_space=Discrete(num_actions),
        observation_space=Box(-np.inf, np.inf, (world.num_features,), np.float32),
        start=start,
        step=step,
        observe=observe,
        max_episode_steps=world.horizon or max_episode_steps,
        limit_ends=world.horizon is not None,
        needs_luck=True,
    )
