"""How far to trust a critic: every identity of GAE, in finite worlds and in the ledger."""

import numpy as np
import pandas as pd
import pytest

from pgviz import broken, estimators
from pgviz.exact.trust import (
    LAMBDAS,
    SHAPES,
    believed,
    follow_one_number,
    is_void,
    tradeoff,
    weights_on_rewards,
    weights_on_values,
    wrong_critic,
)
from pgviz.exact.values import gradient, objective, state_values
from pgviz.measure import trust
from pgviz.measure.ledger import LEAK, LEDGERS, LIMIT, RIGHT, Ledger
from pgviz.proofs.ascent import ascent, exact_update
from pgviz.proofs.believing import gae_lines, mixture
from pgviz.proofs.receipts import listed
from pgviz.worlds.named import ladder, named_worlds, short_corridor

FEW = np.array([0.0, 0.3, 0.9, 1.0])


def test_with_the_true_values_the_variance_of_the_ladder_is_least_inside():
    found = tradeoff(ladder(), "too small")
    trace = found.covariance_trace(0.0)
    assert LAMBDAS[trace.argmin()] == pytest.approx(0.14)
    assert trace[0] > trace.min() < trace[-1]
    assert found.bias_squared(0.0) == pytest.approx(0)


@pytest.mark.parametrize("name", trust.WORLDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_three_evaluations_give_every_size_of_the_error(name, shape):
    world = named_worlds[name]()
    found = tradeoff(world, shape, FEW)
    for error in (0.0, 0.35, 1.7):
        for i, gae_lambda in enumerate(FEW):
            slow = believed(world, wrong_critic(world, shape, error), gae_lambda)
            bias = slow.bias_squared(gradient(world))
            assert found.bias_squared(error)[i] == pytest.approx(bias, abs=1e-9)
            assert found.covariance_trace(error)[i] == pytest.approx(slow.covariance_trace)
    # λ = 1 only subtracts in whole episodes
    assert found.bias_squared(1.0)[-1] == pytest.approx(0, abs=1e-9)


def test_a_shifted_critic_is_harmless_where_every_episode_is_equally_long_and_not_elsewhere():
    assert tradeoff(ladder(), "shifted", FEW).bias_squared(1.0) == pytest.approx(0, abs=1e-12)
    assert tradeoff(short_corridor(), "shifted", FEW).bias_squared(1.0)[0] == pytest.approx(72)


def test_the_corridors_critic_that_says_one_number_says_minus_twelve():
    assert wrong_critic(short_corridor(), "one number", 1.0) == pytest.approx([-12, -12, -12])
    assert wrong_critic(ladder(), "too small", 0.5) == pytest.approx(state_values(ladder()) / 2)


@pytest.mark.parametrize("name", trust.WORLDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_critic_that_is_right_however_large_its_error_is_said_to_be(name, shape):
    world = named_worlds[name]()
    right = np.array_equal(wrong_critic(world, shape, 1.0), state_values(world))
    assert right == ((name, shape) == ("survival", "one number"))
    assert right == is_void(world, shape)


def test_every_shape_of_an_error_has_its_formula():
    ladder_, j = ladder(), objective(ladder())
    v, e = state_values(ladder_), 0.3
    truth = {
        "V̂ = (1 − ε) V": (1 - e) * v,
        "V̂ = V + ε J": v + e * j,
        "V̂ = V + ε (J − V)": v + e * (j - v),
    }
    assert list(trust.FORMULAS) == list(SHAPES)
    for shape, formula in trust.FORMULAS.items():
        assert wrong_critic(ladder_, shape, e) == pytest.approx(truth[formula])


@pytest.mark.parametrize("name", trust.WORLDS)
@pytest.mark.parametrize("line", gae_lines, ids=lambda line: line.title)
def test_every_line_holds_and_every_break_breaks_it(name, line):
    world = listed(named_worlds[name]())
    assert line(world).holds
    for how in line.breaks:
        assert not line(world, how).holds


def test_the_weights_of_rewards_and_values_are_the_advantage():
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=12), rng.normal(size=13)
    never = np.zeros(12, bool)
    for gamma, lam in ((1.0, 0.0), (0.9, 0.7), (0.99, 1.0)):
        found = estimators.gae(rewards, values[:-1], values[1:], never, gamma, lam)[0]
        on_values = weights_on_values(gamma, lam, 12)
        # behind the window the critic has all the weight that is left
        on_values[-1] = gamma * (gamma * lam) ** 11
        by_weights = weights_on_rewards(gamma, lam, 12) @ rewards + on_values @ values[1:]
        assert found == pytest.approx(by_weights - values[0])


def test_the_mixture_of_n_step_advantages_is_the_recursion():
    rng = np.random.default_rng(1)
    rewards, now, following = rng.normal(size=(3, 9))
    following[:-1] = now[1:]
    never = np.zeros(9, bool)
    recursion = estimators.gae(rewards, now, following, never, 0.97, 0.6)
    assert mixture(rewards, now, following, 0.97, 0.6) == pytest.approx(recursion)


# The same critic, two uses


@pytest.mark.parametrize("start", [0.1, 0.5, 0.8])
def test_the_believed_critic_walks_to_the_worst_policy_and_the_subtracted_one_to_the_best(start):
    for update, last in ((follow_one_number, 1), (exact_update, 2 - 2**0.5)):
        path = ascent(short_corridor(start), update, 120, 0.02)
        assert path.policy[-1, 0, 0] == pytest.approx(last, abs=1e-2)


# The questions


def test_windows_on_the_page_are_the_exact_bias_and_their_sentence_has_its_numbers():
    true = gradient(ladder())
    table = trust.in_windows("ladder", "too small", 0.5).set_index("steps in a window")
    whole = table.loc["whole episodes"]
    expected = np.array([0.161290, 0.087429, 0.040144, 0.023963, 0.007577]) / (true**2).sum()
    assert table["λ = 1"].to_numpy()[:-1] == pytest.approx(expected, rel=1e-4)
    assert whole["λ = 1"] == 0 < whole["λ = 0.95"] < whole["λ = 0"]


# The ledger


@pytest.mark.parametrize("name", LEDGERS)
def test_the_ends_of_lambda_in_a_ledger_are_one_step_and_all_that_is_left_before_v(name):
    found = Ledger.of(LEDGERS[name](), 0.9, 0.5)
    table = found.table(len(found.rewards))
    assert table["λ = 0"].tolist() == table["δ"].tolist()
    expected, following = np.empty(len(table)), 0.0
    for t in reversed(range(len(table))):  # G − V with V̂ behind a cut, typed from the definition
        if found.terminated[t]:
            following = 0.0
        elif found.truncated[t] or t == len(table) - 1:
            following = found.next_values[t]
        following = found.rewards[t] + 0.9 * following
        expected[t] = following - found.values[t]
    assert table["λ = 1"].to_numpy() == pytest.approx(expected)
    assert table["Â"].to_numpy() == pytest.approx(table["δ"] + table["γλ Â′"])


def test_lambda_one_is_the_return_minus_the_value_only_where_no_sum_is_cut():
    fall = Ledger.of(LEDGERS["a fall"](), 0.99, 0.95)
    assert fall.advantages(1.0) == pytest.approx(fall.returns_minus_values())
    ones = Ledger.of(LEDGERS["500 ones"](), 0.99, 0.95)
    assert ones.returns_minus_values()[-1] == pytest.approx(-99)
    assert abs(ones.advantages(1.0)[-1]) < 1e-12
    gap = ones.advantages(1.0) - ones.returns_minus_values()
    assert gap == pytest.approx(100 * 0.99 ** np.arange(500, 0, -1))
    both = LEDGERS["two episodes"]().assign(truncated=False, final_value=0.0)
    uncut = Ledger.of(both, 0.99, 0.95)
    assert uncut.advantages(1.0) == pytest.approx(uncut.returns_minus_values())


def test_five_hundred_ones_have_no_advantage_and_the_bug_says_minus_99():
    found = Ledger.of(LEDGERS["500 ones"](), 0.99, 0.95)
    assert found.advantages() == pytest.approx(np.zeros(500), abs=1e-12)
    assert found.with_bug(LIMIT)[-1] == pytest.approx(-99)
    gap = found.advantages() - found.with_bug(LIMIT)
    assert gap == pytest.approx(99 * (0.99 * 0.95) ** np.arange(499, -1, -1))
    assert found.with_bug(LEAK) == pytest.approx(found.advantages())
    assert found.with_bug(RIGHT) == pytest.approx(found.advantages())


def test_two_episodes_in_one_ledger_are_the_two_apart_and_the_leak_is_not():
    both = LEDGERS["two episodes"]()
    together = Ledger.of(both, 0.99, 0.95).advantages()
    apart = [Ledger.of(part, 0.99, 0.95).advantages() for part in (both[:3], both[3:])]
    assert together == pytest.approx(np.concatenate(apart), abs=1e-12)
    leaked = Ledger.of(both, 0.99, 0.95).with_bug(LEAK)
    assert leaked[3:] == pytest.approx(together[3:])
    assert np.abs(leaked[:3] - together[:3]).min() > 0.1


def test_termination_wins_where_both_are_ticked():
    table = LEDGERS["a time limit"]().assign(terminated=lambda x: x["truncated"])
    assert Ledger.of(table, 1.0, 0.0).advantages()[-1] == pytest.approx(1 - 9.3)


def test_a_ledger_takes_whatever_an_editor_leaves_behind():
    table = LEDGERS["a fall"]().astype(object)
    table.loc[2] = [None, "x", np.nan, None, None]
    table.loc[3, "reward"] = 1e300
    found = Ledger.of(pd.DataFrame(table), 1.0, 1.0)
    assert np.isfinite(found.advantages()).all()
    assert np.isfinite(broken.leak_across_the_end(*np.zeros((3, 4)), np.zeros(4, bool), 1, 1)).all()


def test_rows_not_yet_computed_are_empty():
    table = Ledger.of(LEDGERS["a fall"](), 0.99, 0.95).table(2)
    assert table["Â"].isna().tolist() == [True] * 4 + [False] * 2
