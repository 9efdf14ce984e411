"""The gradient is the definition's, seeds never touch, and what is recorded is what happened."""

from dataclasses import FrozenInstanceError, replace
from itertools import islice, pairwise, product

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

import pgviz
from pgviz import estimators
from pgviz.measure.frozen import FrozenPolicy
from pgviz.networks import MLP
from pgviz.policies import entropy, probability
from pgviz.training import METRICS, Config, ConfigError, presets, train, with_settings
from pgviz.training import gradient as gradient_module
from pgviz.training import updates as updates_module
from pgviz.training.agent import Agent
from pgviz.training.gradient import of_each_seed, policy_gradient
from pgviz.training.loop import Learners, stream
from pgviz.training.methods import methods, normalized, weights
from pgviz.training.rollout import Rollout, collect_episodes
from pgviz.worlds.cartpole import OBS_SCALE, CartPoleEnsemble

REINFORCE = presets["reinforce"]


def collected(num_seeds=3, num_envs=5, hidden=4, limit=40, seed=0):
    """A policy that is no coin, its parameters, and episodes of CartPole it played."""
    draw = np.random.default_rng(seed)
    policy = MLP(OBS_SCALE, hidden=hidden)
    theta = draw.normal(0, 0.8, (num_seeds, policy.num_parameters)).astype(np.float32)
    env = CartPoleEnsemble(num_seeds * num_envs, num_seeds, limit, AutoresetMode.DISABLED)
    streams = [np.random.default_rng([seed, k]) for k in range(num_seeds)]
    return policy, theta, collect_episodes(env, Agent(policy), theta, streams)


def rollout_of(obs, actions, rewards, lengths=None):
    """A hand-made world of one seed: obs [N, T, 4], actions and rewards [N, T]."""
    actions = np.atleast_2d(actions)
    num_envs, num_steps = actions.shape
    lengths = np.full(num_envs, num_steps) if lengths is None else np.asarray(lengths)
    mask = np.arange(num_steps) < lengths[:, None]
    terminated = np.arange(num_steps) == lengths[:, None] - 1
    obs = np.asarray(obs, np.float32)[None]
    return Rollout(
        obs=obs,
        actions=actions[None].astype(bool),
        rewards=np.where(mask, rewards, 0.0)[None],
        next_obs=np.zeros_like(obs),
        terminated=terminated[None],
        truncated=np.zeros((1, num_envs, num_steps), bool),
        mask=mask[None],
        outputs=np.zeros((1, num_envs, num_steps), np.float32),
        paid_before=np.zeros((1, num_envs)),
        values=np.zeros((1, num_envs, num_steps), np.float32),
        next_values=np.zeros((1, num_envs, num_steps), np.float32),
    )


def logits_of(policy, theta, obs):
    return policy.forward(policy.layers(theta), policy.features(np.asarray(obs, np.float32)))[0]


# ── The gradient ─────────────────────────────────────────────────────────────────────────────


def slow_gradient(policy, theta, rollout, psi):
    """The equation, typed step by step: one torch network a seed, one backward an episode."""
    gradients = []
    num_obs, hidden = len(policy.obs_scale), policy.hidden
    for k in range(len(theta)):
        first, last = torch.nn.Linear(num_obs, hidden), torch.nn.Linear(hidden, 1)
        with torch.no_grad():
            w_1, w_2, b_2 = (torch.from_numpy(layer[k]) for layer in policy.layers(theta))
            first.weight[:], first.bias[:] = w_1[:-1].T, w_1[-1]
            last.weight[:], last.bias[:] = w_2.T, b_2[0]
        total = np.zeros(policy.num_parameters)
        num_episodes = rollout.mask.shape[1]
        for n in range(num_episodes):
            log_likelihood = torch.zeros(())
            for t in range(rollout.mask.shape[2]):
                if not rollout.mask[k, n, t]:
                    break
                obs = torch.from_numpy(rollout.obs[k, n, t]) * torch.tensor(policy.obs_scale)
                bernoulli = torch.distributions.Bernoulli(logits=last(torch.tanh(first(obs))))
                action = torch.tensor([float(rollout.actions[k, n, t])])
                log_likelihood = log_likelihood + psi[k, n, t] * bernoulli.log_prob(action).sum()
            first.zero_grad()
            last.zero_grad()
            log_likelihood.backward()
            parts = first.weight.grad.T, first.bias.grad, last.weight.grad, last.bias.grad
            total += np.concatenate([part.numpy().ravel() for part in parts]) / num_episodes
        gradients.append(total)
    return np.array(gradients)


