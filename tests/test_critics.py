"""The critic: subtracted it does no harm, it learns from what is over, and its gradient is its own."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_training import collected, exact_gradient, rollout_of, true_gradient

from pgviz import estimators
from pgviz.networks import MLP
from pgviz.runs.replay import replay, trajectory
from pgviz.training import Config, presets, train
from pgviz.training import critic as critic_module
from pgviz.training.agent import Agent, value_scale
from pgviz.training.gradient import policy_gradient
from pgviz.training.loop import stream
from pgviz.training.methods import methods, weights
from pgviz.training.optimizer import Adam
from pgviz.worlds.cartpole import OBS_SCALE
from pgviz.worlds.world import CARTPOLE_V1

BASELINE = presets["baseline"]

CRITIC_METHODS = [name for name, m in methods.items() if m.critic and m.update == "gradient_step"]


def judged(method="baseline", num_seeds=3, seed=0, **of):
    """Episodes, and a critic of random opinions about them."""
    policy, theta, rollout = collected(num_seeds=num_seeds, seed=seed, **of)
    agent = Agent.of(presets[method].replace(hidden=4))
    draw = np.random.default_rng(seed + 50)
    critic = draw.normal(0, 0.5, (num_seeds, agent.critic.num_parameters)).astype(np.float32)
    return (
        policy,
        theta,
        agent.critic,
        critic,
        critic_module.with_values(agent.critic, critic, rollout),
    )


# ── What is subtracted does no harm ──────────────────────────────────────────────────────────


def paid(actions):
    a, b, c = actions
    return np.array([2.0 * a - 1, a * b - 0.5, 3.0 * c - b])


@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_whatever_the_critic_says_the_baseline_leaves_the_expected_gradient_unchanged(
    gamma, monkeypatch
):
    """Over ALL trajectories, weighted by their probability: no noise, hence equality."""
    policy, theta, _ = collected(num_seeds=1)
    obs = np.random.default_rng(3).normal(0, 0.5, (3, 4)).astype(np.float32)
    truth = true_gradient(policy, theta, obs, paid, gamma)
    config = Config(method="baseline", gamma=gamma)
    for opinions in ([0, 0, 0], [5, -3, 40], [-100, 0.1, 7]):
        say(monkeypatch, lambda rollout, values=opinions: np.array(values, np.float32))
        ours = exact_gradient(policy, theta, obs, paid, config, drop=False)
        np.testing.assert_allclose(ours, truth, atol=3e-5)


def test_a_critic_that_has_seen_the_action_biases_and_one_that_fits_it_kills_the_gradient(
    monkeypatch,
):
    policy, theta, _ = collected(num_seeds=1)
    obs = np.random.default_rng(3).normal(0, 0.5, (3, 4)).astype(np.float32)
    truth = true_gradient(policy, theta, obs, paid, 1.0)
    config = Config(method="baseline")

    def returns(rollout):
        return estimators.reward_to_go(rollout.rewards, 1.0)

    say(monkeypatch, lambda rollout: 0.5 * returns(rollout))
    halved = exact_gradient(policy, theta, obs, paid, config, drop=False)
    np.testing.assert_allclose(halved, 0.5 * truth, atol=2e-6)
    say(monkeypatch, returns)
    nothing = exact_gradient(policy, theta, obs, paid, config, drop=False)
    np.testing.assert_allclose(nothing, 0, atol=1e-7)


PLAIN_BASELINE = methods["baseline"].weight


def say(monkeypatch, values):
    """Let the critic of the baseline say this of every rollout."""

    def opinionated(rollout, config):
        said = np.broadcast_to(values(rollout), rollout.mask.shape)
        return PLAIN_BASELINE(replace(rollout, values=said), config)

    monkeypatch.setitem(methods, "baseline", replace(methods["baseline"], weight=opinionated))


@pytest.mark.parametrize("method", CRITIC_METHODS)
def test_weights_are_the_definitions_typed_slowly(method):
    config = presets[method].replace(gamma=0.9, gae_lambda=0.6, num_steps=0)
    _, _, _, _, rollout = judged(method, limit=20)
    psi = weights(rollout, config)
    assert rollout.truncated.any()
    for k, n in np.ndindex(*psi.shape[:2]):
        length = rollout.mask[k, n].sum()
        r, v, following = (
            x[k, n, :length].astype(float)
            for x in (rollout.rewards, rollout.values, rollout.next_values)
        )
        following = np.where(rollout.terminated[k, n, :length], 0, following)
        for t in range(length):
            if method == "baseline":
                expected = sum(0.9 ** (i - t) * r[i] for i in range(t, length)) - v[t]
            else:
                decay = {"actor-critic": 0.0, "gae": 0.9 * 0.6}[method]
                expected = sum(
                    decay ** (i - t) * (r[i] + 0.9 * following[i] - v[i]) for i in range(t, length)
                )
            assert psi[k, n, t] == pytest.approx(expected, rel=1e-5, abs=1e-5)
        assert not psi[k, n, length:].any()


# ── It has learned from earlier updates only ─────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["baseline", "gae"])
def test_the_weights_of_an_update_are_by_the_critic_of_the_updates_before_it(name):
    """From nothing but the recorded row that PLAYED the update, its gradient comes back."""
    config = presets[name].replace(num_steps=0, num_envs=6, num_seeds=2, num_updates=5)
    agent = Agent.of(config)
    for update in train(config):
        row = update.played[[1]]
        rollout = replay(config, row[0], seed=1, update=update.index)
        psi = weights(rollout, config)
        gradient, loss = policy_gradient(agent, agent.policy_part(row), rollout, psi)
        now = {key: values[1] for key, values in update.metrics.items()}
        assert now["grad_norm"] == pytest.approx(np.linalg.norm(gradient), rel=1e-4)
        assert now["pseudo_loss"] == pytest.approx(loss[0], rel=1e-4, abs=1e-4)
        targets = psi + rollout.values
        assert now["value_loss"] == pytest.approx(
            critic_module.value_loss(rollout, targets)[0], rel=1e-5
        )
        fitted = agent.values(update.theta[[1]], rollout.obs[:, 0])
        before = agent.values(row, rollout.obs[:, 0])
        assert (fitted != before).any(), "it has learned from this update by its end"


AFTERWARDS = {"normalised": {"normalize_advantages": True}, "γ^t kept": {"drop_gamma_t": False}}


@pytest.mark.parametrize("changes", AFTERWARDS.values(), ids=AFTERWARDS)
@pytest.mark.parametrize("method", CRITIC_METHODS)
def test_whatever_is_done_to_psi_for_the_policy_the_critic_learns_from_the_bare_one(
    method, changes
):
    config = presets[method].replace(gamma=0.9, num_steps=0, num_envs=4, num_seeds=2, num_updates=1)
    agent = Agent.of(config)
    bare, weighted = (next(train(c)) for c in (config, config.replace(**changes)))
    for name in ("value_loss", "explained_variance"):
        np.testing.assert_array_equal(weighted.metrics[name], bare.metrics[name])
    critics, policies = (
        [part(update.theta) for update in (bare, weighted)]
        for part in (agent.critic_part, agent.policy_part)
    )
    np.testing.assert_array_equal(*critics)
    assert (critics[0] != agent.critic_part(bare.played)).any(axis=1).all()
    assert (policies[0] != policies[1]).any(axis=1).all()


def test_the_first_critic_has_learned_nothing():
    first = next(train(BASELINE))
    births = [stream(BASELINE, seed, "theta") for seed in range(16)]
    np.testing.assert_array_equal(first.played, Agent.of(BASELINE).initial_theta(births))


# ── Two networks that share nothing ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", CRITIC_METHODS)
def test_only_its_own_gradient_moves_a_network(method):
    config = presets[method].replace(num_seeds=2, num_updates=12)
    agent = Agent.of(config)
    parts = {"learning_rate": agent.policy_part, "critic_learning_rate": agent.critic_part}
    for rate, still in parts.items():
        *_, last = train(config.replace(**{rate: 0.0}))
        (first,) = train(config.replace(num_updates=1))
        np.testing.assert_array_equal(still(last.theta), still(first.played))
        for other in parts.values():
            if other is not still:
                assert (other(last.theta) != other(first.played)).mean() > 0.9


def test_the_policys_gradient_takes_the_weights_as_constants():
    """Torch's graph ends at Ψ, although Ψ was made of the critic: the slow twin is detached."""
    policy, theta, critic, values, rollout = judged()
    psi = weights(rollout, BASELINE)
    ours, _ = policy_gradient(Agent(policy), theta, rollout, psi)
    parameters = torch.tensor(theta, requires_grad=True)
    opinions = torch.tensor(values, requires_grad=True)
    total = 0
    for k in range(3):
        obs = torch.from_numpy(rollout.obs[k][rollout.mask[k]])[None]
        taken = torch.from_numpy(rollout.actions[k][rollout.mask[k]])
        returns = estimators.reward_to_go(rollout.rewards, 1.0)[k][rollout.mask[k]]
        said = critic(opinions[[k]], obs)[0].detach()
        log_probs = torch.nn.functional.logsigmoid(
            torch.where(taken, 1, -1) * policy(parameters[[k]], obs)[0]
        )
        total = total + ((torch.from_numpy(returns) - said) * log_probs).sum() / 5
    total.backward()
    assert opinions.grad is None
    np.testing.assert_allclose(ours, parameters.grad.numpy(), rtol=1e-3, atol=1e-3)


