"""Acrobot-v1: the same physics as Gymnasium's, in the same order and in float64, for many copies
at once.

A state is θ₁, θ₂ (radians), θ̇₁, θ̇₂ (radians per second); E environments are [4, E]. At θ₁ = 0 the
first link hangs down, at θ₂ = 0 the second one continues it. Each link is 1 m long and weighs 1 kg;
its centre of mass is in the middle, its moment of inertia 1 kg m².
"""

import math

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from pgviz.worlds.ensemble import Dynamics, Floats, Transition

MAX_EPISODE_STEPS = 500

GRAVITY = 9.8
SECONDS_PER_STEP = 0.2
MAX_RATES = np.array([[4 * math.pi], [9 * math.pi]])  # radians per second
RESET_LIMIT = 0.1
ANGLES, RATES = np.s_[:2], np.s_[2:]  # rows of a state

# Arrays without axes: numpy converts a Python number anew at every call, for half the price of the
# operation itself.
QUARTER, HALF, ONE, TWO = map(np.array, (0.25, 0.5, 1.0, 2.0))
FIVE_QUARTERS, NINE_QUARTERS = np.array(1.25), np.array(2.25)
PULL_1, PULL_2 = np.array(1.5 * GRAVITY), np.array(0.5 * GRAVITY)  # of both links, of the second
RIGHT_ANGLE = np.array(math.pi / 2)
STEP, HALF_STEP = np.array(SECONDS_PER_STEP), np.array(SECONDS_PER_STEP / 2)
SIXTH_STEP = np.array(SECONDS_PER_STEP / 6)

_OBS_HIGH = np.array([1, 1, 1, 1, *MAX_RATES.ravel()], np.float32)


def initial_states(stream: np.random.Generator, num_envs: int) -> Floats:
    """Uniform in [−.1, .1]⁴, shape [num_envs, 4], drawn as Gymnasium draws them: in float32."""
    start = stream.uniform(-RESET_LIMIT, RESET_LIMIT, (num_envs, 4))
    return start.astype(np.float32).astype(np.float64)


def derivative(state: Floats, torque: Floats) -> Floats:
    """The change of a state per second, [4, E], under torque [E] (N m) at the joint of the links.

    d₁ = 3.5 + cos θ₂         φ₂ = 4.9 cos(θ₁ + θ₂ − π/2)
    d₂ = 1.25 + ½ cos θ₂      φ₁ = 14.7 cos(θ₁ − π/2) − (½ θ̇₂² + θ̇₁ θ̇₂) sin θ₂ + φ₂

    θ̈₂ = (torque + φ₁ d₂/d₁ − ½ θ̇₁² sin θ₂ − φ₂) / (1.25 − d₂²/d₁)
    θ̈₁ = −(d₂ θ̈₂ + φ₁) / d₁

    Source: Sutton & Barto, 1998, section 11.3; rounded as Gymnasium's Acrobot-v1 rounds ("book").
    """
    angle1, angle2, rate1, rate2 = state
    cos, sin = np.cos(angle2), np.sin(angle2)
    d1 = cos + FIVE_QUARTERS
    d1 += NINE_QUARTERS  # 3.5 at once rounds otherwise
    d2 = HALF * cos
    d2 += QUARTER
    d2 += ONE

    phi2 = angle1 + angle2
    phi2 -= RIGHT_ANGLE
    np.cos(phi2, out=phi2)
    phi2 *= PULL_2

    both_turn = rate2 * rate1
    both_turn *= sin
    sin *= HALF  # exact, so that its place among the factors does not matter
    second_turns = rate2 * rate2
    second_turns *= sin
    first_turns = rate1 * rate1
    first_turns *= sin

    phi1 = angle1 - RIGHT_ANGLE
    np.cos(phi1, out=phi1)
    phi1 *= PULL_1
    second_turns += both_turn
    phi1 -= second_turns
    phi1 += phi2

    push = d2 / d1
    push *= phi1
    push += torque
    push -= first_turns
    push -= phi2
    inertia = d2 * d2
    inertia /= d1
    np.subtract(FIVE_QUARTERS, inertia, out=inertia)

    change = np.empty_like(state)
    change[ANGLES] = state[RATES]
    acc1, acc2 = change[RATES]
    np.divide(push, inertia, out=acc2)
    np.multiply(d2, acc2, out=acc1)
    acc1 += phi1
    np.negative(acc1, out=acc1)
    acc1 /= d1
    return change


def next_state(state: Floats, actions: NDArray[np.integer], out: Floats | None = None) -> Floats:
    """One Runge-Kutta step of .2 s, [4, E]; actions 0, 1, 2 are torques of −1, 0, 1 N m.

    k₁ = f(s)    k₂ = f(s + h/2 k₁)    k₃ = f(s + h/2 k₂)    k₄ = f(s + h k₃)
    s′ = s + h/6 (k₁ + 2 k₂ + 2 k₃ + k₄)

    Angles are turned back into [−π, π], |θ̇₁| is cut to 4π and |θ̇₂| to 9π.
    Source: Sutton, 1996; operation by operation Gymnasium's Acrobot-v1.
    """
    torque = np.subtract(actions, 1.0)
    k1 = derivative(state, torque)
    at = k1 * HALF_STEP
    at += state
    k2 = derivative(at, torque)
    np.multiply(k2, HALF_STEP, out=at)
    at += state
    k3 = derivative(at, torque)
    np.multiply(k3, STEP, out=at)
    at += state
    k4 = derivative(at, torque)
    for k in (k2, k3):
        k *= TWO
        k1 += k
    k1 += k4
    k1 *= SIXTH_STEP
    after = np.add(state, k1, out=out)

    angles, rates = after[ANGLES], after[RATES]
    while (beyond := np.abs(angles) > math.pi).any():
        np.subtract(angles, np.copysign(2 * math.pi, angles), out=angles, where=beyond)
    np.clip(rates, -MAX_RATES, MAX_RATES, out=rates)
    return after


def swung_up(state: Floats) -> NDArray[np.bool_]:
    """The free end is more than 1 m above the fixed joint: cos θ₁ + cos(θ₁ + θ₂) < −1."""
    return np.cos(state[0]) + np.cos(state[1] + state[0]) < -1.0


def step(state: Floats, actions: NDArray, _luck: NDArray | None) -> Transition:
    """The next state, a reward of −1, or 0 if the free end has swung up, and whether it has."""
    next_state(state, actions, out=state)
    terminated = swung_up(state)
    return state, np.subtract(terminated, 1.0), terminated


def observe(state: Floats) -> NDArray[np.float32]:
    """The agent sees cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ̇₁, θ̇₂: [E, 6]."""
    obs = np.empty((6, state.shape[1]), np.float32)
    obs[0:4:2] = np.cos(state[ANGLES])
    obs[1:4:2] = np.sin(state[ANGLES])
    obs[4:] = state[RATES]
    return obs.T


ACROBOT = Dynamics(
    action_space=Discrete(3),
    observation_space=Box(-_OBS_HIGH, _OBS_HIGH, dtype=np.float32),
    start=initial_states,
    step=step,
    observe=observe,
    max_episode_steps=MAX_EPISODE_STEPS,
)
