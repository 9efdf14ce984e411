"""Finite worlds that train: what is known exactly of them holds what the engine does to account.

And the worlds that a name stands for, on the command line and in a configuration; and the two
mountain cars, where textbook methods do not learn, as their records say.
"""

import builtins
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from random_worlds import random_world

from pgviz.exact import values
from pgviz.exact.best import best_values
from pgviz.exact.many import objectives
from pgviz.training import Config, ConfigError, presets, train
from pgviz.training.config import preset
from pgviz.training.gradient import policy_gradient
from pgviz.training.loop import Learners
from pgviz.training.methods import methods, weights
from pgviz.worlds import world as world_module
from pgviz.worlds.ensemble import Ensemble
from pgviz.worlds.files import find_world, world_document
from pgviz.worlds.finite import finite_dynamics
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import TabularMDP, WorldError
from pgviz.worlds.world import find
from tests.real import REPO

FINITE = {
    **{name: make() for name, make in named_worlds.items()},
    "FrozenLake": find_world("FrozenLake-v1"),
    "FrozenLake, 100 steps": find("FrozenLake-v1").table,
    "random": random_world(1, num_states=4, num_actions=3),
    "random, 5 steps": random_world(2, num_states=4, num_actions=5, num_features=2, horizon=5),
}
every_world = pytest.mark.parametrize("name", FINITE)


def some_thetas(table, num=6, seed=0):
    draw = np.random.default_rng(seed)
    return draw.normal(0, 1.5, (num, *table.theta.shape)).astype(np.float32)


@pytest.fixture
def nothing_registered_stays(monkeypatch):
    monkeypatch.setattr(world_module, "_registered", {})
    yield
    find.cache_clear()


def under(table, theta, gamma):
    return replace(table, theta=np.asarray(theta, float), gamma=gamma)


def written(theta):
    """A θ as the setting initial_theta."""
    return ",".join(str(x) for x in np.ravel(theta).tolist())


# ── J of a whole ensemble ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("gamma", [1.0, 0.9, 0.0])
@every_world
def test_the_objectives_of_many_are_the_objective_of_each(name, gamma):
    table = FINITE[name]
    thetas = some_thetas(table)
    each = [values.objective(under(table, theta, gamma)) for theta in thetas]
    np.testing.assert_allclose(objectives(table, thetas, gamma), each, rtol=1e-9, atol=1e-12)


@every_world
def test_an_objective_does_not_depend_on_its_company(name):
    table = FINITE[name]
    thetas = some_thetas(table, num=16)
    together = objectives(table, thetas, 1.0)
    for k in (0, 9, 15):
        assert objectives(table, thetas[k : k + 1], 1.0)[0] == together[k]


def test_an_episode_that_never_ends_has_no_objective_and_takes_no_other_policys_away():
    """One logit is so much larger that the other action has probability 0, or as good as 0."""
    table = FINITE["survival"]
    thetas = np.array([[[0, 0]], [[800, 0]], [[1, 0]], [[40, 0]], [[20, 0]], [[-800, 0]]])
    found = objectives(table, thetas, 1.0)
    np.testing.assert_array_equal(np.isnan(found), [False, True, False, True, True, False])
    np.testing.assert_allclose(found[[0, 2, 5]], [1, np.e, 0], rtol=1e-12)
    for theta in thetas[np.isnan(found)]:
        with pytest.raises(WorldError):
            values.objective(under(table, theta, 1.0))
    np.testing.assert_allclose(objectives(table, thetas[[1, 3]], 0.5), 2)


def going_round(num_states=3, gamma=0.9):
    """No action leads to the end."""
    draw = np.random.default_rng(0)
    transitions = np.zeros((num_states, 2, num_states + 1))
    transitions[..., :-1] = draw.dirichlet(np.ones(num_states), (num_states, 2))
    rewards = draw.normal(size=(num_states, 2))
    return TabularMDP(
        "round", transitions, rewards, gamma=gamma, start=[1] + [0] * (num_states - 1)
    )


