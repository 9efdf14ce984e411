"""Policies that are all but certain, held to arithmetic of 1,000 digits over all episodes.

π = e^{−g} is a number of its own down to g = 700, but 1 − π rounds to 1 from g = 37 on: whatever is
computed from it, or as E[x²] − E[x]², is rounding long before.
"""

from dataclasses import replace
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest

from pgviz.exact.baselines import best_constant_baseline
from pgviz.exact.direction import cosine, signal_to_noise
from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.landscape import landscape
from pgviz.exact.moments import moments
from pgviz.exact.subtracted import SUBTRACTIONS, effect
from pgviz.exact.values import gradient
from pgviz.networks import MLP
from pgviz.policies import TwoActions
from pgviz.worlds.named import ladder
from pgviz.worlds.tabular import TabularMDP

FULL, TO_GO = GradientEstimator("full-return"), GradientEstimator("reward-to-go")
GAPS = (0, 30, 36, 37, 100, 700)
DIGITS = Context(prec=1000, Emin=-(10**7), Emax=10**7)


def two_arms(gap):
    return TabularMDP(
        "arms", [[[0, 1], [0, 1]]], [[1.0, 0.8]], [1.0], 1.0, None, None, [[float(gap), 0.0]]
    )


def decimals(array):
    return np.vectorize(Decimal, otypes=[object])(np.asarray(array, float))


def slow(world, estimator, num_steps):
    """E[ĝ], Var[ĝ] and b* summed over all episodes, with decimals."""
    logits = decimals(world.features) @ decimals(world.theta)
    weights = np.vectorize(Decimal.exp, otypes=[object])(logits - logits.max(axis=1)[:, None])
    policy = weights / weights.sum(axis=1)[:, None]
    moves = decimals(world.transitions)
    moves = moves / moves.sum(axis=2)[:, :, None]
    rewards, features, gamma = (
        decimals(world.rewards),
        decimals(world.features),
        Decimal(world.gamma),
    )
    values = decimals(np.zeros(world.num_states + 1))[None].repeat(num_steps + 1, 0)
    if estimator.values is not None:
        values[:-1, :-1] = decimals(estimator.values)
    states, actions = policy.shape
    decay = gamma * Decimal(estimator.weight_lambda)
    k = Decimal(estimator.step_discount(world.gamma))
    baseline = Decimal(estimator.baseline)
    found = []

    def grow(chance, s, steps):
        if s == states or len(steps) == num_steps:
            x, psi = Decimal(0), []
            for t, (s, _, after, r) in reversed(list(enumerate(steps))):
                x = r + gamma * values[t + 1, after] - values[t, s] + decay * x
                psi.append(x)
            if estimator.name == "full-return":
                psi = [sum(r * gamma**t for t, (*_, r) in enumerate(steps))] * len(steps)
            psi = psi[::-1]
            scores = [
                k**t
                * np.outer(
                    features[s],
                    np.array([Decimal(int(b == a)) for b in range(actions)]) - policy[s],
                )
                for t, (s, a, *_) in enumerate(steps)
            ]
            weighted = sum(score * (p - baseline) for score, p in zip(scores, psi, strict=True))
            found.append((chance, weighted, sum(scores)))
            return
        for a in range(actions):
            for after in np.flatnonzero(world.transitions[s, a]):
                step = (s, a, after, rewards[s, a, after])
                grow(chance * policy[s, a] * moves[s, a, after], after, [*steps, step])

    for s in np.flatnonzero(world.start):
        grow(Decimal(float(world.start[s])), s, [])
    mean = sum(p * y for p, y, _ in found)
    variance = sum(p * (y - mean) ** 2 for p, y, _ in found)
    top = sum(p * (z * (y + baseline * z)).sum() for p, y, z in found)
    return mean, variance, top / sum(p * (z * z).sum() for p, _, z in found)


def off(found, exact):
    """The largest relative difference; what is 0 or no number of float64 must be 0."""
    found, exact = np.atleast_1d(found), np.atleast_1d(exact)
    size = max(abs(x) for x in exact.ravel())
    if size < Decimal("1e-307"):
        return float(np.abs(found).max()) * 1e307
    return max(
        float(abs(Decimal(float(x)) - y) / size)
        for x, y in zip(found.ravel(), exact.ravel(), strict=True)
    )


@pytest.mark.parametrize("gap", GAPS)
def test_two_arms_to_the_last_digits_at_every_gap(gap):
    """With b = .8 the rare arm brings nothing, and of the variance only π³ is left."""
    world = two_arms(gap)
    with localcontext(DIGITS):
        for estimator in (TO_GO, FULL, replace(TO_GO, baseline=0.8), replace(FULL, baseline=0.5)):
            mean, variance, best = slow(world, estimator, 1)
            found = moments(world, estimator, covariance=True)
            assert off(found.mean, mean) < 1e-12
            assert off(found.variance, variance) < 1e-12
            assert off(found.covariance_trace, variance.sum()) < 1e-12
            assert off(found.covariance.diagonal(), variance.ravel()) < 1e-12
            assert off(best_constant_baseline(world, estimator), best) < 1e-12
        for computed in (gradient(world), landscape(world, world.theta[None]).field[0]):
            assert off(computed, mean) < 1e-12
    assert cosine(found.mean, gradient(world)) == pytest.approx(1)
    assert found.bias_squared(gradient(world)) == 0


