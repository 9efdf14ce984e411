"""Engines with one line changed: the line is the engine's, its symptom is there, and nobody else has it."""

import inspect
import sys
from dataclasses import replace
from difflib import ndiff
from functools import cache

import numpy as np
import pytest
import torch
from test_training import assert_same_rows

from pgviz import broken, estimators
from pgviz.exact.many import objectives
from pgviz.networks import Linear
from pgviz.policies import softmax
from pgviz.training import presets, train, updates, zoo
from pgviz.training.config import preset
from pgviz.training.loop import Learners
from pgviz.training.zoo import CASES, Engine, expected_update, one_state
from pgviz.worlds.world import find

WHICH = "right", "wrong"
HALVES = slice(0, 4), slice(4, 8)
each_case = pytest.mark.parametrize("name", CASES)
# Few seeds, and no more updates than the symptom needs.
SHORT = {
    "one-episode": {"num_seeds": 4, "num_updates": 20},
    "sign": {"num_seeds": 4, "num_updates": 30},
    "action-baseline": {"num_seeds": 6, "num_updates": 30},
    "gamma-twice": {"num_seeds": 6, "num_updates": 50},
    "no-detach": {"num_seeds": 6, "num_updates": 200},
    "broadcast-loss": {"num_seeds": 2, "num_updates": 120},
    "broadcast-returns": {"num_seeds": 6, "num_updates": 30},
    "broadcast-values": {"num_seeds": 6, "num_updates": 30},
    "time-limit": {"num_seeds": 6, "num_updates": 450},
    "leak": {"num_seeds": 6, "num_updates": 45},
    "forwards": {"num_seeds": 4, "num_updates": 50},
    "stale": {"num_seeds": 4, "num_updates": 20},
}
LONGER = {"one-episode": {"num_updates": 320}}  # as many episodes, one at a time


@cache
def seen(name, which):
    """The instruments of a short run."""
    short = CASES[name].config.replace(**SHORT.get(name, {}))
    case = replace(CASES[name], settings={**CASES[name].settings, **LONGER.get(name, {})})
    return zoo.watch(case, which, short)


def at_the_end(name, which, metric="episode_return"):
    """The mean over seeds and the last tenth of the updates."""
    values = seen(name, which)[metric]
    return np.nanmean(values[-max(1, len(values) // 10) :])


# ── The mechanism ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "config",
    [*presets.values(), preset("gae", "ladder"), preset("reinforce", "Acrobot-v1")],
    ids=lambda config: f"{config.method} {config.world}",
)
def test_with_nothing_changed_it_is_training_bit_for_bit(config):
    few = config.replace(num_seeds=2, num_updates=3, num_envs=4)
    for ours, theirs in zip(Engine().train(few), train(few), strict=True):
        assert_same_rows(ours, slice(None), theirs, slice(None))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.replaces])
def test_with_the_right_line_it_is_training_too(name):
    case = CASES[name]
    few = case.config.replace(num_seeds=2, num_updates=2)
    for ours, theirs in zip(Engine(case, "right").train(few), train(few), strict=True):
        assert_same_rows(ours, slice(None), theirs, slice(None))


@each_case
def test_the_right_line_stands_in_the_engine_and_nothing_else_differs(name):
    case = CASES[name]
    source = inspect.getsource(case.where)
    assert [line.strip() for line in source.split("\n")].count(case.line) == 1
    assert case.right.startswith(case.line)
    differing = [
        line
        for line in ndiff(source.split("\n"), case.source("wrong").split("\n"))
        if line[0] in "+-"
    ]
    assert [line[1:].strip() for line in differing] == [case.line, case.wrong]
    assert case.symptom.endswith(".")


@pytest.mark.parametrize("name", [name for name in CASES if name != "time-limit"])  # slow to show
def test_two_updates_suffice_for_a_wrong_line_to_change_what_is_learned(name):
    few = CASES[name].config.replace(num_seeds=2, num_updates=2)
    ended = {}
    for which in WHICH:
        config = CASES[name].configured(few, which).replace(num_updates=2)
        *_, ended[which] = Engine(CASES[name], which).train(config)
    assert (ended["right"].theta != ended["wrong"].theta).any()