def test_a_world_without_an_end_has_an_objective_where_it_is_discounted():
    """Rounding alone would make its undiscounted sums finite."""
    for table in map(going_round, range(1, 9)):
        thetas = some_thetas(table)
        assert np.isnan(objectives(table, thetas, 1.0)).all()
        each = [values.objective(table.at(theta)) for theta in thetas]
        np.testing.assert_allclose(objectives(table, thetas, 0.9), each, rtol=1e-9)


def test_of_a_state_where_no_episode_comes_nothing_is_asked():
    there = going_round()
    transitions = np.zeros((4, 2, 5))
    transitions[1:, :, 1:4] = there.transitions[..., :-1]
    transitions[0, 0, 4] = 1
    transitions[0, 1, [0, 4]] = 0.5
    table = TabularMDP("beside", transitions, [[1, 2]] * 4, start=[1, 0, 0, 0])
    thetas = some_thetas(table)
    each = [values.objective(table.at(theta)) for theta in thetas]
    np.testing.assert_allclose(objectives(table, thetas, 1.0), each, rtol=1e-12)


@pytest.mark.parametrize("method", ["reinforce", "gae"])
def test_the_objective_of_an_update_is_that_of_the_policies_that_played_it(method):
    table = FINITE["ladder"]
    for update in train(preset(method, "ladder").replace(num_seeds=3, num_updates=4, gamma=0.9)):
        thetas = update.played[:, : table.theta.size].reshape(3, *table.theta.shape)
        each = [values.objective(under(table, theta, 0.9)) for theta in thetas]
        np.testing.assert_allclose(update.metrics["objective"], each, rtol=1e-9)


def test_where_nothing_is_exact_there_is_no_objective():
    (update,) = train(presets["reinforce"].replace(num_seeds=2, num_updates=1))
    assert np.isnan(update.metrics["objective"]).all()


# ── A finite world moves as its tables say ───────────────────────────────────────────────────

PLAYED = ["ladder", "FrozenLake", "short-corridor", "random"]


def ensemble(table, num_envs, mode=AutoresetMode.SAME_STEP, limit=1000):
    env = Ensemble(finite_dynamics(table, limit), num_envs, autoreset_mode=mode)
    obs, _ = env.reset(seed=0)
    return env, obs


@pytest.mark.parametrize("name", PLAYED)
def test_transitions_happen_as_often_as_their_probabilities_say(name):
    table, copies = FINITE[name], 3_000
    s, a = np.divmod(np.arange(table.num_states * table.num_actions), table.num_actions)
    s, a = np.repeat(s, copies), np.repeat(a, copies)
    env, _ = ensemble(table, len(s), AutoresetMode.DISABLED)
    env.state[:] = s
    obs, rewards, terminated, truncated, _ = env.step(a)
    there = env.state[0].astype(int)
    found = np.zeros_like(table.transitions)
    np.add.at(found, (s, a, there), 1 / copies)
    p = table.transitions
    assert (np.abs(found - p) <= 5 * np.sqrt(p * (1 - p) / copies) + 1e-12).all()
    np.testing.assert_array_equal(rewards, table.rewards[s, a, there])
    np.testing.assert_array_equal(terminated, there == table.num_states)
    assert not truncated.any()
    seen = np.concatenate([table.features, np.zeros((1, table.num_features))])
    np.testing.assert_array_equal(obs, seen[there].astype(np.float32))


def test_episodes_start_where_the_world_says():
    table, copies = FINITE["random"], 20_000
    env, obs = ensemble(table, copies)
    first = env.state[0].astype(int)
    for starts in (first, env._starts.take(np.arange(copies))[:, 0].astype(int)):
        found, p = np.bincount(starts, minlength=4) / copies, table.start
        assert (np.abs(found - p) <= 5 * np.sqrt(p * (1 - p) / copies)).all()
    np.testing.assert_array_equal(obs, table.features[first])


def test_the_horizon_is_an_end_by_the_rules():
    env, first = ensemble(FINITE["ladder"], 50)
    for t in range(1, 14):
        obs, _, terminated, truncated, infos = env.step(np.ones(50, int))
        assert terminated.all() == terminated.any() == (t % 6 == 0)
        assert not truncated.any()
        if terminated.any():  # it ended on a rung, and the next episode begins at the bottom
            assert (infos["final_obs"].sum(axis=1) == 1).all()
            assert (infos["final_obs"] != first).any()
            np.testing.assert_array_equal(obs, first)


