"""Where gradient ascent ends: by the exact gradient, by samples, and by broken updates."""

from dataclasses import replace

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.exact.values import gradient, objective
from pgviz.proofs.ascent import (
    LONGEST_EPISODE,
    LONGEST_STEP,
    ascent,
    broken_update,
    capped,
    exact_update,
    sampled_update,
)
from pgviz.worlds.named import (
    bandit_a,
    ladder,
    shared_logit_chain,
    short_corridor,
    survival,
    two_arms,
)
from pgviz.worlds.tabular import WorldError


def test_the_exact_ascent_finds_the_corridors_stochastic_optimum_from_either_side():
    for p in (0.1, 0.5, 0.9):
        path = ascent(short_corridor(p), exact_update, 300, 0.03)
        assert path.policy[-1, 0, 0] == pytest.approx(2 - np.sqrt(2), abs=1e-6)
        assert path.objective[-1] == pytest.approx(-(6 + 4 * np.sqrt(2)), abs=1e-9)
        assert not path.stopped


def test_with_the_log_the_better_arm_wins_and_without_it_the_other_one():
    kept = ascent(two_arms(), exact_update, 400, 1.0)
    dropped = ascent(two_arms(), broken_update("drop the log", 1, 0), 400, 1.0)
    assert kept.policy[0, 0] == pytest.approx([0.4, 0.6])
    assert kept.policy[-1, 0, 0] > 0.98
    assert dropped.policy[-1, 0, 0] < 0.02
    assert (np.diff(kept.objective) > 0).all()
    assert dropped.cosine[0] == pytest.approx(-1)


def test_on_bandit_a_the_dropped_log_starts_out_almost_backwards():
    path = ascent(bandit_a(), broken_update("drop the log", 1, 0), 150, 0.3)
    assert path.cosine[0] == pytest.approx(-0.885, abs=5e-4)
    assert path.policy[-1, 0].argmax() == 0
    assert ascent(bandit_a(), exact_update, 150, 0.3).policy[-1, 0].argmax() == 2


def test_without_gamma_t_the_chain_ends_at_its_worst_policy():
    right = ascent(shared_logit_chain(), exact_update, 600, 1.0)
    wrong = ascent(shared_logit_chain(), broken_update("forget γᵗ", 1, 0), 600, 1.0)
    assert right.policy[-1, 0, 1] > 0.98
    assert wrong.policy[-1, 0, 1] < 0.02
    assert wrong.objective[-1] < 0.02 < 0.23 < right.objective[-1]
    assert wrong.cosine[0] == pytest.approx(-1)


def test_differentiating_the_reward_moves_nothing():
    path = ascent(bandit_a(), broken_update("differentiate R", 1, 0), 20, 1.0)
    assert np.ptp(path.objective) == 0
    assert path.cosine == [None] * 20


def test_one_step_of_ascent_is_the_learning_rate_times_the_update():
    world = random_world(0, 2, 3, gamma=0.9)
    path = ascent(world, exact_update, 1, 0.2)
    np.testing.assert_allclose(path.theta[1] - path.theta[0], 0.2 * gradient(world), atol=1e-12)
    assert path.objective[1] == pytest.approx(objective(world.at(path.theta[1])), abs=1e-12)


def test_samples_walk_around_the_exact_path_and_more_of_them_walk_closer():
    exact = ascent(ladder(), exact_update, 60, 0.3)

    def distance(num_episodes):
        sampled = ascent(ladder(), sampled_update(num_episodes, 0), 60, 0.3)
        return np.abs(sampled.theta - exact.theta).max()

    assert distance(400) < distance(4) / 3
    many = ascent(ladder(), sampled_update(400, 0), 60, 0.3)
    assert np.mean(many.cosine[:20]) > 0.9


def test_the_sampled_update_has_the_gradient_as_its_mean():
    world = ladder()
    for update in (sampled_update(40_000, 1), broken_update("keep past rewards", 40_000, 1)):
        np.testing.assert_allclose(update(world, world.theta), gradient(world), atol=0.03)


def test_past_rewards_cost_noise_in_every_step():
    kept, dropped = (
        np.mean(
            [
                np.sum((update(ladder(), ladder().theta) - gradient(ladder())) ** 2)
                for _ in range(200)
            ]
        )
        for update in (broken_update("keep past rewards", 10, 0), sampled_update(10, 0))
    )
    assert kept > 1.2 * dropped


def test_the_same_seed_walks_the_same_path_and_another_seed_another():
    one, two, other = (ascent(bandit_a(), sampled_update(5, seed), 30, 0.3) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.theta, two.theta)
    assert (one.theta[1] != other.theta[1]).any()


def test_a_step_is_never_longer_than_one_logit_and_says_how_often_it_was_cut():
    path = ascent(short_corridor(0.05), exact_update, 40, 1.0)
    assert np.abs(np.diff(path.theta, axis=0)).max() <= LONGEST_STEP + 1e-12
    assert path.num_shortened > 0
    assert ascent(bandit_a(), exact_update, 10, 0.1).num_shortened == 0


def test_an_ascent_stops_where_episodes_no_longer_end():
    path = ascent(survival(0.9), exact_update, 500, 1.0)
    assert "more than 1000 steps" in path.stopped
    assert len(path.objective) < 30
    assert path.objective[-1] <= LONGEST_EPISODE
    assert len(path.cosine) >= len(path.objective) - 1


def test_long_episodes_are_cut_and_short_ones_are_left_alone():
    assert capped(short_corridor()).horizon == 100
    assert capped(ladder()).horizon == 6
    assert capped(replace(ladder(), horizon=300)).horizon == 100
    with pytest.raises(WorldError, match="cannot be broken by"):
        broken_update("hope", 1, 0)
