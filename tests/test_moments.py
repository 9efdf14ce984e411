"""Exact bias and variance of every estimator, held to the list of all episodes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import estimators_of, random_world, worlds
from scipy.optimize import minimize_scalar

from pgviz.exact.baselines import (
    best_baseline,
    best_baseline_per_parameter,
    best_constant_baseline,
    score_norm_squared,
    variance_per_parameter,
)
from pgviz.exact.direction import cosine, episodes_for_cosine, signal_to_noise
from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.moments import advantage_moments, moments
from pgviz.exact.trajectories import expectation, trajectories
from pgviz.exact.values import action_values, gradient, objective, state_values
from pgviz.sampled.episodes import paired_estimates
from pgviz.worlds.files import find_world
from pgviz.worlds.named import (
    bandit_a,
    ladder,
    shared_logit_chain,
    short_corridor,
    survival,
)
from pgviz.worlds.tabular import WorldError

FULL, TO_GO = GradientEstimator("full-return"), GradientEstimator("reward-to-go")


def trace(world, estimator):
    return moments(world, estimator).covariance_trace


def with_critic(world, scale=1.0, name="gae", **settings):
    return GradientEstimator(name, values=true_values(world, scale), **settings)


def one_episode_estimate(world, estimator, tau):
    """ĝ(τ) typed from the definition, with double sums."""
    gamma, rewards, num_steps = world.gamma, tau.rewards, len(tau.rewards)
    critic = estimator.values_in(world)
    if world.horizon is None:
        critic = np.tile(critic, (num_steps + 1, 1))
    if estimator.name == "full-return":
        whole = sum(gamma**k * rewards[k] for k in range(num_steps))
        return tau.score(world, np.full(num_steps, whole - estimator.baseline))
    delta = [
        rewards[t] + gamma * critic[t + 1, tau.next_states[t]] - critic[t, tau.states[t]]
        for t in range(num_steps)
    ]
    to_go = [
        sum(gamma ** (k - t) * rewards[k] for k in range(t, num_steps)) - critic[t, tau.states[t]]
        for t in range(num_steps)
    ]
    decay = gamma * (estimator.gae_lambda or 0.0)
    psi = {
        "reward-to-go": to_go,
        "td": delta,
        "gae": [
            sum(decay ** (k - t) * delta[k] for k in range(t, num_steps)) for t in range(num_steps)
        ],
    }[estimator.name]
    factor = 1.0 if estimator.drop_gamma_t else gamma
    return tau.score(world, factor ** np.arange(num_steps) * (np.array(psi) - estimator.baseline))


@given(worlds(st.sampled_from([1, 2, 3])), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_mean_and_covariance_are_what_the_list_of_all_episodes_says(world, seed):
    episodes = trajectories(world)
    for estimator in estimators_of(world, seed):

        def estimate(tau, estimator=estimator):
            return one_episode_estimate(world, estimator, tau).ravel()

        mean = expectation(episodes, estimate)
        covariance = expectation(
            episodes,
            lambda tau, mean=mean, f=estimate: np.outer(f(tau) - mean, f(tau) - mean),
        )
        found = moments(world, estimator, covariance=True)
        size = 1 + np.abs(covariance).max()
        np.testing.assert_allclose(found.mean.ravel(), mean, atol=1e-12 * size)
        np.testing.assert_allclose(found.covariance, covariance, atol=1e-12 * size)
        np.testing.assert_allclose(found.variance.ravel(), covariance.diagonal(), atol=1e-12 * size)


@given(worlds(st.none()), st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_without_a_horizon_they_are_the_limit_of_long_horizons(world, seed):
    for estimator in estimators_of(world, seed):
        endless = moments(world, estimator, covariance=True)
        long = moments(replace(world, horizon=80), estimator, covariance=True)
        np.testing.assert_allclose(endless.mean, long.mean, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(endless.covariance, long.covariance, rtol=1e-9, atol=1e-10)
        assert endless.covariance_trace == pytest.approx(np.trace(endless.covariance), abs=1e-11)


# --- identities ---


@given(worlds(st.sampled_from([None, 4])), st.integers(0, 10**6), st.floats(-2, 2))
@settings(max_examples=25, deadline=None)
def test_a_constant_baseline_leaves_the_expected_gradient_unchanged(world, seed, baseline):
    for estimator in estimators_of(world, seed):
        shifted = moments(world, replace(estimator, baseline=baseline)).mean
        plain = moments(world, replace(estimator, baseline=0.0)).mean
        np.testing.assert_allclose(shifted, plain, atol=1e-10)


@given(worlds(st.sampled_from([None, 4])), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_variance_is_a_parabola_in_the_constant_baseline(world, seed):
    """trVar(b) = trVar(b*) + E‖Z‖² (b − b*)²."""
    for estimator in estimators_of(world, seed):
        steepness = score_norm_squared(world, estimator)
        if steepness < 1e-12:  # one action only: no score, no noise
            assert trace(world, estimator) == pytest.approx(0, abs=1e-12)
            continue
        best = best_constant_baseline(world, estimator)
        lowest = trace(world, replace(estimator, baseline=best))
        for b in (-1.0, 0.0, 2.5):
            expected = lowest + steepness * (b - best) ** 2
            assert trace(world, replace(estimator, baseline=b)) == pytest.approx(
                expected, rel=1e-9, abs=1e-10
            )


@given(worlds(st.sampled_from([None, 4])), st.integers(0, 10**6), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_the_mean_is_affine_in_the_critic(world, seed, mix):
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(2, world.num_states))

    def mean(critic):
        return moments(world, GradientEstimator("gae", 0.3, critic, 0.6)).mean

    between = mix * mean(one) + (1 - mix) * mean(two)
    np.testing.assert_allclose(mean(mix * one + (1 - mix) * two), between, atol=1e-10)


@given(worlds(st.sampled_from([None, 4])), st.integers(0, 10**6), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_three_ways_to_have_no_bias(world, seed, gae_lambda):
    """Full return; λ = 1 in whole episodes with any critic; the true critic with any λ."""
    wrong = np.random.default_rng(seed).normal(size=world.num_states)
    for estimator in (
        FULL,
        TO_GO,
        GradientEstimator("reward-to-go", 0.0, wrong),
        GradientEstimator("gae", 0.0, wrong, 1.0),
        with_critic(world, gae_lambda=gae_lambda),
        with_critic(world, name="td"),
    ):
        np.testing.assert_allclose(moments(world, estimator).mean, gradient(world), atol=1e-10)


@given(worlds(st.sampled_from([None, 4])), st.floats(-1, 3), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_a_critic_that_is_kappa_v_has_a_bias_squared_of_one_minus_kappa_squared(
    world, kappa, gae_lambda
):
    """bias²(κ) = (1 − κ)² bias²(0)."""

    def bias_squared(scale):
        estimator = with_critic(world, scale, gae_lambda=gae_lambda)
        return moments(world, estimator).bias_squared(gradient(world))

    assert bias_squared(kappa) == pytest.approx((1 - kappa) ** 2 * bias_squared(0.0), abs=1e-10)


@given(worlds(st.sampled_from([None, 4])), st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_lambda_joins_td_and_reward_to_go(world, seed):
    critic = np.random.default_rng(seed).normal(size=world.num_states)
    for gae_lambda, name in ((0.0, "td"), (1.0, "reward-to-go")):
        gae = moments(world, GradientEstimator("gae", 0.1, critic, gae_lambda), covariance=True)
        twin = moments(world, GradientEstimator(name, 0.1, critic), covariance=True)
        np.testing.assert_allclose(gae.covariance, twin.covariance, atol=1e-10)


@given(worlds(st.sampled_from([None, 4])))
@settings(max_examples=15, deadline=None)
def test_dropping_gamma_t_means_what_the_dropped_gradient_is(world):
    dropped = replace(TO_GO, drop_gamma_t=True)
    np.testing.assert_allclose(
        moments(world, dropped).mean, gradient(world, drop_gamma_t=True), atol=1e-10
    )


# --- baselines of every class ---


@given(worlds(st.sampled_from([1, 2, 3])), st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_the_best_baseline_of_each_class_is_the_least_squares_fit_over_all_episodes(world, seed):
    episodes = trajectories(world)
    root = np.sqrt([tau.probability for tau in episodes])[:, None]
    horizon, num_states = world.horizon, world.num_states
    classes = {
        "constant": np.zeros((horizon, num_states), int),
        "time": np.arange(horizon)[:, None] + np.zeros((1, num_states), int),
        "state": np.zeros((horizon, 1), int) + np.arange(num_states),
        "time-state": np.arange(horizon * num_states).reshape(horizon, num_states),
    }
    for estimator in estimators_of(world, seed):
        estimator = replace(estimator, baseline=0.0)
        undamped = estimator.drop_gamma_t or estimator.name == "full-return"
        k = 1.0 if undamped else world.gamma
        estimates = [one_episode_estimate(world, estimator, tau).ravel() for tau in episodes]
        target = (root * np.array(estimates)).ravel()
        for per, label in classes.items():
            columns = []
            for j in range(label.max() + 1):
                used = [
                    tau.score(
                        world,
                        [k**t * (label[t, s] == j) for t, s in enumerate(tau.states)],
                    ).ravel()
                    for tau in episodes
                ]
                columns.append((root * np.array(used)).ravel())
            design = np.stack(columns, axis=1)
            found = np.nan_to_num(best_baseline(world, estimator, per)).ravel()
            fitted = np.linalg.lstsq(design, target, rcond=1e-12)[0]
            # The same residual, and where the design has full rank the same numbers.
            residual = np.sum((design @ found - target) ** 2)
            assert residual == pytest.approx(
                np.sum((design @ fitted - target) ** 2), rel=1e-9, abs=1e-12
            )


@given(worlds(st.none()), st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_without_a_horizon_the_best_state_baseline_cannot_be_improved(world, seed):
    critic = np.random.default_rng(seed).normal(size=world.num_states)
    estimator = GradientEstimator("reward-to-go", 0.0, critic)
    best = critic + np.nan_to_num(best_baseline(world, estimator, "state"))
    lowest = trace(world, replace(estimator, values=best))
    for s in range(world.num_states):
        for step in (-0.1, 0.1):
            nudged = best + step * (np.arange(world.num_states) == s)
            assert trace(world, replace(estimator, values=nudged)) >= lowest - 1e-10


def test_finer_classes_of_baselines_are_never_worse():
    world = ladder()
    left = {
        per: trace(
            world,
            GradientEstimator(
                "reward-to-go",
                values=np.broadcast_to(
                    np.nan_to_num(best_baseline(world, TO_GO, per)).reshape(shape), (6, 3)
                ),
            ),
        )
        for per, shape in {
            "constant": (1, 1),
            "time": (6, 1),
            "state": (1, 3),
            "time-state": (6, 3),
        }.items()
    }
    assert left["time-state"] < left["time"] < left["constant"]
    assert left["time-state"] < left["state"] < left["constant"] < trace(world, TO_GO)


def test_a_baseline_per_time_step_needs_a_horizon():
    with pytest.raises(WorldError, match="needs a horizon"):
        best_baseline(survival(), TO_GO, "time")


# --- the story's numbers ---


def test_survival_variances_in_theta_itself():
    """The closed forms are in p = P(stay); two logits have p²(1−p)²·2 of that variance."""
    world = survival(0.5)

    def in_p(found):
        return found.covariance_trace / (2 * 0.25**2)

    value, best = 1.0, 3.0
    q = action_values(world)[:, :, None] + np.zeros((1, 1, 2))
    exact_weights = {
        192: moments(world, FULL),
        88: moments(world, TO_GO),
        48: moments(world, replace(TO_GO, baseline=value)),
        16: moments(world, replace(TO_GO, baseline=best)),
        32: advantage_moments(world, q, 0.0, 1.0),
        8: advantage_moments(world, q - value, 0.0, 1.0),
        0: advantage_moments(world, q - (1 + value), 0.0, 1.0),
    }
    for expected, found in exact_weights.items():
        assert in_p(found) == pytest.approx(expected, abs=1e-10)
        np.testing.assert_allclose(found.mean / 0.25, [[4, -4]], atol=1e-12)
    assert best_constant_baseline(world, TO_GO) == pytest.approx(2 * value + 1, abs=1e-12)


@given(st.floats(0.05, 0.95))
@settings(max_examples=20)
def test_on_survival_the_best_constant_is_two_v_plus_one(p):
    world = survival(p)
    value = state_values(world)[0]
    assert best_constant_baseline(world, TO_GO) == pytest.approx(2 * value + 1, rel=1e-9)


def test_centring_one_episode_by_its_own_mean_halves_the_gradient():
    world = survival(0.5)

    def centred(tau):
        to_go = np.cumsum(tau.rewards[::-1])[::-1]
        return tau.score(world, to_go - to_go.mean())

    halved = expectation(trajectories(world, num_steps=80), centred)
    np.testing.assert_allclose(halved, gradient(world) / 2, atol=1e-12)


def test_bandit_a_variances():
    world = bandit_a()
    for baseline, expected in (
        (0.0, 3.8492536558),
        (objective(world), 1.1989090323),
        (2.4894569421, 0.8158952259),
        (5.0, 3.9008573846),
    ):
        for estimator in (FULL, TO_GO):
            found = trace(world, replace(estimator, baseline=baseline))
            assert found == pytest.approx(expected, abs=6e-11)
    assert best_constant_baseline(world, TO_GO) == pytest.approx(2.4894569421, abs=5e-11)
    assert score_norm_squared(world, TO_GO) == pytest.approx(0.4894569421, abs=5e-11)
    assert variance_per_parameter(world, TO_GO).sum() == pytest.approx(0.3395855375, abs=5e-11)


def test_ten_more_on_every_reward_is_noise_unless_the_baseline_follows():
    world = bandit_a()
    richer = replace(world, rewards=world.rewards + 10)
    assert trace(richer, TO_GO) == pytest.approx(77.1646, abs=5e-5)
    followed = replace(TO_GO, baseline=objective(richer))
    plain = replace(TO_GO, baseline=objective(world))
    assert trace(richer, followed) == pytest.approx(trace(world, plain), abs=1e-12)


def test_ten_thousand_more_with_the_matching_baseline_leaves_the_trace_unchanged():
    world, shift = bandit_a(), 1e4
    richer = replace(world, rewards=world.rewards + shift)
    plain, followed = replace(TO_GO, baseline=2.0), replace(TO_GO, baseline=2.0 + shift)
    assert trace(richer, followed) == pytest.approx(trace(world, plain), abs=1e-6)


def test_one_best_constant_per_parameter_cannot_be_improved():
    world = short_corridor()
    best = best_baseline_per_parameter(world, TO_GO)
    for i, b in enumerate(best.ravel()):
        lowest = variance_per_parameter(world, TO_GO).ravel()[i]
        at_best = moments(world, replace(TO_GO, baseline=b)).variance.ravel()[i]
        assert at_best == pytest.approx(lowest, rel=1e-10)
        assert moments(world, replace(TO_GO, baseline=b + 1)).variance.ravel()[i] > lowest


def test_the_short_corridor_at_one_half():
    world = short_corridor()
    believed = GradientEstimator("td", values=np.full(3, -12.0))
    for estimator, expected, mean in (
        (FULL, 3918, 2),
        (TO_GO, 1466, 2),
        (replace(TO_GO, baseline=-12.0), 554, 2),
        (replace(TO_GO, values=state_values(world)), 590, 2),
        (with_critic(world, name="td"), 6, 2),
        (believed, 6, 6),
    ):
        found = moments(world, estimator)
        assert found.covariance_trace == pytest.approx(expected, rel=1e-11)
        np.testing.assert_allclose(found.mean, [[mean, -mean]], atol=1e-10)


def test_believing_a_constant_critic_on_the_corridor_leads_to_the_worst_policy():
    """V̂ = V(s0) everywhere, as the states look alike; the mean update raises p for ever."""
    world = short_corridor()
    for _ in range(60):
        critic = np.full(3, objective(world))
        step = moments(world, GradientEstimator("td", values=critic)).mean
        world = world.at(world.theta + 0.05 * step / np.linalg.norm(step))
    assert world.policy[0, 0] > 0.98
    assert objective(world) < -80


def test_the_best_lambda_moves_towards_one_as_the_batch_grows():
    """The ladder with a critic that is half the truth."""
    world = ladder()

    def best_lambda(num_episodes):
        return minimize_scalar(
            lambda gae_lambda: moments(
                world, with_critic(world, 0.5, gae_lambda=gae_lambda)
            ).mean_squared_error(gradient(world), num_episodes),
            bounds=(0, 1),
            method="bounded",
        ).x

    assert best_lambda(10) == pytest.approx(0.61, abs=5e-3)
    assert best_lambda(30) == pytest.approx(0.79, abs=5e-3)


# --- claims that these worlds refute ---


def test_not_true_that_the_value_function_is_the_best_baseline():
    world = short_corridor()
    with_values = trace(world, replace(TO_GO, values=state_values(world)))
    assert with_values > trace(world, replace(TO_GO, baseline=-12.0))
    for world in (survival(), bandit_a()):
        best = replace(TO_GO, baseline=best_constant_baseline(world, TO_GO))
        true = replace(TO_GO, values=state_values(world))
        assert trace(world, best) < trace(world, true)


def test_not_true_that_variance_always_rises_with_lambda():
    world = ladder()

    def variance(gae_lambda):
        return trace(world, with_critic(world, gae_lambda=gae_lambda))

    lowest = minimize_scalar(variance, bounds=(0, 1), method="bounded").x
    assert lowest == pytest.approx(0.14, abs=5e-3)
    assert variance(lowest) < variance(0.0) < variance(1.0)


def test_not_true_that_any_constant_baseline_helps():
    world = bandit_a()
    assert trace(world, replace(TO_GO, baseline=5.0)) > trace(world, TO_GO)


def test_not_true_that_subtracting_a_critic_is_believing_it():
    """The same wrong critic: subtracted it costs no bias, believed it does."""
    world = ladder()
    wrong = true_values(world, 0.5)
    subtracted = moments(world, GradientEstimator("reward-to-go", values=wrong))
    believed = moments(world, GradientEstimator("td", values=wrong))
    assert subtracted.bias_squared(gradient(world)) < 1e-20
    assert believed.bias_squared(gradient(world)) > 0.01


def test_frozen_lake_cannot_show_causality_and_hardly_shows_a_signal():
    """Reward comes only at the end, so reward-to-go is the full return."""
    world = find_world("FrozenLake-v1")
    assert trace(world, FULL) == pytest.approx(trace(world, TO_GO), rel=1e-10)
    found = moments(world, TO_GO)
    assert signal_to_noise(found.mean, found.covariance_trace) == pytest.approx(3e-4, rel=0.2)


# --- direction ---


def test_the_cosine_is_blind_to_scale_and_undefined_for_a_zero_mean():
    true = gradient(bandit_a())
    assert cosine(0.5 * true, true) == pytest.approx(1)
    assert cosine(np.zeros_like(true), true) is None
    blind = moments(bandit_a(), GradientEstimator("td", values=np.zeros(1), baseline=1.0))
    assert cosine(blind.mean, true) == pytest.approx(1)
    assert episodes_for_cosine(np.zeros_like(true), 1.0, true) is None
    assert episodes_for_cosine(-true, 1.0, true) is None


def test_the_number_of_episodes_for_a_cosine_is_the_first_that_reaches_it():
    world = short_corridor()
    found = moments(world, TO_GO)
    true = gradient(world)
    needed = episodes_for_cosine(found.mean, found.covariance_trace, true)

    def reached(num_episodes):
        size = (found.mean**2).sum() + found.covariance_trace / num_episodes
        return (found.mean * true).sum() / np.sqrt(size * (true**2).sum())

    assert reached(needed) >= 0.9 > reached(needed - 1)


@pytest.mark.parametrize("world", [ladder(), bandit_a(), short_corridor()], ids=lambda w: w.name)
def test_so_many_episodes_suffice_for_the_cosine_in_the_root_mean_square(world):
    true, found = gradient(world), moments(world, TO_GO)
    needed = episodes_for_cosine(found.mean, found.covariance_trace, true)
    (estimates,) = paired_estimates(world, [TO_GO], needed * 150, rng_seed=0)
    batches = estimates.reshape(150, needed, -1).mean(axis=1)
    along = batches @ true.ravel()
    cosines = along / (np.linalg.norm(batches, axis=1) * np.linalg.norm(true))
    assert np.sqrt(np.mean(cosines**2)) >= 0.89  # .9, and what 150 batches leave open


# --- what is refused ---


def test_undiscounted_scores_need_episodes_that_end():
    endless = replace(survival(), gamma=0.9, transitions=np.array([[[1.0, 0.0], [1.0, 0.0]]]))
    assert np.isfinite(trace(endless, TO_GO))
    for estimator in (FULL, replace(TO_GO, drop_gamma_t=True)):
        with pytest.raises(WorldError, match="may never end"):
            moments(endless, estimator)


def test_a_question_that_would_take_minutes_is_refused():
    world = replace(random_world(0, num_states=120, num_actions=3), horizon=10_000)
    with pytest.raises(WorldError, match="too much to solve exactly"):
        moments(world, TO_GO)


def test_a_covariance_that_does_not_fit_is_refused_and_its_trace_is_not():
    world = find_world("Taxi-v4")
    with pytest.raises(WorldError, match="3000 parameters does not fit"):
        moments(world, TO_GO, covariance=True)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"name": "full-return", "values": np.zeros(3)}, "constant baseline but no values"),
        ({"name": "td", "gae_lambda": 0.5}, "no other estimator has one"),
        ({"name": "gae", "gae_lambda": 1.5}, r"gae_lambda must lie in \[0, 1\]"),
        ({"name": "actor-critic"}, "no estimator 'actor-critic'"),
        ({"name": "td", "baseline": float("nan")}, "baseline must lie"),
    ],
)
def test_an_estimator_that_makes_no_sense_is_refused_in_one_sentence(settings, sentence):
    with pytest.raises(WorldError, match=sentence):
        GradientEstimator(**settings)


def test_a_critic_of_another_world_is_refused():
    with pytest.raises(WorldError, match="one number per state, 3 in this world, got 2"):
        moments(short_corridor(), GradientEstimator("td", values=np.zeros(2)))


def test_the_shared_logit_chain_is_biased_by_dropping_gamma_t_only():
    world = shared_logit_chain()
    kept = moments(world, TO_GO).bias_squared(gradient(world))
    dropped = moments(world, replace(TO_GO, drop_gamma_t=True)).bias_squared(gradient(world))
    assert kept < 1e-20
    assert dropped == pytest.approx(2 * (0.5 * 0.25) ** 2)
