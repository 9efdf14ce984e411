"""The steps of the theorem: what they compute, against an independent truth, and what they say."""

import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.charts import worlds as drawings
from pgviz.exact.factors import POLICY, WORLD, factors
from pgviz.exact.landscape import knob
from pgviz.exact.trajectories import trajectories
from pgviz.exact.values import gradient, objective
from pgviz.lessons import page_of
from pgviz.lessons.theorem import (
    average,
    causality,
    check,
    climb,
    derive,
    discount,
    divide,
    episode,
    guess,
    no_log,
    no_model,
    product,
    proof,
    puzzle,
    score,
    theorem,
    unrolled,
)
from pgviz.lessons.theorem import objective as jumping
from pgviz.lessons.theorem.policy import THETA
from pgviz.measure import jumps, two_arms
from pgviz.measure import theorem as measured
from pgviz.proofs import puzzles
from pgviz.proofs.derivation import derivative, objective_at, policy_at, probabilities_of
from pgviz.ui import world as worlds
from pgviz.ui.proof import mark_of
from pgviz.ui.world import Shown
from pgviz.worlds import named
from pgviz.worlds.drawn import drawn
from pgviz.worlds.files import world_document
from pgviz.worlds.named import ladder, named_worlds, shared_logit_chain, short_corridor
from pgviz.worlds.stories import stories
from pgviz.worlds.tabular import TabularMDP
from tests.walks import opened, words

PAGE = page_of("theorem")
THETAS = (-2.0, -0.4054651081, 0.0, 1.3)


def numbers(text):
    """The numbers of a sentence, with their signs."""
    found = re.findall(r"[+−-]?\d[\d,]*\.?\d*", text.replace("\u2009", ""))
    return [float(x.replace("−", "-").replace(",", "").rstrip(".")) for x in found]


# --- drawings ---


def test_the_corridor_is_drawn_with_its_swapped_room_and_no_other():
    drawn = drawings.corridor(short_corridor())
    assert drawn.count("(swapped)") == 2
    assert drawn.count(">right<") == 2
    assert drawn.count(">left<") == 2
    assert "In room 2 right and left are swapped." in drawn
    straight = short_corridor()
    transitions = np.array(straight.transitions)
    transitions[1] = 0
    transitions[1, 0, 2] = transitions[1, 1, 0] = 1
    assert "swapped" not in drawings.corridor(replace(straight, transitions=transitions))


def test_arms_and_rungs_are_drawn_with_the_numbers_of_their_worlds():
    drawn = drawings.two_arms(named.two_arms())
    assert all(text in drawn for text in ("π = 0.40", "π = 0.60", "pays 1<", "pays 0.8<"))
    drawn = drawings.ladder(ladder())
    assert (drawn.count(">0.8<"), drawn.count(">0.2<")) == (2, 2)
    path = drawings.ladder(ladder(), (0, 1, 2), (1, 0))
    assert "the path goes through rungs 0, 1, 2" in path
    assert ">0.8<" not in path


# --- one decision ---


@pytest.mark.parametrize("theta", THETAS)
def test_the_two_arms_are_the_softmax_world(theta):
    world = named.two_arms().at(np.array([[theta, 0.0]]))
    assert two_arms.probabilities(theta) == pytest.approx(world.policy[0])
    assert float(two_arms.objective(theta)) == pytest.approx(objective(world))
    assert float(two_arms.gradient(theta)) == pytest.approx(float(gradient(world)[0, 0]))
    by_complex_step = derivative(partial(policy_at, world), np.asarray(world.theta))[0, :, 0, 0]
    assert two_arms.slopes(theta) == pytest.approx(by_complex_step)


@pytest.mark.parametrize("theta", THETAS)
def test_sampled_r_grad_p_climbs_half_the_sum_of_squares(theta):
    def half(t):
        return 0.5 * float(two_arms.probabilities(t) ** 2 @ two_arms.rewards())

    slope = (half(theta + 1e-5) - half(theta - 1e-5)) / 2e-5
    assert float(two_arms.without_log(theta)) == pytest.approx(slope, abs=1e-9)