def test_a_world_without_a_horizon_is_cut_and_that_is_no_end():
    """Always to the left: nobody ever leaves the corridor's first state."""
    env = find("short-corridor").make(2, 1, AutoresetMode.SAME_STEP)
    env.reset(seed=0)
    for t in range(1, 1002):
        _, rewards, terminated, truncated, infos = env.step(np.ones(2, int))
        assert not terminated.any()
        assert truncated.all() == truncated.any() == (t == 1000)
        assert (rewards == -1).all()
        if t == 1000:
            np.testing.assert_array_equal(infos["final_obs"], [[1], [1]])
    assert "cut after 1,000 steps" in find("short-corridor").because
    assert not find("ladder").because


def test_the_end_looks_like_nothing():
    env, _ = ensemble(FINITE["short-corridor"], 1)
    ends = []
    for right in (0, 1, 0):  # in the middle state right and left are swapped
        obs, _, terminated, _, infos = env.step(np.array([right]))
        ends.append(bool(terminated[0]))
    assert ends == [False, False, True]
    assert (infos["final_obs"].item(), obs.item()) == (0, 1)


def learners_at(method, name, theta, **changes):
    """Seeds that all stand at this θ, and the episodes they play."""
    config = preset(method, name).replace(num_envs=256, initial_theta=written(theta), **changes)
    learners = Learners(config, list(range(config.num_seeds)))
    return learners, learners.collect(0)


@pytest.mark.parametrize("gamma", [1.0, 0.8])
@pytest.mark.parametrize("name", [*named_worlds, "FrozenLake-v1"])
def test_the_mean_discounted_return_of_the_episodes_is_j(name, gamma):
    table = find(name).table
    theta = some_thetas(table, 1)[0] / 2
    learners, rollout = learners_at("reinforce", name, theta, num_seeds=20, gamma=gamma)
    returns = (rollout.rewards * gamma ** np.arange(rollout.rewards.shape[-1])).sum(axis=-1)
    error = returns.std() / np.sqrt(returns.size)
    exact = values.objective(under(table, theta, gamma))
    assert abs(returns.mean() - exact) < 5 * error + 1e-12
    np.testing.assert_allclose(learners.exactly()["objective"], exact, rtol=1e-5)


# ── ĝ is the gradient of J ───────────────────────────────────────────────────────────────────


def mean_gradient(method, name, theta, gamma, drop_gamma_t=False):
    """The mean of ĝ over 16,384 episodes, and its standard error, [P] each."""
    learners, rollout = learners_at(
        method, name, theta, gamma=gamma, drop_gamma_t=drop_gamma_t, num_seeds=64
    )
    psi = weights(rollout, learners.config)
    found, _ = policy_gradient(learners.agent, learners.policy, rollout, psi)
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))


CLIMBED = [
    ("ladder", 0.9, [[0.1, -0.1], [0.3, 0.1], [-0.3, 0.2]]),
    ("short-corridor", 0.9, [[1, -1]]),
    ("shared-logit-chain", 0.5, [[0.3, -0.3]]),
]


@pytest.mark.parametrize("method", ["full-return", "reinforce"])
@pytest.mark.parametrize(("name", "gamma", "theta"), CLIMBED)
def test_the_mean_of_the_estimated_gradient_is_the_gradient_of_j(name, gamma, theta, method):
    mean, error = mean_gradient(method, name, theta, gamma)
    exact = values.gradient(under(FINITE[name], theta, gamma)).ravel()
    assert (np.abs(mean - exact) < 5 * error).all()
    assert np.abs(exact).max() > 5 * error.max(), "so many episodes say something"


def test_without_gamma_t_it_is_another_vector():
    """In the chain it is one that points downhill."""
    theta = FINITE["shared-logit-chain"].theta
    mean, error = mean_gradient("reinforce", "shared-logit-chain", theta, 0.5, drop_gamma_t=True)
    world = under(FINITE["shared-logit-chain"], theta, 0.5)
    dropped = values.gradient(world, drop_gamma_t=True).ravel()
    truth = values.gradient(world).ravel()
    assert (np.abs(mean - dropped) < 5 * error).all()
    assert (np.abs(mean - truth) > 5 * error).all()
    assert mean @ truth < 0


