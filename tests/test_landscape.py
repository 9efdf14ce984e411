"""J at many θ at once, one knob for θ, and fields that are no gradients."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import random_world, worlds

from pgviz.exact.landscape import (
    BREAKS,
    asymmetry,
    jacobian,
    knob,
    landscape,
    loop_integral,
    most_curled_plane,
)
from pgviz.exact.values import gradient, objective, occupancy
from pgviz.proofs.derivation import theorem_with_occupancies
from pgviz.worlds.named import (
    bandit_a,
    ladder,
    named_worlds,
    shared_logit_chain,
    short_corridor,
    survival,
)
from pgviz.worlds.tabular import WorldError


def chain_with_own_logits(gamma=0.5):
    return replace(shared_logit_chain(gamma), features=np.eye(3), theta=np.zeros((3, 2)))


def at_one(world, broken=None):
    return landscape(world, np.asarray(world.theta)[None], broken)


@given(worlds(st.sampled_from([None, 1, 3])))
@settings(max_examples=40, deadline=None)
def test_the_landscape_is_the_exact_objective_and_gradient_at_every_point(world):
    thetas = world.theta + np.random.default_rng(0).normal(size=(3, *world.theta.shape))
    fast = landscape(world, thetas)
    for b, theta in enumerate(thetas):
        slow = world.at(theta)
        assert fast.objective[b] == pytest.approx(objective(slow), rel=1e-10, abs=1e-10)
        np.testing.assert_allclose(fast.field[b], gradient(slow), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(fast.policy[b], slow.policy, atol=1e-14)
        assert fast.num_steps[b] == pytest.approx(occupancy(slow, slow.gamma).sum(), rel=1e-10)


@pytest.mark.parametrize("broken", ["drop the log", "forget γᵗ", "sample from the wrong policy"])
@pytest.mark.parametrize("horizon", [None, 3])
def test_a_broken_update_is_the_right_side_of_the_broken_line(broken, horizon):
    for world in (random_world(2, 3, 3, gamma=0.8, horizon=horizon), short_corridor(0.3)):
        np.testing.assert_allclose(
            at_one(world, broken).field[0],
            theorem_with_occupancies(world, broken).right,
            rtol=1e-11,
            atol=1e-12,
        )


def test_differentiating_the_reward_gives_nothing_at_all():
    assert not at_one(bandit_a(), "differentiate R").field.any()
    with pytest.raises(WorldError, match="cannot be broken by"):
        at_one(bandit_a(), "hope")


def test_the_corridors_best_policy_is_a_stochastic_one():
    turn = knob(short_corridor())
    p = np.array([0.05, 2 - np.sqrt(2), 0.95])
    there = landscape(turn.world, turn.thetas(p))
    np.testing.assert_allclose(
        there.objective, [-82.1052631579, -(6 + 4 * np.sqrt(2)), -44.2105263158], atol=1e-9
    )
    np.testing.assert_allclose(there.policy[:, 0, 0], p, atol=1e-14)
    assert turn.per_p(p, there.field)[1] == pytest.approx(0, abs=1e-9)


def test_survivals_slope_along_the_knob_is_its_closed_form():
    turn = knob(survival(0.3))
    p = np.linspace(0.05, 0.95, 7)
    there = landscape(turn.world, turn.thetas(p))
    np.testing.assert_allclose(there.objective, p / (1 - p), rtol=1e-12)
    np.testing.assert_allclose(turn.per_p(p, there.field), 1 / (1 - p) ** 2, rtol=1e-10)


@pytest.mark.parametrize("name", named_worlds)
def test_the_slope_in_p_is_the_slope_of_the_curve(name):
    world = named_worlds[name]()
    for action in range(world.num_actions):
        turn = knob(world, action)
        p = np.array([0.2, 0.5, 0.8])
        ahead, behind = (landscape(world, turn.thetas(p + h)).objective for h in (1e-6, -1e-6))
        slope = turn.per_p(p, landscape(world, turn.thetas(p)).field)
        np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(turn.thetas(turn.rest), world.theta, atol=1e-15)


def test_the_knob_turns_every_state_that_can_be_turned_and_keeps_the_other_odds():
    for world in (bandit_a(), ladder(), random_world(0, 3, 3)):
        turn = knob(world, 1)
        after = world.at(turn.thetas(0.9)).policy
        assert after[turn.state, 1] == pytest.approx(0.9)
        others = [a for a in range(world.num_actions) if a != 1]
        np.testing.assert_allclose(
            after[:, others] / after[:, others].sum(axis=1, keepdims=True),
            world.policy[:, others] / world.policy[:, others].sum(axis=1, keepdims=True),
        )


def test_a_world_whose_policy_cannot_move_has_no_knob():
    world = random_world(0, 2, 2)
    assert knob(replace(world, features=np.zeros((2, 1)), theta=np.zeros((1, 2)))) is None
    assert knob(random_world(0, 2, 1)) is None


# --- γ^t and fields that are not gradients ---


@given(worlds(st.sampled_from([None, 2])))
@settings(max_examples=20, deadline=None)
def test_the_jacobian_of_a_gradient_is_symmetric_and_every_loop_brings_nothing(world):
    assert asymmetry(world) < 1e-7
    plane = most_curled_plane(world, "forget γᵗ")
    assert loop_integral(world, plane, 0.7) == pytest.approx(0, abs=1e-9)


def test_without_gamma_t_the_chain_walks_downhill():
    world = shared_logit_chain()
    q = 0.25
    assert at_one(world).field[0, 0, 1] == pytest.approx(0.25 * q)
    assert at_one(world, "forget γᵗ").field[0, 0, 1] == pytest.approx(-0.25 * q)


def test_without_gamma_t_the_chain_with_its_own_logits_follows_no_gradient_at_all():
    """u_0 = q_0 γ (V_1 − V_2), u_1 = −c p q_1 without γ: ∂_1 u_0 − ∂_0 u_1 = (1 − γ) c q_0 q_1."""
    for gamma in (0.5, 0.9):
        world = chain_with_own_logits(gamma)
        assert asymmetry(world, "forget γᵗ") == pytest.approx((1 - gamma) / 16, abs=1e-9)
    assert asymmetry(chain_with_own_logits(1.0), "forget γᵗ") < 1e-9


def test_a_loop_collects_the_curl_inside_it():
    """Stokes: for a small square the loop integral is curl × area; for a large one p moves."""
    world = chain_with_own_logits()
    plane = most_curled_plane(world, "forget γᵗ")
    table = jacobian(world, "forget γᵗ")
    i, j = (int(direction.ravel().argmax()) for direction in plane)
    curl = table[j, i] - table[i, j]
    small = loop_integral(world, plane, 0.01, "forget γᵗ")
    assert small == pytest.approx(curl * 0.02**2, rel=1e-4)
    # the area under q = p(1−p) from −1 to 1 is tanh(1/2), and the curl is a product of two
    expected = np.sign(curl) * 0.5 * np.tanh(0.5) ** 2
    assert loop_integral(world, plane, 1.0, "forget γᵗ") == pytest.approx(expected, abs=1e-10)


def test_endless_worlds_have_no_update_without_gamma_t():
    world = random_world(0, 2, 2, gamma=0.9)
    transitions = np.zeros((2, 2, 3))
    transitions[:, :, 1] = 1
    endless = replace(world, transitions=transitions)
    assert np.isfinite(at_one(endless).field).all()
    with pytest.raises(WorldError, match="never end"):
        at_one(endless, "forget γᵗ")
    assert set(BREAKS) >= {"forget γᵗ", "drop the log"}