def test_without_the_log_the_worse_arm_wins_from_the_start_of_the_story():
    ends = two_arms.ascents([named.logit(0.4)]).groupby("update")["probability"].last()
    assert ends[two_arms.KEPT] > 0.9 > 0.4 > ends[two_arms.DROPPED]
    theta = named.logit(0.4)
    assert float(two_arms.gradient(theta)) == pytest.approx(0.048)
    assert float(two_arms.without_log(theta)) == pytest.approx(-0.0192)


def test_the_terms_of_the_table_add_up_and_their_ratio_is_the_log_derivative():
    table = two_arms.terms(THETA.options)
    sums = table.groupby("at")["product"].sum()
    assert sums.to_numpy() == pytest.approx(two_arms.gradient(np.array(THETA.options)))
    ratio = table["divided"].to_numpy().reshape(-1, 2)
    step = 1e-6
    at = np.array(THETA.options)
    logs = [np.log(two_arms.probabilities(at + d)) for d in (-step, step)]
    assert ratio == pytest.approx((logs[1] - logs[0]) / (2 * step), abs=1e-8)
    assert (table["probability"] * table["divided"]).to_numpy() == pytest.approx(
        table["slope"].to_numpy()
    )


@pytest.mark.parametrize("theta", [-2.0, -0.4, 2.5])
def test_table_picture_and_sentence_of_the_product_agree(theta):
    at = THETA.options.index(theta)
    cells = product.cells()
    shown = cells[(cells["at"] == at) & cells["strong"]]["text"].item()
    said = numbers(product.sentence(theta))
    curve = two_arms.curve(THETA.options)
    assert numbers(shown)[0] == said[1] == said[-1]
    assert curve["slope"][at] == pytest.approx(said[1], abs=5e-4)


def test_the_sentence_of_the_repair_measures_what_the_picture_shows():
    for theta in (-2.0, 0.0, 1.5):
        said = numbers(divide.sentence(theta))
        bars = divide.bars()
        bars = bars[(bars["at"] == THETA.options.index(theta)) & (bars["quantity"] == "∇P / P")]
        arm = int(said[0]) - 1
        assert bars["size"].to_numpy()[arm] == pytest.approx(said[-1], abs=6e-3)
        assert said[-1] == said[-2]


def test_the_wrong_arm_wins_at_the_default_and_not_from_everywhere():
    said = no_log.sentence(-0.4)
    assert said.endswith("pays less.")
    start, kept, wrong = numbers(said)[1:4]
    assert wrong < start < kept
    assert "both find arm 1" in no_log.sentence(1.0)
    right, why = no_log.verdict(no_log.ANSWERS[1])
    assert right
    assert numbers(why)[-2:] == [-0.019, 0.048]
    assert not no_log.verdict(no_log.ANSWERS[0])[0]


def test_scores_are_the_slopes_of_log_pi_and_average_to_zero():
    world = named.bandit_a()
    log = derivative(lambda z: np.log(policy_at(world, z)), np.asarray(world.theta))[0, :, 0]
    assert score.scores()[:3] == pytest.approx(log)
    assert score.scores()[3] == pytest.approx(0, abs=1e-15)
    still = score.moved(3)
    assert still["after"].to_numpy() == pytest.approx(still["before"].to_numpy())
    for arm in range(3):
        table = score.moved(arm)
        mine = table["arm"] == f"arm {arm + 1}"
        assert table[mine]["after"].is_monotonic_increasing
    said = numbers(score.sentence("arm 3", 1.0))
    assert said[2:4] == pytest.approx([0.09, 0.30])
    assert numbers(score.sentence(score.ALL, 1.0))[-1] == 0


@pytest.mark.parametrize("arm", range(3))
def test_an_arm_that_was_not_chosen_may_rise_and_the_sentence_says_which_and_why(arm):
    before = named.bandit_a().policy[0]
    table = score.moved(arm)
    for at, step in enumerate(score.STEP.options):
        after = table[table["at"] == at]["after"].to_numpy()
        risen = [b for b in range(3) if b != arm and after[b] > before[b] + 1e-12]
        said = score.sentence(f"arm {arm + 1}", step)
        assert len(risen) <= 1
        assert ("rises too" in said) == bool(risen)
        for b in risen:
            (last,) = {0, 1, 2} - {arm, b}
            assert f"Arm {b + 1} rises too" in said
            assert score.scores()[arm, last] < score.scores()[arm, b] < 0
            assert numbers(said)[5:7] == pytest.approx([before[b], after[b]], abs=6e-4)
    assert "Arm 2 rises too" in score.sentence("arm 3", 1.0)