# ── Step by step: the boxes of Sutton & Barto ────────────────────────────────────────────────


def the_books_loop(theta, w, episode, config):
    """REINFORCE, with Baseline where w is one: chapter 13, a loop over the steps of an episode."""
    obs, actions, rewards = episode
    last = len(rewards)
    for t in range(last):
        x = obs[t].astype(float)
        delta = sum(config.gamma ** (k - t) * rewards[k] for k in range(t, last))
        if w is not None:
            delta -= w @ x
            w += config.critic_learning_rate * delta * x
        h = x @ theta
        pi = np.exp(h) / np.exp(h).sum()
        eligibility = np.outer(x, (np.arange(len(h)) == actions[t]) - pi)
        discount = 1 if config.drop_gamma_t else config.gamma**t
        theta += config.learning_rate * discount * delta * eligibility


@pytest.mark.parametrize("drop_gamma_t", [False, True])
@pytest.mark.parametrize("method", ["reinforce", "baseline"])
@pytest.mark.parametrize("name", ["ladder", "short-corridor", "random"])
def test_every_step_is_the_books_loop(
    name, method, drop_gamma_t, nothing_registered_stays, monkeypatch
):
    world_module.register("random", FINITE["random"])
    rollouts, collect = [], Learners.collect
    monkeypatch.setattr(
        Learners, "collect", lambda *x: rollouts.append(collect(*x)) or rollouts[-1]
    )
    table = FINITE[name]
    theta = some_thetas(table, 1)[0] / 3
    config = preset(method, name).replace(
        num_seeds=3, num_envs=1, num_updates=4, every_step=True, optimizer="sgd", gamma=0.9,
        learning_rate=0.02, critic_learning_rate=0.1, initial_theta=written(theta),
        drop_gamma_t=drop_gamma_t,
    )  # fmt: skip
    all_updates = list(train(config))
    assert config.drop_gamma_t == drop_gamma_t
    for k in range(3):
        ours = theta.astype(float)
        w = np.zeros(table.num_features) if method == "baseline" else None
        for update, rollout in zip(all_updates, rollouts, strict=True):
            played = rollout.mask[k, 0]
            episode = [x[k, 0][played] for x in (rollout.obs, rollout.actions, rollout.rewards)]
            the_books_loop(ours, w, episode, config)
            row = update.theta[k]
            np.testing.assert_allclose(row[: ours.size], ours.ravel(), rtol=1e-4, atol=1e-5)
            if w is not None:
                np.testing.assert_allclose(row[ours.size :], w, rtol=1e-4, atol=1e-5)
    assert np.abs(all_updates[-1].theta[:, : ours.size] - theta.ravel()).max() > 0.01


def test_sutton_and_bartos_baseline_learns_the_corridor_sooner():
    """Figure 13.2 in the mean of 30 seeds; the best that can be had is −11.6."""

    def late_return(method, **step_sizes):
        config = preset(method, "short-corridor").replace(
            num_seeds=30, num_envs=1, num_updates=300, every_step=True, optimizer="sgd",
            initial_theta="-1.47,1.47", **step_sizes,
        )  # fmt: skip
        returns = [update.metrics["episode_return"] for update in train(config)]
        return np.mean(returns[200:])

    assert late_return("baseline", learning_rate=2**-9, critic_learning_rate=2**-6) > -14
    assert late_return("reinforce", learning_rate=2**-13) < -18


# ── Presets learn ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", methods)
def test_every_method_learns_the_ladder(method):
    table = FINITE["ladder"]
    best = table.start @ best_values(table)[0]
    *_, last = train(preset(method, "ladder").replace(num_seeds=4, num_updates=80))
    assert (last.metrics["objective"] > 0.98 * best).all()
    assert (last.metrics["objective"] <= best).all()


