"""Why the best baseline is not V: its two parts, held to the list of all episodes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import random_world, worlds

from pgviz.estimators import full_return, reward_to_go
from pgviz.exact.baselines import best_baseline, parts_of_the_best_baseline
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.trajectories import trajectories
from pgviz.exact.values import state_values
from pgviz.measure import noise
from pgviz.worlds.named import bandit_a, ladder, named_worlds, short_corridor, survival
from pgviz.worlds.tabular import WorldError

TO_GO = GradientEstimator("reward-to-go")
AXES = {"constant": (0, 1), "time": (1,), "state": (0,), "time-state": ()}


def of_all_episodes(world, name):
    """Mean weight, the other two parts and d at every (t, s), with double sums over the steps."""
    shape = (world.horizon, world.num_states)
    k = 1.0 if name == "full-return" else world.gamma
    psi_of = full_return if name == "full-return" else reward_to_go
    often, length, weight, product, other = (np.zeros(shape) for _ in range(5))
    for tau in trajectories(world):
        steps = range(len(tau.states))
        psi = psi_of(np.array(tau.rewards), world.gamma)
        scores = [tau.score(world, 1.0 * (np.arange(len(steps)) == t)) for t in steps]
        for t in steps:
            at, p = (t, tau.states[t]), tau.probability
            long = float((scores[t] ** 2).sum())
            often[at] += p
            length[at] += p * long
            weight[at] += p * psi[t]
            product[at] += p * long * psi[t]
            for u in steps:
                if u != t:
                    other[at] += p * k ** (t + u) * psi[u] * float((scores[t] * scores[u]).sum())
    d = k ** (2 * np.arange(world.horizon))[:, None]
    visited = np.maximum(often, 1e-300)
    mean = d * length * weight / visited
    return mean, d * product - mean, other, d * length


@given(worlds(st.sampled_from([1, 2, 3])))
@settings(max_examples=12, deadline=None)
def test_both_parts_are_what_the_list_of_all_episodes_says(world):
    for name in ("reward-to-go", "full-return"):
        estimator = GradientEstimator(name)
        *wanted, d = of_all_episodes(world, name)
        for per, axes in AXES.items():
            found = parts_of_the_best_baseline(world, estimator, per)
            weight = d.sum(axis=axes)
            for part, all_of_it in zip(
                (found.mean, found.from_lengths, found.from_steps), wanted, strict=True
            ):
                np.testing.assert_allclose(
                    np.nan_to_num(part) * weight, all_of_it.sum(axis=axes), atol=1e-12
                )
            np.testing.assert_allclose(found.best, best_baseline(world, estimator, per), atol=1e-12)


@pytest.mark.parametrize(
    ("world", "best", "mean", "lengths", "steps"),
    [
        (short_corridor(), (-40 / 3, -11, -12), (-12, -10, -6), (0, 0, 0), (-4 / 3, -1, -6)),
        (survival(), (3,), (1,), (0,), (2,)),
        (survival(0.7), (17 / 3,), (7 / 3,), (-4 / 3,), (14 / 3,)),
        (bandit_a(), (2.4894569421,), (1.6048507637,), (0.8846061784,), (0,)),
    ],
    ids=["corridor", "survival", "survival .7", "bandit"],
)
def test_what_parts_the_best_baseline_from_v_in_the_worlds_of_the_story(
    world, best, mean, lengths, steps
):
    found = parts_of_the_best_baseline(world, TO_GO, "state")
    np.testing.assert_allclose(found.best, best, atol=1e-9)
    np.testing.assert_allclose(found.mean, mean, atol=1e-9)
    np.testing.assert_allclose(found.mean, state_values(world), atol=1e-9)
    np.testing.assert_allclose(found.from_lengths, lengths, atol=1e-9)
    np.testing.assert_allclose(found.from_steps, steps, atol=1e-9)


def test_a_part_per_time_step_needs_a_horizon():
    assert parts_of_the_best_baseline(ladder(), TO_GO, "time").mean.shape == (6,)
    with pytest.raises(WorldError, match="needs a horizon"):
        parts_of_the_best_baseline(survival(), TO_GO, "time")


# --- the sentences ---


@pytest.mark.parametrize("scale", [1.0, 1e-7, 1e4])
@pytest.mark.parametrize(
    ("make", "reasons"),
    [
        (named_worlds["bandit-a"], {"lengths"}),
        (named_worlds["short-corridor"], {"steps"}),
        (named_worlds["survival"], {"steps"}),
        (lambda: survival(0.7), {"lengths", "steps"}),
        (lambda: random_world(3, 2, 2), {"lengths", "steps"}),
        (lambda: named_worlds["bandit-a"]().at(np.zeros((1, 3))), set()),
    ],
    ids=["bandit", "corridor", "survival", "survival .7", "random", "uniform bandit"],
)
def test_the_reason_that_is_said_is_the_one_that_was_computed(make, reasons, scale):
    world = make()
    found = noise.why_not_v(replace(world, rewards=scale * world.rewards))
    assert found.reasons == reasons
