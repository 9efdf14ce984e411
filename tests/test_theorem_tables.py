"""The numbers behind the pictures of the theorem page."""

from dataclasses import replace

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.questions import QUESTIONS, hidden_factor
from pgviz.exact.values import gradient, objective
from pgviz.measure import theorem
from pgviz.proofs.ascent import capped
from pgviz.proofs.derivation import log_trick
from pgviz.proofs.receipts import read_out
from pgviz.worlds.files import world_document
from pgviz.worlds.named import (
    bandit_a,
    ladder,
    named_worlds,
    shared_logit_chain,
    short_corridor,
    survival,
    two_arms,
)
from pgviz.worlds.stories import stories, story_of
from pgviz.worlds.tabular import TabularMDP, WorldError
from pgviz.worlds.visitors import MAX_BYTES, MAX_STATES, admitted

BEST = {
    "bandit-a": "never",
    "two-arms": "always",
    "survival": "always",
    "short-corridor": "sometimes",
    "ladder": "always",
    "shared-logit-chain": "always",
}


def turned_action(world):
    return stories[world.name].turned


@pytest.mark.parametrize("name", named_worlds)
def test_every_named_world_has_a_story_and_an_answer_to_the_prediction(name):
    world = named_worlds[name]()
    assert len(stories[name].actions) == world.num_actions
    curve = theorem.objective_curve(world, turned_action(world))
    assert theorem.best_of(curve)[2] == BEST[name]


def test_the_summit_of_the_corridor_is_two_minus_the_root_of_two():
    p, top = theorem.summit(short_corridor(), 0)
    assert p == pytest.approx(2 - np.sqrt(2), abs=1e-5)
    assert top == pytest.approx(-(6 + 4 * np.sqrt(2)), abs=1e-8)


@pytest.mark.parametrize("scale", [1e-6, 1, 1e4])
def test_rounding_is_no_summit(scale):
    flat = replace(bandit_a(), rewards=np.full((1, 3, 2), scale / 3))
    assert theorem.best_of(theorem.objective_curve(flat, 0))[2] == "whatever"
    assert theorem.summit(flat, 0) == (None, pytest.approx(scale / 3))
    nearly = replace(flat, rewards=flat.rewards * np.array([1 + 1e-6, 1, 1])[:, None])
    assert theorem.best_of(theorem.objective_curve(nearly, 0))[2] == "always"


def test_the_knob_at_rest_is_the_world_itself():
    for make in named_worlds.values():
        world = make()
        action = turned_action(world)
        assert theorem.turned(world, action, theorem.at_rest(world, action)) is world
    assert theorem.turned(short_corridor(), 0, 60).policy[0, 0] == pytest.approx(0.6)
    assert theorem.turned(ladder(), 1, 80).policy[2, 1] == pytest.approx(0.8)


def test_the_place_of_the_knob_is_exact():
    here = theorem.place(short_corridor(), 0)
    assert (here.p, here.objective, here.slope) == pytest.approx((0.5, -12, 8))
    assert here.gradient_norm == pytest.approx(np.sqrt(8))


def test_the_tangent_touches_the_curve_and_has_its_slope():
    here = theorem.place(survival(0.5), 0)
    line = theorem.tangent(here, 0, 19)
    (p0, p1), (j0, j1) = line["p"], line["objective"]
    assert (j1 - j0) / (p1 - p0) == pytest.approx(4)
    assert (j0 + j1) / 2 == pytest.approx(1)


def test_sampled_returns_are_cut_and_say_how_often():
    assert theorem.share_cut(short_corridor()) < 1e-4
    assert theorem.share_cut(short_corridor(0.95)) > 0.05
    assert theorem.share_cut(ladder()) == 0
    returns = theorem.sampled_returns(short_corridor(0.99), 0)
    assert returns.min() == -100


def test_the_log_demo_starts_where_the_world_stands():
    demo = theorem.log_paths(two_arms(), ("arm 1", "arm 2"), 1.0)
    first = demo.paths[demo.paths["step"] == 0]
    np.testing.assert_allclose(first["probability"], 0.4)
    assert demo.cosine == pytest.approx(-1)
    arrows = demo.arrows.assign(up=demo.arrows["end"] > demo.arrows["start"])
    assert list(arrows["up"]) == [True, False, False, True]
    assert theorem.log_demo(short_corridor()).name == "two-arms"
    assert theorem.log_demo(bandit_a()).name == "bandit-a"