def regression(critic, theta, rollout, gamma, detached):
    """The critic's loss typed in float64 with torch's own operations: mean ½ (V̂ − r − γV̂')²."""
    first, last, last_bias = (torch.split(theta, (20, 4, 1), dim=1)[i] for i in range(3))
    scale = torch.tensor(critic.obs_scale, dtype=torch.float64)
    total = 0
    for k, happened in enumerate(rollout.mask):
        w_1 = first[k].reshape(5, 4)
        both = []
        for obs in (rollout.obs, rollout.next_obs):
            inputs = torch.from_numpy(obs[k][happened]).double() * scale
            hidden = torch.tanh(inputs @ w_1[:-1] + w_1[-1])
            both.append(critic.output_scale * (hidden @ last[k] + last_bias[k]))
        goes_on = torch.from_numpy(~rollout.terminated[k][happened])
        y = torch.from_numpy(rollout.rewards[k][happened]) + gamma * both[1] * goes_on
        total = total + 0.5 * ((both[0] - (y.detach() if detached else y)) ** 2).mean()
    return total


@pytest.mark.parametrize("detached", [True, False])
def test_the_critics_gradient_is_torchs_if_the_targets_are_detached(detached):
    """Believing itself, the critic moves V̂(s_t) towards r + γV̂(s_{t+1}) and not the other way."""
    _, _, critic, theta, rollout = judged("actor-critic")
    config = presets["actor-critic"].replace(num_steps=0, minibatch_size=0, critic_steps=1)
    targets = methods["actor-critic"].weight(rollout, config) + rollout.values
    (batch,) = critic_module.minibatches(rollout, targets, [], config)
    ours = critic_module.value_gradient(critic, theta, batch)
    parameters = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
    loss = regression(critic, parameters, rollout, config.gamma, detached)
    expected = torch.autograd.grad(loss, parameters)[0].numpy()
    error = np.linalg.norm(ours - expected) / np.linalg.norm(expected)
    assert (error < 1e-4) == detached