def test_nobody_else_meets_the_wrong_line():
    few = presets["reinforce"].replace(num_seeds=2, num_updates=2)
    before = [update.theta for update in train(few)]
    modules = {name: sys.modules[name] for name in zoo.MODULES}
    zoo.watch(CASES["no-log"], "wrong", few)
    assert all(sys.modules[name] is module for name, module in modules.items())
    np.testing.assert_array_equal(before, [update.theta for update in train(few)])


def test_a_line_that_has_gone_is_an_error():
    gone = replace(CASES["no-log"], right="surrogate = psi * log_prob")
    with pytest.raises(ValueError, match="must be one line of the source, and is 0"):
        Engine(gone, "wrong")


# ── What each line does, against its definition ──────────────────────────────────────────────


def module(name, which, of):
    """A module of the engine with the case's line in it."""
    return Engine(CASES[name], which).module(of)


def test_without_the_log_half_the_sum_of_pi_squared_is_climbed():
    """∂/∂z of ½ Σ_a π(a)² r_a, which is Σ_a π(a) · π(a) ∇log π(a) r_a."""
    found = expected_update(CASES["no-log"], "wrong", "bandit-a")
    pi, paid = softmax(np.array([1.0, 0, -1])), np.array([1.0, 2, 5])
    truth = pi * (pi * paid - (pi**2 * paid).sum())
    assert (np.abs(found.mean - truth) < 4 * found.standard_error).all()
    assert found.cosine[0] == pytest.approx(-0.885, abs=0.04)


def test_own_mean_is_the_broken_estimator_of_the_page_on_baselines():
    config = CASES["own-mean"].config.replace(world="ladder", num_seeds=2)
    rollout = Learners(config, [0, 1]).collect(0)
    methods = module("own-mean", "wrong", "pgviz.training.methods")
    expected = broken.own_episode_mean(rollout.rewards, config.gamma, rollout.mask)
    found = methods.weights(rollout, config)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_baseline_that_depends_on_the_action_leaves_what_comes_after_the_next_state():
    """G_t − (r_t + γ V̂(s_{t+1})) = γ (G_{t+1} − V̂(s_{t+1})), and 0 at the last step."""
    config = preset("baseline", "ladder", num_seeds=2, gamma=0.9, drop_gamma_t=True)
    learners = Learners(config, [0, 1])
    learners.critic[:] = [1.0, 2.0, 3.0]
    rollout = learners.collect(0)
    psi = estimators.baselined_reward_to_go(rollout.rewards, rollout.values, 0.9)
    psi = psi - zoo.HELPERS["td_errors_of"](rollout, config)
    returns = estimators.reward_to_go(rollout.rewards, 0.9)
    later = 0.9 * (returns - rollout.values)[..., 1:]
    np.testing.assert_allclose(psi[..., :-1], later, atol=1e-6)
    np.testing.assert_allclose(psi[..., -1], 0, atol=1e-6)


def test_gamma_twice_by_its_definition():
    """Σ_{k ≥ t} γ^{k−t} γ^k r_k."""
    rewards = np.random.default_rng(0).normal(size=7)
    wrong = module("gamma-twice", "wrong", "pgviz.estimators").reward_to_go(rewards, 0.8)
    for t in range(7):
        terms = [0.8 ** (k - t) * 0.8**k * rewards[k] for k in range(t, 7)]
        assert wrong[t] == pytest.approx(sum(terms))


@pytest.mark.parametrize("paired", ["returns", "values"])
def test_all_pairs_are_what_torch_makes_of_n_1_minus_n(paired):
    """log π (N,) times the matrix, averaged over all entries, as a loss would do it."""
    draw = np.random.default_rng(1)
    returns, values, log_probs = (torch.tensor(draw.normal(size=5)) for _ in range(3))
    matrix = {
        "values": returns - values[:, None],  # V̂ came as (N, 1): G stays with its log π
        "returns": returns[:, None] - values,  # G came as (N, 1): V̂ stays with it
    }[paired]
    literal = (log_probs * matrix).mean()
    wrong = module(f"broadcast-{paired}", "wrong", "pgviz.estimators").baselined_reward_to_go
    psi = wrong(returns.numpy()[:, None], values.numpy()[:, None], 1.0)[:, 0]
    assert (log_probs.numpy() * psi).mean() == pytest.approx(float(literal))


