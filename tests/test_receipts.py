"""What stands in the table of receipts: every line, the worst number of it, and its digits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import random_world, worlds

from pgviz.exact.trajectories import num_trajectories, trajectories
from pgviz.exact.values import objective
from pgviz.proofs.derivation import derivations
from pgviz.proofs.receipts import MAX_LISTED, SAMPLED, agreeing_digits, is_cut, listed, read_out
from pgviz.sampled.common_random_numbers import returns_with_common_random_numbers
from pgviz.ui.receipts import verdict
from pgviz.worlds.files import parse_world, world_document
from pgviz.worlds.named import bandit_a, named_worlds, shared_logit_chain, short_corridor, survival

ALL_BREAKS = {
    name: sorted({b for line in lines for b in line.breaks}) for name, lines in derivations.items()
}


def marks(world, derivation, broken=None):
    return {r.title: r.mark for r in read_out(world, derivation, broken, rng_seed=3)}


@pytest.mark.parametrize("derivation", derivations)
@pytest.mark.parametrize("name", named_worlds)
def test_every_receipt_of_every_named_world_holds(name, derivation):
    assert set(marks(named_worlds[name](), derivation).values()) == {"holds"}


@pytest.mark.parametrize(
    ("derivation", "broken"), [(name, b) for name, breaks in ALL_BREAKS.items() for b in breaks]
)
def test_a_broken_step_fails_in_its_own_lines_and_nowhere_else(derivation, broken):
    world = random_world(0, 2, 2, None, 0.7, 3)
    for reading, line in zip(
        read_out(world, derivation, broken), derivations[derivation], strict=True
    ):
        expected = "fails" if broken in line.breaks else "holds"
        assert reading.mark == expected, line.title
        assert reading.is_broken == (expected == "fails")
        if expected == "fails":
            assert reading.size > 1e-3
            assert reading.agreeing < len(reading.left)


@given(worlds(st.sampled_from([None, 2, 4])))
@settings(max_examples=25, deadline=None)
def test_no_world_makes_a_whole_line_fail(world):
    for derivation in derivations:
        assert "fails" not in marks(world, derivation).values()


def test_a_break_that_cannot_show_says_so_by_holding():
    world = replace(shared_logit_chain(), gamma=1.0)
    reading = read_out(world, "unrolling ∇V", "forget γᵗ")[-1]
    assert (reading.mark, reading.is_broken) == ("holds", True)


# --- the sentence under a table ---

CROWDED = random_world(0, 20, 20)  # too many first steps to list any episode


def test_a_break_whose_lines_cannot_be_computed_is_not_said_to_change_nothing():
    said = verdict(read_out(CROWDED, "trajectory form", "drop the log"), "drop the log")
    assert "“drop the log” cannot be shown here: this world has more than 160" in said
    assert "changes nothing" not in said
    here = verdict(read_out(short_corridor(), "unrolling ∇V", "forget γᵗ"), "forget γᵗ")
    assert here.startswith("“forget γᵗ” changes nothing in this world at this θ.")


def test_where_no_exact_line_can_be_computed_none_is_said_to_hold():
    readings = read_out(CROWDED, "trajectory form")
    assert {reading.mark for reading in readings} == {"none"}
    assert verdict(readings, None) == (
        f"No exact line could be computed here. {len(readings)} lines cannot be computed here;"
        " each says why."
    )


def test_beside_a_line_that_fails_only_exact_lines_are_said_to_hold():
    readings = read_out(short_corridor(), "log trick", "differentiate R", rng_seed=3)
    assert verdict(readings, "differentiate R").endswith("The other exact lines hold.")
    at = {reading.mark: i for i, reading in enumerate(readings)}
    missed = [replace(r, mark="open") if "±" in r.right else r for r in readings]
    assert "The other exact lines hold. The samples' 95 %" in verdict(missed, "differentiate R")
    unread = [*missed, replace(readings[at["holds"]], mark="none", right="")]
    assert verdict(unread, "differentiate R").endswith(
        "One line cannot be computed here; it says why."
    )
    alone = [readings[at["fails"]]]
    assert "hold" not in verdict(alone, "differentiate R")


# --- which number is read out ---


def test_the_worst_number_is_named_in_words():
    broken = read_out(
        short_corridor(), "trajectory form", "drop the log", actions=("right", "left")
    )
    assert broken[1].where == "episode 1, logit of right · 1 of 186"
    ladder = read_out(named_worlds["ladder"](), "unrolling ∇V")
    assert ladder[0].where == "step 0, state 1, logit of action 0 in state 1 · 1 of 108"
    assert ladder[3].where == "logit of action 0 in state 1 · 1 of 6"
    assert read_out(bandit_a(), "trajectory form")[-1].where == ""


def test_the_chain_without_gamma_t_is_off_by_twice_the_gradient():
    last = read_out(shared_logit_chain(), "unrolling ∇V", "forget γᵗ")[-1]
    assert (last.left, last.right, last.difference) == ("-0.0625", "0.0625", "0.125")
    assert last.agreeing == 0


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (-11.6568542495, -11.6568542495, ("-11.656854", "-11.656854", 10)),
        (0.125, 0.125, ("0.125", "0.125", 5)),
        (2.0, 2.0000001, ("2.0000000", "2.0000001", 8)),
        (1.234567, 1.234999, ("1.2346", "1.2350", 4)),
        (0.0866, 0.0, ("0.0866", "0.0000", 3)),
        (-0.25, 0.25, ("-0.250", "0.250", 0)),
        (26.375, 38.7, ("26.4", "38.7", 0)),
        (-0.13498252, -0.13501433, ("-0.13498", "-0.13501", 5)),
        (1e-17, 0.0, ("0", "0", 1)),
        (12345678.0, 12345678.0, ("1.2345678e+07", "1.2345678e+07", 13)),
    ],
)
def test_digits_are_shown_as_far_as_they_agree_and_one_further(left, right, expected):
    assert agreeing_digits(left, right) == expected


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_numbers_that_differ_never_look_the_same(left, right):
    a, b, agreeing = agreeing_digits(left, right)
    if abs(left - right) > max(
        1e-12, 1e-6 * max(abs(left), abs(right))
    ):  # more than a receipt lets pass
        assert a != b
    assert a[:agreeing] == b[:agreeing]
    assert float(a) == pytest.approx(
        left, rel=0.06, abs=max(abs(left), abs(right), 1e-11) * 0.06 + 1e-12
    )


# --- which episodes can be listed ---


@given(worlds(st.sampled_from([None, 2])), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_episodes_are_counted_without_being_listed(world, num_steps):
    assert num_trajectories(world, num_steps) == len(trajectories(world, num_steps))


def test_a_list_stays_short_whatever_the_world():
    for world in [make() for make in named_worlds.values()] + [random_world(1, 3, 2)]:
        few = listed(world)
        assert 0 < num_trajectories(few, few.horizon) <= MAX_LISTED
    assert listed(short_corridor()).horizon == 7
    assert listed(survival()).horizon == 50
    assert listed(named_worlds["ladder"]()).horizon == 4
    crowded = random_world(0, 20, 20)
    assert listed(crowded) is None
    assert marks(crowded, "trajectory form")["noise"] == "none"
    assert "too many" in read_out(crowded, "trajectory form")[0].reason


def test_cutting_is_mentioned_only_where_it_cuts():
    assert is_cut(short_corridor(), listed(short_corridor()))
    assert is_cut(survival(), listed(survival()))
    assert not is_cut(bandit_a(), listed(bandit_a()))
    assert not is_cut(shared_logit_chain(), listed(shared_logit_chain()))


def test_more_episodes_make_the_interval_narrower():
    def reach(num_episodes):
        rows = read_out(bandit_a(), "log trick", num_episodes=num_episodes)
        return float(next(r.right for r in rows if r.title == SAMPLED).split("±")[1])

    assert reach(100) / reach(10_000) == pytest.approx(10, rel=0.25)


def test_an_interval_around_zero_is_said_to_be_too_few_for_the_sign():
    def note(num_episodes, seed):
        return next(
            (r.note, r.right)
            for r in read_out(short_corridor(), "log trick", None, num_episodes, seed)
            if r.title == SAMPLED
        )

    for num_episodes in (100, 10_000):
        for seed in range(6):
            said, right = note(num_episodes, seed)
            middle, reach = map(float, right.split(" ± "))
            assert (said == "too few to tell the sign") == (abs(middle) < reach)
    assert note(100, 3)[0]
    assert not note(10_000, 3)[0]
    unpaid = replace(bandit_a(), rewards=np.zeros((1, 3)))
    assert {r.note for r in read_out(unpaid, "log trick")} == {""}


# --- the same dice ---


def test_the_same_dice_give_the_objective_on_average():
    worlds_ = (short_corridor(), named_worlds["ladder"](), shared_logit_chain())
    for world in worlds_:
        policies = np.stack([world.policy, world.policy])
        returns = returns_with_common_random_numbers(world, policies, 20_000, 0, 500)
        np.testing.assert_array_equal(returns[0], returns[1])
        error = 4 * returns[0].std() / np.sqrt(20_000)
        assert returns[0].mean() == pytest.approx(objective(world), abs=error)


def test_one_episode_changes_by_jumps_only():
    from pgviz.exact.landscape import knob, landscape

    turn = knob(short_corridor())
    policies = landscape(turn.world, turn.thetas(np.linspace(0.1, 0.9, 801))).policy
    returns = returns_with_common_random_numbers(turn.world, policies, 3, 0, 200)
    jumps = np.diff(returns, axis=0)
    assert (jumps == 0).mean() > 0.9
    assert np.abs(jumps[jumps != 0]).min() >= 1


def test_a_world_document_is_the_same_world_again():
    for make in named_worlds.values():
        world = make()
        back = parse_world(world_document(world))
        assert objective(back) == objective(world)
        np.testing.assert_array_equal(back.theta, world.theta)
