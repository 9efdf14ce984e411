"""Values, objective and gradient of finite worlds, each by routes that share no code."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import random_world, worlds
from scipy.optimize import brentq

from pgviz.exact.trajectories import expectation, trajectories
from pgviz.exact.values import (
    action_values,
    gradient,
    objective,
    occupancy,
    state_distributions,
    state_values,
)
from pgviz.worlds.named import (
    bandit_a,
    ladder,
    named_worlds,
    shared_logit_chain,
    short_corridor,
    survival,
)


def objective_from_the_definition(world, theta, lib=np):
    """J(θ) typed once more, for numpy (complex numbers too) and for torch."""
    convert = torch.as_tensor if lib is torch else np.asarray
    transitions, rewards, start, features = (
        convert(np.array(x))
        for x in (world.transitions, world.rewards, world.start, world.features)
    )
    weights = lib.exp(features @ theta)
    policy = weights / weights.sum(1)[:, None]
    step_rewards = (policy[:, :, None] * transitions * rewards).sum(2).sum(1)
    moves = (policy[:, :, None] * transitions)[:, :, :-1].sum(1)
    if world.horizon is None:
        chain = convert(np.eye(world.num_states)) - world.gamma * moves
        return start @ lib.linalg.solve(chain, step_rewards)
    values = 0 * step_rewards
    for _ in range(world.horizon):
        values = step_rewards + world.gamma * (moves @ values)
    return start @ values


def gradient_by_autograd(world):
    theta = torch.tensor(np.array(world.theta), requires_grad=True)
    objective_from_the_definition(world, theta, torch).backward()
    return theta.grad.numpy()


def gradient_by_complex_step(world):
    result = np.zeros(world.theta.shape)
    for index in np.ndindex(*world.theta.shape):
        theta = world.theta.astype(complex)
        theta[index] += 1e-30j
        result[index] = objective_from_the_definition(world, theta).imag / 1e-30
    return result


horizons = st.sampled_from([None, 1, 2, 3])


@given(worlds(horizons))
@settings(max_examples=60, deadline=None)
def test_occupancy_times_q_times_score_is_autograd_is_the_complex_step(world):
    by_theorem = gradient(world)
    np.testing.assert_allclose(by_theorem, gradient_by_autograd(world), atol=1e-10)
    np.testing.assert_allclose(by_theorem, gradient_by_complex_step(world), atol=1e-10)
    assert objective(world) == pytest.approx(
        objective_from_the_definition(world, world.theta), abs=1e-12
    )


@pytest.mark.parametrize("name", named_worlds)
def test_the_three_routes_agree_in_every_named_world(name):
    world = named_worlds[name]()
    np.testing.assert_allclose(gradient(world), gradient_by_autograd(world), atol=1e-10)
    np.testing.assert_allclose(gradient(world), gradient_by_complex_step(world), atol=1e-10)


@given(worlds(st.sampled_from([1, 2, 3])))
@settings(max_examples=25, deadline=None)
def test_with_a_horizon_everything_is_a_sum_over_all_trajectories(world):
    episodes = trajectories(world)
    assert expectation(episodes, lambda tau: 1.0) == pytest.approx(1, abs=1e-12)

    def discounted_return(tau):
        return np.polyval(tau.rewards[::-1], world.gamma)

    assert objective(world) == pytest.approx(expectation(episodes, discounted_return), abs=1e-12)
    log_trick = expectation(episodes, lambda tau: tau.score(world) * discounted_return(tau))
    np.testing.assert_allclose(gradient(world), log_trick, atol=1e-12)

    def visits(tau):
        return np.bincount(tau.states, minlength=world.num_states)

    np.testing.assert_allclose(occupancy(world, 1.0), expectation(episodes, visits), atol=1e-12)


def test_without_a_horizon_is_the_limit_of_long_horizons():
    for gamma in (1.0, 0.8):
        endless = random_world(3, num_states=4, num_actions=3, gamma=gamma)
        long = replace(endless, horizon=600)
        assert objective(endless) == pytest.approx(objective(long), abs=1e-12)
        for drop in (False, True):
            np.testing.assert_allclose(gradient(endless, drop), gradient(long, drop), atol=1e-12)
        np.testing.assert_allclose(state_values(endless), state_values(long)[0], atol=1e-12)
        np.testing.assert_allclose(action_values(endless), action_values(long)[0], atol=1e-12)
        np.testing.assert_allclose(occupancy(endless, gamma), occupancy(long, gamma), atol=1e-12)


def test_the_probability_of_still_running_is_what_the_distributions_sum_to():
    world = random_world(0, horizon=5)
    running = state_distributions(world).sum(axis=1)
    assert running[0] == pytest.approx(1)
    assert (np.diff(running) < 0).all()


# --- the story's numbers ---


def test_bandit_a_in_numbers():
    world = bandit_a()
    np.testing.assert_allclose(
        world.policy[0], [0.6652409558, 0.2447284711, 0.0900305732], atol=5e-11
    )
    assert objective(world) == pytest.approx(1.6048507637, abs=5e-11)
    np.testing.assert_allclose(
        gradient(world)[0], [-0.4023715002, 0.0967042684, 0.3056672317], atol=5e-11
    )


def test_the_forgotten_log_walks_away_from_the_best_arm():
    """∇π · r instead of ∇log π · r, both under π."""

    def forgot_the_log(world):
        policy, rewards = world.policy[0], world.rewards[0, :, -1]
        jacobian = np.diag(policy) - np.outer(policy, policy)
        return jacobian @ (policy * rewards)

    def cosine_with_the_truth(world):
        wrong, right = forgot_the_log(world), gradient(world)[0]
        return wrong @ right / np.linalg.norm(wrong) / np.linalg.norm(right)

    assert cosine_with_the_truth(bandit_a()) == pytest.approx(-0.885, abs=5e-4)
    two_arms = replace(
        bandit_a(),
        transitions=np.array([[[0.0, 1.0]] * 2]),
        rewards=np.array([[1.0, 1.1]]),
        theta=np.log([[0.9, 0.1]]),
    )
    np.testing.assert_allclose(gradient(two_arms)[0], [-0.009, 0.009], atol=1e-12)
    np.testing.assert_allclose(forgot_the_log(two_arms), [0.0711, -0.0711], atol=1e-12)
    assert cosine_with_the_truth(two_arms) == pytest.approx(-1)


def test_at_the_uniform_policy_the_forgotten_log_is_invisible():
    uniform = bandit_a().at(np.zeros((1, 3)))
    policy, rewards = uniform.policy[0], uniform.rewards[0, :, -1]
    wrong = (np.diag(policy) - np.outer(policy, policy)) @ (policy * rewards)
    np.testing.assert_allclose(3 * wrong, gradient(uniform)[0], atol=1e-12)


@given(st.floats(0.02, 0.98))
def test_survival_in_closed_form(p):
    """J = p/(1−p), and by the chain rule dJ/dlogit = p(1−p) dJ/dp = p/(1−p)."""
    world = survival(p)
    assert objective(world) == pytest.approx(p / (1 - p), rel=1e-12)
    slope = 1 / (1 - p) ** 2
    np.testing.assert_allclose(gradient(world)[0] / (p * (1 - p)), [slope, -slope], rtol=1e-10)


@given(st.floats(0.02, 0.98))
def test_the_short_corridor_in_closed_form(p):
    values = state_values(short_corridor(p))
    first, middle = (2 * p - 4) / (p * (1 - p)), -(3 - p) / (p * (1 - p))
    np.testing.assert_allclose(values, [first, middle, -1 + (1 - p) * middle], rtol=1e-10)


def test_the_short_corridor_in_numbers():
    world = short_corridor()
    np.testing.assert_allclose(state_values(world), [-12, -10, -6], atol=1e-12)
    np.testing.assert_allclose(occupancy(world, 1.0), [6, 4, 2], atol=1e-12)
    np.testing.assert_allclose(gradient(world), [[2, -2]], atol=1e-12)
    best = short_corridor(2 - np.sqrt(2))
    assert objective(best) == pytest.approx(-(6 + 4 * np.sqrt(2)), abs=1e-10)
    assert objective(best) == pytest.approx(-11.6568542495, abs=5e-11)
    np.testing.assert_allclose(gradient(best), 0, atol=1e-10)
    assert objective(short_corridor(0.95)) == pytest.approx(-44.2105, abs=5e-5)
    assert objective(short_corridor(0.05)) == pytest.approx(-82.1053, abs=5e-5)


def test_averaging_over_the_steps_of_an_episode_follows_another_objective():
    """E[(1/T) Σ_t G_t ∇log π] on the corridor is zero at p = .611, where ∇J is not (p* = .586)."""

    def averaged(p, longest=400):
        world = short_corridor(p)
        flow = world.flow
        chain = flow[:, :, :-1].sum(axis=1)
        scores = np.array([1 - p, -p])  # of (right, left), for the logit of "right"
        visits = [world.start]  # d_t(s)
        ends_in = [flow[:, :, -1].sum(axis=1)]  # P(n steps are left | s), n = 1, 2, …
        scored = [flow[:, :, -1] @ scores]  # E[score; n steps are left | s]
        for _ in range(longest):
            visits.append(visits[-1] @ chain)
            scored.append(np.einsum("sak,k,a->s", flow[:, :, :-1], ends_in[-1], scores))
            ends_in.append(chain @ ends_in[-1])
        t, n = np.arange(longest + 1)[:, None], np.arange(1, longest + 2)
        return float((-n / (t + n) * (np.array(visits) @ np.array(scored).T)).sum())

    assert brentq(averaged, 0.4, 0.8) == pytest.approx(0.611, abs=5e-4)
    assert gradient(short_corridor(0.611))[0, 0] < -0.1


def test_the_ladder_in_numbers():
    """Resting first, climbing second: climbing is the better action on every rung but the last."""
    world = ladder()
    assert objective(world) == pytest.approx(1.745664, abs=1e-12)
    np.testing.assert_allclose(
        gradient(world), [[-0.527232, 0.527232], [-0.578176, 0.578176], [0, 0]], atol=1e-12
    )


def test_a_dropped_gamma_t_walks_downhill_on_the_shared_logit_chain():
    """True +.25q, undiscounted +.5q, dropped −.25q per component, at any p."""
    for logit in (-1.0, 0.0, 2.0):
        world = shared_logit_chain().at(np.array([[0.0, logit]]))
        p = world.policy[0, 1]
        direction = p * (1 - p) * np.array([[-1.0, 1.0]])
        np.testing.assert_allclose(gradient(world), 0.25 * direction, atol=1e-12)
        undiscounted = gradient(replace(world, gamma=1.0))
        np.testing.assert_allclose(undiscounted, 0.5 * direction, atol=1e-12)
        dropped = gradient(world, drop_gamma_t=True)
        np.testing.assert_allclose(dropped, -0.25 * direction, atol=1e-12)


def test_following_the_dropped_gradient_ends_at_the_worst_policy_of_both_objectives():
    world = shared_logit_chain()
    for _ in range(400):
        world = world.at(world.theta + 2.0 * gradient(world, drop_gamma_t=True))
    assert world.policy[0, 1] < 0.02
    extremes = [shared_logit_chain().at(np.array([[0.0, z]])) for z in (-20.0, 20.0)]
    for gamma in (0.5, 1.0):
        worst, best = (objective(replace(extreme, gamma=gamma)) for extreme in extremes)
        assert worst < best


def test_cliff_walking_lasts_6453_steps_at_the_uniform_policy():
    from pgviz.worlds.files import find_world

    assert occupancy(find_world("CliffWalking-v1"), 1.0).sum() == pytest.approx(6453, abs=0.5)