@pytest.mark.parametrize(("gap", "climbs"), [(37.0, (0, 0, 0)), (120.0, (0, 1, 0))])
def test_three_steps_of_the_ladder_under_a_policy_that_is_all_but_certain(gap, climbs):
    theta = np.zeros((3, 2))
    theta[range(3), climbs] = gap
    world = replace(ladder(), horizon=3, theta=theta)
    critic = true_values(world)
    with localcontext(DIGITS):
        for estimator in (FULL, TO_GO, GradientEstimator("td", values=critic)):
            mean, variance, best = slow(world, estimator, 3)
            found = moments(world, estimator)
            assert off(found.mean, mean) < 1e-10
            assert off(found.covariance_trace, variance.sum()) < 1e-10
            assert off(best_constant_baseline(world, estimator), best) < 1e-10
        assert off(gradient(world), mean) < 1e-10
        subtracting_v = slow(world, GradientEstimator("reward-to-go", values=critic), 3)[1]
    by_v = next(how for how in SUBTRACTIONS if how.title == "V(s)")
    assert off(effect(world, by_v).covariance_trace, subtracting_v.sum()) < 1e-10


def test_without_a_horizon_it_is_the_same_as_with_a_long_one():
    """A linear system against a loop, with states that are reached once in e^60 episodes."""
    moves = np.zeros((3, 2, 4))
    moves[0, 0, [0, 3]], moves[0, 1, 1], moves[1, 0, [0, 3]] = 0.5, 1, 0.5
    moves[1, 1, 2], moves[2, :, [1, 3]] = 1, 0.5
    rewards = np.arange(6.0).reshape(3, 2) - 2
    theta = [[30.0, 0], [30, 0], [0, 1]]
    endless = TabularMDP("rare", moves, rewards, [1, 0, 0], 0.5, None, None, theta)
    long = replace(endless, horizon=50)
    for estimator in (FULL, TO_GO, replace(TO_GO, baseline=-1.0, drop_gamma_t=True)):
        one, two = (moments(w, estimator, covariance=True) for w in (endless, long))
        np.testing.assert_allclose(one.mean, two.mean, rtol=1e-8)
        np.testing.assert_allclose(one.variance, two.variance, rtol=1e-8)
        np.testing.assert_allclose(one.covariance, two.covariance, rtol=1e-8, atol=0)
        assert best_constant_baseline(endless, estimator) == pytest.approx(
            best_constant_baseline(long, estimator), rel=1e-10
        )


@pytest.mark.parametrize("shift", [0.0, 1e5])
def test_a_variance_far_smaller_than_the_squared_mean_is_exact_too(shift):
    """Three arms with a baseline, 1e5 more on both: E[x²] is 1e10 where the variance is below 1."""
    world = TabularMDP(
        "arms",
        [[[0, 1]] * 3],
        [[1 + shift, 2 + shift, 5 + shift]],
        [1.0],
        1.0,
        None,
        None,
        [[1, 0, -1]],
    )
    plain = replace(world, rewards=np.array([[1.0, 2, 5]]))
    found = moments(world, replace(TO_GO, baseline=2 + shift)).covariance_trace
    assert found == pytest.approx(moments(plain, replace(TO_GO, baseline=2.0)).covariance_trace)


def test_no_noise_is_exactly_none():
    """π = (.4, .6) and b = .92: both arms push alike; and one part in 1e9 beside it is seen."""
    arms = replace(two_arms(0), theta=np.log([[0.4, 0.6]]))
    still = moments(arms, replace(TO_GO, baseline=0.92))
    assert still.covariance_trace == 0
    assert signal_to_noise(still.mean, still.covariance_trace) is None
    near = moments(arms, replace(TO_GO, baseline=0.92 + 1e-9)).covariance_trace
    assert near == pytest.approx(2 * 0.4 * 0.6 * 1e-18, rel=1e-5)


def test_the_score_of_a_network_that_is_all_but_certain():
    """‖∇θ log π(right)‖ = σ(−f) ‖∇θ f‖, and σ(−f) = e^{−f} long after 1 − σ(f) is 0."""
    network = MLP((1.0,), hidden=1)
    theta, obs = np.zeros(network.num_parameters, np.float32), np.zeros((1, 1), np.float32)
    for logit in (10.0, 50.0, 300.0):
        theta[-1] = logit
        outputs = network.forward(network.layers(theta[None]), network.features(obs[None]))[0][0]
        right, left = (
            network.slope_norms(theta, obs, TwoActions().slopes(outputs, np.array([a])))[0]
            for a in (1, 0)
        )
        assert right == pytest.approx(np.exp(-logit), rel=1e-4)
        assert left == pytest.approx(1, rel=1e-4)
