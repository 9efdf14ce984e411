"""What may be subtracted, summed over every episode of small worlds."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from random_worlds import random_world

from pgviz import broken
from pgviz.exact.by_hand import landmarks, parabolas, subtracted
from pgviz.exact.credit import credit
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.subtracted import (
    NORMALISERS,
    SUBTRACTIONS,
    effect,
    group_effect,
    normalised,
)
from pgviz.exact.trajectories import expectation, trajectories
from pgviz.exact.values import gradient
from pgviz.proofs.receipts import listed
from pgviz.proofs.subtraction import baseline_is_free
from pgviz.worlds.named import bandit_a, ladder, short_corridor, survival
from pgviz.worlds.tabular import WorldError

WORLDS = (bandit_a(), survival(), short_corridor(), ladder())
NAMED = {how.title: how for how in SUBTRACTIONS}
TO_GO = GradientEstimator("reward-to-go")


def named(world):
    return world.name


# --- truth ---


def test_bandit_a_has_the_traces_of_the_book_of_truth():
    marks = landmarks(bandit_a())
    assert marks["none"].covariance_trace == pytest.approx(3.8492536558, abs=1e-9)
    assert marks["value"].covariance_trace == pytest.approx(1.1989090323, abs=1e-9)
    assert marks["constant"].covariance_trace == pytest.approx(0.8158952259, abs=1e-9)
    assert marks["constant"].values == pytest.approx(2.4894569421, abs=1e-9)
    worse = effect(bandit_a(), NAMED["the largest reward"])
    assert worse.covariance_trace == pytest.approx(3.9008573846, abs=1e-9)
    assert worse.bias_squared < 1e-24


def test_survival_has_the_traces_of_the_book_of_truth():
    in_theta = 8  # logits: ∂/∂logits = p(1−p)(1, −1) d/dp, so traces are an eighth
    marks = landmarks(survival())
    for key, trace in (("none", 88), ("value", 48), ("constant", 16)):
        assert in_theta * marks[key].covariance_trace == pytest.approx(trace, abs=1e-9)
    full = moments(survival(), GradientEstimator("full-return"))
    assert in_theta * full.covariance_trace == pytest.approx(192, abs=1e-9)
    assert marks["constant"].values == pytest.approx(2 * marks["value"].values + 1)


def test_on_the_corridor_the_true_v_is_worse_than_a_constant():
    marks = landmarks(short_corridor())
    traces = {key: mark.covariance_trace for key, mark in marks.items()}
    assert traces["none"] == pytest.approx(1466)
    assert traces["mean"] == pytest.approx(554)
    assert traces["value"] == pytest.approx(590)
    assert marks["value"].values == pytest.approx([-12, -10, -6])
    assert traces["state"] < traces["constant"] < traces["mean"] < traces["value"]


# --- a baseline of the state is free ---


@pytest.mark.parametrize("world", WORLDS, ids=named)
@pytest.mark.parametrize("b", [-7.0, 0.3, 1000.0])
def test_no_number_per_state_biases_the_gradient(world, b):
    values = b * np.cos(np.arange(world.num_states))
    found = subtracted(world, values)
    assert found.bias_squared <= 1e-24 * max(1, b * b) * (gradient(world) ** 2).sum()


@pytest.mark.parametrize("world", [*WORLDS, random_world(5, horizon=4)], ids=named)
def test_the_spread_is_one_parabola_per_state(world):
    found = parabolas(world)
    rng = np.random.default_rng(1)
    for values in rng.normal(scale=5, size=(4, world.num_states)):
        slow = moments(world, replace(TO_GO, values=values)).covariance_trace
        assert found.trace(values) == pytest.approx(slow, rel=1e-10)
        along = found.along(0, values, values[:1])
        assert along[0] == pytest.approx(slow, rel=1e-10)


@pytest.mark.parametrize("world", WORLDS, ids=named)
def test_every_line_of_the_derivation_holds_and_every_break_of_it_fails(world):
    few = listed(world, 1500)
    for line in baseline_is_free:
        assert line(few).holds, line.title
        for step in line.breaks:
            assert not line(few, step).holds, (line.title, step)


# --- who is credited ---


@pytest.mark.parametrize(
    "world", [replace(ladder(), horizon=4), replace(survival(0.7), horizon=5, gamma=0.9)], ids=named
)
def test_the_credit_matrix_is_the_sum_over_all_episodes(world):
    found, episodes = credit(world), trajectories(world)
    for t, u in product(range(world.horizon), repeat=2):

        def pair(tau, t=t, u=u):
            if max(t, u) >= len(tau.rewards):
                return np.zeros_like(world.theta)
            weights = np.zeros(len(tau.rewards))
            weights[t] = world.gamma**u * tau.rewards[u]
            return tau.score(world, weights)

        mean = expectation(episodes, pair)
        squared = expectation(episodes, lambda tau, pair=pair: float((pair(tau) ** 2).sum()))
        assert found.mean[t, u] == pytest.approx(mean, abs=1e-12)
        assert found.spread[t, u] ** 2 == pytest.approx(squared - (mean**2).sum(), abs=1e-12)


def test_the_past_has_mean_zero_and_a_spread_and_the_future_is_the_gradient():
    found = credit(ladder())
    assert np.abs(found.past()).max() < 1e-15
    assert found.future() == pytest.approx(gradient(ladder()), abs=1e-14)
    assert found.spread[5, 1:5].min() > 0.2


def test_the_matrix_needs_a_horizon():
    with pytest.raises(WorldError, match="horizon"):
        credit(survival())


# --- what is not free ---


@pytest.mark.parametrize(
    ("world", "left"), [(survival(), 0.5), (bandit_a(), 0.0), (ladder(), 0.307371708)]
)
def test_what_an_episodes_own_mean_leaves_depends_on_the_world(world, left):
    assert effect(world, NAMED["the episode's own mean"]).kept == pytest.approx(left, abs=1e-9)


@pytest.mark.parametrize("world", [bandit_a(), survival(), ladder()], ids=named)
def test_what_each_subtraction_leaves_of_the_gradient(world):
    moved = next(how for how in SUBTRACTIONS if "moved first" in how.title)
    assert effect(world, moved).kept == pytest.approx(0.9, abs=1e-12)
    assert effect(world, NAMED["Q(s, a)"]).kept == pytest.approx(0, abs=1e-12)
    for how in SUBTRACTIONS:
        found = effect(world, how)
        assert (found.bias_squared < 1e-24) == how.legal, how.title


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_a_group_mean_with_the_sample_in_it_leaves_k_minus_one_over_k(size):
    assert group_effect(bandit_a(), size).kept == pytest.approx((size - 1) / size, abs=1e-12)
    others = group_effect(bandit_a(), size, leave_one_out=True)
    assert others.kept == pytest.approx(1, abs=1e-12)


def test_batches_counted_are_batches_listed():
    world, size = bandit_a(), 3
    episodes = trajectories(replace(world, horizon=1))
    total = np.zeros_like(world.theta)
    for batch in product(episodes, repeat=size):
        probability = np.prod([tau.probability for tau in batch])
        psi = NORMALISERS["both"](np.array([tau.rewards[0] for tau in batch]))
        total += (
            probability
            * sum(p * tau.score(world) for p, tau in zip(psi, batch, strict=True))
            / size
        )
    found = normalised(world, "both", size)
    assert found.scale == pytest.approx(np.linalg.norm(total) / np.linalg.norm(gradient(world)))


@pytest.mark.parametrize("size", [2, 4, 32])
def test_a_batchs_mean_only_shortens_the_gradient_and_its_spread_turns_it(size):
    mean = normalised(bandit_a(), "minus the batch's mean", size)
    assert mean.scale == pytest.approx(1 - 1 / size, abs=1e-10)
    assert mean.degrees == pytest.approx(0, abs=1e-4)
    assert normalised(bandit_a(), "both", size).degrees > 1


def test_the_broken_twins_say_what_their_docstrings_say():
    returns = np.array([3.0, 2.0, 1.0])
    assert broken.updated_before_use(returns, 1.0, 0.25) == pytest.approx(0.75 * (returns - 1))
    assert broken.group_mean_with_self(returns).sum() == 0
    own = broken.own_episode_mean(np.ones(3), 1.0, np.ones(3, bool))
    assert own == pytest.approx([1, 0, -1])
    for function in (broken.own_episode_mean, broken.updated_before_use, broken.action_value):
        assert "Symptom" in function.__doc__
        assert "\n    + " in function.__doc__
