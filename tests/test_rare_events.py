"""Where rare events decide, there is a reason instead of an interval."""

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.values import gradient
from pgviz.sampled.episodes import Choices, paired_estimates, sample
from pgviz.sampled.statistics import covariance_trace, gradient_statistics, mean_estimate
from pgviz.worlds.tabular import TabularMDP

TO_GO = GradientEstimator("reward-to-go")


def two_arms(gap):
    return TabularMDP(
        "arms", [[[0, 1], [0, 1]]], [[1.0, 0.8]], [1.0], 1.0, None, None, [[float(gap), 0.0]]
    )


def measured(world, num_episodes, rng_seed=0):
    choices = Choices(world, world.gamma)
    estimates = paired_estimates(world, [TO_GO], num_episodes, rng_seed, choices)[0]
    return gradient_statistics(estimates, gradient(world), choices.num_choices).covariance_trace


def test_what_is_left_of_the_intervals_covers_the_exact_trace():
    """Worlds with θ stretched up to sixfold: in some, 1,000 episodes never saw what makes the noise."""
    rng = np.random.default_rng(5)
    shapes = [
        (rng.integers(1, 5), rng.integers(2, 5), (None, 1, 2)[rng.integers(3)]) for _ in range(24)
    ]
    covered, refused, wildest, missed = [], 0, 1.0, 1.0
    for seed, (states, actions, features) in enumerate(shapes):
        world = random_world(1000 + seed, int(states), int(actions), features)
        world = world.at((1, 3, 6)[seed % 3] * world.theta)
        true, found = moments(world, TO_GO).covariance_trace, measured(world, 1000, seed)
        if found.low is None:
            assert found.doubt
            refused += 1
            missed = max(missed, true / max(found.value, 1e-300))
        else:
            covered.append(found.low <= true <= found.high)
            wildest = max(wildest, true / found.value)
    assert np.mean(covered) > 0.85
    assert wildest < 3
    assert 1 <= refused <= 8
    assert missed > 1000  # with an interval of a few percent, before


def test_the_choices_that_episodes_hold_are_the_unlikely_actions_to_be_expected():
    world, num = two_arms(5), 4000
    p = world.policy[0, 1]
    choices = Choices(world, 1.0)
    choices.add(sample(world, num, np.random.default_rng(0)))
    assert choices.num_choices == pytest.approx(num * p, rel=0.03)
    even = Choices(two_arms(0), 1.0)
    even.add(sample(two_arms(0), 10, np.random.default_rng(0)))
    assert even.num_choices == np.inf  # both scores are equally long


def test_one_episode_that_makes_up_most_of_the_spread_is_no_ground_for_an_interval():
    heavy = np.ones((200, 1, 1))
    heavy[::2] = -1
    heavy[17] = 40.0
    found = gradient_statistics(heavy, np.ones((1, 1)))
    for estimate in (
        found.covariance_trace,
        found.mean,
        found.bias_squared,
        mean_estimate(heavy[:, 0, 0]),
    ):
        assert estimate.low is None
        assert estimate.doubt
    heavy[17] = 1.0
    assert covariance_trace(heavy).low is not None


def test_the_interval_of_the_trace_leaves_room_for_an_episode_that_was_not_seen():
    """All distances are equal: room above for one in 200 that is not, and none below."""
    found = covariance_trace(np.array([[1.0], [-1.0]] * 100))
    assert found.high > found.value * (1 + 2 / 200)
    assert found.low == pytest.approx(found.value, rel=1e-6)
