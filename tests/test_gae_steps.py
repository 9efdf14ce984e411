"""The steps of the page on GAE: every number they show, against a second way to find it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pgviz import estimators
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.n_steps import mixture_weights, n_step_advantages, n_steps
from pgviz.exact.trust import SHAPES, tradeoff, wrong_critic
from pgviz.exact.values import gradient, state_values
from pgviz.figures import fixed, number, signed
from pgviz.lessons import page_of
from pgviz.lessons.gae import (
    bars,
    batch,
    check,
    critics,
    ends,
    ledger,
    lines,
    mix,
    more,
    stops,
    sweep,
    telescope,
    tune,
    windows,
    write,
)
from pgviz.lessons.gae import n_steps as n_steps_step
from pgviz.measure import best_lambda, trust
from pgviz.measure import sweep as measured
from pgviz.measure.ledger import GAMMA, LEDGERS, Ledger
from pgviz.measure.n_steps import of_ladder, recorded
from pgviz.training import train
from pgviz.ui.exercise import with_gaps
from pgviz.worlds.named import ladder, named_worlds, short_corridor
from pgviz.worlds.tabular import WorldError
from tests.real import ready, served
from tests.walks import opened, words

PAGE = page_of("gae")
FEW = (0.0, 0.3, 0.6, 0.95, 1.0)


# --- n-step advantages, exactly ---


def test_an_n_step_advantage_is_n_rewards_then_the_critic():
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=5), np.append(rng.normal(size=5), 0.0)
    found = n_step_advantages(rewards, values, 0.9)
    for n in range(1, 6):
        for t in range(5):
            end = min(t + n, 5)
            slow = sum(0.9 ** (k - t) * rewards[k] for k in range(t, end))
            slow += 0.9 ** (end - t) * values[end] - values[t]
            assert found[n - 1, t] == pytest.approx(slow)


@pytest.mark.parametrize("gae_lambda", FEW)
def test_the_weights_of_all_n_sum_to_one_and_mix_to_gae(gae_lambda):
    rng = np.random.default_rng(1)
    rewards, values = rng.normal(size=6), np.append(rng.normal(size=6), 0.0)
    weights = mixture_weights(gae_lambda, 6)
    assert weights.sum() == pytest.approx(1)
    never = np.zeros(6, bool)
    found = estimators.gae(rewards, values[:-1], values[1:], never, 0.9, gae_lambda)
    assert weights @ n_step_advantages(rewards, values, 0.9)[:, 0] == pytest.approx(found[0])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("gamma", [1.0, 0.8])
def test_listing_all_episodes_and_the_recursion_of_moments_agree(shape, gamma):
    """n = 1 is the TD error, n = 6 only subtracts V̂, and every λ is a mixture of them."""
    world = replace(ladder(), gamma=gamma)
    found, true = n_steps(world, shape), gradient(world)
    for error in (0.0, 0.35, 1.0):
        values = wrong_critic(world, shape, error)
        for at, name in ((0, "td"), (-1, "reward-to-go")):
            slow = moments(world, GradientEstimator(name, values=values))
            assert found.bias_squared(error)[at] == pytest.approx(
                slow.bias_squared(true), abs=1e-12
            )
            assert found.covariance_trace(error)[at] == pytest.approx(slow.covariance_trace)
    mixed, slow = found.mixed(FEW), tradeoff(world, shape, FEW)
    assert mixed.bias == pytest.approx(slow.bias, abs=1e-12)
    assert mixed.trace == pytest.approx(slow.trace)
    assert mixed.squared_length == pytest.approx(slow.squared_length)


def test_without_a_horizon_episodes_cannot_be_listed():
    with pytest.raises(WorldError, match="horizon"):
        n_steps(short_corridor(), "too small")


def test_the_bars_have_the_numbers_of_the_staircase():
    assert of_ladder().covariance_trace(0.0)[[0, -1]] == pytest.approx([0.8726, 2.9177], abs=1e-4)
    assert of_ladder().covariance_trace(1.0)[-1] == pytest.approx(7.0804, abs=1e-4)
    assert of_ladder().bias_squared(0.5)[0] == pytest.approx(0.1613, abs=1e-4)


def test_the_titles_of_the_exact_steps_are_true_as_they_open():
    error = bars.ERROR_START
    assert (np.diff(of_ladder().bias_squared(error)) < 0).all()
    assert (np.diff(of_ladder().covariance_trace(error)) > 0).all()
    few, many = (
        best_lambda.of_world("ladder", "too small").best_lambda(error, n) for n in (10, 30)
    )
    assert (few, many) == (pytest.approx(0.61), pytest.approx(0.79))
    line = best_lambda.by_episodes("ladder", "too small")[0].query("at == 10")["gae_lambda"]
    assert (np.diff(line) >= 0).all()
    assert line.iloc[-1] > line.iloc[0]
    bias = windows.bias("ladder", "too small").query("name == 'λ = 1'")["bias"].to_numpy()
    assert (bias[:-1] > 0.1).all()
    assert bias[-1] == 0


@pytest.mark.parametrize("world", trust.WORLDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_titles_say_of_every_world_and_every_wrong_critic(world, shape):
    """Longer windows bias λ = 1 less, whole episodes not at all; with N the best λ never falls."""
    bias = windows.bias(world, shape).query("name == 'λ = 1'")["bias"].to_numpy()
    assert (np.diff(bias) < 0).all() or not bias.any()
    assert bias[-1] == 0
    found = best_lambda.of_world(world, shape)
    for error in trust.ERRORS:
        line = [found.best_lambda(error, n) for n in trust.MANY]
        assert trust.course(np.array(line)) in ("rises", "stays")


@pytest.mark.parametrize("error", trust.ERRORS[1:])
def test_on_the_ladder_bias_shrinks_and_variance_grows_with_n(error):
    assert (np.diff(of_ladder().bias_squared(error))[:-1] < 0).all()
    assert of_ladder().bias_squared(error)[-1] == pytest.approx(0, abs=1e-20)
    assert (np.diff(of_ladder().covariance_trace(error)) > 0).all()


def test_a_mixture_beats_the_best_n():
    single, best, mixed = mix.least_errors(10)
    assert (number(single), best, number(mixed)) == ("0.176", 2, "0.151")


# --- one recorded episode ---


@pytest.mark.parametrize("n", n_steps_step.N.options)
@pytest.mark.parametrize("t", n_steps_step.STEP.options)
def test_every_equation_adds_up_by_hand(n, t):
    shown = n_steps_step.equation(n, t).split("= ")
    terms = shown[1].replace("− ", "-").replace("+ ", "+").strip().split(" ")
    assert sum(float(term) for term in terms) == pytest.approx(
        float(shown[2].replace("−", "-")), abs=1e-9
    )
    assert n_steps_step.sentence(n, t).count(signed(recorded().exact[t])) >= 1


def test_the_recorded_episode_is_possible_and_its_critic_predicts_about_half():
    seen, world = recorded(), ladder()
    steps = np.arange(6)
    assert (seen.rewards == (seen.states[1:] == 2)).all()
    assert (np.abs(np.diff(seen.states)) <= 1).all()
    assert seen.values[:-1] == pytest.approx(
        state_values(world)[steps, seen.states[:-1]] / 2, abs=0.005
    )


def test_a_sentence_of_n_steps_says_how_many_later_rewards_the_critic_replaces():
    assert "2 rewards are real; V̂(s₂) replaces the 4 later ones" in n_steps_step.sentence(2, 0)
    assert "1 reward is real; V̂(s₅) replaces the 1 later one." in n_steps_step.sentence(1, 4)
    assert "ends 2 steps after t = 4" in n_steps_step.sentence(3, 4)


@pytest.mark.parametrize("lam", FEW)
def test_the_columns_of_the_telescope_sum_to_the_rows_and_to_the_mean_of_all_n(lam):
    tables = telescope.tables()
    cells, sums = tables["cells"], tables["sums"].set_index("column")
    cells = cells.assign(x=cells["value"] * lam ** cells["power"].astype(float))
    for column, x in cells.groupby("column")["x"].sum().items():
        row = sums.loc[column]
        less = 0.0 if row["less"] < 0 else lam ** float(row["less"])
        assert row["value"] * (lam ** float(row["more"]) - less) == pytest.approx(x), column
    total = signed(float(cells["x"].sum()))
    assert telescope.sentence(lam).count(total) >= 2
    assert total in mix.sentence(lam)


def test_what_is_left_of_a_value_is_the_weight_of_its_n():
    assert f"V̂(s₁) keeps 0.40 · 1.23 = {fixed(0.4 * recorded().values[1])}" in telescope.sentence(
        0.6
    )
    assert "all later values cancel" in telescope.sentence(1.0)
    assert "all the weight is on n = 6" in mix.sentence(1.0)
    assert "n = 1 has the weight 0.40" in mix.sentence(0.6)


@pytest.mark.parametrize("lam", FEW)
def test_a_reward_keeps_the_weight_of_all_n_that_reach_it(lam):
    weights = mixture_weights(lam, 6)
    assert [weights[k:].sum() for k in range(6)] == pytest.approx([lam**k for k in range(6)])


# --- between the ends ---


@pytest.mark.parametrize("lam", FEW)
@pytest.mark.parametrize("end", ends.ENDS)
def test_the_weights_between_the_ends_are_the_advantage(lam, end):
    rng = np.random.default_rng(2)
    rewards, values = rng.normal(size=12), rng.normal(size=13)
    terminated = np.zeros(12, bool)
    terminated[-1] = end == ends.TERMINATION
    found = estimators.gae(rewards, values[:-1], values[1:], terminated, 0.95, lam)[0]
    table = ends.weights(lam, 0.95, end)
    on_rewards, on_values = (table[table["kind"] == kind]["weight"] for kind in ("reward", "value"))
    assert on_rewards @ rewards + on_values @ values[1:] - values[0] == pytest.approx(found)


def test_every_branch_between_the_ends_has_its_numbers():
    assert "next value with weight 0.9." in ends.sentence(0.0, 0.9, ends.TERMINATION)
    assert "Â = G − V̂" in ends.sentence(1.0, 1.0, ends.TERMINATION)
    assert "weight 12 in all" in ends.sentence(1.0, 1.0, ends.TERMINATION)
    assert f"weight {fixed(0.99**12)}:" in ends.sentence(1.0, 0.99, ends.WINDOW)
    assert fixed(0.99 * (0.99 * 0.8) ** 11) in ends.sentence(0.8, 0.99, ends.WINDOW)
    assert "behind" not in ends.sentence(0.8, 0.99, ends.TERMINATION)


# --- the best λ ---


def test_every_branch_about_the_best_lambda_has_its_numbers():
    assert "the least error, 0.176, is at n = 2" in bars.sentence(0.5, 10).lower()
    assert "no n is biased" in bars.sentence(0.0, 10)
    assert "from 0.61 to 0.79" in more.sentence(0.5)
    assert "0.14" in more.sentence(0.0)
    assert "With ε = 0.5 it is 0.79" in more.sentence(0.25)
    assert more.verdict(80)[0]
    assert not more.verdict(61)[0]
    assert not more.verdict(None)[0]
    assert "0.61 to 0.79" in more.verdict(None)[1]
    assert "grows from 0.08 at N = 1 to 1.00" in batch.sentence("ladder", "too small", 0.5)
    assert "0.14, whatever N" in batch.sentence("ladder", "too small", 0.0)
    assert "biases no λ" in batch.sentence("ladder", "shifted", 0.5)
    assert "is exact" in batch.sentence("survival", "one number", 0.5)
    assert "0.14 for the exact V and 0.72 at ε = 1" in critics.sentence("ladder", "too small", 10)
    assert "exact for every ε" in critics.sentence("survival", "one number", 10)


@pytest.mark.parametrize("name", trust.WORLDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_fast_way_to_the_best_lambda_is_the_slow_one(name, shape):
    slow = tradeoff(named_worlds[name](), shape, FEW)
    found = best_lambda.of_world(name, shape)
    for at, lam in enumerate(FEW):
        near = int(np.abs(found.lambdas - lam).argmin())
        if abs(found.lambdas[near] - lam) < 1e-9:
            assert found.bias[near] == pytest.approx(slow.bias[at], abs=1e-9)
            assert found.trace[near] == pytest.approx(slow.trace[at])
    cells, best = best_lambda.error_map(name, shape, (10, 100))
    assert cells["times"].min() >= 1
    assert len(cells) * 2.5 < 3000
    assert found.best_lambda(1.0, 100) == best.query("at == 1 and error == 1")["gae_lambda"].item()


def test_windows_bias_lambda_one_by_the_published_numbers():
    exact = np.sqrt(np.array([0.161290, 0.087429]) / (gradient(ladder()) ** 2).sum())
    words = windows.sentence("ladder", "too small", 0.5)
    assert f"{number(exact[0])} of ‖∇J‖ in windows of 1" in words
    assert f"{number(exact[1])} in windows of 2, and 0 in whole" in words
    assert "biases no λ" in windows.sentence("ladder", "too small", 0.0)


# --- the ledger ---


@pytest.mark.parametrize("name", ledger.NAMES)
def test_the_rows_on_the_screen_are_the_last_ones_of_the_whole_ledger(name):
    rows = ledger.rows_of(name)
    whole = Ledger.of(LEDGERS[name](), GAMMA, 0.6).advantages()
    shown = ledger.values(Ledger.of(rows, GAMMA, 0.6)).query("at == 60")
    assert shown["advantage"].to_numpy() == pytest.approx(whole[-6:])
    errors = [
        float(x.replace("−", "-"))
        for x in ledger.rows_table(Ledger.of(rows, GAMMA, 0.6), 0)["error"]
    ]
    assert shown["advantage"].to_numpy() == pytest.approx(
        errors + shown["carried"].to_numpy(), abs=1e-3
    )
    assert not shown.isna().any(axis=None)


def test_500_ones_show_the_row_in_which_the_point_is():
    app = opened("gae", "ledger", ledger="500 ones", rows=1)
    step = PAGE.step("ledger")
    assert "rows 494 to 499 of 500" in words(app, "picture", PAGE, step)[0]
    assert "Row 499: δ = 1 + 0.99 · 100 − 100 = 0" in words(app, "says", PAGE, step)[0]


@pytest.mark.parametrize("name", ledger.NAMES)
@pytest.mark.parametrize("num_rows", ledger.ROWS.options)
def test_every_sentence_of_the_ledger_is_arithmetic_that_holds(name, num_rows):
    text = ledger.sentence(Ledger.of(ledger.rows_of(name), GAMMA, 0.6), num_rows, 0)
    for term in ("δ", "Â"):
        left, right = re.search(rf"{term} = ([^=]*) = (−?[\d.]+\d)", text).groups()
        value = eval(left.replace("−", "-").replace("·", "*"))
        assert value == pytest.approx(float(right.replace("−", "-")), abs=1.1e-3)


def test_the_ledger_says_why_a_sum_stops():
    both = Ledger.of(ledger.rows_of("two episodes"), GAMMA, 0.6)
    assert "terminated" in ledger.sentence(both, 4, 0)
    assert "time limit" in ledger.sentence(both, 1, 0)
    uncut = ledger.rows_of("two episodes").assign(truncated=False)
    assert "window ends" in ledger.sentence(Ledger.of(uncut, GAMMA, 0.6), 1, 0)
    assert ledger.sentence(both, 2, 0).endswith(".")


def test_the_numbers_of_the_ledger_hold_both_ends_of_lambda_and_both_bugs():
    fall, limit = (
        ledger.numbers(Ledger.of(ledger.rows_of(name), GAMMA, 0.95), 0)
        for name in ("a fall", "500 ones")
    )
    assert fall["λ = 1"].to_numpy() == pytest.approx(fall["G − V̂"].to_numpy())
    assert limit["✗ the limit counts as a fall"].iloc[-1] == pytest.approx(-99)
    assert limit["λ = 1"].iloc[-1] == pytest.approx(0)
    assert limit["G − V̂"].iloc[-1] == pytest.approx(-99)
    both = ledger.numbers(Ledger.of(ledger.rows_of("two episodes"), GAMMA, 0.95), 0)
    assert (both["✗ the sum does not stop"] != both["Â"]).tolist() == [True] * 3 + [False] * 3


# --- where a sum stops ---


def test_only_a_fall_drops_the_value_and_each_bug_goes_back_like_gamma_lambda():
    fall, limit, window = stops.ENDS
    for end, value in ((limit, 8.6), (window, 4.4)):
        right, wrong = stops.found(end, 0.7)
        gap = GAMMA * value * (GAMMA * 0.7) ** np.arange(7, -1, -1)
        assert right - wrong == pytest.approx(gap)
    right, wrong = stops.found(fall, 0.7)
    assert right[-1] == pytest.approx(1 - 0.7)
    following = Ledger.of(fall.rows, GAMMA, 0.7).advantages()[8]
    assert wrong[-1] - right[-1] == pytest.approx(GAMMA * 0.7 * following)
    for end in stops.ENDS:
        assert f"{fixed(stops.found(end, 0.7)[1][-1])}" in stops.sentence(0.7)
    assert "only the last step" in stops.sentence(0.0)
    assert fixed(GAMMA * 0.7) in stops.sentence(0.7)
    assert len(stops.lines()) <= 3000


def test_the_numbers_beside_the_ends_can_be_computed_from_what_the_picture_shows():
    shown = stops.bands()
    for band, end in enumerate(stops.ENDS):
        right, wrong = stops.found(end, 0.0)
        rule, bug = (shown[name][band].split(" = ")[-1].split(": ")[-1] for name in ("rule", "bug"))
        assert eval(rule.replace("−", "-").replace("·", "*")) == pytest.approx(right[-1])
        if band:
            assert eval(bug.replace("−", "-")) == pytest.approx(wrong[-1])
    lines_ = stops.lines()
    zero = lines_["band"].map(shown.set_index("band")["zero"])
    assert (zero - lines_["right"]).to_numpy() == pytest.approx(lines_["advantage"].to_numpy())
    assert (zero - lines_["wrong"]).to_numpy() == pytest.approx(lines_["bug"].to_numpy())
    apart = (lines_["wrong_at"] - lines_["right"]).abs()
    assert (apart >= 0.8 * stops.LINE - 1e-9).all()


# --- line by line ---


@pytest.mark.parametrize("world", trust.WORLDS)
@pytest.mark.parametrize("which", lines.LINE.options)
def test_every_line_holds_and_a_broken_one_is_shown_as_changed(world, which):
    shown = lines.LINES[which - 1]
    assert "equal up to rounding" in lines.sentence(world, which, False)
    assert bool(shown.broken) == bool(shown.line.breaks)
    if shown.broken:
        assert r"\cancel" in shown.broken
        assert "✗" in lines.sentence(world, which, True)
    assert np.size(lines.evaluated(world, which, False).left) <= 3000


# --- on CartPole ---


class Recorded:
    """A recording in which learner k has solved the world at the update with these many steps."""

    num_seeds = 16

    def __init__(self, first, spread=1000):
        self.when = first + spread * np.arange(16.0)

    def metrics(self):
        steps = np.arange(1024.0, measured.steps_in(sweep.RUNS[0]) + 1, 1024.0)
        solved = (steps[:, None] >= self.when).astype(float)
        returns = np.where(solved > 0, 475.0, 100.0)
        return {
            "env_steps": np.repeat(steps[:, None], 16, axis=1),
            "solved": solved,
            "trailing_return": returns,
        }


def test_every_branch_of_the_sweep_has_its_numbers():
    def found(*first):
        return dict(zip(measured.SWEPT, map(Recorded, first), strict=True))

    text = sweep.sentence(found(150_000, 100_000, 95_000, 95_000, 90_000, 95_000, 100_000))
    assert "λ = 0.95 needs the fewest steps" in text
    assert "0, 0.5, 0.8, 0.9, 0.98 and 1 differ clearly" in text
    assert "the best λ is an end" in sweep.sentence(found(9e4, *[1e5] * 6))
    assert "no λ differs clearly" in sweep.sentence(found(*[1e5] * 7))
    assert "0.72 or more" in " ".join(
        words(opened("gae", "sweep"), "words", PAGE, PAGE.step("sweep"))
    )


def test_a_budget_counts_those_who_solve_it_by_the_update_in_which_it_ends():
    one = Recorded(96_000)
    for budget in measured.BUDGETS:
        ends_at = np.ceil(budget / 1024) * 1024
        expected = (np.ceil(one.when / 1024) * 1024 <= ends_at).sum()
        assert tune.recorded({0.5: one}, budget)["solved"].item() == expected
    assert tune.solved_in(one) == 16


def test_on_cartpole_a_lambda_between_the_ends_needs_fewer_steps_than_either():
    """The same learners as in the sweep, the first eight of them."""
    means = {}
    for lam in (0.0, 0.95, 1.0):
        config = measured.configs((lam,))[0].replace(num_updates=140)
        first = np.full(8, float(measured.steps_in(config)))
        for update in train(config, seeds=range(8)):
            new = (update.metrics["solved"] > 0) & (update.metrics["env_steps"] < first)
            first = np.where(new, update.metrics["env_steps"], first)
        means[lam] = first.mean()
    assert means[0.95] < min(means[0.0], means[1.0])


# --- writing and checking ---


def test_the_file_to_write_is_what_trains_and_has_three_gaps():
    names: dict = {}
    exec(write.solution(), names)
    rng = np.random.default_rng(3)
    rewards, values, after = rng.normal(size=(3, 9))
    ends_here = np.arange(9) == 4
    for lam in FEW:
        arguments = (rewards, values, after, ends_here, 0.9, lam)
        assert names["gae"](*arguments) == pytest.approx(estimators.gae(*arguments))
    skeleton = with_gaps(write.solution(), write.GAPS)
    assert [f"gap {n}" in skeleton for n in (1, 2, 3, 4)] == [True, True, True, False]
    for line in write.GAPS:
        assert line not in skeleton


def test_the_lines_of_the_exercise_fit_the_picture():
    skeleton = with_gaps(write.solution(), write.GAPS).splitlines()
    assert max(map(len, skeleton)) <= write.WIDTH + 1
    first = skeleton.index("def td_errors(")
    assert any("gap 3" in line for line in skeleton[first : first + 15])


@pytest.mark.parametrize("question", check.QUESTIONS, ids=lambda q: q.__name__)
def test_every_question_has_one_right_answer_and_computed_replies(question):
    asked = question()
    assert len(asked.answers) == len(asked.replies) == len(set(asked.answers))
    assert 0 <= asked.right < len(asked.answers)
    assert all(re.search(r"\d", reply) for reply in asked.replies)


def test_the_answers_are_those_of_the_definitions():
    hand, misprint, leak, exact = (question() for question in check.QUESTIONS)
    assert hand.answers[hand.right] == "−0.5"
    assert "10 times" in misprint.answers[misprint.right]
    assert leak.replies[leak.right].startswith("Steps 0, 1, 2:")
    assert "0.0874" in exact.replies[2]


# --- one λ on all steps ---


def test_lambda_is_one_control_and_stays_set():
    with_lambda = [s.slug for s in PAGE.steps if any(c.name == "lam" for c in PAGE.controls(s))]
    assert with_lambda == ["mix", "telescope", "ends", "ledger", "stops", "tune"]
    for step in PAGE.steps:
        assert {c.label for c in PAGE.controls(step) if c.name == "lam"} <= {"λ"}
    app = opened("gae", "mix", lam="0.37")
    assert app.select_slider(key="lam").value == 0.37
    app.query_params["step"] = "ledger"
    assert app.run().select_slider(key="lam").value == 0.37


# --- the picture that follows the thumb, and the sentence of the server, in Chromium ---


def dragged(page, control, pixels):
    """Move a thumb without letting go: the place in its options."""
    thumb = page.locator(f".st-key-{control} [data-testid=stSliderThumbValue]").bounding_box()
    x, y = thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] + 12
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=6)
    page.wait_for_timeout(500)
    return int(page.locator(f".st-key-{control} input[type=range]").input_value())


@pytest.mark.browser
@pytest.mark.parametrize("pixels", [-70, 50])
def test_while_a_slider_moves_the_chart_shows_the_numbers_that_the_server_says(pixels, chromium):
    def plain(text):
        return text.replace("\N{MINUS SIGN}", "-").lstrip("+")

    def visit(step, control):
        page.goto(f"{url}/gae?step={step}")
        ready(page)
        if PAGE.step(step).question:
            page.get_by_role("button", name="Show me", exact=True).click()
            page.get_by_text("N = 30").first.wait_for(timeout=60_000)
        page.locator("[data-testid=stVegaLiteChart] svg").first.wait_for(timeout=60_000)
        page.mouse.up()
        return dragged(page, control, pixels)

    def shown(wanted):
        """All of these stand in the charts of the step, while the thumb is still held."""
        page.wait_for_function(
            """wanted => { const texts = [...document.querySelectorAll(
            '[data-testid=stVegaLiteChart] svg text')].map(t => t.textContent.replaceAll('−', '-'));
            return wanted.every(text => texts.includes(text)); }""",
            arg=[*wanted],
            timeout=20_000,
        )

    ahead = recorded().advantages()[:, 0]
    with served() as url:
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        at = visit("mix", "lam")
        assert at != 60
        weights = mixture_weights(at / 100, 6)
        shown({f"Â = {plain(fixed(float(weights @ ahead)))}"})
        shown({fixed(float(w)) for w in weights})
        at = visit("telescope", "lam")
        total = mixture_weights(at / 100, 6) @ ahead
        shown({f"Â = Σ λᵏ δₖ = {plain(fixed(float(total)))}"})
        at = visit("bars", "error")
        assert at != 10
        totals = of_ladder().mean_squared_error(trust.ERRORS[at], 10)
        shown({fixed(float(x), 3) for x in totals})
        at = visit("more", "error")
        found = best_lambda.of_world("ladder", "too small")
        best = [found.best_lambda(trust.ERRORS[at], n) for n in (10, 30)]
        shown({f"best λ = {x:.2g}" for x in best})
        at = visit("ledger", "lam")
        wanted = Ledger.of(ledger.rows_of("a fall"), GAMMA, at / 100).advantages()
        shown({plain(fixed(float(x), 3)) for x in wanted})
        at = visit("stops", "lam")
        for end in stops.ENDS:
            right, wrong = stops.found(end, at / 100)
            shown({plain(fixed(right[-1])), f"✗ {plain(fixed(wrong[-1]))}"})
        page.close()
