"""The numbers behind the pictures of the theorem page."""

from dataclasses import replace

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.exact.values import gradient, objective
from pgviz.measure import theorem
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
from pgviz.worlds.tabular import WorldError
from pgviz.worlds.visitors import MAX_BYTES, MAX_STATES, admitted

BEST = {
    "bandit-a": "never",
    "two-arms": "always",
    "survival": "always",
    "short-corridor": "sometimes",
    "ladder": "always",
    "shared-logit-chain": "always",
}


def test_the_place_of_the_knob_is_exact():
    here = theorem.place(short_corridor(), 0)
    assert (here.p, here.objective, here.slope) == pytest.approx((0.5, -12, 8))
    assert here.gradient_norm == pytest.approx(np.sqrt(8))


@pytest.mark.parametrize("name", named_worlds)
def test_the_interval_closes_in_on_the_truth(name):
    table = theorem.closing_in(named_worlds[name](), 0)
    width = (table["high"] - table["low"]).to_numpy()
    assert width[-1] < width[table["num_episodes"] >= 100][0]
    last = table.iloc[-1]
    assert abs(last["mean"] - last["exact"]) < 2 * width[-1]


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


def test_three_actions_walk_on_a_triangle():
    x, y = theorem.on_the_triangle(np.eye(3))
    np.testing.assert_allclose(np.stack([x, y]).T, [[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]])
    run = theorem.race(bandit_a(), 0, "drop the log", 0.3, 10, 0)
    assert {"x", "y"} <= set(run.steps)


# --- the quiz ---


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