def test_sampled_r_grad_p_raises_the_arm_with_the_larger_product_of_p_and_r():
    for theta in no_log.START.options:
        worth = two_arms.probabilities(theta) * two_arms.rewards()
        assert (float(two_arms.without_log(theta)) > 0) == (worth[0] > worth[1])
        ends = no_log.paths().query(f"at == {no_log.START.options.index(theta)} and step == 80")
        end = ends.set_index("update")["probability"][two_arms.DROPPED]
        assert (end > two_arms.probabilities(theta)[0]) == (worth[0] > worth[1])


# --- the objective ---


@pytest.mark.parametrize("name", ["two-arms", "short-corridor", "ladder"])
def test_the_average_of_many_draws_is_j(name):
    world, action = named_worlds[name](), stories[name].turned
    thetas = (-1.0, 0.0, 1.0)
    table = jumps.averages(world, action, thetas, (1, 4000), 1)
    exact = jumps.objectives(world, action, thetas)
    many = table.loc[table["at"] == 1, "average"].to_numpy()
    spread = 4 * np.abs(exact).max() / np.sqrt(4000) * 3
    assert many == pytest.approx(exact, abs=spread)
    turn = knob(world, action)
    for theta, value in zip(thetas, exact, strict=True):
        there = world.at(turn.thetas(1 / (1 + np.exp(-theta))))
        assert value == pytest.approx(objective(there), rel=1e-2)


def test_a_single_draw_jumps_where_j_is_smooth():
    draws, curve = jumping.tables("two-arms")
    first = draws.loc[draws["at"] == 0, "average"].to_numpy()
    assert set(first) == {0.8, 1.0}
    assert np.abs(np.diff(curve["objective"])).max() < 0.01
    assert "jumps once" in jumping.sentence("two-arms", 1)
    many, single = numbers(jumping.sentence("two-arms", 300))[1:3]
    assert many < 0.1 * single
    assert "times" in jumping.sentence("short-corridor", 1)


def test_the_prediction_of_the_corridor():
    assert guess.best_share() == pytest.approx(0.5857864376)
    assert guess.verdict(57)[0]
    assert not guess.verdict(100)[0]
    assert guess.fewest_steps(short_corridor()) == 3
    assert guess.fewest_steps(named.two_arms()) == 1


# --- samples ---


def test_the_line_of_samples_tells_the_sign_at_the_default_and_earns_it():
    table = average.means(named.two_arms(), measured.DICE_SEED)
    said = average.sentence(table, 1000)
    assert said.endswith("all of it lies above 0.")
    row = average.rows_of(table).iloc[average.SAMPLES.options.index(1000)]
    assert numbers(said)[1] == pytest.approx(row["mean"], abs=5e-4)
    assert row["low"] > 0
    assert "cannot tell its sign" in average.sentence(table, 30)
    missing = table.assign(
        low=table["exact"] + 1, high=table["exact"] + 2, mean=table["exact"] + 1.5
    )
    assert "misses" in average.sentence(missing, 1000)
    below = table.assign(low=-0.3, high=-0.1, mean=-0.2, exact=-0.15)
    assert average.sentence(below, 1000).endswith("all of it lies below 0.")
    nothing = table.assign(low=-0.1, high=0.1, mean=0.0, exact=0.0)
    assert average.sentence(nothing, 1000).endswith("it holds the exact 0.000.")
    flat = table.assign(low=table["mean"], high=table["mean"])
    assert "no width" in average.sentence(flat, 1000)


# --- episodes ---