def test_all_pairs_in_the_loss_are_what_torch_makes_of_n_1_minus_n():
    wrong = module("broadcast-loss", "wrong", "pgviz.training.critic").value_gradient
    draw = np.random.default_rng(2)
    obs, y = draw.normal(size=(1, 6, 3)).astype("f"), draw.normal(size=(1, 6)).astype("f")
    theta = draw.normal(size=(1, 3)).astype("f")
    block = torch.from_numpy(obs), torch.from_numpy(y), torch.full((1, 6), 1 / 6)
    parameters = torch.tensor(theta[0], requires_grad=True)
    said = (torch.from_numpy(obs[0]) @ parameters)[:, None]
    (0.5 * (said - torch.from_numpy(y[0])).square()).mean().backward()
    np.testing.assert_allclose(
        wrong(Linear(3), theta, [block])[0], parameters.grad.numpy(), rtol=1e-4, atol=1e-6
    )


def test_the_limit_taken_for_a_fall_is_the_switch():
    config = CASES["time-limit"].config.replace(num_seeds=2, num_envs=4)
    weights = []
    for which, switched in ("wrong", config), ("right", config.replace(bootstrap_truncated=False)):
        learners = Engine(CASES["time-limit"], which).loop.Learners(switched, [0, 1])
        learners.env.steps[:] = 497
        rollout = learners.collect(0)
        assert rollout.truncated.any()
        weights.append(module("time-limit", which, "pgviz.training.methods").weights)
        weights[-1] = weights[-1](rollout, switched)
    np.testing.assert_array_equal(*weights)


def test_what_runs_on_into_the_next_episode_is_not_two_episodes_apart():
    draw = np.random.default_rng(3)
    rewards, values, next_values = draw.normal(size=(3, 8))
    over = np.arange(8) % 4 == 3
    arguments = rewards, values, next_values, over, 0.9, 0.8, over
    right, wrong = (
        module("leak", which, "pgviz.estimators").gae(*arguments) for which in ("right", "wrong")
    )
    apart = [estimators.gae(*(x[half] if np.ndim(x) else x for x in arguments)) for half in HALVES]
    np.testing.assert_allclose(right, np.concatenate(apart))
    np.testing.assert_allclose(wrong[4:], apart[1])
    leaked = 0.72 ** np.arange(4, 0, -1) * wrong[4]
    np.testing.assert_allclose(wrong[:4], apart[0] + leaked)


def test_forwards_is_the_recursion_on_time_turned_round():
    x = np.random.default_rng(4).normal(size=9)
    wrong = module("forwards", "wrong", "pgviz.estimators").discounted_sum(x, 0.7)
    np.testing.assert_allclose(wrong, estimators.discounted_sum(x[::-1], 0.7)[::-1])


@pytest.mark.parametrize("world", ["CartPole-v1", "ladder"])
def test_the_entropy_gradient_is_that_of_the_mean_entropy(world):
    """Central differences of Σ_t H over fixed states."""
    learners = Learners(preset("reinforce", world, num_seeds=1, num_envs=3), [0])
    theta = np.random.default_rng(5).normal(0, 0.5, learners.policy.shape)
    learners.policy[:] = theta
    rollout = learners.collect(0)
    found = zoo.entropy_gradient(learners, rollout)[0]
    agent = learners.agent

    def entropy(theta):
        network = agent.policy
        layers = network.layers(theta[None].astype(np.float64))
        outputs, _ = network.forward(layers, network.features(rollout.obs[:, rollout.mask[0]]))
        return agent.distribution.entropy(outputs).sum() / 3

    for p in range(0, len(found), 7 if world == "CartPole-v1" else 1):
        step = np.zeros(len(found))
        step[p] = 1e-3
        slope = (entropy(theta[0] + step) - entropy(theta[0] - step)) / 2e-3
        assert found[p] == pytest.approx(slope, rel=2e-2, abs=2e-2)


def test_on_fresh_samples_the_ratio_makes_no_difference_and_later_it_does():
    config = CASES["stale"].config.replace(num_seeds=1, num_envs=4)
    learners = Learners(config, [0])
    batch = updates.Batch(rollout := learners.collect(0), rollout.values, rollout.log_probs)
    obs, actions, psi, old = batch.at(np.arange(40)[None])
    wrong = module("stale", "wrong", "pgviz.training.updates").surrogate_gradient
    for moved in (0, 0.3):
        theta = learners.policy + np.float32(moved)
        arguments = learners.agent, theta, obs, actions, psi + 1, old, 0.2
        ours, right = wrong(*arguments)[0], updates.surrogate_gradient(*arguments)[0]
        assert np.allclose(ours, right, rtol=1e-3, atol=1e-4) == (moved == 0)


