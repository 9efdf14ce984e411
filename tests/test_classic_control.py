"""Acrobot, Pendulum and the mountain cars are Gymnasium's, transition by transition, to the last bit.

Two differences are not of the worlds, and `gymnasium_env` takes them out:

* Gymnasium steps single numbers, and x**2 of a single number is pow(x, 2), which is an ulp from
  x · x about once in a thousand times. Of an array it is x · x.
* Its mountain cars take the cosine from `math`, whose last bit need not be numpy's on all machines.

Two more are ours, and have a test each: the first step of a continuous mountain car, and one that
is pushed harder than the box of its actions allows.
"""

import math
from itertools import product
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium.envs import classic_control as theirs
from gymnasium.envs.classic_control import continuous_mountain_car
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode

from pgviz.worlds import acrobot
from pgviz.worlds.acrobot import ACROBOT
from pgviz.worlds.ensemble import Ensemble
from pgviz.worlds.mountain_car import MOUNTAIN_CAR, MOUNTAIN_CAR_CONTINUOUS
from pgviz.worlds.pendulum import PENDULUM

CONTINUOUS = "MountainCarContinuous-v0"
WORLDS = {
    "Acrobot-v1": ACROBOT,
    "Pendulum-v1": PENDULUM,
    "MountainCar-v0": MOUNTAIN_CAR,
    CONTINUOUS: MOUNTAIN_CAR_CONTINUOUS,
}
PI = math.pi
BORDERS = {  # of each number of a state: its ends, and where something happens
    "Acrobot-v1": [(-PI, 0, PI), (-PI, 0, PI), (-4 * PI, 0, 4 * PI), (-9 * PI, 0, 9 * PI)],
    "Pendulum-v1": [PI * np.arange(-5, 6), (-8, 0, 8)],
    "MountainCar-v0": [(-1.2, -1.13, 0.43, 0.5, 0.53, 0.6), (-0.07, 0, 0.07)],
    CONTINUOUS: [(-1.2, -1.13, 0.38, 0.45, 0.53, 0.6), (-0.07, 0, 0.07)],
}
NUM_STATES = {"Acrobot-v1": 2_000}  # Gymnasium needs .2 ms for each; more of them further below
every_world = pytest.mark.parametrize("name", WORLDS)


@pytest.fixture
def gymnasium_env(monkeypatch):
    """`gymnasium_env(name)` is Gymnasium's world; its squares and cosines are those of numpy's arrays."""
    numpys = SimpleNamespace(cos=lambda x: float(np.cos(float(x))), pow=math.pow)
    monkeypatch.setattr(theirs.mountain_car, "math", numpys)
    monkeypatch.setattr(continuous_mountain_car, "math", numpys)
    derivative, swing = theirs.AcrobotEnv._dsdt, theirs.PendulumEnv.step

    def derivative_of_arrays(env, state):
        return [np.ravel(change)[0] for change in derivative(env, state[:, None])]

    def swing_of_arrays(env, torque):
        env.state = env.state[:, None]
        obs, reward, *rest = swing(env, torque[:, None])
        env.state = env.state[:, 0]
        return obs[:, 0], reward[0], *rest

    monkeypatch.setattr(theirs.AcrobotEnv, "_dsdt", derivative_of_arrays)
    monkeypatch.setattr(theirs.PendulumEnv, "step", swing_of_arrays)

    def make(name):
        env = gymnasium.make(name, disable_env_checker=True)
        env.reset(seed=0)
        return env

    return make


def precision(name):
    """What Gymnasium keeps the states of a world in."""
    return np.float32 if name == CONTINUOUS else np.float64


def states_to_try(name, num):
    """All combinations of borders, their neighbours on both sides, and random states: [num, D]."""
    borders = np.array(list(product(*BORDERS[name]))).astype(precision(name))
    low, high = borders.min(axis=0), borders.max(axis=0)
    beside = [np.nextafter(borders, side) for side in 99 * np.array([[-1], [1]], borders.dtype)]
    others = np.random.default_rng(1).uniform(low, high, (num - 3 * len(borders), len(low)))
    return np.concatenate([borders, *beside, others.astype(precision(name))])


