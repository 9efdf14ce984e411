"""Any environment of Gymnasium's trains, seed by seed as if it were alone.

`Corridor` and `Box of two` are registered here, for this file: what the first of them sees and does
is counted from 3 and from 5; the second one remembers what it was given.
"""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.classic_control import CartPoleEnv
from test_training import assert_same_rows

from pgviz.networks import MLP, Linear
from pgviz.policies import Gaussian, Softmax, TwoActions
from pgviz.training import ConfigError, train
from pgviz.training.agent import Agent
from pgviz.training.config import preset
from pgviz.training.loop import Learners
from pgviz.worlds.gymnasium_ensemble import GymnasiumEnsemble
from pgviz.worlds.world import find


class Corridor(gymnasium.Env):
    """Four places that are called 3 to 6; action 6 goes right, 5 left; beyond 6 it pays 1 and ends."""

    observation_space = spaces.Discrete(4, start=3)
    action_space = spaces.Discrete(2, start=5)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = int(self.np_random.integers(3, 5))
        return self.place, {}

    def step(self, action):
        assert self.action_space.contains(action)
        ended = action == 6 and self.place == 6
        slips = self.np_random.random() < 0.2
        move = 0 if slips else 2 * int(action) - 11
        self.place = int(np.clip(self.place + move, 3, 6))
        return self.place, float(ended), bool(ended), False, {}