def test_factors_multiply_to_the_probability_of_every_episode():
    world = ladder()
    listed = {
        (tau.states, tau.actions, tau.next_states): tau.probability for tau in trajectories(world)
    }
    assert len({(t.states, t.actions, t.next_states) for t in episode.episodes()}) == 6
    for tau in episode.episodes():
        found = factors(world, tau, episode.ACTION)
        assert found.probability == pytest.approx(listed[tau.states, tau.actions, tau.next_states])
        assert found.probability == pytest.approx(tau.probability)


@pytest.mark.parametrize("p", [0.05, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_the_policys_slopes_are_the_slope_of_the_whole_product(p, seed):
    for world, action in ((ladder(), 1), (random_world(seed, 3, 2, horizon=4), 0)):
        turn = knob(world, action)
        here = world.at(turn.thetas(p))
        for tau in trajectories(world)[:: 97 if world.name == "ladder" else 400]:
            found = factors(world, tau, action, p)
            chance = probabilities_of(here, [tau])
            whole = derivative(lambda z, p=chance: np.log(p(z)[0]), np.asarray(here.theta))
            assert found.slope(POLICY) == pytest.approx(float((whole * turn.direction).sum()))
            assert found.slope(WORLD) == 0


def test_the_sentences_of_an_episode_agree_with_its_picture():
    for which, percent in ((1, 50), (4, 80)):
        at = episode.CLIMB.options.index(percent)
        product_text = episode.tables(which)["product"].set_index("at")["text"][at]
        assert numbers(product_text)[-1] == numbers(episode.sentence(which, percent))[2]
        said = numbers(no_model.sentence(which, percent))
        table = no_model.terms(which)
        slopes = table[(table["at"] == at) & (table["part"] == POLICY)]["slope"]
        assert said[0] == said[-1] == pytest.approx(slopes.sum(), abs=6e-3)
        assert said[1] == 0
        assert "log of the whole product" in no_model.sentence(which, percent)
        climbs = np.array(episode.episodes()[which - 1].actions) == episode.ACTION
        # The score of climb is 1 − π(climb), of rest −π(climb).
        assert slopes.to_numpy() == pytest.approx(climbs - percent / 100)
    assert numbers(no_model.sentence(1, 50))[0] != 0


def test_earlier_rewards_add_zero_and_their_variance_is_that_of_the_story():
    kept, dropped, past, has_a_past = causality.noise(ladder())
    assert (kept, dropped) == pytest.approx((13.714, 7.080), abs=1e-3)
    assert past == pytest.approx(0, abs=1e-12)
    assert has_a_past
    means = causality.pairs(ladder(), "mean")
    assert (means[means["past"]]["value"] == 0).all()
    along = gradient(ladder())
    assert means["value"].sum() == pytest.approx(float(np.linalg.norm(along)))
    assert (causality.pairs(ladder(), "spread").query("past and u > 0")["value"] > 0.1).all()
    assert numbers(causality.sentence(kept, dropped, past, True, True)) == [0, 13.71, 7.08]
    assert numbers(causality.sentence(kept, dropped, past, True, False)) == [0, 7.08, 13.71]
    assert causality.unpaid(ladder()) == " · step 0: no reward yet"
    assert causality.unpaid(short_corridor()) == causality.unpaid(named.two_arms()) == ""
    assert "nothing to drop" in causality.sentence(1, 1, 0, False, True)
    assert "cancel" in causality.sentence(1, 2, 0, True, True)
    assert "the same" in causality.sentence(1, 1, 0, True, True)


# --- the proof ---


def test_every_line_of_the_proof_has_its_step_and_every_break_its_altered_formula():
    slugs = {step.slug for step in PAGE.steps}
    assert {line.step for line in proof.PROOF} <= slugs
    assert {slug for _, slug in theorem.TERMS} <= slugs
    for line in proof.PROOF:
        assert set(line.altered) == set(line.line.breaks) & set(proof.BREAKS), line.title
        for formula in line.altered.values():
            assert r"\cancel" in formula
        assert r"\gamma" not in line.equation
    order = [step.slug for step in PAGE.steps]
    places = [order.index(line.step) for line in proof.PROOF]
    assert places == sorted(places)
    titles = [line.title for line in proof.PROOF]
    left_out = {"forget γᵗ"}
    every = {b for line in proof.PROOF for b in line.line.breaks}
    assert every - left_out == set(proof.BREAKS)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", named_worlds)
def test_all_lines_hold_in_every_world_with_one_gradient(name):
    shown = Shown(name)
    marks = proof.marks(shown.world, None, shown.story.actions)
    exact = [m for m, line in zip(marks, proof.PROOF, strict=True) if "samples" not in line.title]
    assert set(exact) == {"holds"}
    few = proof.short(shown.world)
    truth = derivative(partial(objective_at, few), np.asarray(few.theta))
    for line in proof.PROOF:
        if line.equation.startswith(r"\nabla J"):
            found = proof.evaluate(shown.world, line.title, None, shown.story.actions)
            lefts = found.sides["left"].to_numpy()
            assert lefts == pytest.approx(truth.ravel(), abs=1e-12), line.title


FAILING = {
    proof.REWARD: {1},
    proof.DROP_LOG: {2, 3, 9},
    proof.OTHER_POLICY: {3, 7},
    proof.FUTURE: {10},
    proof.PAST: {12},
}


@pytest.mark.parametrize("broken", proof.BREAKS)
def test_on_the_ladder_exactly_the_altered_lines_fail(broken):
    shown = Shown("ladder")
    marks = proof.marks(shown.world, broken, shown.story.actions)
    assert {at for at, mark in enumerate(marks, 1) if mark == "fails"} == FAILING[broken]
    altered = {at for at, line in enumerate(proof.PROOF, 1) if broken in line.altered}
    assert altered == FAILING[broken]


def test_the_sentence_of_the_theorem_per_branch():
    world, actions = ladder(), stories["ladder"].actions

    def said(number, broken):
        found = proof.evaluate(world, proof.PROOF[number - 1].title, broken, actions)
        return theorem.sentence(number, found, broken, proof.marks(world, broken, actions))

    assert numbers(said(11, None))[0] == 11
    failing = said(3, proof.DROP_LOG)
    found = proof.evaluate(world, "an expectation", proof.DROP_LOG, actions)
    assert numbers(failing)[1] == pytest.approx(found.reading.size, abs=6e-3)
    assert numbers(failing)[2:] == [2, 3, 9]
    assert numbers(said(11, proof.DROP_LOG)) == [11, 2, 3, 9]
    assert said(10, proof.FUTURE).startswith("Line 10 fails")
    assert "±" in said(4, None)
    bandit = named.two_arms()
    marks = proof.marks(bandit, proof.PAST, ("a", "b"))
    found = proof.evaluate(bandit, "noise", proof.PAST, ("a", "b"))
    assert "changes nothing" in theorem.sentence(12, found, proof.PAST, marks)


def test_every_number_of_a_line_has_its_name_where_they_are_few():
    actions = stories["ladder"].actions
    found = proof.evaluate(ladder(), "reward-to-go", None, actions)
    assert found.names[2:4] == ("rest in state 1", "climb in state 1")
    assert theorem.title(11, found) == "Both sides of line 11, for each of 6 θ"
    assert theorem.which(found) == "θ of rest in state 1, one of 6: "
    few = proof.short(ladder())
    assert found.sides["left"].to_numpy() == pytest.approx(np.asarray(gradient(few)).ravel())
    assert proof.theta_in_words(few, (1, 1), actions) == "θ of climb in state 1"
    assert proof.theta_in_words(short_corridor(), (0, 0), ("right", "left")) == "θ of right"
    many = proof.evaluate(ladder(), "log trick", None, actions)
    assert not many.names
    assert "24 of its" in theorem.title(2, many)
    one = proof.evaluate(ladder(), "noise", None, actions)
    assert theorem.title(12, one) == "Both sides of line 12: 1 number"
    assert theorem.which(one) == ""


def test_samples_that_cannot_tell_the_sign_earn_no_mark():
    found = proof.evaluate(ladder(), "a mean of samples", None, stories["ladder"].actions)
    unsure = replace(found, reading=replace(found.reading, mark="holds", note="too few"))
    assert mark_of(unsure.reading) == "unsure"
    assert "cannot tell its sign" in theorem.samples_in_words(unsure)
    assert found.reading.left == "0"  # what has no sign, no interval can tell
    assert theorem.samples_in_words(found).endswith("holds it.")
    other = replace(found, reading=replace(found.reading, left="-0.3", mark="holds", note=""))
    assert theorem.samples_in_words(other).endswith("tells its sign.")
    assert "misses" in theorem.samples_in_words(
        replace(found, reading=replace(found.reading, mark="open", note=""))
    )


def test_a_formula_names_the_start_and_the_features_where_the_world_has_them():
    splits = next(line for line in proof.PROOF if line.title == "log probability splits")
    scores = next(line for line in proof.PROOF if line.title == "score of a softmax")
    assert "d_0" not in splits.written(None, ladder())
    assert "x(s)" not in scores.written(None, ladder())
    other = random_world(0, 2, 2, num_features=2)
    assert "d_0" in splits.written(None, other)
    assert scores.written(None, other).endswith("x(s)")


# --- derive ---


PROOFS = pytest.mark.parametrize("proof", [puzzles.TRAJECTORIES, puzzles.VALUES])


@PROOFS
@pytest.mark.parametrize("number", range(12))
def test_right_lines_have_the_number_of_the_gradient_in_every_world(proof, number):
    here = drawn(number)
    for at, line in enumerate(proof.lines):
        if at < len(proof.right):
            assert proof.number_of(here, at) == pytest.approx(gradient(here).max(), rel=1e-9)
        assert bool(line.why_false) == (at >= len(proof.right))


@PROOFS
def test_false_lines_have_another_number_in_nearly_every_world(proof):
    """A false line may be right by chance; it is not where the reader meets it first."""
    for at in range(len(proof.right), len(proof.lines)):
        apart = [
            abs(proof.number_of(drawn(n), at) - proof.exact(drawn(n))) > 5e-3 for n in range(1, 41)
        ]
        assert np.mean(apart) > 0.9
        assert apart[0]


def test_the_ladder_shows_false_lines_false():
    proof, few = puzzle.PROOF, puzzle.world()
    for at in range(len(proof.lines)):
        is_right = at < len(proof.right)
        assert (proof.number_of(few, at) == pytest.approx(proof.exact(few), rel=1e-9)) == is_right
    assert puzzle.name() == "θ of climb in state 1"
    assert gradient(few)[1, 1] == pytest.approx(proof.exact(few))


@PROOFS
def test_the_puzzle_can_be_solved_and_answers_every_choice(proof):
    total, here = len(proof.right), drawn(1)
    for placed in range(total):
        offered = proof.offered(placed)
        assert placed in offered
        assert len(set(offered)) == len(offered)
        assert any(at >= total for at in offered)
        for choice in offered:
            right, reply = derive.reply_to_line(proof, here, placed, choice)
            assert right == (choice == placed)
            assert numbers(reply)[0] == pytest.approx(proof.number_of(here, choice), abs=5e-4)
        options, at = proof.reasons(placed)
        assert len(set(options)) == 3
        assert [derive.reply_to_reason(proof, placed, k)[0] for k in range(3)] == [
            k == at for k in range(3)
        ]
        assert options[at] == proof.right[placed].reason
    assert numbers(derive.sentence(proof, here, 2, 1)) == [2, 5, 1, 5]
    assert numbers(derive.sentence(proof, here, 5, 5))[0] == 5


def test_the_puzzle_is_solved_on_the_page():
    app = opened("theorem", "derive")
    for line in puzzle.PROOF.right:
        for answer in (f"$= {line.formula}$", line.reason):
            app.radio[0].set_value(next(o for o in app.radio[0].options if o.endswith(answer)))
            app.run()
            next(b for b in app.button if b.label == "Place it").click().run()
            assert not app.exception
            assert not app.error
    said = words(app, "says", PAGE, PAGE.step("derive"))[0]
    assert said.startswith("The proof stands")


# --- the deeper steps ---


def test_the_unrolled_sum_arrives_after_the_steps_of_the_ladder_and_broken_elsewhere():
    table = unrolled.sums(ladder(), None)
    assert table["partial_sum"].iloc[-1] == pytest.approx(table["exact"].iloc[0])
    assert numbers(unrolled.sentence(table, None))[0] == 6
    assert unrolled.component(ladder(), ("rest", "climb")) == "θ of rest in state 1"
    assert gradient(ladder())[1, 0] == pytest.approx(table["exact"].iloc[0])
    for broken in unrolled.BREAKS:
        wrong = unrolled.sums(ladder(), broken)
        assert abs(wrong["partial_sum"].iloc[-1] - table["exact"].iloc[0]) > 0.1
        said = numbers(unrolled.sentence(wrong, broken))
        assert said == pytest.approx(
            [wrong["partial_sum"].iloc[-1], table["exact"].iloc[0]], abs=6e-4
        )
        marks = [r.mark for r in unrolled.lines(ladder(), broken, ("rest", "climb"))]
        assert "fails" in marks
    same = unrolled.sums(named.survival(), unrolled.BREAKS[0])
    assert isinstance(unrolled.sentence(same, unrolled.BREAKS[0]), str)


def test_the_mistake_loses_at_the_default_and_samples_climb():
    run = climb.race(named.two_arms(), 0, "drop the log", 1.0, 30, 0)
    ends = {name: row["objective"] for name, row in measured.last_rows(run.steps).items()}
    assert ends["broken"] < 0.88 < ends["sampled"]
    assert climb.headline(run) == "Samples climb, the mistake goes down"
    said = numbers(climb.sentence(run))
    assert said[:4] == pytest.approx(
        [0.88, ends["exact"], ends["sampled"], ends["broken"]], rel=5e-3
    )
    for at, name in ((-2, "sampled"), (-1, "broken")):
        cosines = run.steps[run.steps["update"] == name]["cosine"].dropna()
        assert said[at] == round(100 * (cosines > 0).mean())
    stopped = climb.race(short_corridor(), 0, "sample from the wrong policy", 0.01, 3, 0)
    assert "too long" in climb.sentence(stopped)
    places = climb.ends(*climb.in_frame(run.steps))["drawn"].to_numpy()
    assert np.diff(np.sort(places)).min() > 0.02 * np.ptp(run.steps["objective"])


def test_without_gamma_t_the_chain_goes_downhill_by_the_same_amount():
    paths = discount.along(shared_logit_chain(), 1)
    p = 0.5
    q = p * (1 - p)
    said = numbers(discount.sentence(paths, 0.5))
    assert said[2:4] == pytest.approx([0.25 * q, -0.25 * q], abs=6e-4)
    assert "downhill" in discount.sentence(paths, 0.5)
    assert "no difference" in discount.sentence(paths, 1.0)
    assert "its size is not" in discount.sentence(paths, 0.9)
    assert numbers(discount.story(Shown("shared-logit-chain", discounted=True))) == [
        1,
        0,
        1,
        1.5,
        1,
        1,
        -1,
    ]
    assert discount.story(Shown("ladder")) == stories["ladder"].sentence
    here = paths[(paths["at"] == discount.GAMMA.options.index(0.5))]
    assert here["slope"].abs().max() == pytest.approx(0.25 * q)
    assert set(discount.labels(paths).query("at == 9")["label"]) == {"both"}
    corridor = discount.along(short_corridor(), 0)
    assert set(discount.labels(corridor).query("at == 2")["label"]) == {
        "with γᵗ",
        "✗ without γᵗ",
    }
    assert {r.mark for r in discount.lines(shared_logit_chain(), 0.5)} == {"fails"}


def test_the_field_without_gamma_t_is_no_gradient():
    seen = discount.field_of(shared_logit_chain(), 0.5)
    assert abs(seen.true_loop) < 1e-12 < 0.1 < abs(seen.broken_loop)
    true, broken = numbers(discount.curl_sentence(seen))
    assert true == 0
    assert broken == pytest.approx(seen.broken_loop, abs=5e-5)


@pytest.mark.parametrize("maker", check.QUESTIONS)
def test_every_question_has_one_right_answer_and_a_computed_reply_to_each(maker):
    question = maker()
    assert len(question.answers) == len(question.replies)
    assert 0 <= question.right < len(question.answers)
    assert sum(bool(numbers(reply)) for reply in question.replies) >= 1


def test_the_hidden_factor_is_the_mean_length_of_an_episode():
    assert check.hidden_factor(0.5) == pytest.approx(12)
    assert check.hidden_factor(0.05) == pytest.approx(82.1053, abs=1e-4)


# --- bring your own world ---


def endless() -> TabularMDP:
    """A world whose episodes need not end, so that it needs its discount."""
    return TabularMDP(
        name="endless",
        transitions=np.array([[[1.0, 0.0], [1.0, 0.0]]]),
        rewards=np.array([[1.0, 0.0]]),
        start=np.ones(1),
        gamma=0.9,
        horizon=None,
        features=np.ones((1, 1)),
        theta=np.array([[0.3, 0.0]]),
    )


@pytest.mark.parametrize("slug", worlds.CAN_SHOW)
@pytest.mark.parametrize(
    "make", [lambda: random_world(3, 3, 3), lambda: random_world(1, gamma=0.8), endless]
)
def test_a_visitors_world_is_shown_on_every_step_that_can_take_it(slug, make):
    app = opened("theorem", slug)
    step = PAGE.step(slug)
    before = words(app, "says", PAGE, step)
    app.session_state[worlds.DOCUMENT] = world_document(make())
    app.run()
    assert not app.exception
    assert not app.error
    assert words(app, "says", PAGE, step) != before
    app.session_state[worlds.AWAY] = True
    app.run()
    assert words(app, "says", PAGE, step) == before


def test_a_world_is_received_or_refused_in_one_sentence(monkeypatch):
    state: dict[str, str] = {}
    monkeypatch.setattr(worlds.st, "session_state", state)
    worlds.receive(b'{"name": "<b>x</b>"}')
    assert state[worlds.REFUSED].startswith("The world file lacks")
    worlds.receive(world_document(random_world(0)).encode())
    assert worlds.REFUSED not in state
    assert json.loads(state[worlds.DOCUMENT])["name"] == "random-0"
    worlds.receive(b"no")
    assert worlds.DOCUMENT not in state
    worlds.receive(None)
    assert not state


def test_a_world_is_looked_at_without_a_discount_and_cut_if_it_never_ends():
    assert Shown("shared-logit-chain").world.gamma == 1
    assert Shown("shared-logit-chain", discounted=True).world.gamma == 0.5
    cut = worlds.undiscounted(endless())
    assert (cut.gamma, cut.horizon) == (1, worlds.ENDLESS)


def test_where_a_world_does_not_allow_it_the_steps_own_world_is_shown_with_a_word(monkeypatch):
    def refuse(world):
        if world.name == "ladder":
            return "ladder"
        raise worlds.WorldError("this *world* is too large")

    shown, found, note = worlds.found_or_instead(Shown("bandit-a"), "ladder", refuse)
    assert (shown.name, found) == ("ladder", "ladder")
    assert note.endswith(" is too large.")
    assert "*" not in note


def test_a_term_of_the_theorem_leads_to_its_step():
    app = opened("theorem", "theorem")
    next(b for b in app.button if b.label.startswith(r"$\nabla\log$")).click().run()
    assert not app.exception
    assert app.query_params["step"] in ("divide", ["divide"])
    assert app.title[0].value == PAGE.step("divide").title


def test_all_steps_stand_below_each_other():
    app = opened("theorem", "guess", all=1)
    assert not app.exception
    assert not app.error
    assert len(app.title) == len(PAGE.steps)


def test_where_sampled_episodes_are_cut_the_step_says_so():
    said = average.cut_in_words(short_corridor())
    cut, true = measured.cut_gradient(short_corridor())
    assert numbers(said) == pytest.approx([100, true], abs=1e-3)
    assert cut != true
    for make in (named.two_arms, ladder, named.survival):
        assert average.cut_in_words(make()) == climb.cut_in_words(make()) == ""
    assert numbers(climb.cut_in_words(short_corridor())) == [100]
