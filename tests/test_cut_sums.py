"""GAE whose sums are cut, by windows or a time limit: exact, against the list of all episodes."""

from dataclasses import replace

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.exact.baselines import best_constant_baseline, score_norm_squared
from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.moments import moments
from pgviz.exact.trajectories import Trajectory, trajectories
from pgviz.exact.trust import window_bias
from pgviz.exact.values import action_values, gradient, state_distributions, weighted_scores
from pgviz.sampled.episodes import gradient_estimates, sample, weights
from pgviz.worlds.named import ladder, survival
from pgviz.worlds.tabular import WorldError


def drawn(seed, horizon, time_limits=(None,)):
    """A random world with a choice in it, and a random estimator that is cut."""
    rng = np.random.default_rng(seed)
    world = random_world(
        seed,
        num_actions=int(rng.integers(2, 4)),
        num_features=rng.choice([None, 1, 2]),
        gamma=rng.choice([1.0, 0.9, 0.5]),
        horizon=horizon,
    )
    timed = horizon is not None and rng.random() < 0.5
    estimator = GradientEstimator(
        "gae",
        rng.normal(),
        rng.normal(size=(horizon, 2) if timed else 2),
        rng.choice([0.0, rng.uniform(), 1.0]),
        bool(rng.random() < 0.3),
        rng.choice([None, 1, 2, 3]),
        rng.choice(time_limits),
    )
    return world, estimator


def cut_estimate(world, estimator, tau):
    """ĝ(τ) typed from the definition: n-step sums of δ, ended by the window, the limit or the end."""
    gamma, critic = world.gamma, np.asarray(estimator.values)
    decay = gamma * estimator.gae_lambda
    steps = min(len(tau.rewards), estimator.time_limit or len(tau.rewards))

    def said(t, s):
        if s == world.num_states or t == world.horizon:
            return 0.0
        return critic[s] if critic.ndim == 1 else critic[t, s]

    psi = np.zeros(len(tau.rewards))
    for t in range(steps):
        end = steps if estimator.window is None else (t // estimator.window + 1) * estimator.window
        for u in range(t, min(end, steps)):
            delta = tau.rewards[u] + gamma * said(u + 1, tau.next_states[u])
            psi[t] += decay ** (u - t) * (delta - said(u, tau.states[u]))
        psi[t] -= estimator.baseline
    factor = 1.0 if estimator.drop_gamma_t else gamma
    return tau.score(world, factor ** np.arange(len(psi)) * psi).ravel()


@pytest.mark.parametrize("seed", range(20))
def test_mean_and_covariance_of_cut_sums_are_what_the_list_of_all_episodes_says(seed):
    world, estimator = drawn(seed, horizon=4, time_limits=(None, 1, 2, 3))
    episodes = trajectories(world, estimator.time_limit)
    estimates = np.array([cut_estimate(world, estimator, tau) for tau in episodes])
    probability = np.array([tau.probability for tau in episodes])
    mean = probability @ estimates
    covariance = (probability[:, None] * (estimates - mean)).T @ (estimates - mean)
    found = moments(world, estimator, covariance=True)
    size = 1 + np.abs(covariance).max()
    np.testing.assert_allclose(found.mean.ravel(), mean, atol=1e-12 * size)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12 * size)
    np.testing.assert_allclose(found.variance.ravel(), covariance.diagonal(), atol=1e-12 * size)