@pytest.mark.parametrize("method", ["reinforce", "baseline"])
def test_whoever_drops_gamma_t_learns_the_chain_the_wrong_way(method):
    config = preset(method, "shared-logit-chain").replace(num_seeds=6, num_updates=100)
    assert not config.drop_gamma_t
    *_, kept = train(config)
    *_, dropped = train(config.replace(drop_gamma_t=True))
    assert (kept.metrics["objective"] > 0.24).all()
    assert (dropped.metrics["objective"] < 0.01).all()
    assert objectives(FINITE["shared-logit-chain"], np.zeros((1, 1, 2)), 0.5) == 0.125


@pytest.mark.parametrize("method", ["actor-critic", "gae", "ppo"])
def test_windows_know_no_gamma_t_and_learn_the_chain_the_wrong_way_too(method):
    config = preset(method, "shared-logit-chain").replace(num_seeds=3, num_updates=60)
    *_, last = train(config)
    assert (last.metrics["objective"] < 0.02).all()


# ── What a configuration refuses, and what it forgets ────────────────────────────────────────


def refusal(config, **changes):
    with pytest.raises(ConfigError) as caught:
        config.replace(**changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


LADDER = preset("reinforce", "ladder")
ONE_BY_ONE = LADDER.replace(num_envs=1, optimizer="sgd", every_step=True)


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        (ONE_BY_ONE, {"num_envs": 2}),
        (ONE_BY_ONE, {"optimizer": "adam"}),
        (ONE_BY_ONE, {"method": "full-return"}),
        (ONE_BY_ONE, {"method": "gae"}),
        (presets["reinforce"].replace(num_envs=1, optimizer="sgd"), {"every_step": True}),
    ],
    ids=["several at a time", "adam", "full-return", "gae", "CartPole"],
)
def test_every_step_is_for_one_episode_of_a_finite_world_at_a_time(config, changes):
    assert refusal(config, **changes).startswith(
        "every_step learns from one episode of a finite world at a time: it needs"
    )


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ("1,2", "initial_theta must be 3 × 2 finite numbers with commas between them, got 2"),
        ("1,2,3,4,5,nan", "initial_theta must be 3 × 2 finite numbers"),
        ("1,2,3,4,5,inf", "initial_theta must be 3 × 2 finite numbers"),
        ("1,2,3,4,5,six", "initial_theta must be a number, got 'six'"),
        ("1,2,3,4,5,", "initial_theta must be a number, got ''"),
    ],
)
def test_an_initial_theta_that_is_none_is_refused(numbers, sentence):
    assert refusal(LADDER, initial_theta=numbers).startswith(sentence)


def test_networks_have_no_initial_theta():
    sentence = "initial_theta is for finite worlds: networks begin at random"
    assert refusal(presets["reinforce"], initial_theta="1,2") == sentence


@pytest.mark.parametrize("name", ["Pendulum-v1", "ladder"])
def test_two_heads_need_a_hidden_layer_and_actions_that_are_counted(name):
    sentence = refusal(preset("gae", name), share_network=True)
    assert sentence.startswith("share_network needs a hidden layer and actions that are counted")
    assert name in sentence


def test_what_means_nothing_is_forgotten():
    assert LADDER.replace(hidden=7) == LADDER
    assert preset("gae", "Acrobot-v1").replace(hidden=7).hidden == 7
    assert LADDER.gamma == 1
    assert LADDER.replace(drop_gamma_t=False) == LADDER
    idle = {"max_grad_norm": 1.0, "critic_steps": 3, "normalize_advantages": True}
    assert ONE_BY_ONE.replace(**idle) == ONE_BY_ONE
    assert LADDER.replace(normalize_advantages=True) != LADDER


NO_WORLDS = [
    "",
    "lader",
    "a-world.json",
    "{}",
    "-",
    "imported_by_name:World-v0",
    "imported_by_name",
]


@pytest.mark.parametrize("name", NO_WORLDS)
def test_an_unknown_world_is_refused_in_a_sentence_that_names_the_known(name):
    sentence = refusal(Config(), world=name)
    assert sentence.startswith("there is no world")
    assert "CartPole-v1" in sentence
    assert "ladder" in sentence