def actions_to_try(name, num, seed=0):
    """Random actions, [num] or [num, 1]; those of a box are in it, and often on its edge."""
    draw, space = np.random.default_rng(seed), WORLDS[name].action_space
    if isinstance(space, Discrete):
        return draw.integers(0, space.n, num)
    beyond = draw.uniform(1.2 * space.low, 1.2 * space.high, (num, 1))
    return np.clip(beyond, space.low, space.high).astype(np.float32)


def gymnasium_transitions(env, states, actions):
    """What Gymnasium makes of them: the next states, observations, rewards, terminated."""
    transitions = []
    for state, action in zip(states, actions, strict=True):
        env.unwrapped.state = state
        obs, reward, terminated, _, _ = env.unwrapped.step(action)
        transitions.append((np.array(env.unwrapped.state), obs, reward, terminated))
    return [np.array(x) for x in zip(*transitions, strict=True)]


def our_transitions(name, states, actions):
    """The same by one step of all of them."""
    rows = np.array(states.T, np.float64, order="C")  # a copy: it is changed
    after, rewards, terminated = WORLDS[name].step(rows, actions, None)
    return after.T, WORLDS[name].observe(after), rewards, terminated


@every_world
def test_every_transition_is_gymnasiums_to_the_last_bit(gymnasium_env, name):
    num = NUM_STATES.get(name, 10_000)
    states, actions = states_to_try(name, num), actions_to_try(name, num)
    ours = our_transitions(name, states, actions)
    for our, their in zip(
        ours, gymnasium_transitions(gymnasium_env(name), states, actions), strict=True
    ):
        np.testing.assert_array_equal(our, their)
    assert name == "Pendulum-v1" or 0.01 < ours[3].mean() < 0.5


def test_acrobots_integration_is_gymnasiums_for_many_more_states():
    """Gymnasium's own functions for 40,000 states at once. Its rk4 hands out one state only, but
    what it begins its second step with is all that the first one made."""
    num = 40_000
    states, actions = states_to_try("Acrobot-v1", num), actions_to_try("Acrobot-v1", num)
    env, seen = theirs.AcrobotEnv(), []

    def derivative(flat):
        seen.append(flat.reshape(5, num))
        return np.concatenate([np.broadcast_to(x, num) for x in env._dsdt(seen[-1])])

    theirs.acrobot.rk4(derivative, np.ravel([*states.T, actions - 1.0]), [0, env.dt, 2 * env.dt])
    after = seen[4][:4]
    for row in after[:2]:
        row[:] = [theirs.acrobot.wrap(x, -PI, PI) for x in row]
    for row, limit in zip(after[2:], (env.MAX_VEL_1, env.MAX_VEL_2), strict=True):
        row[:] = [theirs.acrobot.bound(x, -limit, limit) for x in row]
    np.testing.assert_array_equal(acrobot.next_state(states.T, actions), after)