@pytest.mark.parametrize("seed", range(8))
def test_without_a_horizon_cut_sums_are_the_limit_of_long_horizons(seed):
    world, estimator = drawn(seed, horizon=None, time_limits=(None, None, 5))
    endless = moments(world, estimator, covariance=True)
    long = moments(replace(world, horizon=84), estimator, covariance=True)
    np.testing.assert_allclose(endless.mean, long.mean, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(endless.covariance, long.covariance, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("seed", range(12))
def test_sampled_episodes_are_cut_in_the_same_places(seed):
    world, estimator = drawn(seed, horizon=(None, 4)[seed % 2], time_limits=(None, 1, 2, 3))
    episodes = sample(world, 20, np.random.default_rng(seed))
    found = gradient_estimates(episodes, weights(episodes, estimator))
    for i, steps in enumerate(episodes.mask.sum(axis=1)):
        columns = (episodes.states, episodes.actions, episodes.next_states, episodes.rewards)
        tau = Trajectory(1.0, *(tuple(column[i, :steps]) for column in columns))
        expected = cut_estimate(world, estimator, tau)
        np.testing.assert_allclose(found[i].ravel(), expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_the_best_constant_baseline_of_cut_sums_is_the_foot_of_the_parabola(seed):
    """trVar(b) = trVar(b*) + E‖Z‖² (b − b*)²."""
    world, estimator = drawn(seed, horizon=(None, 5)[seed % 2], time_limits=(None, 1, 3))
    steepness = score_norm_squared(world, estimator)
    best = best_constant_baseline(world, estimator)

    def trace(b):
        return moments(world, replace(estimator, baseline=b)).covariance_trace

    for b in (best - 1, best + 2.5):
        assert trace(b) == pytest.approx(trace(best) + steepness * (b - best) ** 2, rel=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_in_windows_the_true_v_has_no_bias_and_kappa_v_its_share(seed):
    """bias²(κ) = (1 − κ)² bias²(0), for every λ and window."""
    world, estimator = drawn(seed, horizon=(None, 5)[seed % 2])
    estimator = replace(estimator, drop_gamma_t=False)

    def bias_squared(scale):
        with_critic = replace(estimator, values=true_values(world, scale))
        return moments(world, with_critic).bias_squared(gradient(world))

    for kappa in (1.0, 0.5, 3.0):
        expected = (1 - kappa) ** 2 * bias_squared(0.0)
        assert bias_squared(kappa) == pytest.approx(expected, rel=1e-9, abs=1e-18)


@pytest.mark.parametrize("seed", range(5))
def test_behind_a_time_limit_even_the_true_v_misses_what_no_step_shows(seed):
    """E ĝ = Σ_{t<L} γ^t Σ_s d_t(s) Σ_a π(a|s) ∇log π(a|s) Q_t(s, a)."""
    world, estimator = drawn(seed, horizon=4, time_limits=(1, 2, 3))
    estimator = replace(estimator, values=true_values(world), drop_gamma_t=False)
    seen = slice(estimator.time_limit)
    visits = world.gamma ** np.arange(4)[:, None] * state_distributions(world)
    weight = np.einsum("ts,tsa->sa", visits[seen], action_values(world)[seen])
    expected = weighted_scores(world, world.policy * weight)
    np.testing.assert_allclose(moments(world, estimator).mean, expected, atol=1e-12)


def test_lambda_one_with_half_of_v_is_biased_in_windows_on_the_ladder():
    world, lambdas = ladder(), (0.0, 0.5, 1.0)
    found = window_bias(world, true_values(world, 0.5), lambdas, (1, 2, 3, 5, 6, None))
    assert found[:3, -1] == pytest.approx([0.161, 0.087, 0.040], abs=5e-4)
    assert found[0] == pytest.approx(found[1, 0].repeat(3))  # windows of one step are λ = 0
    assert found[3, -1] > 1e-3
    assert found[4:, -1] == pytest.approx(0, abs=1e-20)  # the whole episode
    assert found[4] == pytest.approx(found[5])


def test_on_survival_the_bias_of_lambda_one_is_the_error_at_the_cuts():
    """V̂ = V + e in windows of 3: step t is reached with p^t, its cut after 2 − t mod 3 more stays."""
    p, error, window = 0.5, 0.7, 3
    world = survival(p)
    estimator = GradientEstimator("gae", 0.0, true_values(world) + error, 1.0, window=window)
    bias = moments(world, estimator).mean - gradient(world)
    score = (1 - p) * p  # of "stay", times its probability
    reached = sum(p**t * score * p ** (window - 1 - t % window) for t in range(200))
    np.testing.assert_allclose(bias, [[error * reached, -error * reached]], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "cut", "sentence"),
    [
        ("reward-to-go", {"window": 2}, "takes no window"),
        ("full-return", {"time_limit": 2}, "takes no time_limit"),
        ("td", {"window": 0}, "window must be a whole number"),
        ("td", {"window": 2.5}, "window must be a whole number"),
        ("td", {"time_limit": float("nan")}, "time_limit must be a whole number"),
        ("td", {"time_limit": 10**9}, "time_limit must be a whole number"),
    ],
)
def test_a_cut_that_makes_no_sense_is_refused(name, cut, sentence):
    with pytest.raises(WorldError, match=sentence):
        GradientEstimator(name, **cut)