@pytest.mark.parametrize("name", [*NO_WORLDS[2:], "imported_by_name-v0", "imported_by_name/W-v0"])
def test_no_file_is_read_and_no_module_imported_because_of_a_name(name, tmp_path, monkeypatch):
    (tmp_path / "imported_by_name.py").write_text("")
    (tmp_path / "a-world.json").write_text(world_document(FINITE["ladder"]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    for module in (builtins, io):
        monkeypatch.setattr(module, "open", lambda *_, **__: pytest.fail("it read a file"))
    refusal(Config(), world=name)
    assert "imported_by_name" not in sys.modules


# ── The command line ─────────────────────────────────────────────────────────────────────────

A_FEW = ["--num-seeds", "2", "--num-updates", "3", "--json"]
MODULE = """
import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete


class Coin(gymnasium.Env):
    observation_space = Box(-1, 1, (1,), np.float32)
    action_space = Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.side = self.np_random.integers(2)
        return np.array([2 * self.side - 1], np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), float(action == self.side), True, False, {}


gymnasium.register("Coin-v0", Coin)
"""


@pytest.fixture
def from_outside(tmp_path, monkeypatch, nothing_registered_stays):
    """A folder in which to work, with a module on the path; what is registered does not stay."""
    (tmp_path / "coins_of_a_test.py").write_text(MODULE)
    (tmp_path / "silent_in_a_test.py").write_text("")
    (tmp_path / "broken_in_a_test.py").write_text("raise RuntimeError('two\\nlines')")
    (tmp_path / "broken.json").write_text('{"name": "x",')
    table = replace(FINITE["ladder"], name="a ladder of five", horizon=5)
    (tmp_path / "five.json").write_text(world_document(table))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = dict(gymnasium.registry)
    yield table
    gymnasium.registry.clear()
    gymnasium.registry.update(known)
    for name in ("coins_of_a_test", "silent_in_a_test"):
        sys.modules.pop(name, None)


def summary_of(told):
    status, out, err = told
    assert (status, err) == (0, "")
    return json.loads(out.splitlines()[-1])


def test_a_world_file_trains_by_its_path_its_text_and_from_the_standard_input(
    run, from_outside, monkeypatch, tmp_path
):
    table, text = from_outside, (tmp_path / "five.json").read_text()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    told = [
        summary_of(run("train", "reinforce", "--world", given, *A_FEW))
        for given in ("five.json", text, "-")
    ]
    config = preset("reinforce", table.name).replace(num_seeds=2, num_updates=3)
    *_, last = train(config)
    for summary in told:
        assert summary["world"] == table.name
        assert summary["objective"] == last.metrics["objective"].tolist()
        assert summary["config"] == vars(config)
    each = [values.objective(table.at(row.reshape(3, 2))) for row in last.played]
    np.testing.assert_allclose(told[0]["objective"], each, rtol=1e-6)


def test_a_file_may_have_the_name_of_a_known_world_and_is_meant_then(run, from_outside, tmp_path):
    table = replace(FINITE["bandit-a"], name="CartPole-v1")
    (tmp_path / "named.json").write_text(world_document(table))
    summary = summary_of(run("train", "reinforce", "--world", "named.json", *A_FEW))
    assert all(1 <= objective <= 5 for objective in summary["objective"])


def test_a_module_is_imported_where_the_command_line_says_so(run, from_outside):
    summary = summary_of(run("train", "reinforce", "--world", "coins_of_a_test:Coin-v0", *A_FEW))
    assert summary["world"] == "Coin-v0"
    assert summary["env_steps"] == 2 * 3 * 16
    assert summary["objective"] == [None, None]
    assert all(0 <= x <= 1 for x in summary["final_return"])


def test_in_a_process_of_its_own_it_is_the_same(from_outside, tmp_path):
    arguments = ["train", "reinforce", "--world", "coins_of_a_test:Coin-v0", *A_FEW]
    ended = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", "pgviz", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPO}"},
        check=False,
    )
    assert summary_of((ended.returncode, ended.stdout, ended.stderr))["world"] == "Coin-v0"