def test_acrobots_goal_is_gymnasiums_at_its_very_border():
    """Half of the states are exactly as high as the goal, up to rounding."""
    draw, num = np.random.default_rng(0), 4_000
    states = draw.uniform(-PI, PI, (num, 4))
    first = states[: num // 2, 0] = draw.uniform(PI / 2, PI, num // 2)
    states[: num // 2, 1] = np.arccos(-1 - np.cos(first)) - first
    env = theirs.AcrobotEnv()
    reached = np.empty(num, bool)
    for i, env.state in enumerate(states):
        reached[i] = env._terminal()
    np.testing.assert_array_equal(acrobot.swung_up(states.T), reached)
    assert (np.cos(first) + np.cos(first + states[: num // 2, 1]) == -1).any()
    assert 0.01 < reached[: num // 2].mean() < 0.9


@pytest.mark.parametrize(("name", "goal"), [("MountainCar-v0", 0.5), (CONTINUOUS, 0.45)])
def test_the_cars_goal_is_gymnasiums_at_its_very_border(gymnasium_env, name, goal):
    """Cars arrive at the goal, or an ulp before it; others are beyond it, and stop or roll back."""
    num, draw = 2_000, np.random.default_rng(0)
    goal, actions = precision(name)(goal), actions_to_try(name, num)
    force = 0.001 * (actions - 1.0) if name == "MountainCar-v0" else 0.0015 * actions[:, 0]
    x = draw.uniform(goal - 0.06, goal + 0.06, num).astype(precision(name))
    arrives = draw.choice([goal, np.nextafter(goal, 0 * goal)], num) - x
    v_after = np.where(x < goal, arrives, draw.choice([0, -1e-9], num))
    v = v_after - (force - (0.0025 * np.cos(3.0 * x.astype(float))).astype(x.dtype))
    states = np.array([x, v], x.dtype).T
    ours = our_transitions(name, states, actions)
    peer = gymnasium_transitions(gymnasium_env(name), states, actions)
    for our, their in zip(ours, peer, strict=True):
        np.testing.assert_array_equal(our, their)
    x_after, v_after = ours[0].T
    assert (x_after == goal).sum() > 100
    assert ((x_after > goal) & (v_after == 0)).sum() > 100
    assert 0.1 < ours[3].mean() < 0.9


@every_world
def test_with_nothing_of_gymnasiums_replaced_the_difference_is_one_of_rounding(name):
    """An ulp of a square, or of a cosine: no more. Pendulum's torque² has only float32's digits."""
    states, actions = states_to_try(name, 900)[-500:], actions_to_try(name, 500)
    ours = our_transitions(name, states, actions)
    peer = gymnasium_transitions(gymnasium.make(name), states, actions)
    for our, their, atol in zip(ours, peer, (1e-13, 1e-7, 1e-9, 0), strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-7 if atol == 1e-7 else 0, atol=atol)


def with_the_motion(name, state):
    """Actions that add energy, so that episodes end at the goal."""
    if name == "Acrobot-v1":
        return np.where(state[2] > 0, 0, 2)
    faster = np.where(state[1] < 0, -1, 1)
    return faster + 1 if name == "MountainCar-v0" else faster[:, None].astype(np.float32)


@every_world
def test_whole_episodes_are_gymnasiums_and_are_cut_at_its_limit(gymnasium_env, name):
    """One acts at random and lasts for ever, two move with the motion and reach the goal."""
    env = Ensemble(WORLDS[name], 3, autoreset_mode=AutoresetMode.DISABLED)
    env.reset(seed=1)
    starts = env.state.T.astype(precision(name))
    env.state[:] = starts.T
    peers = [gymnasium_env(name) for _ in starts]
    for peer, start in zip(peers, starts, strict=True):
        peer.unwrapped.state = start
    limit = gymnasium.spec(name).max_episode_steps
    running, endings = {0, 1, 2}, {}
    for t, at_random in enumerate(actions_to_try(name, limit), start=1):
        actions = with_the_motion(name, env.state)
        actions[0] = at_random
        ours = env.step(actions)[:4]
        for i in sorted(running):
            for our, their in zip(ours, peers[i].step(actions[i])[:4], strict=True):
                np.testing.assert_array_equal(our[i], their)
            terminated, truncated = (bool(flags[i]) for flags in ours[2:])
            if terminated or truncated:
                running.remove(i)
                endings[i] = t, terminated, truncated
        if not running:
            break
    cut = (limit, False, True)
    assert endings.pop(0) == cut
    for lasted, terminated, _ in endings.values():
        assert name == "Pendulum-v1" or (terminated and lasted < limit)
    assert not running


@every_world
def test_episodes_start_as_gymnasiums_do(name):
    """A stream's first states are those of Gymnasium's resets with the same seed."""
    env = gymnasium.make(name).unwrapped
    first, _ = env.reset(seed=7)
    their = [np.array(env.state)]
    for _ in range(50):
        env.reset()
        their.append(np.array(env.state))
    ours = WORLDS[name].start(np.random.default_rng(7), 51)
    np.testing.assert_array_equal(ours, their)
    # Acrobot's first observation is a cosine in float32, and ours one in float64
    np.testing.assert_allclose(WORLDS[name].observe(ours[:1].T)[0], first, rtol=2e-7)


@every_world
def test_what_can_be_done_and_seen_is_as_gymnasium_says(name):
    env, world = gymnasium.make(name), WORLDS[name]
    assert world.action_space == env.action_space
    assert world.observation_space == env.observation_space
    assert world.max_episode_steps == env.spec.max_episode_steps
    assert not world.limit_ends

    ensemble = Ensemble(world, 4, 2, max_episode_steps=3)
    obs, _ = ensemble.reset(seed=0)
    ensemble.action_space.seed(0)
    for _ in range(7):
        assert ensemble.observation_space.contains(obs)
        obs, rewards, terminated, truncated, _ = ensemble.step(ensemble.action_space.sample())
        assert (rewards.dtype, terminated.dtype, truncated.dtype) == (float, bool, bool)
        assert rewards.shape == terminated.shape == truncated.shape == (4,)


@pytest.mark.parametrize("name", ["Pendulum-v1", CONTINUOUS])
def test_actions_of_one_number_need_no_axis_of_their_own(name):
    states, actions = states_to_try(name, 300), actions_to_try(name, 300)
    flat = our_transitions(name, states, actions[:, 0])
    for one, other in zip(our_transitions(name, states, actions), flat, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_continuous_cars_actions_are_float32_as_its_space_says():
    states, actions = states_to_try(CONTINUOUS, 300), actions_to_try(CONTINUOUS, 300)
    double = our_transitions(CONTINUOUS, states, actions.astype(np.float64))
    for one, other in zip(our_transitions(CONTINUOUS, states, actions), double, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_pendulums_torque_is_cut_as_gymnasium_cuts_it(gymnasium_env, dtype):
    states = states_to_try("Pendulum-v1", 1_000)
    actions = np.random.default_rng(0).normal(0, 3, (1_000, 1)).astype(dtype)
    ours = our_transitions("Pendulum-v1", states, actions)
    peer = gymnasium_transitions(gymnasium_env("Pendulum-v1"), states, actions)
    for our, their in zip(ours, peer, strict=True):
        np.testing.assert_array_equal(our, their)


ULPS_OF_FLOAT32 = [2**-24, 2**-27]  # of a position beyond .5 and of a velocity beyond .0625


def test_a_continuous_car_that_is_pushed_too_hard_is_an_ulp_of_float32_from_gymnasiums():
    """Gymnasium's cut force is a number of Python's, so that the slope is added before it is rounded.
    What is paid for is the push before it was cut."""
    states = states_to_try(CONTINUOUS, 3_000)
    actions = np.random.default_rng(0).normal(0, 3, (3_000, 1)).astype(np.float32)
    after, _, rewards, terminated = our_transitions(CONTINUOUS, states, actions)
    peer = gymnasium_transitions(gymnasium.make(CONTINUOUS), states, actions)
    assert (np.abs(after - peer[0]) <= ULPS_OF_FLOAT32).all()
    np.testing.assert_array_equal(rewards, peer[2])
    np.testing.assert_array_equal(terminated, peer[3])
    assert rewards[~terminated].min() < -5


def test_the_first_step_of_a_continuous_car_is_an_ulp_of_float32_from_gymnasiums():
    """Gymnasium keeps the first state of an episode in float64, and all others in float32."""
    states = MOUNTAIN_CAR_CONTINUOUS.start(np.random.default_rng(0), 1_000)
    actions = actions_to_try(CONTINUOUS, 1_000)
    after, *_ = our_transitions(CONTINUOUS, states, actions)
    peer, *_ = gymnasium_transitions(gymnasium.make(CONTINUOUS), states, actions)
    assert (np.abs(after - peer) <= ULPS_OF_FLOAT32).all()