# ── The symptoms: there with the wrong line, and not with the right one ──────────────────────


def test_no_log():
    assert at_the_end("no-log", "right") > 0.95
    assert seen("no-log", "wrong")["episode_return"][-10:].max() < 0.85
    assert one_state(CASES["no-log"], "right").signs.tolist() == [[1, -1]]
    assert one_state(CASES["no-log"], "wrong").signs.tolist() == [[-1, 1]]


def test_own_mean():
    assert at_the_end("own-mean", "right") > 0.95
    assert (seen("own-mean", "wrong")["advantage_std"] == 0).all()
    assert (np.ptp(seen("own-mean", "wrong")["entropy"], axis=0) < 1e-6).all()
    assert not one_state(CASES["own-mean"], "wrong").steps.any()


def test_one_episode():
    assert at_the_end("one-episode", "right", "entropy") > 0.5
    assert at_the_end("one-episode", "wrong", "entropy") < 0.35
    assert at_the_end("one-episode", "right") > 2 * at_the_end("one-episode", "wrong")
    noise = [
        expected_update(CASES["one-episode"], which, num_rounds=2).covariance_trace
        for which in ("right", "wrong")
    ]
    assert noise[1] == pytest.approx(16 * noise[0], rel=0.3)


def test_sign():
    assert at_the_end("sign", "right") > 200
    assert at_the_end("sign", "wrong") < 12
    assert at_the_end("sign", "wrong", "explained_variance") > 0.8
    assert expected_update(CASES["sign"], "wrong", num_rounds=1).cosine[0] < -0.99


def test_action_baseline():
    assert at_the_end("action-baseline", "right") > 1.5 * at_the_end("action-baseline", "wrong")
    right, wrong = (one_state(CASES["action-baseline"], which) for which in ("right", "wrong"))
    assert right.signs.tolist() == [[1, -1]]
    assert np.abs(wrong.steps).max() < 1e-4 * np.abs(right.steps).max()


def test_gamma_twice():
    assert at_the_end("gamma-twice", "right") > 1.3 * at_the_end("gamma-twice", "wrong")
    assert at_the_end("gamma-twice", "right", "advantage_mean") > 30
    assert at_the_end("gamma-twice", "wrong", "advantage_mean") < 15


def test_no_detach():
    assert at_the_end("no-detach", "right") > 1.3 * at_the_end("no-detach", "wrong")
    assert at_the_end("no-detach", "wrong", "explained_variance") > 0.98
    assert at_the_end("no-detach", "right", "explained_variance") < 0.97


def test_broadcast_loss():
    assert at_the_end("broadcast-loss", "right") > 200
    assert at_the_end("broadcast-loss", "wrong") < 40
    explained = {w: at_the_end("broadcast-loss", w, "explained_variance") for w in WHICH}
    assert explained["right"] > 0.7
    assert abs(explained["wrong"]) < 0.05


def test_broadcast_returns():
    name = "broadcast-returns"
    assert at_the_end(name, "right") > 3 * at_the_end(name, "wrong")
    wrong, right = (expected_update(CASES[name], w, num_rounds=2) for w in ("wrong", "right"))
    sizes = [np.linalg.norm(found.mean) for found in (wrong, right)]
    assert sizes[0] == pytest.approx(sizes[1] / 16, rel=0.3)
    assert wrong.covariance_trace > 0.5 * right.covariance_trace


def test_broadcast_values_still_learns():
    name = "broadcast-values"
    for which in WHICH:
        assert at_the_end(name, which) > 300
        assert expected_update(CASES[name], which, num_rounds=2).cosine[0] > 0.99


def test_time_limit():
    right, wrong = (seen("time-limit", which) for which in WHICH)
    for run in (right, wrong):
        assert run["episode_return"].mean(axis=1).max() > 470
    spread = [run["advantage_std"][-45:].mean() for run in (right, wrong)]
    assert spread[1] > 5 * spread[0]
    assert at_the_end("time-limit", "wrong") < at_the_end("time-limit", "right")