def test_the_forgotten_log_hides_at_a_uniform_policy():
    uniform = two_arms().at(np.zeros((1, 2)))
    assert theorem.is_uniform(uniform)
    assert not theorem.is_uniform(two_arms())
    assert theorem.log_paths(uniform, ("a", "b"), 1.0).cosine == pytest.approx(1)


@pytest.mark.parametrize("name", named_worlds)
def test_the_interval_closes_in_on_the_truth(name):
    table = theorem.closing_in(named_worlds[name](), 0)
    width = (table["high"] - table["low"]).to_numpy()
    assert width[-1] < width[table["num_episodes"] >= 100][0]
    last = table.iloc[-1]
    assert abs(last["mean"] - last["exact"]) < 2 * width[-1]


def test_where_the_interval_does_not_shrink_like_one_over_the_root_it_is_said_why():
    corridor, arms = (theorem.closing_in(make(), 3) for make in (short_corridor, two_arms))
    exact = moments(capped(short_corridor()), GradientEstimator("full-return")).variance[0, 0]
    assert corridor["spread"].iloc[0] == pytest.approx(np.sqrt(exact))
    first, last = (int(np.abs(corridor["num_episodes"] - n).argmin()) for n in (100, 1000))
    said = theorem.shrinking(corridor, first, last)
    assert "The first 100 estimates have a spread of 24.3, not 44.2: rare large ones" in said
    assert said.endswith("are missing.")
    assert "spread" not in theorem.shrinking(arms, first, last)


def test_the_gradient_that_samples_are_held_to_is_that_of_the_cut_world():
    cut, true = theorem.cut_gradient(short_corridor(0.05))
    table = theorem.closing_in(short_corridor(0.05), 0)
    assert (cut, true) == pytest.approx((30.4664, 75.8947), abs=1e-4)
    assert set(table["exact"]) == {cut}
    assert true == pytest.approx(gradient(short_corridor(0.05)).max(), rel=1e-12)
    assert theorem.cut_gradient(ladder())[0] == theorem.cut_gradient(ladder())[1]


def test_sums_end_at_the_gradient():
    world = survival(0.5)
    table = theorem.sums(world)
    assert table["partial_sum"].iloc[-1] == pytest.approx(gradient(world).max(), abs=1e-5)
    assert table["partial_sum"].iloc[0] == 0
    k = theorem.enough_terms(table)
    assert abs(table["partial_sum"][k] - 1) <= 0.01 < abs(table["partial_sum"][k - 1] - 1)
    assert theorem.enough_terms(theorem.sums(short_corridor())) is None
    assert len(theorem.sums(ladder())) == 7


def test_the_noise_of_the_past_is_that_of_truth():
    np.testing.assert_allclose(theorem.noise_of_the_past(short_corridor())[:2], (3918, 1466))


def paid_back() -> TabularMDP:
    """Step 1 pays ±10 by chance, step 2 takes it back, whatever is done."""
    transitions = np.zeros((3, 2, 4))
    transitions[0, :, 1:3] = 0.5
    transitions[1:, :, 3] = 1
    rewards = np.zeros((3, 2, 4))
    rewards[0, :, 1], rewards[0, :, 2], rewards[1, :, 3], rewards[2, :, 3] = 10, -10, -10, 10
    rewards[1:, 0, 3] += 1
    return replace(
        random_world(0, 3, 2), transitions=transitions, rewards=rewards, start=np.eye(3)[0], gamma=1
    )


@pytest.mark.parametrize(
    ("world", "heading", "reason"),
    [
        (short_corridor(), "Past rewards add nothing but noise", "add to the noise"),
        (paid_back(), "Here past rewards cancel some of the noise", "cancel some noise"),
        (bandit_a(), "Here there is no past to drop", "none in the noise"),
        (shared_logit_chain(), "Here there is no past to drop", "none in the noise"),
    ],
)
def test_the_heading_on_past_rewards_is_that_of_this_world(world, heading, reason):
    found = theorem.noise_of_the_past(world)
    assert theorem.past_in_words(*found)[0] == heading
    assert (found[0] < found[1]) == ("cancel" in heading)
    noise = read_out(world, "trajectory form")[-1]
    assert noise.reason.endswith(reason)


