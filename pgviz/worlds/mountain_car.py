"""MountainCar-v0 and MountainCarContinuous-v0: the same physics as Gymnasium's, in the same order
and precision, for many copies at once.

A state is the position of a car in a valley, −1.2 to .6, and its velocity per step, at most .07;
E environments are [2, E]. Gymnasium steps the continuous one in float32, all but the first step of
an episode; here it is every step, whose results are float64 arrays of numbers that float32 holds.
"""

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from pgviz.worlds.ensemble import Dynamics, Floats, Transition

MAX_EPISODE_STEPS = 200
MAX_EPISODE_STEPS_CONTINUOUS = 999

GRAVITY = 0.0025
FORCE = 0.001
FORCE_CONTINUOUS = 0.0015
LEFT_WALL, RIGHT_WALL = -1.2, 0.6
MAX_SPEED = 0.07
GOAL = 0.5
GOAL_CONTINUOUS = np.float32(0.45)
GOAL_REWARD = 100.0  # continuous
RESET_LOW, RESET_HIGH = -0.6, -0.4

_OBS_LOW = np.array([LEFT_WALL, -MAX_SPEED], np.float32)
_OBS_HIGH = np.array([RIGHT_WALL, MAX_SPEED], np.float32)


def initial_states(stream: np.random.Generator, num_envs: int) -> Floats:
    """At rest, uniform in [−.6, −.4], shape [num_envs, 2], drawn as Gymnasium draws them."""
    states = np.zeros((num_envs, 2))
    states[:, 0] = stream.uniform(RESET_LOW, RESET_HIGH, num_envs)
    return states


def next_state(state: NDArray[np.floating], force: NDArray[np.floating]) -> NDArray[np.floating]:
    """One step, [2, E], in the precision of the state; force [E] is what is added to v.

    v′ = v + force − .0025 cos 3x, cut to ±.07        x′ = x + v′, cut to [−1.2, .6]

    A car that runs into the left wall stops.
    Source: Moore, 1990; operation by operation Gymnasium's mountain cars.
    """
    x, v = state
    slope = np.cos((3 * x).astype(np.float64, copy=False))
    slope *= GRAVITY
    push = force - slope.astype(state.dtype, copy=False)
    push += v
    after = np.empty_like(state)
    np.clip(push, -MAX_SPEED, MAX_SPEED, out=after[1])
    np.add(x, after[1], out=after[0])
    np.clip(after[0], LEFT_WALL, RIGHT_WALL, out=after[0])
    after[1, (after[0] == LEFT_WALL) & (after[1] < 0)] = 0
    return after


def at_goal(state: NDArray[np.floating], goal: float | np.float32) -> NDArray[np.bool_]:
    """The car has come as far as the goal and does not roll back."""
    return (state[0] >= goal) & (state[1] >= 0)


def step(state: Floats, actions: NDArray, _luck: NDArray | None) -> Transition:
    """The next state, a reward of −1, and whether the car is at the goal.

    Actions 0, 1, 2 push to the left, not at all, to the right.
    """
    state[:] = next_state(state, np.subtract(actions, 1.0) * FORCE)
    return state, np.full(state.shape[1], -1.0), at_goal(state, GOAL)


def step_continuous(state: Floats, actions: NDArray, _luck: NDArray | None) -> Transition:
    """The next state, what the action was paid, and whether the car is at the goal.

    Actions, [E] or [E, 1], push with a force in [−1, 1], to which they are cut; the reward is
    100 at the goal − .1 action², of the action before it was cut.
    """
    actions = actions.reshape(state.shape[1]).astype(np.float32, copy=False)
    force = np.clip(actions, -1, 1) * FORCE_CONTINUOUS
    state[:] = next_state(state.astype(np.float32), force)
    terminated = at_goal(state, GOAL_CONTINUOUS)
    rewards: Floats = np.multiply(terminated, GOAL_REWARD)
    rewards -= 0.1 * np.square(actions, dtype=np.float64)
    return state, rewards, terminated


def observe(state: Floats) -> NDArray[np.float32]:
    """The agent sees the state itself: [E, 2]."""
    return state.T.astype(np.float32)


_OBSERVATIONS = Box(_OBS_LOW, _OBS_HIGH, dtype=np.float32)

MOUNTAIN_CAR = Dynamics(
    action_space=Discrete(3),
    observation_space=_OBSERVATIONS,
    start=initial_states,
    step=step,
    observe=observe,
    max_episode_steps=MAX_EPISODE_STEPS,
)

MOUNTAIN_CAR_CONTINUOUS = Dynamics(
    action_space=Box(-1, 1, (1,), np.float32),
    observation_space=_OBSERVATIONS,
    start=initial_states,
    step=step_continuous,
    observe=observe,
    max_episode_steps=MAX_EPISODE_STEPS_CONTINUOUS,
)
