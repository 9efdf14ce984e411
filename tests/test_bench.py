"""The estimator bench: nothing unbiased is called biased, and the fast sums are the slow ones."""

import numpy as np
import pytest
import torch

from pgviz import estimators, presets
from pgviz.exact.estimator import GradientEstimator
from pgviz.measure import frozen, noise
from pgviz.measure.bench import UNBIASED, rows_of
from pgviz.measure.frozen import ESTIMATORS as NAMES
from pgviz.measure.frozen import FrozenPolicy, episode_gradients, play, psi
from pgviz.measure.recorded_critic import checkpoints
from pgviz.networks import MLP
from pgviz.policies import log_prob
from pgviz.sampled.statistics import Reference, statistics_against
from pgviz.worlds.cartpole import MAX_EPISODE_STEPS, OBS_SCALE
from pgviz.worlds.named import named_worlds

CONFIG = presets["reinforce"].replace(hidden=8)
POLICY = MLP(OBS_SCALE, hidden=8)


def theta_of(seed, stiffness):
    """A policy that leans towards balancing, the more the stiffer; small random numbers besides."""
    rng = np.random.default_rng(seed)
    theta = 0.2 * rng.standard_normal((1, POLICY.num_parameters)).astype(np.float32)
    first, last, _ = POLICY.layers(theta)
    feedback = np.array([0.0, 0.1, 1, 0.4]) / POLICY.obs_scale
    first[0, :-1] += feedback[:, None]
    last[0] += stiffness
    return theta[0]


def frozen_policy(seed=0, stiffness=0.2, update=3):
    return FrozenPolicy(CONFIG, theta_of(seed, stiffness), seed, update)


# --- the gradients ---


def test_the_sums_over_time_are_autograds_gradients():
    policy = frozen_policy()
    episodes = policy.play(7, part=9)
    critic, constant = policy.critic()
    weights = psi(episodes, critic, constant, NAMES)
    fast = episode_gradients(POLICY, policy.theta, episodes, weights)
    right = episodes.surprise > 0
    for k in range(len(NAMES)):
        for n, steps in enumerate(episodes.lengths):
            theta = torch.tensor(policy.theta[None], requires_grad=True)
            obs = episodes.features[n, :steps, :-1] / np.array(POLICY.obs_scale, np.float32)
            logits = POLICY(theta, torch.from_numpy(obs[None]))[0]
            scores = log_prob(logits, torch.from_numpy(right[n, :steps].astype(np.float32)))
            slow = torch.autograd.grad(
                (scores * torch.from_numpy(weights[k, n, :steps])).sum(), theta
            )[0][0].numpy()
            assert fast[k, n] == pytest.approx(slow, rel=1e-3, abs=1e-4 * float(np.abs(slow).max()))


def test_psi_is_what_the_estimators_file_says():
    policy = frozen_policy()
    episodes = policy.play(20, part=9)
    critic, constant = policy.critic()
    weights = dict(zip(NAMES, psi(episodes, critic, constant, NAMES), strict=True))
    to_go = estimators.reward_to_go(episodes.rewards, 1.0)
    full = estimators.full_return(episodes.rewards, 1.0)
    assert np.array_equal(weights["reinforce"], np.where(episodes.mask, to_go, 0))
    assert np.array_equal(weights["full-return"], np.where(episodes.mask, full, 0))
    for n, steps in enumerate(episodes.lengths):  # TD errors telescope to the return minus V(s_0)
        values = critic.values(episodes.features[n, :1], np.zeros(1, int))
        assert weights["actor-critic"][n].sum() == pytest.approx(steps - values[0], abs=1e-2)


def test_episodes_end_where_cartpole_ends_them():
    never_falls = np.zeros((1, POLICY.num_parameters), np.float32)
    first, last, _ = POLICY.layers(never_falls)
    first[0, :-1] = 15 * (np.array([0.02, 0.05, 1, 0.4]) / POLICY.obs_scale)[:, None]
    last[:] = 30 / POLICY.hidden
    never_falls = never_falls[0]
    long = play(POLICY, never_falls, 20, np.random.default_rng(0))
    assert long.mask.shape[1] == MAX_EPISODE_STEPS
    coin = play(POLICY, 0 * never_falls, 3000, np.random.default_rng(0))
    assert coin.lengths.mean() == pytest.approx(22.3, abs=0.8)
    assert coin.lengths.min() >= 8
    assert (np.abs(coin.surprise[coin.mask]) == 0.5).all()
    assert (coin.features[~coin.mask] == 0).all()


def test_parts_share_no_random_numbers_and_a_seed_gives_its_numbers_again():
    policy = frozen_policy()
    one, same, other = policy.play(4, 2), policy.play(4, 2), policy.play(4, 3)
    assert np.array_equal(one.features, same.features)
    assert not np.array_equal(one.features[:, 0], other.features[:, 0])


def test_a_recorded_row_may_hold_a_critic_behind_the_policy():
    policy = frozen_policy()
    with_critic = np.concatenate([policy.theta, np.ones(5, np.float32)])
    other = FrozenPolicy(CONFIG, with_critic, policy.seed, policy.update)
    assert np.array_equal(policy.play(3, 2).features, other.play(3, 2).features)