def test_gamma_is_shown_only_where_it_matters():
    assert theorem.shows_gamma(shared_logit_chain())
    assert theorem.shows_gamma(replace(short_corridor(), gamma=0.9))
    for world in (short_corridor(), bandit_a(), replace(bandit_a(), gamma=0.5)):
        assert not theorem.shows_gamma(world)
        assert theorem.gamma_effect(world) == "none"
    endless = replace(two_arms(), transitions=np.array([[[1.0, 0], [1, 0]]]), gamma=0.9)
    assert theorem.gamma_effect(endless) == "undefined"
    assert theorem.curled_world(short_corridor()).name == "chain"
    assert theorem.curled_world(shared_logit_chain()).name == "chain"
    assert theorem.curled_world(replace(ladder(), gamma=0.8)).name == "ladder"


def test_the_chain_is_a_quarter_of_q_up_and_a_quarter_of_q_down():
    table = theorem.slopes_along(shared_logit_chain(), 1)
    q = theorem.GRID * (1 - theorem.GRID)
    np.testing.assert_allclose(table["slope"][:181], 0.25 * q, atol=1e-12)
    np.testing.assert_allclose(table["slope"][181:], -0.25 * q, atol=1e-12)


def test_the_round_trip_brings_nothing_with_gamma_t_and_something_without():
    seen = theorem.curl_of(shared_logit_chain())
    assert abs(seen.true_loop) < 1e-12
    # curl is −½ times a product of two p(1−p), and ∫ p(1−p) from −r to r is tanh(r/2)
    assert abs(seen.broken_loop) == pytest.approx(0.5 * np.tanh(theorem.REACH / 2) ** 2, rel=1e-9)
    assert seen.asymmetry == pytest.approx(1 / 32, abs=1e-9)


def test_the_arrows_of_the_field_point_where_the_update_goes():
    world = theorem.curled_world(shared_logit_chain())
    seen = theorem.curl(world)
    middle = seen.arrows[(seen.arrows["x"] == 0) & (seen.arrows["y"] == 0)].iloc[0]
    update = gradient(world, drop_gamma_t=True)
    u, v = (update[feature, action] for feature, action in seen.axes)
    angle = np.radians(middle["angle"])
    np.testing.assert_allclose(
        (middle["length"] * np.sin(angle), middle["length"] * np.cos(angle)), (u, v), atol=1e-12
    )


@pytest.mark.parametrize("name", named_worlds)
def test_the_race_starts_together_and_the_exact_climber_never_ends_below(name):
    world = named_worlds[name]()
    story = stories[name]
    run = theorem.race(world, story.turned, story.mistake, story.learning_rate, 10, 0)
    first = run.steps[run.steps["step"] == 0]
    assert list(first["update"]) == list(theorem.UPDATES)
    np.testing.assert_allclose(first["objective"], objective(world), rtol=1e-12)
    ends = theorem.last_rows(run.steps)
    assert ends["exact"]["objective"] > objective(world)
    assert ends["exact"]["objective"] > ends["broken"]["objective"] - 1e-9
    exact = run.steps[run.steps["update"] == "exact"]["cosine"].dropna()
    np.testing.assert_allclose(exact, 1, atol=1e-9)


def test_a_run_that_is_stopped_is_given_no_result_and_no_rank():
    wrong, none = "sample from the wrong policy", "differentiate R"
    run = theorem.race(survival(), 0, wrong, 0.01, 10, 0)
    assert run.capped == {"exact": 53, "sampled": 69, "broken": 43}
    said = theorem.race_in_words(run, wrong)
    assert "climbs until the cap of 1,000 steps an episode at update 53" in said
    assert "“sample from the wrong policy” climbs until the cap at update 43" in said
    ends = [f"{row['objective']:.4g}" for row in theorem.last_rows(run.steps).values()]
    assert not any(end in said for end in ends)
    harmed = theorem.race(survival(), 0, stories["survival"].mistake, 0.01, 10, 0)
    assert "“differentiate R” ends at 1, where it began" in theorem.race_in_words(harmed, none)
    fell = theorem.race_in_words(theorem.race(short_corridor(), 0, wrong, 0.01, 10, 0), wrong)
    assert "falls until the cap of 1,000 steps an episode at update 5" in fell


