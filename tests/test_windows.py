"""Windows of T steps across the ends of episodes: nothing leaks, nothing is lost, seeds stay apart."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from gymnasium.vector import AutoresetMode
from test_policies import scaled, torch_network
from test_training import assert_close, assert_same_rows, collected

from pgviz import estimators
from pgviz.__main__ import cli
from pgviz.policies import log_prob
from pgviz.runs.replay import replay, trajectory
from pgviz.training import METRICS, presets, train
from pgviz.training import loop as loop_module
from pgviz.training.agent import Agent
from pgviz.training.critic import with_values
from pgviz.training.gradient import policy_gradient
from pgviz.training.loop import Learners
from pgviz.training.methods import weights
from pgviz.training.rollout import Rollout, Stage, collect_episodes, collect_windows
from pgviz.worlds.cartpole import CartPoleEnsemble

GAE = presets["gae"]
WHOLE = GAE.replace(num_steps=0)


def stage_of(num_seeds=3, num_envs=5, limit=40, seed=0):
    env = CartPoleEnsemble(num_seeds * num_envs, num_seeds, limit)
    streams = [np.random.default_rng([seed, k]) for k in range(num_seeds)]
    return Stage(env, Agent(collected(num_seeds)[0]), streams)


def windows(*lengths, **of):
    """Consecutive windows by policies that are no coin."""
    _, theta, _ = collected(of.get("num_seeds", 3))
    stage = stage_of(**of)
    return [collect_windows(stage, theta, length) for length in lengths]


def joined(rollouts):
    """Windows of the same environments, one after the other, as one."""
    first = rollouts[0]
    return Rollout(
        **{
            name: first.paid_before
            if name == "paid_before"
            else np.concatenate([getattr(rollout, name) for rollout in rollouts], axis=2)
            for name in first.arrays
        }
    )


def constant_critic(num_seeds, value):
    """A critic that says `value` of every state."""
    critic = Agent.of(GAE).critic
    theta = np.zeros((num_seeds, critic.num_parameters), np.float32)
    critic.layers(theta)[-1][:] = value / critic.output_scale
    return critic, theta


# ── One stream of steps, wherever it is cut ──────────────────────────────────────────────────


@pytest.mark.parametrize("lengths", [(60, 60), (1, 119), (7, 50, 63), (5,) * 24])
def test_consecutive_windows_are_one_long_window_to_the_last_bit(lengths):
    (long,), short = windows(sum(lengths)), windows(*lengths)
    together = joined(short)
    for name in long.arrays:
        np.testing.assert_array_equal(getattr(together, name), getattr(long, name), err_msg=name)
    assert long.episode_over.sum() > 50, "episodes end in the windows"


def test_the_episodes_that_finish_are_counted_once_with_all_they_were_paid():
    """Against a slow count: one environment after the other, one step after the other."""
    for lengths in [(120,), (5,) * 24, (1, 119)]:
        found = [[] for _ in range(3)]
        for rollout in windows(*lengths):
            for k, returns in enumerate(rollout.finished_returns):
                found[k] += returns.tolist()
        (long,) = windows(sum(lengths))
        for k in range(3):
            expected = []
            for n in range(5):
                length = 0
                for t in range(long.mask.shape[2]):
                    length += 1
                    if long.episode_over[k, n, t]:
                        expected.append(length)
                        length = 0
            assert sorted(found[k]) == sorted(expected)


def test_rewards_of_any_sign_are_summed_between_the_ends():
    (rollout,) = windows(80)
    rewards = np.random.default_rng(1).integers(-9, 9, rollout.rewards.shape).astype(float)
    before = np.random.default_rng(2).integers(-9, 9, (3, 5)).astype(float)
    rollout = replace(rollout, rewards=rewards, paid_before=before)
    for k, n in np.ndindex(3, 5):
        one = replace(
            rollout,
            **{name: getattr(rollout, name)[k : k + 1, n : n + 1] for name in rollout.arrays},
        )
        ends = np.flatnonzero(one.episode_over[0, 0])
        pieces = np.split(rewards[k, n], ends + 1)[: len(ends)]
        sums = np.array([piece.sum() for piece in pieces])
        sums[0] += before[k, n]
        np.testing.assert_array_equal(one.finished_returns[0], sums)


def test_whole_episodes_finish_once_a_row_in_the_order_of_the_environments():
    _, _, rollout = collected(num_envs=30)
    np.testing.assert_array_equal(np.stack(rollout.finished_returns), rollout.episode_returns)


def test_what_follows_a_step_is_the_episodes_own_last_observation_and_no_start():
    """x_{t+1} = x_t + .02 ẋ_t holds at every step: at the ends of episodes too."""
    (rollout,) = windows(120, limit=25)
    over = rollout.episode_over
    assert rollout.terminated.any()
    assert (rollout.truncated & ~rollout.terminated).any()
    for i in (0, 2):
        expected = rollout.obs[..., i] + 0.02 * rollout.obs[..., i + 1]
        np.testing.assert_allclose(rollout.next_obs[..., i], expected, atol=1e-6)
    within = ~over[..., :-1]
    np.testing.assert_array_equal(
        rollout.next_obs[..., :-1, :][within], rollout.obs[..., 1:, :][within]
    )
    starts = rollout.obs[..., 1:, :][over[..., :-1]]
    assert (np.abs(starts) <= 0.05).all(), "the next step is the start of the next episode"
    fell = (np.abs(rollout.next_obs[..., [0, 2]]) > [2.4, 0.2095]).any(axis=-1)
    np.testing.assert_array_equal(fell, rollout.terminated)


def test_environments_that_stay_go_on_exactly_as_if_nobody_had_left():
    _, theta, _ = collected(num_seeds=4)
    all_, some = stage_of(num_seeds=4), stage_of(num_seeds=4)
    stay = np.array([True, False, False, True])
    for _ in range(3):
        collect_windows(all_, theta, 37)
        collect_windows(some, theta, 37)
    some.keep(stay)
    assert (some.env.num_seeds, some.env.num_envs) == (2, 10)
    assert some.env.action_space.shape == (10,)
    for length in (1, 30, 200):
        expected = collect_windows(all_, theta, length)
        ours = collect_windows(some, theta[stay], length)
        for name in ours.arrays:
            np.testing.assert_array_equal(
                getattr(ours, name), getattr(expected, name)[stay], err_msg=name
            )


# ── Truncation is no termination ─────────────────────────────────────────────────────────────


def balancing(policy, num_seeds):
    """Policies that never drop the pole."""
    theta = np.zeros((num_seeds, policy.num_parameters), np.float32)
    first, last, _ = policy.layers(theta)
    first[:, :-1] = 15 * (np.array([0.02, 0.05, 1, 0.4]) / policy.obs_scale)[:, None]
    last[:] = 30 / policy.hidden
    return theta


@pytest.mark.parametrize("kind", ["whole", "one window", "windows of 50", "across the end"])
def test_500_rewards_of_1_truncated_and_a_critic_of_100_give_advantages_of_zero(kind):
    """100 = 1 + .99 · 100: the critic is right everywhere, if truncation does not cut it off."""
    policy = Agent.of(GAE).policy
    theta, critic = balancing(policy, 2), constant_critic(2, 100.0)
    streams = [np.random.default_rng(k) for k in range(2)]
    if kind == "whole":
        env = CartPoleEnsemble(6, 2, autoreset_mode=AutoresetMode.DISABLED)
        rollouts = [collect_episodes(env, Agent(policy), theta, streams)]
    else:
        stage = Stage(CartPoleEnsemble(6, 2), Agent(policy), streams)
        lengths = {"one window": [500], "windows of 50": [50] * 10, "across the end": [490, 20]}
        rollouts = [collect_windows(stage, theta, length) for length in lengths[kind]]
    assert sum(rollout.truncated.sum() for rollout in rollouts) == 6
    for rollout in rollouts:
        judged = with_values(*critic, rollout)
        for name in ("actor-critic", "gae"):
            psi = weights(judged, presets[name].replace(gamma=0.99, gae_lambda=0.95))
            np.testing.assert_allclose(psi, 0, atol=1e-3)


def test_termination_removes_the_bootstrap():
    rollouts = windows(60, limit=1000)
    judged = with_values(*constant_critic(3, 100.0), rollouts[0])
    psi = weights(judged, presets["actor-critic"].replace(gamma=0.99))
    assert judged.terminated.any()
    np.testing.assert_allclose(psi[judged.terminated], -99, rtol=1e-5)
    np.testing.assert_allclose(psi[~judged.terminated], 0, atol=1e-3)


@pytest.mark.parametrize("kind", ["windows", "whole"])
def test_the_value_of_what_follows_is_the_critics_word_about_the_true_observation(kind):
    rollout = windows(70, limit=25)[0] if kind == "windows" else collected(limit=25)[2]
    agent = Agent.of(GAE)
    theta = np.random.default_rng(5).normal(0, 0.7, (3, agent.critic.num_parameters))
    theta = theta.astype(np.float32)
    judged = with_values(agent.critic, theta, rollout)
    layers = agent.critic.layers(theta)
    for k, n, t in np.argwhere(rollout.mask):
        for said, obs in ((judged.values, rollout.obs), (judged.next_values, rollout.next_obs)):
            w_1, w_2, b_2 = (layer[k].astype(float) for layer in layers)
            features = np.append(obs[k, n, t] * np.array(agent.critic.obs_scale), 1)
            expected = agent.critic.output_scale * (np.tanh(features @ w_1) @ w_2 + b_2).item()
            assert said[k, n, t] == pytest.approx(expected, rel=1e-4, abs=1e-3)
    assert (rollout.truncated & ~rollout.terminated).any()


# ── Ψ and ĝ of windows are those of the episodes they are cut from ───────────────────────────


def judged_window():
    agent = Agent.of(GAE)
    theta = np.random.default_rng(6).normal(0, 0.3, (3, agent.critic.num_parameters))
    return with_values(agent.critic, theta.astype(np.float32), windows(90, limit=25)[0])


@pytest.mark.parametrize("gae_lambda", [0.0, 0.7, 1.0])
def test_a_window_across_episodes_gives_each_the_weights_it_has_alone(gae_lambda):
    rollout = judged_window()
    config = GAE.replace(gae_lambda=gae_lambda)
    psi = weights(rollout, config)
    for k, n in np.ndindex(3, 5):
        cuts = np.flatnonzero(rollout.episode_over[k, n]) + 1
        parts = [
            np.split(x[k, n], cuts)
            for x in (rollout.rewards, rollout.values, rollout.next_values, rollout.terminated)
        ]
        alone = [
            estimators.gae(*part, config.gamma, gae_lambda, np.zeros(len(part[0]), bool))
            for part in zip(*parts, strict=True)
            if len(part[0])
        ]
        np.testing.assert_allclose(psi[k, n], np.concatenate(alone), rtol=1e-12)


def test_lambda_0_is_the_actor_critic_to_the_last_bit():
    rollout = judged_window()
    td = weights(rollout, presets["actor-critic"].replace(gamma=0.97))
    np.testing.assert_array_equal(weights(rollout, GAE.replace(gamma=0.97, gae_lambda=0.0)), td)


def test_the_gradients_of_the_windows_an_episode_is_cut_into_add_up():
    """The divisor counts rows, not steps: half a window is half of the sum."""
    policy, theta, _ = collected()
    first, second = windows(40, 25)
    psi = np.random.default_rng(7).normal(size=(3, 5, 65))
    whole, whole_loss = policy_gradient(Agent(policy), theta, joined([first, second]), psi)
    parts = [
        policy_gradient(Agent(policy), theta, first, psi[..., :40]),
        policy_gradient(Agent(policy), theta, second, psi[..., 40:]),
    ]
    assert_close(sum(gradient for gradient, _ in parts), whole)
    np.testing.assert_allclose(sum(loss for _, loss in parts), whole_loss, rtol=1e-5)


# ── The loop ─────────────────────────────────────────────────────────────────────────────────

VARIANTS = {
    "baseline": presets["baseline"].replace(num_updates=5),
    "actor-critic": presets["actor-critic"].replace(num_updates=40),
    "gae": GAE.replace(num_updates=30),
    "gae, short windows": GAE.replace(num_steps=3, num_envs=7, num_updates=60, minibatch_size=30),
    "gae, long windows": GAE.replace(num_steps=200, num_envs=3, num_updates=5),
    "gae, whole episodes": WHOLE.replace(num_envs=5, num_updates=6),
    "td, whole episodes, all steps": presets["actor-critic"].replace(
        num_steps=0, num_envs=5, num_updates=6, minibatch_size=0
    ),
    "normalised": GAE.replace(normalize_advantages=True, num_updates=15),
    "one environment": GAE.replace(num_envs=1, num_steps=1, num_updates=150),
}


@pytest.fixture
def easily_solved(monkeypatch):
    """A world that is solved early, by some seeds before others."""
    monkeypatch.setattr(loop_module.Learners, "solved_at", 40.0)


def assert_alone_is_among(config, ensemble, seeds):
    for seed in seeds:
        alone = list(train(config, seeds=[seed]))
        for one, many in zip(alone, ensemble, strict=False):
            assert_same_rows(one, 0, many, seed)
        for many in ensemble[len(alone) :]:  # where it stopped it stands still
            np.testing.assert_array_equal(alone[-1].theta[0], many.theta[seed])
            assert many.metrics["active"][seed] == 0


@pytest.mark.parametrize("name", VARIANTS)
def test_a_seed_alone_is_the_same_seed_among_sixteen(name):
    config = VARIANTS[name]
    assert_alone_is_among(config, list(train(config)), seeds=(3, 15))


@pytest.mark.parametrize("name", ["baseline", "actor-critic", "gae"])
def test_a_seed_alone_is_the_same_seed_while_others_solve_their_world_and_leave(
    name, easily_solved
):
    config = VARIANTS[name].replace(num_updates=200, stop_when_solved=True)
    ensemble = list(train(config))
    lives = np.sum([update.metrics["active"] for update in ensemble], axis=0)
    assert len(set(lives)) > 2, "seeds leave one after the other"
    assert ensemble[-1].metrics["solved"].all()
    assert_alone_is_among(config, ensemble, seeds=(int(lives.argmax()), int(lives.argmin())))


def test_three_seeds_in_any_order_are_themselves():
    ensemble = list(train(VARIANTS["gae"]))
    for some, all_ in zip(train(VARIANTS["gae"], seeds=[9, 2, 5]), ensemble, strict=True):
        for row, seed in enumerate((9, 2, 5)):
            assert_same_rows(some, row, all_, seed)


@pytest.mark.parametrize("name", ["gae", "gae, short windows", "gae, long windows"])
def test_the_record_of_windows_is_what_a_slow_count_finds(name, monkeypatch):
    """Episodes are counted where they end; a mean stands until another episode has ended."""
    rollouts, collect = [], Learners.collect

    def remember(learners, index):
        rollouts.append(collect(learners, index))
        return rollouts[-1]

    monkeypatch.setattr(Learners, "collect", remember)
    config = VARIANTS[name].replace(num_seeds=2)
    lengths, returns, last, env_steps = np.zeros(config.num_envs, int), [], np.nan, 0
    for update in train(config):
        over, finished = rollouts[-1].episode_over[1], []
        assert rollouts[-1].mask.all()
        for n, t in np.ndindex(over.shape):
            lengths[n] += 1
            if over[n, t]:
                finished.append(lengths[n])
                lengths[n] = 0
        returns += finished
        last = np.mean(finished) if finished else last
        env_steps += over.size
        now = {key: values[1] for key, values in update.metrics.items()}
        np.testing.assert_equal(now["episode_return"], last)
        np.testing.assert_equal(
            now["trailing_return"], np.mean(returns[-100:]) if returns else np.nan
        )
        assert (now["num_episodes"], now["env_steps"]) == (len(returns), env_steps)
    assert len(returns) > 20


def test_before_any_episode_has_ended_there_is_no_return_and_json_says_null():
    arguments = ["train", "gae", "--set", "num_steps=2", "--num-updates", "2", "--num-seeds", "2"]
    result = CliRunner().invoke(cli, [*arguments, "--json"])
    assert result.exit_code == 0, result.output

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    *updates, summary = (
        json.loads(line, parse_constant=refuse) for line in result.output.splitlines()
    )
    assert [update["episode_return"] for update in updates] == [[None, None]] * 2
    assert summary["final_return"] == [None, None]
    assert updates[0]["env_steps"] == [64, 64]
    assert set(updates[0]) == {"update", *METRICS}
    spoken = CliRunner().invoke(cli, arguments)
    assert spoken.exit_code == 0
    assert "not every seed has finished an episode" in spoken.output


@pytest.mark.parametrize("name", ["baseline", "actor-critic", "gae"])
def test_training_stops_at_a_limit_of_steps(name):
    config = VARIANTS[name].replace(num_seeds=2, max_env_steps=4000, num_updates=100)
    last = list(train(config))[-1].metrics["env_steps"]
    assert (last >= 4000).all()
    assert (last < 4000 + 16 * 500).all()


# ── The time machine ─────────────────────────────────────────────────────────────────────────


def test_windows_are_replayed_as_fresh_whole_episodes_always_the_same():
    config = VARIANTS["gae"].replace(num_seeds=2)
    assert not config.whole_episodes
    update = list(train(config))[-1]
    theta = update.played[1]
    rollout, again = (replay(config, theta, 1, update.index) for _ in range(2))
    np.testing.assert_array_equal(rollout.obs, again.obs)
    assert rollout.episode_over.any(axis=-1).all(), "to their end"
    assert (rollout.obs[:, :, 0] != replay(config, theta, 1, 0).obs[:, :, 0]).any()
    agent, row = Agent.of(config), theta[None]
    obs = rollout.obs[0, 3][rollout.mask[0, 3]]
    table = trajectory(config, theta, rollout, 3)
    np.testing.assert_allclose(table["value"], agent.values(row, obs[None])[0], rtol=1e-4)
    following = np.append(table["value"][1:], 0.0)
    if rollout.truncated[0, 3].any() and not rollout.terminated[0, 3].any():
        following[-1] = agent.values(row, rollout.final_obs[:, [3]])[0, 0]
    deltas = table["reward"] + config.gamma * following - table["value"]
    expected = estimators.discounted_sum(deltas.to_numpy(), config.gamma * config.gae_lambda)
    np.testing.assert_allclose(table["weight"], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["reinforce", "gae"])
def test_a_steps_pull_is_its_weight_times_the_length_of_autograds_score(name):
    config = presets[name].replace(gamma=0.9, num_seeds=1, num_envs=3, num_updates=4)
    theta = list(train(config))[-1].theta[0]
    table = trajectory(config, theta, replay(config, theta, 0, 4), episode=1)
    policy = Agent.of(config).policy
    network = torch_network(policy, theta[: policy.num_parameters])
    assert 0 < table["action"].mean() < 1
    assert table["weight"].abs().max() > 1.5 * table["weight"].abs().min()
    for row in table.itertuples():
        obs = np.array([[row.x, row.x_dot, row.angle, row.angle_dot]], np.float32)
        network.zero_grad()
        score = log_prob(network(scaled(policy, obs))[0, 0], row.action)
        score.backward()
        length = np.linalg.norm(np.concatenate([p.grad.ravel() for p in network.parameters()]))
        assert row.log_prob == pytest.approx(score.item(), rel=1e-4)
        assert row.pull == pytest.approx(abs(row.weight) * length, rel=1e-4)


def test_windows_go_on_where_the_update_before_them_ended():
    """Consecutive updates' windows fit together: the last observation is the next one's first."""
    learners = Learners(GAE.replace(num_seeds=2), [0, 1])
    rollouts = [learners.collect(index) for index in range(6)]
    for before, after in pairwise(rollouts):
        went_on = ~before.episode_over[..., -1]
        np.testing.assert_array_equal(
            before.next_obs[..., -1, :][went_on], after.obs[..., 0, :][went_on]
        )
        np.testing.assert_array_equal(after.paid_before[~went_on], 0)
