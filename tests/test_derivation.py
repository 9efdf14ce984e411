"""Every line of every derivation holds in every world, and every break is seen."""

from dataclasses import replace

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.exact.values import gradient
from pgviz.proofs.derivation import (
    derivations,
    gradient_is_a_mean,
    noise_of_the_theorem,
    partial_sums,
    score_of_a_softmax,
    unrolling,
    with_few_episodes,
)
from pgviz.worlds.named import bandit_a, named_worlds, shared_logit_chain, short_corridor, survival
from pgviz.worlds.tabular import WorldError

LINES = [(name, line) for name, lines in derivations.items() for line in lines]
IDS = [f"{name}: {line.title}" for name, line in LINES]
BREAKS = [(line, broken) for _, line in LINES for broken in line.breaks]


def some_worlds():
    random = [random_world(s, 2, 2, f, 0.7, 3) for s, f in ((0, None), (1, 1), (2, 2))]
    return [*random, *(with_few_episodes(make(), 4) for make in named_worlds.values())]


@pytest.mark.parametrize("line", [line for _, line in LINES], ids=IDS)
def test_every_line_holds_in_every_world(line):
    for world in some_worlds():
        receipt = line(world)
        assert receipt.holds, (world.name, receipt.difference)
        assert np.shape(receipt.left) == np.shape(receipt.right)


@pytest.mark.parametrize("line", unrolling, ids=[line.title for line in unrolling])
def test_unrolling_needs_no_horizon(line):
    for world in (random_world(5, 3, 2, gamma=0.9), short_corridor(0.3), survival(0.7)):
        receipt = line(world)
        assert receipt.holds, (world.name, receipt.difference)


@pytest.mark.parametrize(
    ("line", "broken"), BREAKS, ids=[f"{line.title}: {broken}" for line, broken in BREAKS]
)
def test_every_broken_line_says_by_how_much_it_fails(line, broken):
    world = random_world(0, 2, 2, None, 0.7, 3)
    receipt = line(world, broken)
    assert not receipt.holds
    assert receipt.difference > 1e-3
    assert receipt.broken == broken


def test_forgetting_gamma_t_is_invisible_at_gamma_one_and_reverses_the_chain():
    occupancies = unrolling[-1]
    assert occupancies(replace(shared_logit_chain(), gamma=1.0), "forget γᵗ").holds
    receipt = occupancies(shared_logit_chain(), "forget γᵗ")
    np.testing.assert_allclose(receipt.right, -receipt.left, atol=1e-12)


def test_the_partial_sums_converge_to_the_gradient():
    world = short_corridor()
    left = np.abs(partial_sums(world, 400) - gradient(world)).max(axis=(1, 2))
    assert left[0] == pytest.approx(2)
    assert left[-1] < 1e-10
    endless = random_world(1, 3, 2, gamma=0.5)
    distance = np.abs(partial_sums(endless, 40) - gradient(endless)).max(axis=(1, 2))
    assert distance[40] < 1e-10 < distance[10] < distance[3]


def test_keeping_past_rewards_costs_variance_only():
    world = with_few_episodes(short_corridor(), 8)
    receipt = noise_of_the_theorem(world, "keep past rewards")
    assert receipt.right > receipt.left


def test_an_estimate_closes_in_like_one_over_the_root_of_n():
    few, many = (gradient_is_a_mean(bandit_a(), num_episodes=n) for n in (1000, 100_000))
    ratio = (few.high - few.low) / (many.high - many.low)
    np.testing.assert_allclose(ratio, 10, rtol=0.1)
    wrong = replace(many, left=many.left + 0.5)
    assert many.holds
    assert not wrong.holds


def test_the_score_of_a_softmax_is_one_for_the_action_taken_minus_the_probability_of_each():
    logits = np.array([[0.3, -1.0, 2.0]])
    pi = np.exp(logits) / np.exp(logits).sum()
    receipt = score_of_a_softmax(bandit_a().at(logits))
    np.testing.assert_allclose(receipt.left[0, :, 0, :], np.eye(3) - pi, atol=1e-15)
    certain = score_of_a_softmax(bandit_a().at(np.array([[1000.0, 0, 0]])))
    assert certain.holds
    assert np.isfinite(certain.left).all()


def test_a_line_breaks_only_in_the_ways_it_knows():
    with pytest.raises(WorldError, match="cannot be broken by"):
        unrolling[0](bandit_a(), "drop the log")