def assert_close(ours, expected, tolerance=1e-5):
    """Relative to the length of each seed's gradient."""
    assert ours.shape == expected.shape
    assert (np.linalg.norm(expected, axis=1) > 1e-3).all()
    error = np.linalg.norm(ours - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert error.max() < tolerance


@pytest.mark.parametrize(
    "config",
    [
        REINFORCE,
        presets["full-return"],
        REINFORCE.replace(gamma=0.9, drop_gamma_t=False),
        REINFORCE.replace(normalize_advantages=True),
    ],
    ids=["reinforce", "full-return", "gamma_t kept", "normalised"],
)
def test_the_gradient_is_its_slow_twin(config):
    policy, theta, rollout = collected()
    psi = weights(rollout, config)
    ours, _ = policy_gradient(Agent(policy), theta, rollout, psi)
    assert_close(ours, slow_gradient(policy, theta, rollout, psi))


def surrogate(policy, theta, rollout, psi):
    """(1/N) Σ Ψ log π per seed, in float64 and without torch."""
    first, last, last_bias = policy.layers(theta)
    total = np.zeros(len(theta))
    for k in range(len(theta)):
        obs = rollout.obs[k][rollout.mask[k]].astype(float) * policy.obs_scale
        hidden = np.tanh(obs @ first[k, :-1] + first[k, -1])
        f = (hidden @ last[k])[:, 0] + last_bias[k, 0, 0]
        p_right = 1 / (1 + np.exp(-f))
        log_probs = np.log(np.where(rollout.actions[k][rollout.mask[k]], p_right, 1 - p_right))
        total[k] = (psi[k][rollout.mask[k]] * log_probs).sum() / rollout.mask.shape[1]
    return total


def test_the_gradient_is_the_slope_of_the_surrogate_and_the_pseudo_loss_its_negative():
    policy, theta, rollout = collected()
    psi = weights(rollout, REINFORCE)
    ours, pseudo_loss = policy_gradient(Agent(policy), theta, rollout, psi)
    slopes = np.empty(theta.shape)
    for p in range(theta.shape[1]):
        up, down = theta.astype(float), theta.astype(float)
        up[:, p] += 1e-5
        down[:, p] -= 1e-5
        difference = surrogate(policy, up, rollout, psi) - surrogate(policy, down, rollout, psi)
        slopes[:, p] = difference / 2e-5
    assert_close(ours, slopes)
    exact = surrogate(policy, theta.astype(float), rollout, psi)
    np.testing.assert_allclose(pseudo_loss, -exact, rtol=1e-5)


@pytest.mark.parametrize("chunk_rows", [7, 64, 100_000])
def test_cutting_the_steps_into_chunks_changes_nothing(chunk_rows, monkeypatch):
    policy, theta, rollout = collected(num_envs=30)
    psi = weights(rollout, REINFORCE)
    assert rollout.num_steps.max() > gradient_module.CHUNK_ROWS
    as_shipped, loss = policy_gradient(Agent(policy), theta, rollout, psi)
    monkeypatch.setattr(gradient_module, "CHUNK_ROWS", chunk_rows)
    cut_otherwise, same_loss = policy_gradient(Agent(policy), theta, rollout, psi)
    assert_close(cut_otherwise, as_shipped)
    np.testing.assert_allclose(same_loss, loss, rtol=1e-6)


def test_steps_that_did_not_happen_have_no_influence():
    policy, theta, rollout = collected()
    assert not rollout.mask.all()
    psi = weights(rollout, REINFORCE)
    padding = ~rollout.mask
    garbage = replace(
        rollout,
        obs=np.where(padding[..., None], np.float32(np.nan), rollout.obs),
        actions=rollout.actions ^ padding,
        outputs=np.where(padding, np.float32(np.nan), rollout.outputs),
    )
    clean = policy_gradient(Agent(policy), theta, rollout, psi)
    dirty = policy_gradient(Agent(policy), theta, garbage, np.where(padding, np.nan, psi))
    for ours, expected in zip(dirty, clean, strict=True):
        np.testing.assert_array_equal(ours, expected)
    np.testing.assert_array_equal(
        of_each_seed(np.mean, rollout.mask, entropy(garbage.outputs)),
        of_each_seed(np.mean, rollout.mask, entropy(rollout.outputs)),
    )
    assert np.isfinite(clean[0]).all()


@pytest.mark.filterwarnings("error")
def test_the_gradient_of_an_updates_own_read_only_parameters_can_be_taken():
    policy, theta, rollout = collected()
    expected, _ = policy_gradient(Agent(policy), theta, rollout, weights(rollout, REINFORCE))
    theta.flags.writeable = False
    ours, _ = policy_gradient(Agent(policy), theta, rollout, weights(rollout, REINFORCE))
    np.testing.assert_array_equal(ours, expected)


def test_every_step_that_happened_counts_once():
    _, _, rollout = collected(num_envs=30)
    every = gradient_module.chunks(rollout.mask, rollout.mask)
    assert sum(happened.numpy().sum() for (happened,) in every) == rollout.mask.sum()


def test_the_gradient_divides_by_episodes_and_not_by_steps():
    """Twice the same batch: the same mean. An episode twice as long: not halved."""
    policy, theta, rollout = collected(num_seeds=1)
    psi = weights(rollout, REINFORCE)
    once, _ = policy_gradient(Agent(policy), theta, rollout, psi)
    doubles = {name: np.concatenate([x] * 2, axis=1) for name, x in rollout.arrays.items()}
    twice = replace(rollout, **doubles)
    doubled, _ = policy_gradient(Agent(policy), theta, twice, np.concatenate([psi, psi], axis=1))
    assert_close(doubled, once)


# ── Probe worlds: the failing one names the broken mechanism ─────────────────────────────────


def exact_gradient(policy, theta, obs, rewards, config, drop):
    """E[ĝ] by all trajectories of an open-loop world: obs [T, 4], reward of a trajectory [T]."""
    num_steps = len(obs)
    every = np.array(list(product([0, 1], repeat=num_steps)))
    p_right = probability(logits_of(policy, theta, obs[None])[0].astype(float))
    p_tau = np.where(every, p_right, 1 - p_right).prod(axis=1)
    paid = np.array([rewards(actions) for actions in every])
    rollout = rollout_of(np.repeat(obs[None], len(every), axis=0), every, paid)
    psi = weights(rollout, config.replace(drop_gamma_t=drop))
    psi = psi * len(every) * p_tau[None, :, None]  # the mean over all, each as likely as it is
    return policy_gradient(Agent(policy), theta, rollout, psi)[0][0]


def true_gradient(policy, theta, obs, rewards, gamma):
    """∇ E[Σ γ^t r_t], by differentiating the probabilities of all trajectories."""
    parameters = torch.from_numpy(theta.copy()).requires_grad_()
    p_right = torch.sigmoid(policy(parameters, torch.from_numpy(obs[None]))[0])
    objective = 0
    for actions in product([0, 1], repeat=len(obs)):
        taken = torch.tensor(actions, dtype=torch.bool)
        p_tau = torch.where(taken, p_right, 1 - p_right).prod()
        objective = objective + p_tau * sum(gamma**t * r for t, r in enumerate(rewards(actions)))
    objective.backward()
    return parameters.grad[0].numpy()


@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_both_methods_estimate_the_true_gradient_and_dropping_gamma_t_does_not(gamma):
    """Over ALL trajectories, weighted by their probability: no noise, hence equality."""
    policy, theta, _ = collected(num_seeds=1)
    obs = np.random.default_rng(3).normal(0, 0.5, (3, 4)).astype(np.float32)

    def rewards(actions):
        a, b, c = actions
        return np.array([2.0 * a - 1, a * b - 0.5, 3.0 * c - b])

    truth = true_gradient(policy, theta, obs, rewards, gamma)
    args = policy, theta, obs, rewards
    for method in ("full-return", "reinforce"):
        config = Config(method=method, gamma=gamma)
        np.testing.assert_allclose(exact_gradient(*args, config, drop=False), truth, atol=2e-6)
    dropped = exact_gradient(*args, Config(gamma=gamma), drop=True)
    assert np.allclose(dropped, truth, atol=2e-6) == (gamma == 1)


@pytest.mark.parametrize("better", [0, 1])
@pytest.mark.parametrize("method", methods)
def test_one_step_world_the_better_action_becomes_likelier(method, better):
    policy, theta, _ = collected(num_seeds=1)
    obs, actions = np.full((2, 1, 4), 0.1), np.array([[0], [1]])
    rollout = rollout_of(obs, actions, (actions == better).astype(float))
    step, _ = policy_gradient(
        Agent(policy),
        theta,
        rollout,
        weights(rollout, presets[method].replace(normalize_advantages=False)),
    )
    before, after = (
        probability(logits_of(policy, x, obs[None, 0]))[0, 0] for x in (theta, theta + 0.1 * step)
    )
    assert (after > before) == (better == 1)


def test_observation_dependent_world_each_observation_learns_its_own_action():
    policy, theta, _ = collected(num_seeds=1, hidden=8)
    obs = np.array([[0.5] * 4, [0.5] * 4, [-0.5] * 4, [-0.5] * 4])[:, None]
    actions = np.array([[0], [1], [0], [1]])
    rollout = rollout_of(obs, actions, [[0.0], [1.0], [1.0], [0.0]])
    for _ in range(200):
        step, _ = policy_gradient(Agent(policy), theta, rollout, weights(rollout, REINFORCE))
        theta = theta + 0.5 * step
    p_right = probability(logits_of(policy, theta, obs[None, [0, 2], 0]))[0]
    assert p_right[0] > 0.9
    assert p_right[1] < 0.1


def test_delayed_world_an_action_answers_for_later_rewards_and_never_for_earlier_ones():
    obs = np.zeros((1, 3, 4))
    before, after = (rollout_of(obs, [[1, 1, 1]], r) for r in ([[5, 0, 0]], [[0, 0, 5]]))
    full, to_go = presets["full-return"], REINFORCE
    np.testing.assert_array_equal(weights(before, to_go)[0, 0], [5, 0, 0])
    np.testing.assert_array_equal(weights(before, full)[0, 0], [5, 5, 5])
    np.testing.assert_array_equal(weights(after, to_go)[0, 0], [5, 5, 5])
    np.testing.assert_array_equal(weights(after, full)[0, 0], [5, 5, 5])


def test_discounted_world_gamma_t_is_kept_or_dropped():
    rollout = rollout_of(np.zeros((1, 4, 4)), [[1, 1, 1, 1]], [[8, 8, 8, 8]], lengths=[3])
    config = REINFORCE.replace(gamma=0.5)
    np.testing.assert_array_equal(weights(rollout, config)[0, 0], [14, 12, 8, 0])
    kept = weights(rollout, config.replace(drop_gamma_t=False))
    np.testing.assert_array_equal(kept[0, 0], [14, 6, 2, 0])
    for drop in (True, False):  # R(τ) carries its γ^k already
        full = config.replace(method="full-return", drop_gamma_t=drop)
        np.testing.assert_array_equal(weights(rollout, full)[0, 0], [14, 14, 14, 0])


def test_normalized_weights_have_mean_zero_and_std_one_in_every_seed():
    _, _, rollout = collected()
    psi = estimators.reward_to_go(rollout.rewards, 0.9) * [[[1]], [[100]], [[1e-2]]]
    for k, mine in enumerate(normalized(psi, rollout.mask)):
        steps = mine[rollout.mask[k]]
        assert steps.mean() == pytest.approx(0, abs=1e-9)
        assert steps.std() == pytest.approx(1, rel=1e-5)
        assert not mine[~rollout.mask[k]].any()
        centred = psi[k][rollout.mask[k]] - psi[k][rollout.mask[k]].mean()
        np.testing.assert_allclose(steps * centred.std(), centred, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("psi", [7.0, 0.1])
def test_normalizing_weights_that_are_all_equal_gives_zeros_and_no_rounding_errors(psi):
    mask = np.ones((1, 1, 13), bool)
    np.testing.assert_array_equal(normalized(np.full(mask.shape, psi), mask), np.zeros(mask.shape))


# ── The rollout ──────────────────────────────────────────────────────────────────────────────


def test_a_rollout_is_one_whole_episode_a_row_by_its_own_policy():
    policy, theta, rollout = collected(limit=12)
    lengths = rollout.mask.sum(axis=-1)
    assert lengths.min() < 12 == lengths.max()
    for k, n in np.ndindex(*lengths.shape):
        last = lengths[k, n] - 1
        np.testing.assert_array_equal(rollout.mask[k, n], np.arange(rollout.mask.shape[2]) <= last)
        over = rollout.terminated[k, n] | rollout.truncated[k, n]
        np.testing.assert_array_equal(np.flatnonzero(over), [last])
        assert rollout.truncated[k, n, last] == (last == 11)
        following = np.vstack([rollout.obs[k, n, 1 : last + 1], rollout.final_obs[k, n]])
        fell = (np.abs(following[:, [0, 2]]) > [2.4, 0.2095]).any(axis=1)
        np.testing.assert_array_equal(fell, rollout.terminated[k, n, : last + 1])
    np.testing.assert_array_equal(rollout.rewards, rollout.mask)
    np.testing.assert_array_equal(rollout.episode_returns, lengths)
    np.testing.assert_array_equal(rollout.num_steps, lengths.sum(axis=1))
    flat = rollout.obs.reshape(len(theta), -1, 4)
    recomputed = logits_of(policy, theta, flat).reshape(rollout.outputs.shape)
    there = rollout.mask
    np.testing.assert_allclose(recomputed[there], rollout.outputs[there], rtol=1e-4, atol=1e-5)


def test_actions_are_drawn_with_the_probability_of_the_policy():
    _, _, rollout = collected(num_seeds=4, num_envs=256)
    right, p = rollout.actions[rollout.mask], probability(rollout.outputs[rollout.mask])
    for low in np.arange(0, 1, 0.2):
        here = (low <= p) & (p < low + 0.2)
        error = right[here].mean() - p[here].mean()
        assert abs(error) < 4 * np.sqrt(0.25 / here.sum())
        assert here.sum() > 500


# ── The loop ─────────────────────────────────────────────────────────────────────────────────

SOME = REINFORCE.replace(num_updates=6)
VARIANTS = {
    "reinforce": SOME,
    "full return": SOME.replace(method="full-return"),
    "normalised": SOME.replace(normalize_advantages=True),
    "gamma<1": SOME.replace(gamma=0.9, drop_gamma_t=False),
    "one environment": SOME.replace(num_envs=1, num_updates=30),
    "five environments, one hidden unit": SOME.replace(num_envs=5, hidden=1),
    "few steps": SOME.replace(max_env_steps=1_500, num_updates=12),
    "until solved": REINFORCE.replace(stop_when_solved=True, rng_seed=2),
}


def assert_same_rows(one, k, many, j):
    """Row k of one update is row j of another, to the last bit."""
    assert one.index == many.index
    np.testing.assert_array_equal(one.played[k], many.played[j])
    np.testing.assert_array_equal(one.theta[k], many.theta[j])
    assert one.metrics.keys() == many.metrics.keys() == set(METRICS)
    for name in METRICS:
        np.testing.assert_array_equal(one.metrics[name][k], many.metrics[name][j], name)


@pytest.fixture(scope="module")
def runs():
    """Ensembles of 16, each trained once however many theorems look at it."""
    trained = {}

    def updates(name):
        if name not in trained:
            trained[name] = list(train(VARIANTS[name]))
        return trained[name]

    return updates


@pytest.mark.parametrize("name", VARIANTS)
def test_a_seed_alone_is_the_same_seed_among_sixteen(name, runs):
    config, ensemble = VARIANTS[name], runs(name)
    assert ensemble[0].theta.shape[0] == 16
    for seed in (3, 15):
        alone = list(train(config, seeds=[seed]))
        for one, many in zip(alone, ensemble, strict=False):
            assert_same_rows(one, 0, many, seed)
        for many in ensemble[len(alone) :]:  # where it stopped it stands still
            np.testing.assert_array_equal(many.theta[seed], alone[-1].theta[0])
            assert many.metrics["active"][seed] == 0
    one_seed = list(train(config.replace(num_seeds=1)))
    for one, many in zip(one_seed, ensemble, strict=False):
        assert_same_rows(one, 0, many, 0)


def test_seeds_may_be_named_in_any_order(runs):
    for some, all_ in zip(train(SOME, seeds=[9, 2]), runs("reinforce"), strict=True):
        assert_same_rows(some, 0, all_, 9)
        assert_same_rows(some, 1, all_, 2)


def test_seeds_and_rng_seeds_are_different_lives(runs):
    last = runs("reinforce")[-1]
    assert len(np.unique(last.theta, axis=0)) == 16
    other = list(train(SOME.replace(rng_seed=1, num_seeds=2)))[-1]
    assert (other.theta != last.theta[:2]).any(axis=1).all()


@pytest.mark.parametrize("name", ["reinforce", "few steps"])
def test_the_same_configuration_gives_the_same_bits_twice(name, runs):
    again = list(train(VARIANTS[name]))
    assert len(again) == len(runs(name))
    for one, two in zip(again, runs(name), strict=True):
        for k in range(16):
            assert_same_rows(one, k, two, k)


def test_an_update_is_immutable_and_keeps_its_numbers_while_training_goes_on():
    training = train(SOME.replace(num_seeds=2))
    first = next(training)
    kept = first.played.copy(), first.theta.copy(), {k: v.copy() for k, v in first.metrics.items()}
    list(training)
    np.testing.assert_array_equal(first.played, kept[0])
    np.testing.assert_array_equal(first.theta, kept[1])
    for name, values in kept[2].items():
        np.testing.assert_array_equal(first.metrics[name], values)
    for array in (first.played, first.theta, *first.metrics.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError):
        first.index = 7


def test_no_two_purposes_share_a_random_number():
    """Not those of training, nor those of the bench that plays a recorded policy again."""
    first = []
    for rng_seed, seed, index in product(range(2), range(3), range(3)):
        config = REINFORCE.replace(rng_seed=rng_seed)
        bench = FrozenPolicy(config, np.empty(0, np.float32), seed, update=index)
        first += [stream(config, seed, "update", index), *map(bench.numbers, range(3))]
        if index == 0:
            first += [stream(config, seed, purpose) for purpose in ("theta", "critic")]
    drawn = [numbers.integers(2**63) for numbers in first]
    assert len(set(drawn)) == len(drawn) == 2 * 3 * (3 * 4 + 2)


def test_what_one_update_leaves_behind_the_next_one_plays(runs):
    for before, after in pairwise(runs("few steps")):
        np.testing.assert_array_equal(after.played, before.theta)


def replayed(config, update, seed):
    """The very episodes of an update, played again from nothing but its `played` parameters."""
    env = CartPoleEnsemble(config.num_envs, autoreset_mode=AutoresetMode.DISABLED)
    streams = [stream(config, seed, "update", update.index)]
    theta = update.played[[seed]]
    return collect_episodes(env, Agent(MLP(OBS_SCALE, hidden=config.hidden)), theta, streams)


@pytest.mark.parametrize("name", ["reinforce", "few steps", "until solved"])
def test_an_updates_episodes_can_be_played_again_and_are_what_it_counted(name, runs):
    config, seed = VARIANTS[name], 5
    env_steps = num_episodes = 0
    for update in runs(name):
        if not update.metrics["active"][seed]:
            break
        rollout = replayed(config, update, seed)
        env_steps += rollout.mask.sum()
        num_episodes += config.num_envs
        now = {key: values[seed] for key, values in update.metrics.items()}
        assert now["episode_return"] == rollout.episode_returns.mean()
        assert now["env_steps"] == env_steps
        assert now["num_episodes"] == num_episodes
        visited = entropy(rollout.outputs[rollout.mask].astype(np.float64))
        assert now["entropy"] == pytest.approx(visited.mean(), rel=1e-5)
        policy = MLP(OBS_SCALE, hidden=config.hidden)
        ours, loss = policy_gradient(
            Agent(policy), update.played[[seed]], rollout, weights(rollout, config)
        )
        assert now["grad_norm"] == pytest.approx(np.linalg.norm(ours), rel=1e-5)
        assert now["pseudo_loss"] == loss[0]
    assert env_steps > 0


@pytest.mark.parametrize(("num_envs", "num_updates"), [(1, 110), (16, 10), (130, 2)])
def test_trailing_return_is_the_mean_of_the_last_100_training_episodes(num_envs, num_updates):
    config = REINFORCE.replace(num_envs=num_envs, num_updates=num_updates, num_seeds=2)
    config = config.replace(learning_rate=0.001)  # short episodes keep this test short
    returns = []
    for update in train(config):
        returns += list(replayed(config, update, 1).episode_returns[0])
        expected = np.mean(returns[-100:])
        assert update.metrics["trailing_return"][1] == pytest.approx(expected, rel=1e-12)


def perfect(config, length):
    """A rollout of nothing but episodes of one length, as far as the record reads it."""
    shape = (config.num_seeds, config.num_envs, 500)
    mask = np.broadcast_to(np.arange(500) < length, shape)
    nothing, zeros = np.zeros(shape, bool), np.zeros(shape, np.float32)
    obs = np.zeros((*shape, 4), np.float32)
    return Rollout(
        obs=obs,
        actions=nothing,
        rewards=mask.astype(float),
        next_obs=obs,
        terminated=np.broadcast_to(np.arange(500) == length - 1, shape),
        truncated=nothing,
        mask=mask,
        outputs=zeros,
        paid_before=np.zeros(shape[:2]),
        values=zeros,
        next_values=zeros,
    )


@pytest.mark.parametrize(
    ("length", "num_envs", "solved_after"),
    [(475, 25, 4), (475, 16, 7), (475, 100, 1), (474, 25, None)],
)
def test_solved_means_475_on_average_over_100_episodes(length, num_envs, solved_after):
    config = REINFORCE.replace(num_envs=num_envs, num_seeds=2)
    learners, history = Learners(config, [0, 1]), []
    rollout = perfect(config, length)
    for _ in range(8):
        learners.record(rollout)
        history.append(learners.snapshot()["solved"].tolist())
    expected = [solved_after is not None and u + 1 >= solved_after for u in range(8)]
    assert history == [[e, e] for e in expected]


def test_solved_once_is_solved_for_good_even_if_the_policy_collapses():
    config = REINFORCE.replace(num_envs=100, num_seeds=1)
    learners = Learners(config, [0])
    for length, trailing in [(500, 500), (9, 9)]:
        learners.record(perfect(config, length))
        assert learners.snapshot()["trailing_return"] == trailing
        assert learners.snapshot()["solved"] == 1


def test_once_solved_a_seed_stays_solved_and_stands_still(runs):
    updates = runs("until solved")
    solved = np.array([update.metrics["solved"] for update in updates])
    trailing = np.array([update.metrics["trailing_return"] for update in updates])
    episodes = np.array([update.metrics["num_episodes"] for update in updates])
    active = np.array([update.metrics["active"] for update in updates])
    earned = (trailing >= 475) & (episodes >= 100)
    np.testing.assert_array_equal(solved, np.maximum.accumulate(earned, axis=0))
    assert solved[-1].all()
    assert not solved[-2].all(), "the run ends when the last seed is solved"
    np.testing.assert_array_equal(active[1:], 1 - solved[:-1])
    assert len(set(active.sum(axis=0))) > 3, "seeds stop one after the other"
    for before, after in pairwise(updates):
        stopped = before.metrics["solved"] == 1
        np.testing.assert_array_equal(after.theta[stopped], before.theta[stopped])
        assert (after.theta[~stopped] != before.theta[~stopped]).any(axis=1).all()
        for name in set(METRICS) - {"active"}:
            np.testing.assert_array_equal(
                after.metrics[name][stopped], before.metrics[name][stopped], err_msg=name
            )


def test_without_stopping_a_solved_seed_goes_on_learning_and_stays_solved():
    seed_0 = list(train(REINFORCE.replace(num_seeds=1, num_updates=50)))
    assert len(seed_0) == 50
    solved = [update.metrics["solved"][0] for update in seed_0]
    assert solved == sorted(solved)
    first = solved.index(1)
    assert first < 48
    assert (seed_0[first + 1].theta != seed_0[first].theta).any()


def test_a_seed_stops_at_its_step_limit(runs):
    updates = runs("few steps")
    limit = VARIANTS["few steps"].max_env_steps
    env_steps = np.array([update.metrics["env_steps"] for update in updates])
    active = np.array([update.metrics["active"] for update in updates])
    np.testing.assert_array_equal(active[0], 1)
    np.testing.assert_array_equal(active[1:], env_steps[:-1] < limit)
    assert 0 < active.mean() < 1


def test_a_run_has_the_number_of_updates_asked_for_and_is_lazy():
    updates = list(islice(train(REINFORCE.replace(num_updates=100_000, num_seeds=1)), 3))
    assert [update.index for update in updates] == [0, 1, 2]
    assert len(list(train(REINFORCE.replace(num_updates=4, num_seeds=1)))) == 4


def test_no_step_is_longer_than_clipping_allows_and_without_a_step_nothing_is_learned(runs):
    still = list(train(SOME.replace(learning_rate=0.0, num_seeds=2)))
    np.testing.assert_array_equal(still[-1].theta, still[0].played)
    nothing = list(train(SOME.replace(max_grad_norm=0.0, num_seeds=2)))
    np.testing.assert_array_equal(nothing[-1].theta, nothing[0].played)
    assert (runs("reinforce")[-1].metrics["grad_norm"] > 0.5).any(), (
        "it reports ‖ĝ‖ before clipping"
    )


def test_the_reinforce_preset_solves_cartpole_within_its_budget():
    last = list(train(REINFORCE.replace(num_seeds=3, stop_when_solved=True)))[-1]
    assert last.metrics["solved"].all()
    assert last.index < REINFORCE.num_updates


def test_down_the_gradient_it_gets_worse_than_a_coin(monkeypatch):
    """Broken on purpose, so that the test above can be trusted."""

    def descent(*args):
        gradient, pseudo_loss = policy_gradient(*args)
        return -gradient, pseudo_loss

    monkeypatch.setattr(updates_module, "policy_gradient", descent)
    last = list(train(REINFORCE.replace(num_seeds=3, num_updates=20)))[-1]
    assert (last.metrics["episode_return"] < 15).all()


# ── The configuration ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"gamma": 1.5}, "gamma is a discount and must lie in [0, 1], got 1.5"),
        ({"gamma": -0.1}, "gamma is a discount and must lie in [0, 1], got -0.1"),
        ({"gamma": float("nan")}, "gamma is a discount and must lie in [0, 1], got nan"),
        ({"learning_rate": -1}, "learning_rate is a step size and must lie in [0, 10], got -1"),
        ({"num_seeds": 0}, "num_seeds counts independent runs and must lie in [1, 256], got 0"),
        ({"num_envs": 0}, "num_envs counts parallel environments of one seed and must lie in"),
        ({"num_updates": 0}, "num_updates counts gradient steps and must lie in"),
        ({"hidden": 1000}, "hidden counts hidden units and must lie in [1, 256], got 1000"),
        ({"rng_seed": -1}, "rng_seed names the random streams and must lie in"),
        (
            {"rng_seed": 2**32},
            "rng_seed names the random streams and must lie in [0, 4294967295], got 4294967296",
        ),
        (
            {"num_seeds": 10**400},
            f"num_seeds counts independent runs and must lie in [1, 256], got 1{'0' * 19}…",
        ),
        ({"max_env_steps": -1}, "max_env_steps limits the steps of one seed and must lie in"),
        ({"max_grad_norm": -1}, "max_grad_norm limits the length of a gradient and must lie in"),
        ({"num_envs": 2.5}, "num_envs must be a whole number, got 2.5"),
        ({"num_envs": True}, "num_envs must be a whole number, got True"),
        ({"gamma": "high"}, "gamma must be a number, got 'high'"),
        ({"gamma": None}, "gamma must be a number, got None"),
        ({"stop_when_solved": 1}, "stop_when_solved must be true or false, got 1"),
        (
            {"method": "magic"},
            "method must be one of full-return, reinforce, baseline, actor-critic, gae, ppo, got 'magic'",
        ),
        (
            {"method": "baseline", "num_steps": 16},
            "baseline needs the rewards until the end of the episode: num_steps must be 0, got 16",
        ),
        (
            {"method": "gae", "num_steps": 16, "drop_gamma_t": False},
            "γ^t counts from the start of an episode: num_steps must be 0 for it",
        ),
        ({"gae_lambda": 1.5}, "gae_lambda weighs the critic against the rewards and must lie in"),
        ({"world": "Pong"}, "there is no world 'Pong' to train in: give one of CartPole-v1, "),
        ({"optimizer": "newton"}, "optimizer must be one of adam, sgd, got 'newton'"),
    ],
    ids=lambda x: str(x)[:40],
)
def test_a_setting_that_makes_no_sense_is_refused_in_one_sentence(setting, sentence):
    with pytest.raises(ConfigError) as refused:
        Config(**setting)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({"gamma": "0.9"}, {"gamma": 0.9}),
        ({"gamma": "1"}, {"gamma": 1.0}),
        ({"num_envs": " 8 "}, {"num_envs": 8}),
        ({"learning_rate": "1e-3", "hidden": "16"}, {"learning_rate": 1e-3, "hidden": 16}),
        ({"stop_when_solved": "True"}, {"stop_when_solved": True}),
        ({"stop_when_solved": " false"}, {"stop_when_solved": False}),
        ({"method": "full-return"}, {"method": "full-return"}),
        ({}, {}),
    ],
    ids=str,
)
def test_what_a_person_typed_becomes_a_configuration(settings, changes):
    typed = with_settings(REINFORCE, settings)
    assert typed == REINFORCE.replace(**changes)
    for name, value in changes.items():
        assert type(getattr(typed, name)) is type(value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"gamma": "high"}, "gamma must be a number, got 'high'"),
        ({"num_envs": "2.5"}, "num_envs must be a whole number, got '2.5'"),
        ({"num_envs": ""}, "num_envs must be a whole number, got ''"),
        ({"stop_when_solved": "yes"}, "stop_when_solved must be true or false, got 'yes'"),
        ({"gama": "1"}, "there is no setting 'gama'; there are method, world, num_seeds"),
        ({"gamma": "2"}, "gamma is a discount and must lie in [0, 1], got 2"),
    ],
    ids=str,
)
def test_what_a_person_mistyped_is_said_in_one_sentence(settings, sentence):
    with pytest.raises(ConfigError) as refused:
        with_settings(REINFORCE, settings)
    assert str(refused.value).startswith(sentence)


