"""How far to trust a critic: every identity of GAE, in finite worlds and in the ledger."""

import numpy as np
import pandas as pd
import pytest

from pgviz import broken, estimators
from pgviz.exact.critic_questions import ACTOR_CRITIC, GAE
from pgviz.exact.reinforce_questions import REINFORCE
from pgviz.exact.trust import (
    LAMBDAS,
    SHAPES,
    believed,
    follow_one_number,
    tradeoff,
    weights_on_rewards,
    weights_on_values,
    wrong_critic,
)
from pgviz.exact.values import gradient, objective, state_values
from pgviz.measure import sweep, trust
from pgviz.measure.ledger import LEAK, LEDGERS, LIMIT, RIGHT, Ledger
from pgviz.proofs.believing import gae_lines, mixture
from pgviz.proofs.receipts import listed
from pgviz.worlds.named import ladder, named_worlds, short_corridor

FEW = np.array([0.0, 0.3, 0.9, 1.0])


@pytest.mark.parametrize(("num_episodes", "best"), [(10, 0.61), (30, 0.79)])
def test_with_half_the_values_the_best_lambda_of_the_ladder_moves_with_the_batch(
    num_episodes, best
):
    assert trust.best("ladder", "too small", 0.5, num_episodes) == pytest.approx(best)


def test_with_the_true_values_the_variance_of_the_ladder_is_least_inside():
    found = trust.of_world("ladder", "too small")
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
    assert right == ("is not wrong" in trust.void_in_words(name, shape, 0.5))
    assert trust.void_in_words(name, shape, 0.0) == ""


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


def test_no_sentence_speaks_of_a_bias_where_there_is_none():
    assert not trust.costs_bias("ladder", "shifted")
    assert trust.moves("ladder", "shifted", 0.5).startswith("No λ is biased")
    assert ".79 with 30" in trust.moves("ladder", "too small", 0.5)


def test_a_best_lambda_that_does_not_move_is_not_said_to():
    words = trust.moves("short-corridor", "too small", 0.05)
    assert words.startswith("The best λ is 0 with 10, 30 and 1,000 episodes alike:")
    assert "does not move it" in words
    assert "does not move it" not in trust.moves("ladder", "too small", 0.5)


def test_with_lambda_zero_the_advantage_listens_to_one_reward():
    assert "listens to one reward; " in trust.kernel_in_words(0.9, 0.0)
    assert "the weight 0.9." in trust.kernel_in_words(0.9, 0.0)
    assert "listens to one reward; " in trust.kernel_in_words(1.0, 0.0)
    assert "6.9 rewards in all" in trust.kernel_in_words(0.9, 0.95)


@pytest.mark.parametrize("name", trust.WORLDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_titles_say_which_way_the_best_lambda_goes(name, shape):
    for num in trust.EPISODES:
        ridge = trust.error_map(name, shape, num)[1]["gae_lambda"].to_numpy()
        title = trust.worse_critic(name, shape, num)
        assert ("rises from" in title) == (np.ptp(ridge) > 0 and np.diff(ridge).min() > -1e-9)
        assert ("falls from" in title) == (np.diff(ridge).min() < -1e-9)
    for error in trust.ERRORS:
        line = trust.best_by_episodes(name, shape, error).query("critic == 'your critic'")
        best = line["gae_lambda"].to_numpy()
        rises = np.ptp(best) > 0 and np.diff(best).min() > -1e-9
        title = trust.more_episodes(name, shape, error)
        assert title.startswith("More episodes") == rises
        assert title.endswith("where it is") == (np.ptp(best) == 0)


@pytest.mark.parametrize("name", trust.WORLDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("error", [0.0, 0.05, 0.5, 1.0])
def test_what_is_said_of_the_curves_is_what_they_do(name, shape, error):
    curves = trust.curves(name, shape, error, 10).pivot(
        index="gae_lambda", columns="part", values="size"
    )
    slopes = np.diff(curves["variance / N"])
    words = trust.parts_in_words(name, shape, error)
    assert ("variance rises" in words) == (slopes.min() > -1e-9)
    assert ("Bias² is 0" in words) == (curves["bias²"].max() < 1e-12)
    title = trust.trade_in_words(name, shape, error)
    least = curves["variance / N"].idxmin()
    assert title.startswith("Waiting longer trades") == ("Bias² falls" in words and least == 0)
    assert title.startswith("Beyond") == ("Bias² falls" in words and least > 0)


def test_with_one_episode_a_worse_critic_of_the_ladder_wants_a_smaller_lambda():
    assert "falls from 0.14 to 0 " in trust.worse_critic("ladder", "too small", 1)
    assert "rises from 0.14 to 0.72 " in trust.worse_critic("ladder", "too small", 10)
    words = trust.worse_critic("ladder", "one number", 1)
    assert "falls from 0.14 to 0.11, then rises to 0.24" in words


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99, 1.0])
def test_a_larger_lambda_means_less_critic_except_without_discounting(gamma):
    few, many = (weights_on_values(gamma, lam, 20_000).sum() for lam in (0.3, 0.9))
    less = "less critic" in trust.what_lambda_listens_to(gamma)
    assert less == (many < few - 1e-9)