def test_where_nothing_is_paid_nobody_climbs():
    run = theorem.race(replace(survival(), rewards=np.zeros((1, 2))), 0, "forget γᵗ", 0.1, 10, 0)
    assert theorem.race_in_words(run, "forget γᵗ") == (
        "From J = 0 the exact gradient stays at 0 and samples stay at 0; “forget γᵗ” ends at 0,"
        " where it began."
    )


def test_three_actions_walk_on_a_triangle():
    x, y = theorem.on_the_triangle(np.eye(3))
    np.testing.assert_allclose(np.stack([x, y]).T, [[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]])
    run = theorem.race(bandit_a(), 0, "drop the log", 0.3, 10, 0)
    assert {"x", "y"} <= set(run.steps)


def test_the_takeaways_wait_for_the_prediction():
    world = short_corridor()
    here, returns = theorem.place(world, 0), theorem.sampled_returns(world, 0)
    run = theorem.race(world, 0, "drop the log", 0.01, 10, 0)
    hidden = theorem.takeaways(here, returns, None, run, "drop the log", [])
    shown = theorem.takeaways(here, returns, theorem.summit(world, 0), run, "drop the log", [])
    assert len(shown) == len(hidden) + 1
    assert any("0.5858" in text and "−11.6569" in text for text in shown)


def test_the_takeaways_count_only_lines_that_were_computed():
    world = random_world(0, 20, 20)  # too many first steps to list any episode
    here, returns = theorem.place(world, 0), theorem.sampled_returns(world, 0)
    run = theorem.race(world, 0, "drop the log", 0.01, 1, 0)
    readings = read_out(world, "trajectory form")
    none = theorem.takeaways(here, returns, None, run, "drop the log", readings)
    assert f"No exact line could be computed in this world. {len(readings)} lines" in none[1]
    some = readings + read_out(world, "unrolling ∇V")
    words = theorem.takeaways(here, returns, None, run, "drop the log", some)[1]
    assert "4 of 4 exact lines that could be computed hold" in words
    assert f"{len(readings)} lines could not be computed" in words


# --- the quiz ---


def test_the_order_of_the_proof_is_the_order_of_its_receipts():
    question = QUESTIONS[0]()
    titles = [line.title for line in log_trick]
    assert titles.index("an expectation") < titles.index("a mean of samples")
    assert question.answers[question.right] == "B → D → A → C"
    assert "-0.019" in question.replies[0]
    assert "+0.048" in question.replies[0]


def test_proportional_hides_the_mean_length_of_an_episode():
    assert hidden_factor(0.5) == pytest.approx(12)
    assert hidden_factor(0.05) == pytest.approx(82.1052631579)


def test_every_question_has_one_right_answer_and_a_reply_to_each():
    for make in QUESTIONS:
        question = make()
        assert len(question.replies) == len(question.answers) > question.right
        assert any(c.isdigit() for reply in question.replies for c in reply)


# --- worlds of visitors ---


def test_a_visitors_world_is_admitted_as_it_is():
    for make in named_worlds.values():
        assert objective(admitted(world_document(make()).encode())) == objective(make())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"{}", "lacks"),
        (b"[1]", "one JSON object"),
        (b" " * (MAX_BYTES + 1), "kB"),
        (world_document(random_world(0, MAX_STATES + 1, 2)).encode(), "41"),
        (world_document(random_world(0, 2, 13)).encode(), "actions"),
        (world_document(random_world(0, 40, 4)).encode(), "parameters"),
        (world_document(random_world(0, 2, 2, horizon=51)).encode(), "horizon"),
        (world_document(random_world(0, 2, 1)).encode(), "nothing to choose"),
        (
            world_document(replace(two_arms(), rewards=np.array([[1e5, 0.0]]))).encode(),
            "rewards up to",
        ),
    ],
)
def test_what_cannot_be_drawn_gets_its_sentence(content, words):
    with pytest.raises(WorldError, match=words):
        admitted(content)


def test_a_foreign_world_is_told_in_facts_only():
    foreign = replace(two_arms(), name="<script>$x$")
    assert story_of(foreign, True).actions == ("action 0", "action 1")
    assert "script" not in story_of(foreign, True).sentence