def test_in_words_the_objective_is_exact_j(run, from_outside):
    status, out, _ = run("train", "reinforce", "--world", "five.json", *A_FEW[:-1])
    assert status == 0
    assert "2 seeds learned a ladder of five, which has no threshold" in out
    assert "exact J, worst seed" in out
    _, out, _ = run("train", "reinforce", "--world", "short-corridor", *A_FEW[:-1])
    assert out.rstrip().endswith("J is that of the world without a cut.")


@pytest.mark.parametrize(
    ("world", "sentence"),
    [
        ("lader", "there is no world 'lader' to train in: give one of CartPole-v1,"),
        ("missing.json", "there is no world file 'missing.json'"),
        ("broken.json", "the world file is not JSON: "),
        ("{}", "the world file lacks 'name'"),
        ("-", "the standard input is closed"),
        ("Missing-v0", "Gymnasium knows no environment 'Missing-v0': "),
        ("missing_module:World-v0", "the module 'missing_module' cannot be imported: "),
        ("broken_in_a_test:W-v0", "the module 'broken_in_a_test' cannot be imported: Runtime"),
        ("silent_in_a_test:Silent-v0", "Gymnasium knows no environment 'Silent-v0': "),
        (":FrozenLake-v1", "the module '' cannot be imported: "),
        ("Blackjack-v1", "Blackjack-v1 is seen as a Tuple: only Box and Discrete observations"),
    ],
)
def test_what_is_no_world_is_refused_in_one_sentence(
    run, from_outside, monkeypatch, world, sentence
):
    monkeypatch.setattr(sys, "stdin", None)
    status, out, err = run("train", "reinforce", "--world", world, *A_FEW)
    assert (status, out) == (2, "")
    assert err.startswith(f"pgviz: {sentence}")
    assert err.count("\n") == 1


# ── The mountain cars, where pushing at random does not do ───────────────────────────────────


def test_at_random_no_car_reaches_the_goal_and_there_is_nothing_to_learn_from():
    """Of 2,000 episodes. All return −200, so Ψ depends on t alone, and the mean of ĝ is 0."""
    config = preset("reinforce", "MountainCar-v0")
    config = config.replace(num_seeds=20, num_envs=100, normalize_advantages=False)
    learners = Learners(config, list(range(20)))
    learners.theta[:] = learners.theta[0]
    rollout = learners.collect(0)
    assert not rollout.terminated.any()
    assert (rollout.episode_returns == -200).all()
    psi = weights(rollout, config.replace(gamma=1.0))
    assert (psi == np.arange(-200, 0)).all()
    found, _ = policy_gradient(learners.agent, learners.policy, rollout, psi)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0)) < 5 * error).all()


def test_a_continuous_car_that_stands_still_is_paid_more_than_one_pushed_at_random():
    """One episode in a hundred sees the goal. All others have paid for their pushes in vain."""
    config = preset("reinforce", "MountainCarContinuous-v0").replace(num_seeds=8, num_envs=50)
    learners = Learners(config, list(range(8)))
    rollout = learners.collect(0)
    saw_it = rollout.terminated.any(axis=-1)
    assert 0 < saw_it.mean() < 0.05
    assert (rollout.episode_returns[~saw_it] < -40).all()
    assert (rollout.episode_returns[saw_it] > 0).all()
    assert rollout.episode_returns.mean() < -40

    env = find("MountainCarContinuous-v0").make(10, 1, AutoresetMode.DISABLED)
    env.reset(seed=0)
    assert sum(env.step(np.zeros((10, 1)))[1].sum() for _ in range(999)) == 0


def test_a_setting_of_ones_own_meets_the_worlds_numbers_before_anything_is_forgotten(run):
    """γ = 1 in the ladder, where there is no γ^t to drop; with γ = .5 there is one, and it stays."""
    assert not preset("reinforce", "ladder", gamma=0.5).drop_gamma_t
    arguments = (
        "train reinforce --world ladder --num-updates 1 --num-seeds 1 --json --set gamma=0.5"
    )
    _, out, _ = run(*arguments.split())
    assert json.loads(out.splitlines()[-1])["config"]["drop_gamma_t"] is False