# The same critic, two uses


@pytest.mark.parametrize("name", trust.WORLDS)
def test_a_subtracted_critic_is_never_biased_and_a_believed_one_is_as_its_error_squared(name):
    table = trust.two_uses(name, "too small")
    subtracted, believed_ = (table[table["name"] == n] for n in ("baseline", "actor-critic"))
    assert (subtracted["bias"] == 0).all()
    at = believed_.set_index("error")["bias"]
    assert at[0.0] == 0 < at[0.5] == pytest.approx(at[1.0] / 4)


def test_the_corridors_numbers_are_the_published_ones():
    here = trust.numbers_at(trust.two_uses("short-corridor", "one number"), 1.0)
    assert here["baseline"] == (0, pytest.approx(554))
    assert here["actor-critic"][1] == pytest.approx(6)
    right = trust.numbers_at(trust.two_uses("short-corridor", "one number"), 0.0)
    assert right["baseline"][1] == pytest.approx(590)
    assert follow_one_number(short_corridor(), np.zeros((1, 2))) == pytest.approx(
        np.array([[6, -6]])
    )


@pytest.mark.parametrize("start", [0.1, 0.5, 0.8])
def test_the_believed_critic_walks_to_the_worst_policy_and_the_subtracted_one_to_the_best(start):
    last = trust.corridor_ascents(start).groupby("name").last()
    assert last.loc["actor-critic", "probability"] > 0.99
    assert last.loc["baseline", "probability"] == pytest.approx(2 - 2**0.5, abs=1e-2)


# The questions


@pytest.mark.parametrize("question", REINFORCE + GAE + ACTOR_CRITIC, ids=lambda q: q.__name__)
def test_every_question_has_one_reply_per_answer_and_its_numbers_hold(question):
    asked = question()
    assert len(asked.answers) == len(asked.replies) == len(set(asked.answers))
    assert 0 <= asked.right < len(asked.answers)
    assert "nan" not in " ".join(asked.replies)


def test_the_replies_about_reinforce_have_the_numbers_of_the_definition():
    weight, positive, loss = (question() for question in REINFORCE)
    assert weight.answers[weight.right] == "1.5"
    assert "+0.048, −0.048" in positive.replies[positive.right]  # .4 · .6 · (1 − .8)
    before = -(0.4 * np.log(0.4) + 0.6 * 0.8 * np.log(0.6))
    after = -(0.4 * 11 * np.log(0.4) + 0.6 * 10.8 * np.log(0.6))
    assert f"from {before:.2f} to {after:.2f}" in loss.replies[loss.right]


def test_the_reply_on_lambda_one_has_its_bias_in_windows():
    asked = GAE[-1]()
    assert "0.087" in asked.replies[2]


def test_windows_on_the_page_are_the_exact_bias_and_their_sentence_has_its_numbers():
    true = gradient(ladder())
    table = trust.in_windows("ladder", "too small", 0.5).set_index("steps in a window")
    whole = table.loc["whole episodes"]
    expected = np.array([0.161290, 0.087429, 0.040144, 0.023963, 0.007577]) / (true**2).sum()
    assert table["λ = 1"].to_numpy()[:-1] == pytest.approx(expected, rel=1e-4)
    assert whole["λ = 1"] == 0 < whole["λ = 0.95"] < whole["λ = 0"]
    assert f"{expected[1]:.3g} in windows of 2" in trust.windows_in_words(
        "ladder", "too small", 0.5
    )
    assert "no bias" in trust.windows_in_words("ladder", "too small", 0.0)


