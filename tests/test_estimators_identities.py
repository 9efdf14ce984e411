"""What the weights Ψ are, said without the recursion that computes them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgviz.estimators import (
    baselined_reward_to_go,
    discounted_sum,
    full_return,
    gae,
    reward_to_go,
    td_errors,
)


def an_episode(seed: int, num_steps: int = 9):
    """rewards, values, next_values, terminated of one episode that terminates."""
    rng = np.random.default_rng(seed)
    rewards, values = rng.normal(size=(2, num_steps))
    next_values = np.append(values[1:], rng.normal())
    terminated = np.arange(num_steps) == num_steps - 1
    return rewards, values, next_values, terminated


seeds = st.integers(0, 10**6)
discounts = st.floats(0, 1)


@given(seeds, discounts)
def test_lambda_zero_is_the_td_error(seed, gamma):
    episode = an_episode(seed)
    assert np.array_equal(gae(*episode, gamma, 0.0), td_errors(*episode, gamma))


@given(seeds, discounts)
def test_lambda_one_is_the_reward_to_go_minus_the_value(seed, gamma):
    rewards, values, *_ = episode = an_episode(seed)
    expected = reward_to_go(rewards, gamma) - values
    np.testing.assert_allclose(gae(*episode, gamma, 1.0), expected, atol=1e-12)


@given(seeds, discounts, st.floats(0, 0.99))
def test_gae_is_the_exponential_average_of_the_n_step_advantages(seed, gamma, gae_lambda):
    """Â = (1−λ) Σ_{n≥1} λ^{n−1} Â^{(n)} with Â^{(n)} = Σ_{k<n} γ^k r_{t+k} + γ^n V(s_{t+n}) − V(s_t)."""
    rewards, values, next_values, _ = episode = an_episode(seed, 5)
    num_steps = len(rewards)
    expected = np.zeros(num_steps)
    for t in range(num_steps):
        for n in range(1, 5000):
            steps = min(n, num_steps - t)
            n_step = sum(gamma**k * rewards[t + k] for k in range(steps)) - values[t]
            if n < num_steps - t:
                n_step += gamma**n * next_values[t + n - 1]
            share = (1 - gae_lambda) * gae_lambda ** (n - 1)
            if n >= num_steps - t:  # all later n-step advantages are this one
                expected[t] += gae_lambda ** (n - 1) * n_step
                break
            expected[t] += share * n_step
    np.testing.assert_allclose(gae(*episode, gamma, gae_lambda), expected, atol=1e-12)


@given(seeds, seeds, discounts, discounts)
def test_two_episodes_in_one_row_are_the_two_apart(first, second, gamma, gae_lambda):
    one, two = an_episode(first, 4), an_episode(second, 6)
    row = [np.concatenate(pair) for pair in zip(one, two, strict=True)]
    over = row[3]
    for together, apart in (
        (gae(*row, gamma, gae_lambda), [gae(*e, gamma, gae_lambda) for e in (one, two)]),
        (reward_to_go(row[0], gamma, over), [reward_to_go(e[0], gamma) for e in (one, two)]),
        (full_return(row[0], gamma, over), [full_return(e[0], gamma) for e in (one, two)]),
    ):
        np.testing.assert_allclose(together, np.concatenate(apart), atol=1e-12)


@given(seeds, discounts, discounts)
def test_padding_after_the_end_changes_nothing_before_it(seed, gamma, gae_lambda):
    episode = an_episode(seed)
    padded = [np.pad(array, (0, 3)) for array in episode]
    np.testing.assert_allclose(
        gae(*padded, gamma, gae_lambda)[:-3], gae(*episode, gamma, gae_lambda), atol=1e-12
    )
    np.testing.assert_allclose(
        reward_to_go(padded[0], gamma)[:-3], reward_to_go(episode[0], gamma), atol=1e-12
    )


@given(seeds, seeds, discounts, discounts)
def test_an_episode_that_was_cut_off_keeps_its_bootstrap_and_leaks_nothing(
    first, second, gamma, gae_lambda
):
    """Truncated and followed by another episode in the same row: as if it stood alone."""
    one, two = an_episode(first, 4), an_episode(second, 6)
    cut_off = (*one[:3], np.zeros(4, bool))
    row = [np.concatenate(pair) for pair in zip(cut_off, two, strict=True)]
    over = np.concatenate([one[3], two[3]])
    apart = [gae(*episode, gamma, gae_lambda) for episode in (cut_off, two)]
    np.testing.assert_allclose(
        gae(*row, gamma, gae_lambda, over), np.concatenate(apart), atol=1e-12
    )


def test_a_right_critic_sees_no_advantage_in_a_truncated_episode():
    """500 rewards of 1, truncated, V̂ = 100 = 1/(1 − γ): every advantage is 0."""
    rewards, values = np.ones(500), np.full(500, 100.0)
    never, truncated = np.zeros(500, bool), np.arange(500) == 499
    advantages = gae(rewards, values, values, never, 0.99, 0.95, truncated)
    np.testing.assert_allclose(advantages, 0, atol=1e-12)
    as_if_terminated = gae(rewards, values, values, truncated, 0.99, 0.95)
    assert as_if_terminated[-1] == pytest.approx(-99)


def test_termination_wins_over_truncation():
    over = np.array([True])
    one = np.ones(1)
    assert gae(one, one, 50 * one, over, 0.9, 0.9, over) == pytest.approx(0.0)


@given(seeds, discounts)
def test_leading_axes_ride_along(seed, gamma):
    rewards = np.random.default_rng(seed).normal(size=(3, 2, 5))
    together = discounted_sum(rewards, gamma)
    for index in np.ndindex(3, 2):
        assert np.array_equal(together[index], discounted_sum(rewards[index], gamma))


# --- what they are called with ---

ESTIMATORS = {
    "full_return": lambda e, flags, kind: full_return(kind(e[0]), 0.9, flags),
    "reward_to_go": lambda e, flags, kind: reward_to_go(kind(e[0]), 0.9, flags),
    "baselined": lambda e, flags, kind: baselined_reward_to_go(kind(e[0]), kind(e[1]), 0.9, flags),
    "td_errors": lambda e, flags, kind: td_errors(*map(kind, e[:3]), flags, 0.9),
    "gae": lambda e, flags, kind: gae(*map(kind, e[:3]), flags, 0.9, 0.8),
    "gae over": lambda e, flags, kind: gae(*map(kind, e[:3]), np.zeros(9, int), 0.9, 0.8, flags),
    "discounted_sum": lambda e, flags, kind: discounted_sum(kind(e[0]), 0.9, flags),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_flags_of_every_type_and_lists_give_the_same_numbers(name):
    """Flags as integers once made a full return of the first episode everybody's."""
    episode, flags = an_episode(5), np.arange(9) % 3 == 2
    expected = ESTIMATORS[name](episode, flags, np.asarray)
    for given_flags in (flags.astype(int), flags.astype(float), flags.astype("int8"), list(flags)):
        for kind in (np.asarray, list):
            found = ESTIMATORS[name](episode, given_flags, kind)
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype


def test_integer_rewards_are_numbers_like_others():
    ones = [1, 1, 1]
    assert td_errors(ones, ones, [1, 1, 0], [0, 0, 1], 0.5).tolist() == [0.5, 0.5, 0]
    assert full_return([2, 3], 1.0, [1, 0]).tolist() == [2, 3]
    assert discounted_sum(np.ones(3, np.float32), 0.5).dtype == np.float32


@pytest.mark.parametrize("shape", [(4,), (6,), (5, 1), (1, 5), (2, 5), ()])
@pytest.mark.parametrize("which", range(1, 7))
def test_an_array_of_another_shape_is_refused_and_never_broadcast(which, shape):
    """values [N, 1] beside rewards [N] once gave [N, N]; flags could be longer than the rewards."""
    five = np.zeros(5)
    wrong, flags = np.zeros(shape), np.zeros(shape, bool)
    with pytest.raises(ValueError, match=r"\[\.\.\., T\]") as refused:
        {
            1: lambda: baselined_reward_to_go(five, wrong, 0.9),
            2: lambda: td_errors(five, wrong, five, five, 0.9),
            3: lambda: gae(five, five, wrong, five, 0.9, 0.9),
            4: lambda: gae(five, five, five, flags, 0.9, 0.9),
            5: lambda: gae(five, five, five, five, 0.9, 0.9, episode_over=flags),
            6: lambda: full_return(five, 0.9, flags),
        }[which]()
    assert "\n" not in str(refused.value)
    assert shape == () or {str(shape), "(5,)"} <= set(
        re.findall(r"\([\d, ]*\)", str(refused.value))
    )


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: reward_to_go([1.0, 2.0], 0.9, [0, 2]), "episode_over[1]"),
        (lambda: reward_to_go([1.0, 2.0], 0.9, [0, np.nan]), "episode_over[1]"),
        (lambda: reward_to_go([1.0, 2.0], 0.9, ["no", "yes"]), "episode_over[0]"),
        (lambda: reward_to_go(["a", "b"], 0.9), "rewards"),
        (lambda: reward_to_go([[1.0], [1.0, 2.0]], 0.9), "rewards"),
        (lambda: reward_to_go([1.0, None], 0.9), "rewards"),
        (lambda: reward_to_go(3.0, 0.9), "rewards"),
        (lambda: reward_to_go([1.0], 99), "gamma"),
        (lambda: reward_to_go([1.0], "0.9"), "gamma"),
        (lambda: gae([1.0], [0.0], [0.0], [1], 0.9, np.nan), "gae_lambda"),
    ],
)
def test_a_fault_is_one_sentence_with_the_name_of_the_argument(call, named):
    with pytest.raises(ValueError, match=f"^{re.escape(named)} ") as refused:
        call()
    assert "\n" not in str(refused.value)