def test_leak_still_learns_but_later():
    right, wrong = (seen("leak", which) for which in WHICH)
    assert at_the_end("leak", "wrong") < 0.8 * at_the_end("leak", "right")
    assert at_the_end("leak", "wrong") > 5 * wrong["episode_return"][0].mean()
    assert right["advantage_mean"][0].max() < right["episode_return"][0].max()
    assert wrong["advantage_mean"][0].min() > 5 * wrong["episode_return"][0].max()


def test_forwards():
    assert at_the_end("forwards", "right") > 100
    assert at_the_end("forwards", "wrong") < 13
    assert at_the_end("forwards", "wrong", "advantage_std") > 200
    assert at_the_end("forwards", "right", "advantage_std") < 20


def test_entropy():
    assert at_the_end("entropy", "right", "entropy") > 0.67
    assert at_the_end("entropy", "wrong", "entropy") < 0.55
    assert at_the_end("entropy", "right") > -13
    assert at_the_end("entropy", "wrong") < -15


def test_softmax_twice():
    floor = -sum(p * np.log(p) for p in softmax(np.array([0.0, 1.0])))
    assert seen("softmax-twice", "wrong")["entropy"].min() > floor
    assert at_the_end("softmax-twice", "right", "entropy") < floor / 2
    assert at_the_end("softmax-twice", "right") > 3.3
    assert at_the_end("softmax-twice", "wrong") < 2.9


def test_softmax_twice_plays_another_policy_than_its_objective_is_of():
    """So `objective` is none of the instruments."""
    assert "objective" not in zoo.RECORDED
    config = CASES["softmax-twice"].config
    *_, last = Engine(CASES["softmax-twice"], "wrong").train(config)
    table = find("ladder").table
    theta = last.played.reshape(-1, *table.theta.shape)
    plays = objectives(table, softmax(theta), 1.0)
    told = last.metrics["objective"]
    assert told.mean() > 3.3 > 2.9 > plays.mean()
    assert last.metrics["episode_return"].mean() == pytest.approx(plays.mean(), abs=0.3)


def test_softmax_in_the_loss():
    right, wrong = (
        seen("softmax-in-the-loss", which)["episode_return"][-10:].mean(axis=0) for which in WHICH
    )
    assert right.min() > 4.5
    assert wrong.min() < 1.1
    assert wrong.max() > 4.5
    assert at_the_end("softmax-in-the-loss", "wrong", "entropy") < 0.1


def test_stale():
    assert at_the_end("stale", "right") > 200
    assert at_the_end("stale", "right", "entropy") > 0.3
    assert at_the_end("stale", "wrong", "entropy") < 0.2
    assert at_the_end("stale", "wrong") < 0.5 * at_the_end("stale", "right")


# ── The instruments ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.world])
def test_the_right_line_follows_the_exact_gradient(name):
    found = expected_update(CASES[name], "right", num_rounds=1)
    assert found.cosine[0] > 0.98
    episodes = 2 if CASES[name].config.num_steps else 1  # in a window
    along = (found.mean * found.exact).sum() / (found.exact**2).sum()
    assert along == pytest.approx(episodes, rel=0.25)


def test_advantages_are_read_as_they_multiply_the_score():
    config = presets["baseline"].replace(num_seeds=2, num_updates=1, num_envs=4)
    told = zoo.watch(CASES["sign"], "wrong", config)
    learners = Learners(config, [0, 1])
    rollout = learners.collect(0)
    for seed in range(2):
        mine = (estimators.reward_to_go(rollout.rewards, 1.0) - rollout.values)[seed]
        mine = -mine[rollout.mask[seed]]
        assert told["advantage_mean"][0, seed] == pytest.approx(mine.mean(), rel=1e-5)
        assert told["advantage_std"][0, seed] == pytest.approx(mine.std(), rel=1e-5)


def test_a_mean_that_may_be_zero_has_no_cosine():
    noise = np.random.default_rng(0).normal(size=(400, 1, 2))
    assert zoo.Expected(noise, np.array([[1.0, -1.0]])).cosine is None
    found = zoo.Expected(noise + np.array([1.0, -1.0]), np.array([[1.0, -1.0]]))
    assert found.cosine[0] == pytest.approx(1, abs=0.01)
    assert found.signs.tolist() == [[1, -1]]