def test_the_sweep_says_what_its_windows_leave_of_the_critic():
    words = sweep.windows_in_words(sweep.configs()[0])
    assert "windows of 32 steps" in words
    assert f"{0.99**32:.2f}" in words
    assert "γ^t is left out" in words


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
    assert "λ = 1 is 0 and G − V̂ is −99" in ones.lambda_one_in_words()
    both = LEDGERS["two episodes"]()
    assert "row 5 is cut by the time limit" in Ledger.of(both, 0.99, 0.95).lambda_one_in_words()
    both["truncated"] = False
    assert "row 5 is cut by the window" in Ledger.of(both, 0.99, 0.95).lambda_one_in_words()
    both["final_value"] = 0.0
    uncut = Ledger.of(both, 0.99, 0.95)
    assert uncut.advantages(1.0) == pytest.approx(uncut.returns_minus_values())
    assert " not " not in uncut.lambda_one_in_words()


def test_five_hundred_ones_have_no_advantage_and_the_bug_says_minus_99():
    found = Ledger.of(LEDGERS["500 ones"](), 0.99, 0.95)
    assert found.advantages() == pytest.approx(np.zeros(500), abs=1e-12)
    assert found.with_bug(LIMIT)[-1] == pytest.approx(-99)
    text = found.difference(LIMIT)
    assert "−99 where 0 is right" in text
    # every row changes, by 99 · .9405^k: what rounding leaves of that is not counted
    gaps = 99 * (0.99 * 0.95) ** np.arange(500)
    assert f"{(gaps > 0.01).sum()} of 500 rows by more than 0.01" in text
    assert "0.9405 times as large each" in text
    assert "changes nothing" in found.difference(LEAK)
    cut = LEDGERS["500 ones"]()
    cut.loc[10, ["truncated", "final_value"]] = [True, 90.0]
    assert "nothing to carry across" in Ledger.of(cut, 0.99, 0.95).difference(LEAK)
    assert found.with_bug(RIGHT) == pytest.approx(found.advantages())


def test_a_bug_that_is_met_and_changes_nothing_says_why():
    fall = LEDGERS["a fall"]()
    assert "no row of this ledger meets it" in Ledger.of(fall, 0.99, 0.95).difference(LIMIT)
    fall.loc[2, "truncated"] = True
    found = Ledger.of(fall, 0.99, 0.95)
    assert "V̂(final) is 0 in row 2. Type what the critic says" in found.difference(LIMIT)
    assert "The bug changes" in found.difference(LEAK)
    fall.loc[2, "final_value"] = 4.0
    assert "The bug changes" in Ledger.of(fall, 0.99, 0.95).difference(LIMIT)
    fall.loc[5, ["terminated", "truncated"]] = [True, True]  # a fall at the limit is a fall
    fall.loc[2, "truncated"] = False
    assert "no row" in Ledger.of(fall, 0.99, 0.95).difference(LIMIT)


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


def test_rows_not_yet_computed_are_empty_and_the_sentence_is_about_the_last_one():
    found = Ledger.of(LEDGERS["a fall"](), 0.99, 0.95)
    table = found.table(2)
    assert table["Â"].isna().tolist() == [True] * 4 + [False] * 2
    assert found.in_words(2).startswith("Row 4:")
    assert "nothing comes after" in found.in_words(1)


def test_the_arithmetic_of_a_row_has_no_two_signs_in_a_row():
    table = LEDGERS["two episodes"]()
    assert "= 0.5790 + 0.0000 =" in Ledger.of(table, 0.99, 0.0).in_words(6)
    table["value"] = -table["value"]
    for gae_lambda in (0.0, 0.95):
        for rows in range(1, 7):
            text = Ledger.of(table, 0.99, gae_lambda).in_words(rows)
            assert not any(pair in text for pair in ("+ −", "− −", "· −", "−0.0000"))