def test_a_configuration_is_frozen_and_names_a_run():
    assert Config(gamma=1) == Config(gamma=1.0)
    assert hash(Config(gamma=1)) == hash(Config(gamma=1.0))
    assert repr(Config(gamma=1)) == repr(Config(gamma=1.0))
    assert len({REINFORCE, REINFORCE.replace(), REINFORCE.replace(gamma=0.5)}) == 2
    with pytest.raises(FrozenInstanceError):
        REINFORCE.gamma = 0.5


def test_every_preset_names_its_method_and_every_method_has_a_preset():
    assert {name: config.method for name, config in presets.items()} == {m: m for m in methods}
    assert pgviz.presets is presets
    assert pgviz.train is train


def test_seeds_that_have_ended_stop_playing_and_nothing_else_changes():
    """One seed whose poles stand, fifteen whose poles fall: its episodes are those it plays alone."""
    policy = MLP(OBS_SCALE, hidden=4)
    theta = np.zeros((16, policy.num_parameters), np.float32)
    first, last, _ = policy.layers(theta)
    feedback = np.array([0.02, 0.05, 1, 0.4]) / policy.obs_scale
    first[5, :-1] = 15 * feedback[:, None]
    last[5] = 30 / policy.hidden

    def played(seeds):
        env = CartPoleEnsemble(2 * len(seeds), len(seeds), 300, AutoresetMode.DISABLED)
        streams = [np.random.default_rng([3, k]) for k in seeds]
        return collect_episodes(env, Agent(policy), theta[list(seeds)], streams), env

    together, env = played(range(16))
    alone, _ = played([5])
    assert together.mask[5].all()
    assert together.mask.mean() < 0.3
    assert (env.num_envs, env.num_seeds) == (32, 16), "the environment takes all seeds back"
    for name, x in alone.arrays.items():
        np.testing.assert_array_equal(together.arrays[name][5], x[0], err_msg=name)
    for k in (0, 15):
        mine, _ = played([k])
        length = mine.mask.shape[2]
        np.testing.assert_array_equal(together.mask[k, :, :length], mine.mask[0])
        np.testing.assert_array_equal(together.obs[k][together.mask[k]], mine.obs[0][mine.mask[0]])
