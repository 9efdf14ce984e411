"""CartPole-v1: the same physics as Gymnasium's, in the same order and in float64, so that
transitions are equal to the last bit, for many copies at once.

A state is x, ẋ, angle, angular velocity; E environments are [4, E].
"""

import math

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from pgviz.worlds.ensemble import Dynamics, Ensemble, Transition

ENV_ID = "pgviz/CartPole-v1"
MAX_EPISODE_STEPS = 500
OBS_SCALE = (1 / 2.4, 1 / 2, 1 / 0.2095, 1 / 2)  # their size when an episode is about to end

GRAVITY = 9.8
MASS_POLE = 0.1
TOTAL_MASS = MASS_POLE + 1.0
HALF_LENGTH = 0.5  # metres: the distance from the joint to the pole's centre of mass
POLE_MASS_LENGTH = MASS_POLE * HALF_LENGTH
FORCE = 10.0  # newtons
SECONDS_PER_STEP = 0.02
X_LIMIT = 2.4  # metres
ANGLE_LIMIT = 12 * 2 * math.pi / 360  # radians
RESET_LIMIT = 0.05
LIMITS = np.array([[X_LIMIT], [ANGLE_LIMIT]])
POSITIONS, VELOCITIES = np.s_[0::2], np.s_[1::2]  # rows of a state: x, ẋ, angle, its rate

_OBS_HIGH = np.array([2 * X_LIMIT, np.inf, 2 * ANGLE_LIMIT, np.inf], np.float32)


def initial_states(stream: np.random.Generator, num_envs: int) -> NDArray[np.float64]:
    """Uniform in [−.05, .05]⁴, shape [num_envs, 4], drawn as Gymnasium draws them."""
    return stream.uniform(-RESET_LIMIT, RESET_LIMIT, (num_envs, 4))


def next_state(
    state: NDArray[np.float64],
    actions: NDArray[np.integer] | NDArray[np.bool_],
    out: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """One Euler step of .02 s; state rows are x, ẋ, angle, angular velocity, shape [4, …].

    Source: Barto, Sutton & Anderson, 1983; operation by operation Gymnasium's CartPole-v1.
    """
    angle, angle_dot = state[2], state[3]
    force = np.where(actions, FORCE, -FORCE)
    cos, sin = np.cos(angle), np.sin(angle)
    push = (force + POLE_MASS_LENGTH * np.square(angle_dot) * sin) / TOTAL_MASS
    change = np.empty_like(state)  # per second
    change[POSITIONS] = state[VELOCITIES]
    angle_acc = np.divide(
        GRAVITY * sin - cos * push,
        HALF_LENGTH * (4.0 / 3.0 - MASS_POLE * np.square(cos) / TOTAL_MASS),
        out=change[3],
    )
    np.subtract(push, POLE_MASS_LENGTH * angle_acc * cos / TOTAL_MASS, out=change[1])
    return np.add(state, SECONDS_PER_STEP * change, out=out)


def out_of_bounds(state: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The pole fell (12°) or the cart left the track (2.4 m)."""
    off_track, fallen = np.abs(state[POSITIONS]) > LIMITS
    return off_track | fallen


def step(state: NDArray[np.float64], actions: NDArray, _luck: NDArray | None) -> Transition:
    """The next state, a reward of 1, and whether the pole has fallen or the cart has left."""
    next_state(state, actions, out=state)
    return state, np.ones(state.shape[1]), out_of_bounds(state)


def observe(state: NDArray[np.float64]) -> NDArray[np.float32]:
    """The agent sees the state itself."""
    return state.T.astype(np.float32)


CARTPOLE = Dynamics(
    action_space=Discrete(2),
    observation_space=Box(-_OBS_HIGH, _OBS_HIGH, dtype=np.float32),
    start=initial_states,
    step=step,
    observe=observe,
    max_episode_steps=MAX_EPISODE_STEPS,
)


class CartPoleEnsemble(Ensemble):
    """S·N copies of CartPole-v1; 0 pushes left and 1 pushes right."""

    def __init__(
        self,
        num_envs: int = 1,
        num_seeds: int = 1,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP,
    ) -> None:
        super().__init__(CARTPOLE, num_envs, num_seeds, max_episode_steps, autoreset_mode)


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, vector_entry_point=f"{__name__}:{CartPoleEnsemble.__name__}")
