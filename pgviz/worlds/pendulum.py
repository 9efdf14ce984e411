"""Pendulum-v1: the same physics as Gymnasium's, in the same order and in float64, for many copies
at once.

A state is θ (radians, 0 is upright, never turned back into one turn) and θ̇ (radians per second);
E environments are [2, E]. The rod is 1 m long and weighs 1 kg.
"""

import math

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from pgviz.worlds.ensemble import Dynamics, Floats, Transition

MAX_EPISODE_STEPS = 200

GRAVITY = 10.0
SECONDS_PER_STEP = 0.05
MAX_RATE = 8.0  # radians per second
MAX_TORQUE = 2.0  # N m
RESET_LIMITS = np.array([math.pi, 1.0])

_OBS_HIGH = np.array([1, 1, MAX_RATE], np.float32)


def initial_states(stream: np.random.Generator, num_envs: int) -> Floats:
    """Uniform in [−π, π] × [−1, 1], shape [num_envs, 2], drawn as Gymnasium draws them."""
    return stream.uniform(-RESET_LIMITS, RESET_LIMITS, (num_envs, 2))


def next_state(state: Floats, torque: NDArray[np.floating], out: Floats | None = None) -> Floats:
    """One Euler step of h = .05 s, the speed first; state [2, E], torque [E] in N m.

    θ̇′ = θ̇ + h (15 sin θ + 3 torque), cut to ±8        θ′ = θ + h θ̇′

    Source: operation by operation Gymnasium's Pendulum-v1.
    """
    angle, rate = state
    after = np.empty_like(state) if out is None else out
    push = np.sin(angle)
    push *= 1.5 * GRAVITY
    push += 3.0 * torque
    push *= SECONDS_PER_STEP
    push += rate
    np.clip(push, -MAX_RATE, MAX_RATE, out=after[1])
    np.add(angle, after[1] * SECONDS_PER_STEP, out=after[0])
    return after


def reward(state: Floats, torque: NDArray[np.floating]) -> Floats:
    """−(θ² + .1 θ̇² + .001 torque²), [E], with θ turned back into [−π, π)."""
    angle, rate = state
    cost = angle + math.pi
    cost %= 2 * math.pi
    cost -= math.pi
    cost *= cost
    cost += 0.1 * np.square(rate)
    cost += 0.001 * np.square(torque)
    return np.negative(cost, out=cost)


def step(state: Floats, actions: NDArray, _luck: NDArray | None) -> Transition:
    """The next state and what the one before it was paid; no state ends an episode.

    Actions, [E] or [E, 1], are torques in N m, cut to ±2.
    """
    torque = np.clip(actions.reshape(state.shape[1]), -MAX_TORQUE, MAX_TORQUE)
    rewards = reward(state, torque)
    return next_state(state, torque, out=state), rewards, np.zeros(state.shape[1], bool)


def observe(state: Floats) -> NDArray[np.float32]:
    """The agent sees cos θ, sin θ, θ̇: [E, 3]."""
    obs = np.empty((3, state.shape[1]), np.float32)
    obs[0] = np.cos(state[0])
    obs[1] = np.sin(state[0])
    obs[2] = state[1]
    return obs.T


PENDULUM = Dynamics(
    action_space=Box(-MAX_TORQUE, MAX_TORQUE, (1,), np.float32),
    observation_space=Box(-_OBS_HIGH, _OBS_HIGH, dtype=np.float32),
    start=initial_states,
    step=step,
    observe=observe,
    max_episode_steps=MAX_EPISODE_STEPS,
)