# --- bias ---


@pytest.fixture(scope="module")
def cartpole_benches():
    """(‖∇J‖², {estimator: statistics}) of eight policies, each against other episodes of its own."""
    benches = []
    for seed in range(4):
        for stiffness in (0.0, 0.25):
            policy = frozen_policy(seed, stiffness)
            parts = list(policy.gradients(256, names=UNBIASED))
            others = policy.gradients(1024, 2 + len(parts), ("baseline",))
            reference = Reference.measured(np.concatenate([part[0] for part in others]))
            estimates = dict(zip(UNBIASED, np.concatenate(parts, axis=1), strict=True))
            rows = {row.name: row.measured for row in rows_of(estimates, reference)}
            benches.append((reference.squared_length.value, rows))
    return benches


def test_what_is_unbiased_is_not_called_biased(cartpole_benches):
    for _, rows in cartpole_benches:
        for name, measured in rows.items():
            assert measured.bias_squared.low < 0 < measured.bias_squared.high, name


def test_the_debiased_bias_is_zero_on_average(cartpole_benches):
    for name in UNBIASED:
        found = [rows[name].bias_squared.value / squared for squared, rows in cartpole_benches]
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        assert abs(np.mean(found)) < 4 * error + 1e-3


def test_a_scaled_estimate_is_called_biased():
    policy = frozen_policy()
    gradients = np.concatenate(list(policy.gradients(2048, names=("baseline",))), axis=1)[0]
    reference = Reference.measured(gradients[512:])
    kept = statistics_against(gradients[:512], reference, unbiased=True)
    halved = statistics_against(0.5 * gradients[:512], reference, unbiased=False)
    assert kept.bias_squared.low < 0
    assert halved.bias_squared.low > 0
    quarter = 0.25 * reference.squared_length.value
    assert halved.bias_squared.low < quarter < halved.bias_squared.high
    assert halved.cosine.value == pytest.approx(kept.cosine.value, abs=1e-9)


def test_both_parts_of_the_bias_vector_cover_zero_where_there_is_none(cartpole_benches):
    along, across = [], []
    for _, rows in cartpole_benches:
        for m in rows.values():
            reach = (m.bias_along.high - m.bias_along.low) / 2
            along.append(m.bias_along.value / reach)
            across.append(m.bias_across.low == 0)
    assert np.abs(along).max() < 2
    assert np.mean(np.abs(along) < 1) > 0.8
    assert np.mean(across) > 0.8


def test_a_noisy_reference_does_not_bias_the_bias_vector():
    rng, true, size = np.random.default_rng(0), np.full(30, 0.3), 120
    along, covered, squares = [], 0, []
    for _ in range(120):
        reference = Reference.measured(true + rng.standard_normal((size, 30)))
        found = statistics_against(
            0.5 * true + rng.standard_normal((size, 30)), reference, unbiased=False
        )
        part = found.bias_along
        along.append(part.value)
        covered += part.low < -0.5 * np.linalg.norm(true) < part.high
        squares.append(found.bias_across.low)
    assert np.mean(along) == pytest.approx(-0.5 * np.linalg.norm(true), abs=0.03)
    assert covered / 120 > 0.9
    assert np.mean(np.array(squares) == 0) > 0.9


def test_a_halved_estimate_is_biased_along_the_gradient_and_not_across():
    policy = frozen_policy()
    gradients = np.concatenate(list(policy.gradients(2048, names=("baseline",))), axis=1)[0]
    reference = Reference.measured(gradients[512:])
    halved = statistics_against(0.5 * gradients[:512], reference, unbiased=False)
    half = -0.5 * np.sqrt(reference.squared_length.value)
    assert halved.bias_along.low < half < halved.bias_along.high < 0
    assert halved.bias_across.low == 0


@pytest.mark.parametrize("name", ["bandit-a", "survival", "short-corridor", "ladder"])
def test_a_dot_of_the_cloud_is_a_mean_of_reward_to_go_minus_b(name):
    found = noise.cloud(name, 16)
    world = named_worlds[name]()
    values = np.linspace(-3, 1, world.num_states)
    from pgviz.sampled.episodes import paired_estimates

    estimates = paired_estimates(
        world, [GradientEstimator("reward-to-go", values=values)], 300 * 16, 0
    )[0]
    slow = estimates.reshape(300, 16, -1).mean(axis=1) @ found.along
    assert found.dots(values)["along"].to_numpy() == pytest.approx(slow, abs=1e-9)


def test_one_logit_pair_has_one_direction():
    assert noise.cloud("survival", 4).flat
    assert noise.cloud("short-corridor", 4).flat
    assert not noise.cloud("ladder", 4).flat


@pytest.mark.parametrize("name", ["bandit-a", "survival", "short-corridor", "ladder"])
def test_numbers_listed_for_a_landmark_give_its_spread(name):
    found = noise.by_hand(name)
    for mark in found.landmarks.values():
        if not np.isnan(mark.values).any():
            assert found.parabolas.trace(mark.values) == pytest.approx(mark.covariance_trace)


def test_checkpoints_span_the_recording():
    class Short:
        num_updates = 3

    assert checkpoints(Short()) == [0, 1, 2, 3]
    assert frozen.PART <= 1024
