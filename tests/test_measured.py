"""Measured twins: sampled episodes say what the exact numbers say, within their intervals."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from random_worlds import estimators_of, random_world

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.trajectories import Trajectory
from pgviz.exact.values import gradient, objective, occupancy, state_values
from pgviz.sampled.episodes import (
    gradient_estimates,
    paired_estimates,
    sample,
    sample_in_parts,
    step_cap,
    weights,
)
from pgviz.sampled.statistics import (
    Reference,
    covariance_trace,
    gradient_statistics,
    mean_estimate,
    proportion,
    ratio_of_means,
    squared_norm,
    statistics_against,
    trace_ratio,
)
from pgviz.worlds.files import find_world
from pgviz.worlds.named import bandit_a, ladder, shared_logit_chain, short_corridor, survival
from pgviz.worlds.tabular import WorldError

FULL, TO_GO = GradientEstimator("full-return"), GradientEstimator("reward-to-go")


@pytest.fixture(scope="module")
def corridor_groups():
    """Forty experiments of 1,000 episodes on the corridor: reward-to-go with b = 0 and b = −12."""
    with_baseline = replace(TO_GO, baseline=-12.0)
    pair = paired_estimates(short_corridor(), [TO_GO, with_baseline], 40_000, rng_seed=5)
    return [estimates.reshape(40, 1000, 1, 2) for estimates in pair]


# --- episodes ---


def test_one_seed_is_one_set_of_episodes():
    one, same, other = (
        sample(short_corridor(), 20, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one.actions, same.actions)
    assert one.actions.shape != other.actions.shape or (one.actions != other.actions).any()


def test_episodes_follow_the_table():
    world = random_world(4, num_states=3, num_actions=3, horizon=6)
    episodes = sample(world, 20_000, np.random.default_rng(0))
    states, mask = episodes.states, episodes.mask
    visits = np.bincount(states[mask], minlength=3) / len(mask)
    np.testing.assert_allclose(visits, occupancy(world, 1.0), atol=0.04)
    for s in range(3):
        here = mask & (states == s)
        outcome = episodes.actions[here] * 4 + episodes.next_states[here]
        frequency = np.bincount(outcome, minlength=12) / here.sum()
        np.testing.assert_allclose(frequency.reshape(3, 4), world.flow[s], atol=0.02)
    first = np.bincount(states[:, 0], minlength=3) / len(mask)
    np.testing.assert_allclose(first, world.start, atol=0.02)


def test_each_state_is_where_the_step_before_led():
    episodes = sample(short_corridor(), 200, np.random.default_rng(0))
    running = episodes.mask[:, 1:]
    assert (episodes.next_states[:, :-1][running] == episodes.states[:, 1:][running]).all()
    assert (episodes.terminated.sum(axis=1) == 1).all()
    assert (episodes.mask.sum(axis=1) == episodes.terminated.argmax(axis=1) + 1).all()
    assert (episodes.rewards[~episodes.mask] == 0).all()


def test_reaching_the_horizon_ends_the_episode():
    episodes = sample(ladder(), 50, np.random.default_rng(0))
    assert episodes.mask.shape == (50, 6)
    assert episodes.mask.all()
    assert episodes.terminated[:, -1].all()
    assert episodes.num_cut == 0


def test_impossible_steps_are_never_drawn():
    world = find_world("FrozenLake-v1")
    episodes = sample(world, 3000, np.random.default_rng(0))
    taken = world.transitions[episodes.states, episodes.actions, episodes.next_states]
    assert (taken[episodes.mask] > 0).all()


def test_an_endless_discounted_world_is_followed_until_gamma_t_is_negligible():
    endless = replace(survival(), gamma=0.5, transitions=np.array([[[1.0, 0.0], [1.0, 0.0]]]))
    assert 0.5 ** step_cap(endless) <= 1e-12 < 0.5 ** (step_cap(endless) - 1)
    episodes = sample(endless, 10, np.random.default_rng(0))
    assert episodes.num_cut == 10
    estimates = paired_estimates(endless, [TO_GO], 5000, 0)[0]
    assert gradient_statistics(estimates, gradient(endless)).bias_squared.low <= 0


def test_a_sample_in_parts_has_every_episode_once():
    parts = list(sample_in_parts(find_world("CliffWalking-v1"), 200, 0))
    assert len(parts) > 1
    assert sum(len(part.mask) for part in parts) == 200


def test_too_long_a_sample_is_refused():
    with pytest.raises(WorldError, match="too many to sample: ask for at most"):
        next(sample_in_parts(find_world("CliffWalking-v1"), 100_000, 0))


# --- gradients of episodes ---


@pytest.mark.parametrize("horizon", [None, 4])
def test_the_estimate_of_every_episode_is_the_sum_over_its_steps(horizon):
    world = random_world(7, 3, 2, 2, gamma=0.8, horizon=horizon)
    episodes = sample(world, 30, np.random.default_rng(0))
    for estimator in estimators_of(world, 0):
        per_step = weights(episodes, estimator)
        together = gradient_estimates(episodes, per_step)
        for n, length in enumerate(episodes.mask.sum(axis=1)):
            alone = Trajectory(
                1.0, tuple(episodes.states[n, :length]), tuple(episodes.actions[n, :length])
            )
            np.testing.assert_allclose(
                together[n], alone.score(world, per_step[n, :length]), atol=1e-12
            )


@pytest.mark.parametrize("horizon", [None, 10])
def test_a_large_world_measured_is_the_large_world_computed(horizon):
    world = random_world(11, num_states=20, num_actions=3, gamma=0.9, horizon=horizon)
    estimators = estimators_of(world, 3)
    for estimator, estimates in zip(
        estimators, paired_estimates(world, estimators, 20_000, rng_seed=1), strict=True
    ):
        exact = moments(world, estimator)
        error = np.sqrt(exact.variance / len(estimates)) + 1e-12
        assert (np.abs(estimates.mean(axis=0) - exact.mean) / error).max() < 5
        measured = covariance_trace(estimates)
        middle = (measured.low + measured.high) / 2
        reach = 2.5 * (measured.high - measured.low) / 2
        assert abs(exact.covariance_trace - middle) < reach


# --- statistics ---


def test_the_debiased_bias_is_centred_where_the_naive_one_is_inflated_by_the_noise(
    corridor_groups,
):
    true = gradient(short_corridor())
    exact = moments(short_corridor(), TO_GO)
    groups = corridor_groups[0]
    naive = np.array([((g.mean(axis=0) - true) ** 2).sum() for g in groups])
    debiased = np.array([squared_norm(g, true).value for g in groups])
    noise = exact.covariance_trace / 1000
    np.testing.assert_allclose(naive - debiased, noise, rtol=0.6)
    error = debiased.std(ddof=1) / np.sqrt(len(groups))
    assert abs(debiased.mean()) < 4 * error
    assert naive.mean() > noise / 2
    assert (debiased < 0).any()


@pytest.mark.parametrize("num", [2, 3])
def test_debiased_means_exact_on_average_however_few_the_episodes(num):
    """Over ALL samples of N episodes that are one of three with equal probability: no noise."""
    possible = np.array([[[1.0, 0.0]], [[4.0, -2.0]], [[-2.0, 5.0]]])
    true = np.array([[0.5, -1.0]])
    deviations = possible - true
    bias_squared = (deviations.mean(axis=0) ** 2).sum()
    trace = possible.var(axis=0).sum()
    samples = [np.array(sample) for sample in product(possible, repeat=num)]
    exactly = Reference(true.ravel())
    for measured, exact in (
        ([squared_norm(x, true) for x in samples], bias_squared),
        ([statistics_against(x, exactly, False).bias_squared for x in samples], bias_squared),
        ([Reference.measured(x - true).squared_length for x in samples], bias_squared),
        ([covariance_trace(x) for x in samples], trace),
    ):
        assert np.mean([estimate.value for estimate in measured]) == pytest.approx(exact)
    naive = np.mean([((x.mean(axis=0) - true) ** 2).sum() for x in samples])
    assert naive == pytest.approx(bias_squared + trace / num)


def test_the_interval_of_the_bias_covers_no_bias_and_a_known_one(corridor_groups):
    true = gradient(short_corridor())
    for offset in (0.0, 5.0):
        intervals = [squared_norm(g + offset, true) for g in corridor_groups[0]]
        covered = sum(i.low <= 2 * offset**2 <= i.high for i in intervals)
        assert covered >= 35
    assert all(i.low > 0 for i in intervals)


def test_the_interval_of_a_heavy_tailed_variance_covers_more_than_the_textbook_one():
    """Nominally 95 %; in groups of 200 episodes the normal interval is far too sure of itself."""
    world, estimator = short_corridor(), replace(TO_GO, baseline=-12.0)
    true = moments(world, estimator).covariance_trace
    groups = paired_estimates(world, [estimator], 20_000, 3)[0].reshape(100, 200, 1, 2)
    ours = textbook = 0
    for group in groups:
        interval = covariance_trace(group)
        # Without an interval, because of one episode, nothing wrong is said.
        ours += interval.low is None or interval.low <= true <= interval.high
        squares = ((group - group.mean(axis=0)) ** 2).sum(axis=(1, 2))
        reach = 1.96 * squares.std(ddof=1) / np.sqrt(len(squares))
        textbook += abs(squares.mean() - true) <= reach
    assert ours >= 80
    assert ours >= textbook + 5


def test_common_episodes_make_the_ratio_of_traces_surer(corridor_groups):
    """554 / 1466: paired, its spread is a fraction of what unpaired samples give."""
    plain, with_baseline = corridor_groups
    paired = np.array([trace_ratio(b, a).value for a, b in zip(plain, with_baseline, strict=True)])
    unpaired = np.array(
        [
            trace_ratio(b, a).value
            for a, b in zip(np.roll(plain, 1, axis=0), with_baseline, strict=True)
        ]
    )
    assert paired.std() < 0.6 * unpaired.std()
    assert paired.mean() == pytest.approx(554 / 1466, abs=0.03)
    intervals = [trace_ratio(b, a) for a, b in zip(plain, with_baseline, strict=True)]
    assert sum(i.low <= 554 / 1466 <= i.high for i in intervals) >= 32


def test_the_trace_of_float32_gradients_is_taken_in_float64_and_two_passes():
    rng = np.random.default_rng(0)
    steps = rng.integers(-8, 9, size=(5000, 1, 2)) / 64  # exact in float32, even beside 1e4
    near, far = steps.astype(np.float32), (steps + 1e4).astype(np.float32)
    assert covariance_trace(far).value == pytest.approx(covariance_trace(near).value, rel=1e-6)
    one_pass = (far**2).mean(axis=0) - far.mean(axis=0) ** 2
    assert abs(one_pass.sum() / covariance_trace(near).value - 1) > 0.01


def test_ten_thousand_more_on_every_reward_and_the_baseline_is_the_same_estimate():
    world = bandit_a()
    richer = replace(world, rewards=world.rewards + 1e4)
    plain = paired_estimates(world, [replace(TO_GO, baseline=2.0)], 2000, 0)[0]
    shifted = paired_estimates(richer, [replace(TO_GO, baseline=2.0 + 1e4)], 2000, 0)[0]
    assert covariance_trace(shifted).value == pytest.approx(covariance_trace(plain).value, abs=1e-6)


def test_the_cosine_of_an_estimate_that_is_all_noise_is_undefined():
    true = gradient(bandit_a())
    noise = np.random.default_rng(0).normal(size=(500, 1, 3))
    found = gradient_statistics(noise, true)
    assert found.cosine.value is None
    assert found.episodes_for_cosine is None
    assert gradient_statistics(noise, np.zeros((1, 3))).wrong_sign.value is None


def test_bias_cosine_and_wrong_signs_of_a_biased_estimator():
    """TD with V̂ = −12 on the corridor: three times too long, and never the wrong way on average."""
    world = short_corridor()
    estimator = GradientEstimator("td", values=np.full(3, -12.0))
    found = gradient_statistics(paired_estimates(world, [estimator], 5000, 0)[0], gradient(world))
    assert found.bias_squared.low <= 32 <= found.bias_squared.high
    assert found.bias_squared.low > 25
    assert found.covariance_trace.low <= 6 <= found.covariance_trace.high
    assert found.cosine.value == pytest.approx(1)
    assert found.wrong_sign.high < 0.05
    assert found.mean_squared_error(10) == pytest.approx(
        found.bias_squared.value + found.covariance_trace.value / 10
    )


def test_an_estimate_without_noise_has_no_spread():
    """TD with the true V on the chain with γ = ½: every episode says the same."""
    world = shared_logit_chain()
    estimator = GradientEstimator("td", values=state_values(world))
    found = gradient_statistics(paired_estimates(world, [estimator], 50, 0)[0], gradient(world))
    assert (found.covariance_trace.value, found.covariance_trace.high) == (0, 0)
    assert found.bias_squared.high == pytest.approx(0, abs=1e-20)


def test_nothing_but_zeros_is_no_knowledge():
    certain = replace(bandit_a(), theta=np.array([[1000.0, 0.0, 0.0]]))
    found = gradient_statistics(paired_estimates(certain, [FULL], 50, 0)[0], gradient(certain))
    assert (found.covariance_trace.value, found.covariance_trace.high) == (0, None)
    assert found.wrong_sign.value is None


def test_a_sample_without_a_single_success_is_not_sure_of_failure():
    never = mean_estimate(np.zeros(100))
    assert (never.value, never.low, never.high) == (0, None, None)


def test_two_episodes_know_next_to_nothing_about_a_variance():
    """Their distances from their own mean are equal, whatever the variance is."""
    found = covariance_trace(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))
    assert found.value == pytest.approx(1)
    assert found.high / found.low > 100


def test_intervals_of_means_proportions_and_ratios_cover_at_their_rate():
    rng = np.random.default_rng(0)
    hits = np.zeros(3)
    for _ in range(200):
        sample_ = rng.exponential(size=100)
        pair = sample_ + rng.normal(size=100)
        for i, (found, true) in enumerate(
            (
                (mean_estimate(sample_), 1.0),
                (proportion(sample_ > 1), np.exp(-1)),
                (ratio_of_means(pair, sample_), 1.0),
            )
        ):
            hits[i] += found.low <= true <= found.high
    assert (hits > 178).all()


def test_the_measured_objective_covers_the_exact_one():
    world = short_corridor()
    episodes = sample(world, 5000, np.random.default_rng(0))
    found = mean_estimate(episodes.rewards.sum(axis=1))
    assert found.low <= objective(world) <= found.high
    true = replace(TO_GO, values=state_values(world))
    estimates = gradient_estimates(episodes, weights(episodes, true))
    assert gradient_statistics(estimates, gradient(world)).bias_squared.low <= 0