# ── It learns ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("minibatch_size", [0, 64, 512])
def test_regression_converges_on_a_function_it_can_represent(minibatch_size):
    _, _, rollout = collected(num_envs=20)
    critic = MLP(OBS_SCALE, hidden=16, output_scale=50.0)
    theta = critic.initial_theta([np.random.default_rng(k) for k in range(3)], last_scale=1.0)
    optimizer = Adam(theta.shape, 0.01)
    config = BASELINE.replace(critic_steps=100, minibatch_size=minibatch_size)
    targets = 20 + rollout.obs @ np.array([5.0, -10.0, 100.0, 20.0], np.float32)
    streams = [np.random.default_rng([9, k]) for k in range(3)]
    explained = []
    for _ in range(8):
        told = critic_module.with_values(critic, theta, rollout)
        explained.append(critic_module.explained_variance(told, targets))
        critic_module.fit(critic, theta, optimizer, rollout, targets, streams, config)
    assert (explained[0] < 0.7).all()
    assert (explained[-1] > 0.999).all()
    assert (critic_module.value_loss(told, targets) < 0.5).all()


def test_minibatches_are_drawn_among_the_steps_that_happened_and_each_from_its_own_stream():
    _, _, rollout = collected(num_envs=4)
    targets = np.where(rollout.mask, rollout.obs[..., 0], np.nan)
    config = BASELINE.replace(minibatch_size=30, critic_steps=5)
    streams = [np.random.default_rng(k) for k in range(3)]
    batches = list(critic_module.minibatches(rollout, targets, streams, config))
    assert len(batches) == 5
    for ((obs, y, shares),) in batches:
        assert obs.shape == (3, 30, 4)
        np.testing.assert_array_equal(obs[..., 0], y)
        np.testing.assert_allclose(shares.sum(axis=-1), 1, rtol=1e-6)
        for k in range(3):
            assert np.isin(y[k], targets[k][rollout.mask[k]]).all()
    alone = critic_module.minibatches(
        replace(rollout, **{name: getattr(rollout, name)[1:2] for name in ("mask", "obs")}),
        targets[1:2],
        [np.random.default_rng(1)],
        config,
    )
    for ((obs, _, _),), ((mine, _, _),) in zip(batches, alone, strict=True):
        np.testing.assert_array_equal(obs[1], mine[0])