class BoxOfTwo(gymnasium.Env):
    """Pushes in a box of two numbers and of two rows; it ends by itself when it has drifted off."""

    observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float64)
    action_space = spaces.Box(np.float32([[-1], [0]]), np.float32([[1], [8]]))
    given: list = []  # noqa: RUF012 — of all copies

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = self.np_random.normal(size=3)
        return self.at.copy(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.given.append(action)
        self.at += self.np_random.normal(size=3) + action.sum() / 10
        return self.at.copy(), -float(np.abs(self.at).sum()), bool(self.at[0] > 3), False, {}


class Endless(gymnasium.Env):
    P = 2.5  # a gain, and no table of transitions

    observation_space = spaces.Box(-1, 1, (), np.float32)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        return np.zeros((), np.float32), {}

    def step(self, action):
        return np.zeros((), np.float32), 1.0, False, False, {}


def seen_as(observation_space, action_space=None):
    """A class of environments of which only the spaces matter."""
    actions = action_space or spaces.Discrete(2)
    return type(
        "Seen", (Endless,), {"observation_space": observation_space, "action_space": actions}
    )


BOX = spaces.Box(-1, 1, (2,), np.float32)
REFUSED = {
    "Tuple": (seen_as(spaces.Tuple([BOX, BOX])), "is seen as a Tuple: only Box and Discrete"),
    "Dict": (seen_as(spaces.Dict(x=BOX)), "is seen as a Dict: only Box and Discrete"),
    "Bits": (seen_as(spaces.MultiBinary(4)), "is seen as a MultiBinary: only Box and Discrete"),
    "Picture": (
        seen_as(spaces.Box(0, 255, (84, 84, 3), np.uint8)),
        "has 21168 numbers, more than the 1000 that a small network learns from",
    ),
    "Unbounded": (
        seen_as(BOX, spaces.Box(-np.inf, np.inf, (1,))),
        "have no limits, and a Gaussian needs some here",
    ),
    "HalfBounded": (
        seen_as(BOX, spaces.Box(np.float32([-1, 0]), np.float32([1, np.inf]))),
        "have no limits, and a Gaussian needs some here",
    ),
    "Several": (
        seen_as(BOX, spaces.MultiDiscrete([2, 3])),
        "takes actions of the kind MultiDiscrete: only Discrete and Box ones can be trained here",
    ),
}
OWN = {
    "Corridor-v0": (Corridor, 12),
    "BoxOfTwo-v0": (BoxOfTwo, 15),
    "PlainCartPole-v0": (CartPoleEnv, 60),
    "Endless-v0": (Endless, None),
    **{f"{name}-v0": (made, 5) for name, (made, _) in REFUSED.items()},
}
CARTPOLE, CORRIDOR, BOX_OF_TWO = "PlainCartPole-v0", "Corridor-v0", "BoxOfTwo-v0"
every_env = pytest.mark.parametrize("name", [CARTPOLE, CORRIDOR, BOX_OF_TWO])


@pytest.fixture(autouse=True)
def registered():
    for name, (made, limit) in OWN.items():
        gymnasium.register(name, made, max_episode_steps=limit)
    yield
    for name in OWN:
        del gymnasium.registry[name]
    find.cache_clear()


def streams(num_seeds):
    return [np.random.default_rng([7, k]) for k in range(num_seeds)]


def seen(name, obs):
    """What an agent is shown of an observation."""
    return np.eye(4)[obs - 3] if name == CORRIDOR else np.asarray(obs, np.float32)


def actions_at_random(env, draw):
    """Actions as a policy gives them: counted from 0, or a row of numbers in the box."""
    space = env.single_action_space
    if isinstance(space, spaces.Discrete):
        return draw.integers(space.n, size=env.num_envs)
    return draw.uniform(space.low.ravel(), space.high.ravel(), (env.num_envs, 2))


def as_given(name, action):
    """The same for the environment itself."""
    if name == BOX_OF_TWO:
        return action.astype(np.float32).reshape(2, 1)
    return int(action) + 5 * (name == CORRIDOR)


@every_env
def test_final_observations_are_the_true_ones_and_starts_follow(name):
    """Each copy is an environment of Gymnasium's, seeded from its seed's stream, that resets itself."""
    env = GymnasiumEnsemble(name, num_envs=6, num_seeds=2)
    alone = [gymnasium.make(name) for _ in range(6)]
    numbers = [int(n) for stream in streams(2) for n in stream.integers(2**31, size=3)]
    starts = [one.reset(seed=n)[0] for one, n in zip(alone, numbers, strict=True)]
    obs, _ = env.reset(seed=streams(2))
    np.testing.assert_array_equal(obs, [seen(name, start) for start in starts])
    assert obs.dtype == np.float32
    draw, ends = np.random.default_rng(0), {"terminated": 0, "truncated": 0}
    for _ in range(150):
        actions = actions_at_random(env, draw)
        obs, rewards, terminated, truncated, infos = env.step(actions)
        for n, one in enumerate(alone):
            last, reward, ended, cut, _ = one.step(as_given(name, actions[n]))
            assert (rewards[n], terminated[n], truncated[n]) == (reward, ended, cut)
            ends["terminated"] += ended
            ends["truncated"] += cut
            following = infos.get("final_obs", obs)[n]
            np.testing.assert_array_equal(following, seen(name, last))
            if ended or cut:
                assert infos["_final_obs"][n]
                last, _ = one.reset()
            np.testing.assert_array_equal(obs[n], seen(name, last))
    assert ends["terminated"] > 5
    assert name == CARTPOLE or ends["truncated"] > 5


@every_env
def test_the_seeds_that_stay_go_on_exactly_as_if_none_had_left(name):
    both = [GymnasiumEnsemble(name, num_envs=8, num_seeds=4) for _ in range(2)]
    left, all_there = both
    for env in both:
        env.reset(seed=streams(4))
    draw = np.random.default_rng(0)
    stay, rows = np.array([False, True, False, True]), np.array([2, 3, 6, 7])
    for step in range(90):
        actions = actions_at_random(all_there, draw)
        if step == 10:
            left.keep(stay)
            assert (left.num_envs, left.num_seeds, left.action_space.shape[:1]) == (4, 2, (4,))
        if step == 60:
            left.keep(np.array([True, False]))
            rows = rows[:2]
        mine = np.arange(8) if step < 10 else rows
        *here, infos = left.step(actions[mine])
        *there, all_infos = all_there.step(actions)
        for x, y in zip(here, there, strict=True):
            np.testing.assert_array_equal(x, y[mine])
        if infos:
            np.testing.assert_array_equal(infos["final_obs"], all_infos["final_obs"][mine])


@every_env
@pytest.mark.parametrize("method", ["reinforce", "gae", "ppo"])
def test_the_agent_fits_the_spaces(name, method):
    agent = Agent.of(preset(method, name))
    kinds = {
        CARTPOLE: (TwoActions(), MLP),
        CORRIDOR: (Softmax(2), Linear),
        BOX_OF_TWO: (Gaussian((-1.0, 0.0), (1.0, 8.0)), MLP),
    }
    distribution, network = kinds[name]
    assert agent.distribution == distribution
    assert isinstance(agent.policy, network)
    assert find(name).max_episode_steps == OWN[name][1]


def test_what_the_environment_gets_is_the_policys_action_cut_to_the_box():
    config = preset("gae", BOX_OF_TWO).replace(num_seeds=1, num_envs=3, num_steps=40)
    learners = Learners(config, [0])
    BoxOfTwo.given.clear()
    rollout = learners.collect(0)
    in_order = rollout.actions[0].swapaxes(0, 1).reshape(-1, 2)  # step by step, then by copy
    given = np.array(BoxOfTwo.given)
    assert given.shape == (120, 2, 1)
    assert given.dtype == np.float32
    low, high = np.array([-1, 0]), np.array([1, 8])
    expected = np.clip((low + high) / 2 + (high - low) / 2 * in_order, low, high)
    np.testing.assert_allclose(given[..., 0], expected, rtol=1e-6)
    for limit in (low, high):
        assert (given[..., 0] == limit).any(axis=0).all(), "and sometimes it was cut"
    assert np.abs(rollout.actions).max() > 1.5, "which log π does not know of"


@pytest.mark.parametrize("method", ["reinforce", "gae"])
def test_what_an_episode_saw_last_is_not_where_the_next_begins(method):
    """The corridor ends at its last place and begins at one of its first two."""
    config = preset(method, CORRIDOR).replace(num_seeds=2)
    assert config.whole_episodes == (method == "reinforce")
    rollout = Learners(config, [0, 1]).collect(0)
    assert rollout.terminated.sum() > 10
    assert (rollout.next_obs[rollout.terminated] == [0, 0, 0, 1]).all()
    follows = ~rollout.episode_over[..., :-1] & rollout.mask[..., 1:]
    np.testing.assert_array_equal(
        rollout.next_obs[..., :-1, :][follows], rollout.obs[..., 1:, :][follows]
    )
    if method == "gae":
        begins = rollout.obs[..., 1:, :][rollout.episode_over[..., :-1]]
        assert begins[:, :2].any(axis=1).all()


def test_what_has_no_limit_of_its_own_is_cut_after_1000_steps():
    config = preset("reinforce", "Endless-v0").replace(num_seeds=1, num_envs=2)
    rollout = Learners(config, [0]).collect(0)
    np.testing.assert_array_equal(rollout.num_steps, [2000])
    assert rollout.truncated[..., -1].all()
    assert not rollout.terminated.any()
    assert find("Endless-v0").max_episode_steps == 1000


def test_a_p_that_is_no_table_makes_no_finite_world():
    assert find("Endless-v0").table is None
    assert find("FrozenLake-v1").table is not None


def test_a_tiny_world_with_counted_observations_is_learned():
    config = preset("gae", CORRIDOR).replace(num_seeds=2, num_updates=30, learning_rate=0.1)
    first, *_, last = train(config)
    assert (first.metrics["episode_return"] < 0.7).all()
    assert (last.metrics["episode_return"] > 0.95).all()
    assert np.isnan(last.metrics["objective"]).all()


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_in_is_refused_in_one_sentence(name):
    with pytest.raises(ConfigError) as caught:
        preset("reinforce", f"{name}-v0")
    assert REFUSED[name][1] in str(caught.value)
    assert f"{name}-v0" in str(caught.value)
    assert "\n" not in str(caught.value)


# ── Seed k alone is seed k in company, whatever the world ────────────────────────────────────

FEW = {"num_seeds": 4, "num_updates": 3}
ENSEMBLES = {
    "Acrobot, ppo": preset("ppo", "Acrobot-v1").replace(num_envs=4, **FEW),
    "Acrobot, gae, one network": preset("gae", "Acrobot-v1").replace(
        num_envs=4, share_network=True, **FEW
    ),
    "Pendulum, gae": preset("gae", "Pendulum-v1").replace(num_envs=4, **FEW),
    "Pendulum, ppo": preset("ppo", "Pendulum-v1").replace(num_envs=4, **FEW),
    "ladder, gae": preset("gae", "ladder").replace(**FEW),
    "ladder, baseline": preset("baseline", "ladder").replace(gamma=0.9, **FEW),
    "corridor, every step": preset("baseline", "short-corridor").replace(
        num_envs=1, every_step=True, optimizer="sgd", learning_rate=0.01, **FEW
    ),
    "FrozenLake, baseline": preset("baseline", "FrozenLake-v1").replace(**FEW),
    "FrozenLake, gae": preset("gae", "FrozenLake-v1").replace(num_steps=40, **FEW),
}


def assert_alone_is_among(config):
    ensemble = list(train(config))
    for seed in (0, 3):
        alone = list(train(config, seeds=[seed]))
        for one, many in zip(alone, ensemble, strict=False):
            assert_same_rows(one, 0, many, seed)
        for many in ensemble[len(alone) :]:
            np.testing.assert_array_equal(alone[-1].theta[0], many.theta[seed])
    return ensemble


@pytest.mark.parametrize("name", ENSEMBLES)
def test_a_seed_alone_is_the_same_seed_in_company(name):
    ensemble = assert_alone_is_among(ENSEMBLES[name])
    assert len(ensemble) == 3
    moved = np.abs(ensemble[-1].theta - ensemble[0].played).max(axis=1)
    assert (moved > 0).sum() >= 2, "and something was learned"


@pytest.mark.parametrize("method", ["reinforce", "gae"])
@every_env
def test_a_seed_alone_is_the_same_seed_through_gymnasium(name, method):
    assert_alone_is_among(preset(method, name).replace(num_envs=3, **FEW))


def test_and_it_is_where_every_step_learns():
    """What is played after an episode's end, while others' last, teaches nothing."""
    config = preset("baseline", CORRIDOR).replace(
        num_envs=1, every_step=True, optimizer="sgd", learning_rate=0.1, **FEW
    )
    assert_alone_is_among(config)


@pytest.mark.parametrize(("method", "solved_at"), [("baseline", 35.0), ("gae", 26.0)])
def test_and_it_is_while_others_solve_their_world_and_leave(method, solved_at, monkeypatch):
    monkeypatch.setattr(Learners, "solved_at", solved_at)
    config = preset(method, CARTPOLE).replace(
        num_seeds=4, num_envs=12, num_updates=40, stop_when_solved=True
    )
    ensemble = assert_alone_is_among(config)
    lives = np.sum([update.metrics["active"] for update in ensemble], axis=0)
    assert len(set(lives)) > 1, "seeds leave one after the other"


def test_an_old_version_of_a_world_is_made_without_a_word_of_gymnasiums():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GymnasiumEnsemble("CartPole-v0", num_envs=1, num_seeds=1)
