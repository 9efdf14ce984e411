"""What the PPO page claims, held to definitions, derivatives and whole runs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgviz.exact.surrogate import surrogate, surrogate_gradient, without_ratio
from pgviz.exact.values import gradient, objective
from pgviz.lessons.ppo import adds, check, clip, far, ratio, reuse, run, sides, write
from pgviz.measure import proximal
from pgviz.training import methods
from pgviz.ui.exercise import gaps_of, with_gaps
from pgviz.worlds.named import named_worlds, short_corridor

WORLDS = {name: make() for name, make in named_worlds.items()}


def near(world, seed, size=0.7):
    """The same world under another policy."""
    draw = np.random.default_rng(seed)
    return world.at(world.theta + size * draw.normal(size=world.theta.shape))


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("clip_coef", [np.inf, 0.2])
def test_where_the_batch_was_played_the_surrogate_is_j_and_has_its_gradient(name, clip_coef):
    world = WORLDS[name]
    size = np.abs(gradient(world)).max() + 1e-12
    assert surrogate(world, world, clip_coef) == pytest.approx(objective(world), rel=1e-12)
    for found in (surrogate_gradient(world, world, clip_coef), without_ratio(world, world)):
        np.testing.assert_allclose(found, gradient(world), rtol=0, atol=1e-9 * size)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("clip_coef", [np.inf, 0.3])
def test_its_gradient_elsewhere_is_the_slope_in_every_direction(name, clip_coef):
    old, new = WORLDS[name], near(WORLDS[name], 1)
    found = surrogate_gradient(old, new, clip_coef)
    for place in np.ndindex(new.theta.shape):
        nudge = np.zeros(new.theta.shape)
        nudge[place] = 1e-6
        up, down = (surrogate(old, new.at(new.theta + s * nudge), clip_coef) for s in (1, -1))
        assert found[place] == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", ["bandit-a", "two-arms"])
def test_with_one_decision_the_surrogate_is_j_everywhere(name):
    """There are no other states to visit: a bandit cannot show why the clip is needed."""
    world = WORLDS[name]
    for seed in range(5):
        new = near(world, seed, 2.0)
        assert surrogate(world, new) == pytest.approx(objective(new), rel=1e-12)


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.9))
def test_the_clipped_promise_is_never_above_the_unclipped(p, epsilon):
    assert proximal.promised(p, epsilon) <= proximal.promised(p) + 1e-9


def test_the_numbers_of_the_corridor():
    assert proximal.promised(0.9) == pytest.approx(-8.8)
    assert proximal.truth(0.9) == pytest.approx(-24.444444444)
    assert proximal.best_promise(0.2) == pytest.approx(0.6)


@pytest.mark.parametrize("epsilon", [0.05, 0.1, 0.2, 0.3, 0.5, 0.8])
def test_no_policy_has_a_larger_clipped_promise(epsilon):
    best = proximal.promised(proximal.best_promise(epsilon), epsilon)
    grid = [proximal.promised(p, epsilon) for p in np.linspace(0.02, 0.98, 400)]
    assert best >= max(grid) - 1e-9
    assert proximal.best_promise(epsilon) == pytest.approx(0.5 * (1 + epsilon))


def test_the_old_batch_walks_past_the_top_and_fresh_ones_do_not():
    path = proximal.climbed(num_steps=20)
    last = path[path["step"] == 20].set_index("kind")
    best = 2 - 2**0.5
    assert last.loc[proximal.FRESH, "p"] == pytest.approx(best, abs=1e-3)
    assert last.loc[proximal.STALE, "p"] > best + 0.2
    assert last.loc[proximal.STALE, "objective"] < proximal.truth(0.5)
    fresh = path[path["kind"] == proximal.FRESH]["objective"].to_numpy()
    assert (np.diff(fresh) > 0).all()
    assert "worse than at the start" in reuse.sentence(path, 20)
    assert "worse" not in reuse.sentence(path, 3)


def test_with_the_ratio_the_old_batch_is_closer_but_not_right():
    for old, now in ((0.5, 0.8), (0.2, 0.8), (0.5, 0.2)):
        here = proximal.slopes(old, now)
        true, stale, weighed = (here[k] for k in (proximal.FRESH, proximal.STALE, proximal.RATIO))
        assert abs(weighed - true) < abs(stale - true)
        assert abs(weighed - true) > 1e-3
        assert "closer with ρ" in ratio.sentence(here, old, now)
    same = proximal.slopes(0.5, 0.5)
    assert max(same.values()) - min(same.values()) < 1e-12
    assert "all three" in ratio.sentence(same, 0.5, 0.5)


def test_the_prediction_is_marked_by_the_truth():
    assert far.verdict(-24)[0]
    assert not far.verdict(-12)[0]
    assert "−24.4" in far.verdict(None)[1]
    assert "15.64 too high" in far.sentence(0.9)
    assert "both −12.00" in far.sentence(0.5)


def test_what_the_clip_promises_in_words():
    assert "P(right) = 0.60, where J is −11.67: better" in clip.sentence(0.2, 0.6)
    end = proximal.best_promise(clip.NO_CLIP)
    assert end == pytest.approx(0.98)
    assert "worse" in clip.sentence(clip.NO_CLIP, end)


def told(values):
    """Two seeds of each run at three updates."""
    rows = [
        {"name": name, "seed": seed, "update": update, "value": float(value)}
        for name, both in values.items()
        for seed, line in enumerate(both)
        for update, value in enumerate(line)
    ]
    seeds = pd.DataFrame(rows)
    return seeds.groupby(["name", "update"], as_index=False)["value"].mean(), seeds


def test_a_title_claims_only_what_the_runs_show():
    clipped, unclipped, once = run.NAMES.values()
    good, slow, torn = [9, 400, 500], [9, 99, 138], [9, 500, 138]
    left = told({clipped: [good] * 2, unclipped: [good, torn], once: [slow] * 2})
    assert "leave no seed behind" in run.title(*left, "return")
    for others in (
        {unclipped: [good] * 2, once: [slow] * 2},
        {unclipped: [torn] * 2, once: [good] * 2},
    ):
        assert run.title(*told({clipped: [good] * 2, **others}), "return") == "Return"
    far_off = told({clipped: [[1e-3] * 3] * 2, unclipped: [[0.5] * 3] * 2, once: [[1e-3] * 3] * 2})
    assert "goes far" in run.title(*far_off, "KL from the old policy")


def test_the_runs_differ_in_the_clip_alone_and_in_the_passes_alone():
    with_clip, without, once = run.RUNS
    assert with_clip.replace(clip_coef=without.clip_coef) == without
    assert with_clip.replace(update_epochs=1) == once


@given(st.floats(0.05, 1.95), st.sampled_from(sides.EPSILON.options))
def test_the_clip_takes_the_slope_on_one_side_for_each_sign(ratio, epsilon):
    """d/dρ min(ρA, clip(ρ)A): A within the clip, 0 where ρ has passed it on the side A pushes to."""
    if min(abs(ratio - 1 - epsilon), abs(ratio - 1 + epsilon)) < 1e-6:
        return
    for advantage in (1.0, -1.0):
        value, slope = sides.term(ratio, advantage, epsilon)
        beyond = ratio > 1 + epsilon if advantage > 0 else ratio < 1 - epsilon
        assert slope == (0 if beyond else advantage)
        assert value == pytest.approx(
            min(ratio * advantage, np.clip(ratio, 1 - epsilon, 1 + epsilon) * advantage)
        )


def test_what_ppo_adds_is_read_from_the_table_of_methods():
    own = set(methods.methods["ppo"].settings) - set(methods.methods["gae"].settings)
    assert "the same function" in adds.sentence()
    assert all(f"`{name}`" in adds.sentence() for name in own)


def test_the_gaps_stand_in_the_file_and_the_solution_is_whole():
    source = write.solution()
    gaps = gaps_of(source, write.HINTS)
    skeleton = with_gaps(source, gaps)
    assert skeleton.count("# gap") == len(write.HINTS)
    assert not any(line in skeleton for line in gaps)


def test_every_answer_called_right_is_right():
    for make in check.QUESTIONS:
        question = make()
        assert len(question.answers) == len(question.replies)
        assert 0 <= question.right < len(question.answers)
    assert check.slope_of_a_term(1.5, 2.0) == 0
    assert check.slope_of_a_term(1.5, -2.0) == -2
    assert check.slope_of_a_term(0.5, 2.0) == 2
    first = surrogate_gradient(short_corridor(), short_corridor())
    np.testing.assert_allclose(first, [[2, -2]], atol=1e-12)