def test_all_steps_at_once_weigh_the_same():
    _, _, rollout = collected(num_envs=30)
    config = BASELINE.replace(minibatch_size=0, critic_steps=2)
    for blocks in critic_module.minibatches(rollout, rollout.rewards, [], config):
        total = sum(shares.sum(axis=1) for _, _, shares in blocks)
        np.testing.assert_allclose(total, 1, rtol=1e-5)
        for k in range(3):
            used = np.concatenate([shares[k] for _, _, shares in blocks])
            assert (used > 0).sum() == rollout.mask[k].sum()


# ── What is said about it ────────────────────────────────────────────────────────────────────


def test_explained_variance_is_one_minus_the_part_left_over():
    draw = np.random.default_rng(0)
    y = draw.normal(3, 2, (1, 4, 50))
    rollout = rollout_of(np.zeros((4, 50, 4)), np.zeros((4, 50)), np.ones((4, 50)))

    def explained(values, targets=y):
        told = replace(rollout, values=values.astype(np.float32))
        return critic_module.explained_variance(told, targets)[0]

    assert explained(y) == pytest.approx(1)
    assert explained(np.full_like(y, 17.0)) == pytest.approx(0, abs=1e-6)
    assert explained(y + 5) == pytest.approx(1), "a constant error is no lack of explanation"
    assert explained(-y) == pytest.approx(-3)
    assert explained(0.5 * y) == pytest.approx(0.75)
    noisy = y + draw.normal(0, 1, y.shape)
    assert explained(noisy) == pytest.approx(1 - np.var(noisy - y) / np.var(y), rel=1e-5)
    assert np.isnan(explained(y, np.ones_like(y))), (
        "where nothing varies there is nothing to explain"
    )


def test_value_loss_is_half_the_mean_squared_error_over_the_steps_that_happened():
    _, _, _, _, rollout = judged()
    targets = rollout.values + np.where(rollout.mask, 3.0, 1e9)
    np.testing.assert_allclose(critic_module.value_loss(rollout, targets), 4.5, rtol=1e-5)


def test_methods_without_a_critic_have_no_value_and_no_error_of_it():
    update = next(train(presets["reinforce"].replace(num_seeds=2, num_envs=2)))
    assert np.isnan(update.metrics["value_loss"]).all()
    assert np.isnan(update.metrics["explained_variance"]).all()
    rollout = replay(presets["reinforce"], update.played[0], 0, 0)
    assert not rollout.values.any()
    assert trajectory(presets["reinforce"], update.played[0], rollout, 0)["value"].isna().all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 1.0])
def test_a_critics_output_of_2_is_the_value_of_a_pole_that_never_falls(gamma):
    assert 2 * value_scale(CARTPOLE_V1, gamma) == pytest.approx(
        estimators.reward_to_go(np.ones(500), gamma)[0]
    )


def test_a_row_of_theta_holds_policy_and_critic_and_refuses_to_be_taken_for_one_of_them():
    agent = Agent.of(BASELINE)
    theta = agent.initial_theta([np.random.default_rng(k) for k in range(3)])
    assert agent.policy_part(theta).shape[1] + agent.critic_part(theta).shape[1] == theta.shape[1]
    np.testing.assert_array_equal(
        agent.policy_part(theta),
        Agent.of(presets["reinforce"]).initial_theta([np.random.default_rng(k) for k in range(3)]),
        err_msg="with or without a critic, a seed's policy is born the same",
    )
    with pytest.raises(ValueError, match="expected 193 parameters, got 386"):
        agent.policy.layers(theta)


def test_the_critic_of_the_baseline_comes_to_explain_the_returns():
    explained = [
        np.median(update.metrics["explained_variance"])
        for update in train(BASELINE.replace(num_seeds=4, num_updates=18))
    ]
    assert explained[0] < 0.1
    assert max(explained) > 0.4


# ── And so do the policies ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", CRITIC_METHODS)
def test_the_preset_solves_cartpole_within_its_budget(method):
    *_, last = train(presets[method].replace(num_seeds=2, stop_when_solved=True))
    assert last.metrics["solved"].all()
    assert last.index + 1 < presets[method].num_updates
