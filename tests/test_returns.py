"""Full return and reward-to-go: the definitions, and the theorems that follow from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pgviz.estimators import discount_factors, discounted_sum, full_return, reward_to_go

CLOSE = {"rtol": 1e-12, "atol": 1e-12}

numbers = st.floats(-10, 10, allow_subnormal=False).map(lambda x: round(x, 3))
discounts = st.one_of(st.sampled_from([0.0, 0.5, 0.99, 1.0]), st.floats(0, 1))
episodes = st.integers(1, 12).flatmap(lambda n: arrays(float, n, elements=numbers))
both = pytest.mark.parametrize("estimator", [full_return, reward_to_go])


def slow_full_return(rewards, gamma):
    """Σ_k γ^k r_k, once for every step, typed from the definition."""
    total = sum(gamma**k * rewards[k] for k in range(len(rewards)))
    return np.array([total for _ in rewards])


def slow_reward_to_go(rewards, gamma):
    """Σ_{k ≥ t} γ^{k−t} r_k, typed from the definition."""
    num_steps = len(rewards)
    return np.array(
        [sum(gamma ** (k - t) * rewards[k] for k in range(t, num_steps)) for t in range(num_steps)]
    )


SLOW = {full_return: slow_full_return, reward_to_go: slow_reward_to_go}


def ends(*lengths):
    over = np.zeros(sum(lengths), bool)
    over[np.cumsum(lengths) - 1] = True
    return over


def test_three_rewards_by_hand():
    rewards = np.array([1.0, 2.0, 4.0])
    np.testing.assert_array_equal(reward_to_go(rewards, 0.5), [3, 4, 4])
    np.testing.assert_array_equal(full_return(rewards, 0.5), [3, 3, 3])
    np.testing.assert_array_equal(reward_to_go(rewards, 1.0), [7, 6, 4])


@both
@given(rewards=episodes, gamma=discounts)
def test_fast_is_the_definition_typed_slowly(estimator, rewards, gamma):
    np.testing.assert_allclose(estimator(rewards, gamma), SLOW[estimator](rewards, gamma), **CLOSE)


@both
@given(rows=st.lists(episodes, min_size=1, max_size=4), gamma=discounts)
def test_episodes_in_one_row_are_the_episodes_apart(estimator, rows, gamma):
    apart = np.concatenate([estimator(row, gamma) for row in rows])
    in_a_row = estimator(np.concatenate(rows), gamma, ends(*map(len, rows)))
    np.testing.assert_allclose(in_a_row, apart, **CLOSE)


@both
@given(whole=episodes, cut=episodes, gamma=discounts)
def test_an_episode_the_row_breaks_off_sums_what_the_row_holds(estimator, whole, cut, gamma):
    over = ends(len(whole), len(cut))
    over[-1] = False
    in_a_row = estimator(np.concatenate([whole, cut]), gamma, over)
    np.testing.assert_allclose(in_a_row[len(whole) :], SLOW[estimator](cut, gamma), **CLOSE)


@both
@given(first=episodes, rewards=episodes, gamma=discounts)
def test_nothing_leaks_across_the_end_of_an_episode(estimator, first, rewards, gamma):
    over = ends(len(first), len(rewards))
    row = np.concatenate([first, rewards])
    before = estimator(row, gamma, over)
    row[len(first) :] = 1e6
    np.testing.assert_array_equal(estimator(row, gamma, over)[: len(first)], before[: len(first)])
    row = np.concatenate([first + 1e6, rewards])
    np.testing.assert_array_equal(estimator(row, gamma, over)[len(first) :], before[len(first) :])


@both
@given(rewards=episodes, padding=st.integers(0, 5), gamma=discounts)
def test_padding_with_zero_rewards_changes_no_step_of_the_episode(
    estimator, rewards, padding, gamma
):
    padded = estimator(np.pad(rewards, (0, padding)), gamma)
    np.testing.assert_array_equal(padded[: len(rewards)], estimator(rewards, gamma))


@given(rewards=episodes, constant=numbers, gamma=discounts)
def test_a_constant_on_every_reward_adds_its_own_geometric_sum(rewards, constant, gamma):
    left = np.arange(len(rewards), 0, -1)  # rewards still to come
    geometric = np.array([sum(gamma**k for k in range(n)) for n in left])
    np.testing.assert_allclose(
        reward_to_go(rewards + constant, gamma),
        reward_to_go(rewards, gamma) + constant * geometric,
        rtol=1e-10,
        atol=1e-10,
    )
    np.testing.assert_allclose(
        full_return(rewards + constant, gamma),
        full_return(rewards, gamma) + constant * geometric[0],
        rtol=1e-10,
        atol=1e-10,
    )


@given(rewards=episodes)
def test_with_gamma_zero_only_the_next_reward_counts(rewards):
    np.testing.assert_array_equal(reward_to_go(rewards, 0.0), rewards)
    np.testing.assert_array_equal(full_return(rewards, 0.0), np.full_like(rewards, rewards[0]))


@given(rewards=episodes)
def test_with_gamma_one_it_is_the_plain_sum(rewards):
    np.testing.assert_allclose(reward_to_go(rewards, 1.0), np.cumsum(rewards[::-1])[::-1], **CLOSE)
    np.testing.assert_allclose(full_return(rewards, 1.0), rewards.sum(), **CLOSE)


@given(rewards=episodes, gamma=discounts)
def test_reward_to_go_is_the_reward_plus_the_discounted_next_one(rewards, gamma):
    to_go = reward_to_go(rewards, gamma)
    following = np.append(to_go[1:], 0)
    np.testing.assert_allclose(to_go, rewards + gamma * following, **CLOSE)


@given(rewards=episodes, gamma=discounts)
def test_full_return_is_what_came_before_plus_the_discounted_reward_to_go(rewards, gamma):
    """R(τ) = Σ_{k < t} γ^k r_k + γ^t G_t at every t: the first part is what causality drops."""
    gamma_t = discount_factors(gamma, len(rewards))
    before = np.cumsum(gamma_t * rewards) - gamma_t * rewards
    np.testing.assert_allclose(
        full_return(rewards, gamma),
        before + gamma_t * reward_to_go(rewards, gamma),
        rtol=1e-10,
        atol=1e-10,
    )


@given(rewards=episodes, gamma=discounts)
def test_the_two_agree_on_the_first_step(rewards, gamma):
    assert full_return(rewards, gamma)[0] == reward_to_go(rewards, gamma)[0]


@given(rewards=episodes)
def test_summed_over_time_full_return_counts_each_reward_always_and_to_go_until_it_is_paid(rewards):
    """Σ_t R = T Σ_t r_t   and   Σ_t G_t = Σ_t (t + 1) r_t   at γ = 1"""
    num_steps = len(rewards)
    np.testing.assert_allclose(
        full_return(rewards, 1.0).sum(), num_steps * rewards.sum(), rtol=1e-10, atol=1e-10
    )
    np.testing.assert_allclose(
        reward_to_go(rewards, 1.0).sum(),
        (np.arange(1, num_steps + 1) * rewards).sum(),
        rtol=1e-10,
        atol=1e-10,
    )


@both
@given(
    rewards=arrays(float, (2, 3, 6), elements=numbers),
    over=arrays(bool, (2, 3, 6)),
    gamma=discounts,
)
def test_leading_axes_ride_along(estimator, rewards, over, gamma):
    together = estimator(rewards, gamma, over)
    unbroken = estimator(rewards, gamma)
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(
            together[index], estimator(rewards[index], gamma, over[index])
        )
        np.testing.assert_array_equal(unbroken[index], estimator(rewards[index], gamma))


@both
@given(rewards=arrays(float, (2, 7), elements=numbers), over=arrays(bool, (2, 7)))
def test_estimators_change_none_of_their_arguments(estimator, rewards, over):
    kept = rewards.copy(), over.copy()
    result = estimator(rewards, 0.9, over)
    assert not np.shares_memory(result, rewards)
    np.testing.assert_array_equal(rewards, kept[0])
    np.testing.assert_array_equal(over, kept[1])
    estimator(rewards, 0.9)[:] = 0  # the result is the caller's to write on


@both
def test_whole_numbers_and_lists_are_summed_as_real_numbers(estimator):
    result = estimator([1, 1, 1], 0.5)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, SLOW[estimator]([1, 1, 1], 0.5))
    assert estimator(np.ones(3, np.float32), 0.5).dtype == np.float32


def test_a_discounted_sum_of_no_steps_is_empty():
    assert discounted_sum(np.zeros((2, 0)), 0.9).shape == (2, 0)


def test_the_discount_factors_are_the_powers_of_gamma():
    np.testing.assert_allclose(discount_factors(0.5, 4), [1, 0.5, 0.25, 0.125])
    np.testing.assert_array_equal(discount_factors(0.0, 3), [1, 0, 0])
