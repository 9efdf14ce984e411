"""The REINFORCE page: what its steps compute, and what their sentences say of it."""

import inspect
from itertools import islice

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import approx_fprime

from pgviz.charts import learning
from pgviz.exact import reuse, surrogate_loss
from pgviz.exact.per_step import mean_divided_by_steps
from pgviz.exact.trajectories import expectation, trajectories
from pgviz.exact.values import gradient, objective
from pgviz.lessons import glossary, page_of
from pgviz.lessons.reinforce import (
    check,
    episode,
    fresh,
    loss,
    mean,
    minus,
    seeds,
    surrogate,
    watch,
    write,
)
from pgviz.lessons.reinforce import run as run_step
from pgviz.lessons.reinforce import update as update_step
from pgviz.lessons.reinforce.recorded import FULL, LEARN
from pgviz.measure import one_update, takeaways
from pgviz.policies import log_prob
from pgviz.runs import Recording
from pgviz.runs.recording import Recorder
from pgviz.runs.replay import replay, trajectory
from pgviz.training import METRICS, broken, loop, train
from pgviz.training.agent import Agent
from pgviz.training.gradient import policy_gradient
from pgviz.training.methods import weights
from pgviz.ui.exercise import gaps_of, with_gaps
from pgviz.worlds.cartpole import MAX_EPISODE_STEPS
from pgviz.worlds.named import short_corridor, survival


class Told:
    """A recording whose metrics [U, S] are told."""

    config = LEARN

    def __init__(self, **told):
        self.told = {name: np.array(x, float) for name, x in told.items()}
        self.num_updates, self.num_seeds = next(iter(self.told.values())).shape

    def metrics(self, start=0):
        return {name: x[start:] for name, x in self.told.items()}


def recorded(path, config, num_updates=None):
    """A real recording of the first updates of a run."""
    updates = list(islice(train(config), num_updates))
    recorder = Recorder(path, config, METRICS, birth=updates[0].played)
    for update in updates:
        recorder.append(update.theta, update.metrics, elapsed_s=0.0)
    recorder.close()
    return Recording(path)


# ── Old episodes ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("old", "new"), [(0.5, 0.7), (0.2, 0.9), (0.9, 0.15)])
def test_the_mean_of_old_episodes_is_the_sum_over_all_of_them(old, new):
    """E_old[Σ_t G_t ∇log π_new(a_t|s_t)], every episode of the ladder listed."""
    then, now = reuse.one_knob_ladder(old), reuse.one_knob_ladder(new)

    def estimate(tau):
        return tau.score(now, np.cumsum(tau.rewards[::-1])[::-1])

    listed = expectation(trajectories(then), estimate)
    np.testing.assert_allclose(reuse.mean_with_old_episodes(then, now), listed, atol=1e-12)
    assert reuse.slope_with_old_episodes(old, new) == pytest.approx(listed[0, 1], abs=1e-12)


def test_fresh_episodes_have_no_bias_and_old_ones_stop_where_j_still_rises():
    for climb in (0.1, 0.5, 0.85):
        world = reuse.one_knob_ladder(climb)
        np.testing.assert_allclose(
            reuse.mean_with_old_episodes(world, world), gradient(world), atol=1e-12
        )
        slope = (
            objective(reuse.one_knob_ladder(climb + 1e-6))
            - objective(reuse.one_knob_ladder(climb - 1e-6))
        ) / 2e-6
        assert reuse.slope(climb) == pytest.approx(climb * (1 - climb) * slope, rel=1e-6)
    stop = reuse.where_it_stops(0.5)
    assert stop == pytest.approx(0.642161, abs=1e-6)
    assert reuse.slope_with_old_episodes(0.5, stop) == pytest.approx(0, abs=1e-8)
    assert reuse.slope(stop) > 0.9


@pytest.mark.parametrize(
    ("old", "now", "numbers"),
    [
        (0.5, 0.7, ["+0.79", "−0.45", "−1.24", "downhill"]),
        (0.5, 0.55, ["+1.06", "+0.72", "still right"]),
        (0.5, 0.5, ["+1.11", "bias is 0"]),
    ],
    ids=["downhill", "uphill", "fresh"],
)
def test_the_sentence_of_old_episodes_has_the_numbers_of_the_picture(old, now, numbers):
    said = fresh.in_words(old, now)
    assert all(number in said for number in numbers), said
    gaps = fresh._tables()["gap"]
    row = gaps[(gaps["old"] == old) & (gaps["climb"] == now)].iloc[0]
    assert row["truth"] == pytest.approx(reuse.slope(now))
    assert row["slope"] == pytest.approx(reuse.slope_with_old_episodes(old, now), abs=1e-6)
    assert len(gaps) == len(fresh.OLD.options) * len(fresh.NOW.options)


# ── Divided by steps ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("staying", [0.1, 0.5, 0.9])
def test_survival_divided_by_its_steps_has_a_closed_form(staying):
    """T steps pay T − 1, and Σ_T p^{T−1} (1−p) (1−p) (T−1)/2 = p/2."""
    found = mean_divided_by_steps(survival(staying))
    np.testing.assert_allclose(found, [[staying / 2, -staying / 2]], atol=1e-12)


def test_dividing_by_steps_stops_elsewhere_than_j():
    """At .611 (an independent recursion over time finds the same, see test_exact) and not 2 − √2."""
    assert mean.stops_at("episodes") == pytest.approx(2 - 2**0.5, abs=1e-9)
    assert mean.stops_at("steps") == pytest.approx(0.6111449, abs=1e-6)
    assert mean.push("episodes", mean.START) < 0 < mean.push("steps", mean.START)
    with pytest.raises(ValueError, match="horizon"):
        mean_divided_by_steps(reuse.one_knob_ladder(0.5))
    lost = objective(short_corridor(2 - 2**0.5)) - objective(short_corridor(mean.stops_at("steps")))
    assert f"{lost:.3f}" in mean.in_words(0.6)
    assert "opposite ways" in mean.in_words(0.6)
    assert "same way" in mean.in_words(0.55)
    assert "+0.41" in mean.in_words(0.55)


# ── The surrogate loss and its sign ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", surrogate.FIRST.options)
def test_autograd_through_the_loss_gives_minus_the_estimate(first):
    value, slope = surrogate_loss.by_autograd(first, 10 - first)
    assert slope == pytest.approx(-surrogate_loss.estimate(first, 10 - first), abs=1e-12)

    def at(theta):
        return float(surrogate_loss.loss(first, 10 - first, theta[0]))

    here = np.array([surrogate_loss.PRESENT])
    assert value == pytest.approx(at(here), abs=1e-12)
    assert slope == pytest.approx(approx_fprime(here, at, 1e-7)[0], abs=1e-6)
    assert "the same, with the other sign" in surrogate.in_words(first)
    tangent = surrogate._tables()["tangents"].query("at == @first")
    assert np.diff(tangent["loss"]) / np.diff(tangent["theta"]) == pytest.approx(slope)


def test_the_engine_too_differentiates_a_loss_and_turns_its_sign():
    """−∇L of a batch of CartPole by torch's own layers is what the engine calls ĝ, to 1e-6 of it."""
    config = LEARN.replace(num_seeds=1, num_envs=3)
    theta = Agent.of(config).initial_theta([np.random.default_rng(3)])
    rollout = replay(config, theta[0], 0, 0)
    psi = weights(rollout, config)
    found, value = policy_gradient(Agent.of(config), theta, rollout, psi)
    parameters = torch.tensor(theta[0], dtype=torch.float64, requires_grad=True)
    mask = rollout.mask[0]
    obs = torch.tensor(Agent.of(config).policy.features(rollout.obs[0][mask])).double()
    first, last, bias = parameters[:160].view(5, 32), parameters[160:192], parameters[192]
    logits = torch.tanh(obs @ first) @ last + bias
    log_probs = log_prob(logits, torch.tensor(rollout.actions[0][mask]).double())
    total = -(torch.tensor(psi[0][mask]) * log_probs).sum() / config.num_envs
    total.backward()
    assert float(total.detach()) == pytest.approx(value[0], rel=1e-5)
    np.testing.assert_allclose(
        found[0], -parameters.grad.numpy(), atol=2e-6 * np.linalg.norm(found[0])
    )


def test_the_forgotten_minus_differs_from_training_by_its_sign_alone():
    config = LEARN.replace(num_seeds=2, num_updates=4)
    right = [update.metrics["episode_return"] for update in train(config)]
    np.testing.assert_array_equal(list(broken.without_the_minus(config, sign=1)), right)
    wrong = list(broken.without_the_minus(config))
    np.testing.assert_array_equal(wrong[0], right[0])
    assert (wrong[-1] != right[-1]).any()


def test_the_shipped_runs_are_those_that_training_gives_and_only_one_learns():
    config = minus.config().replace(num_updates=3)
    for name, sign in minus.SIGNS.items():
        again = np.round(list(broken.without_the_minus(config, sign)), 1)
        np.testing.assert_allclose(minus.recorded()[name][:3], again)
    kept, lost = minus.middle("kept"), minus.middle("forgotten")
    assert kept[-1] > 475
    assert lost[-1] < 10
    seeds_kept = minus.recorded()["kept"]
    fallen = min(y[np.argmax(y >= 475) :].min() for y in seeds_kept.T if (y >= 475).any())
    for number in (f"{kept[0]:.0f}", f"{kept[-1]:.0f}", f"{lost[-1]:.1f}", "60", f"{fallen:.0f}:"):
        assert number in minus.in_words()


# ── One update ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The first updates of the run of the page."""
    return recorded(tmp_path_factory.mktemp("run") / "some.run", LEARN, 6)


def test_pushes_are_what_a_small_step_along_one_term_does(begun):
    """θ + η G_t ∇log π(a_t|s_t) moves the log-odds of a_t as drawn, up to one common factor."""
    place = 4, 0, 0
    theta = begun.theta(4)[:1]
    rollout = replay(LEARN, theta[0], 0, 4)
    table = trajectory(LEARN, theta[0], rollout, 0)
    pushed = one_update.pushes(table)
    policy = Agent.of(LEARN).policy
    drawn, small = [], []
    for t in range(len(table)):
        obs = torch.tensor(rollout.obs[0, 0, t])[None, None]
        action = torch.tensor([[float(rollout.actions[0, 0, t])]])
        parameters = torch.tensor(theta, requires_grad=True)
        term = log_prob(policy(parameters, obs), action)
        slope = torch.autograd.grad(term.sum(), parameters)[0]
        side = 2 * float(action) - 1
        moved = torch.tensor(theta) + 1e-5 * table["return_to_go"][t] * slope
        small.append(side * float(policy(moved, obs) - policy(torch.tensor(theta), obs)))
        row = pushed.iloc[t]
        drawn.append(
            np.log(row["after"] / (1 - row["after"]) / row["before"] * (1 - row["before"]))
        )
    drawn, small = np.array(drawn), np.array(small)
    np.testing.assert_allclose(small / small.max(), drawn / drawn.max(), atol=0.01)
    assert drawn.max() == pytest.approx(one_update.LARGEST_STEP)
    assert (pushed["push"] > 0).all()
    assert pushed["return_to_go"].is_monotonic_decreasing
    said = episode.in_words(episode.pushes(begun, *place))
    assert f"{len(table)} steps" in said
    assert f"step {pushed['push'].idxmax()}:" in said
    signs = np.sign(episode.drawn(pushed, "change")["drawn"])
    assert (signs == np.where(table["action"] == 1, 1, -1)).all()


def test_the_gradients_of_the_episodes_add_up_to_that_of_the_batch(begun):
    theta = begun.theta(4)[:1]
    rollout = replay(LEARN, theta[0], 0, 4)
    alone = one_update.episode_gradients(LEARN, theta[0], rollout)
    batch, _ = policy_gradient(Agent.of(LEARN), theta, rollout, weights(rollout, LEARN))
    scale = np.linalg.norm(batch)
    np.testing.assert_allclose(alone.mean(axis=0), batch[0], atol=1e-5 * scale)
    shares = one_update.shares(alone)
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares, alone @ batch[0] / scale**2 / len(alone), atol=1e-5)


def test_few_episodes_make_most_of_the_update_that_the_step_opens_with(begun):
    found = update_step.measured(begun, update_step.START, 0)
    pulls = found["pulls"]
    assert pulls["share"].iloc[:4].sum() > 75
    said = update_step.in_words(found["squares"], pulls)
    assert f"{pulls['share'].iloc[:4].sum():.0f} %" in said
    assert "less than half" not in said
    even = pulls.assign(share=100 / len(pulls))
    assert "less than half" in update_step.in_words(found["squares"], even)
    assert "The longest episode makes" in update_step.in_words(found["squares"], pulls.iloc[:2])


def test_the_map_is_the_policy_at_its_squares_and_the_line_is_where_it_is_undecided(begun):
    theta = begun.theta(5)[0]
    policy = Agent.of(LEARN).policy
    drawn = one_update.policy_map(LEARN, theta)
    for i, j in ((0, 0), (3, 12), (16, 8)):
        obs = torch.tensor([[[0.0, 0.0, one_update.ANGLES[j], one_update.RATES[i]]]]).float()
        right = torch.sigmoid(policy(torch.tensor(theta)[None], obs))
        assert drawn[i, j] == pytest.approx(float(right), abs=1e-5)
    made_up = np.add.outer(one_update.RATES, 4 * one_update.ANGLES) / 10 + 0.5
    line = one_update.border(made_up)
    np.testing.assert_allclose(line["rate"], -4 * np.radians(line["angle"]), atol=1e-9)
    assert one_update.border(np.full_like(made_up, 0.7)).empty
    seen = np.array([[0, 0, one_update.ANGLES[2] + 0.01, one_update.RATES[5]], [0, 0, 3, 0]])
    assert np.argwhere(one_update.visited(seen)).tolist() == [[5, 2]]
    table = one_update.map_table(drawn, drawn + 0.1)
    assert len(table) == drawn.size
    np.testing.assert_allclose(table["change"], 0.1)


def test_watching_says_what_was_recorded_and_what_was_played(begun):
    said = watch.in_words(begun, 3, 3, 2, 1)
    returns = replay(LEARN, begun.theta(3)[2], 2, 3).episode_returns[0]
    assert f"returns {returns[1]:.0f};" in said
    assert said.count(f"{begun.metrics()['episode_return'][3, 2]:.1f}") == 2
    assert "last policy" in watch.in_words(begun, 50, 6, 2, 1)
    assert "ended after update 6" in watch.in_words(begun, 50, 6, 2, 1)
    table = watch.numbers(
        trajectory(LEARN, begun.theta(3)[2], replay(LEARN, begun.theta(3)[2], 2, 3), 1)
    )
    assert len(table) == returns[1]


# ── Runs ─────────────────────────────────────────────────────────────────────────────────────


def test_what_the_recorded_runs_show(tmp_path):
    """The titles of run, loss and seeds hold in the runs that these steps open with."""
    own = recorded(tmp_path / "own.run", LEARN)
    metrics = own.metrics()
    assert metrics["solved"][-1].all()
    middle = loss.middle_of(own)
    assert middle["episode_return"].iloc[-1] == 500
    assert takeaways.loss_verdict(own) == "rose"
    assert middle["pseudo_loss"].iloc[-1] > 100 * middle["pseudo_loss"].iloc[0]
    assert f"{takeaways.ends(middle['pseudo_loss'].to_numpy())[1]:,.0f}" in loss.in_words(own)
    marks = loss.marks(middle)
    assert marks["episode_return"].is_monotonic_increasing

    full = recorded(tmp_path / "full.run", FULL.replace(num_updates=own.num_updates))
    behind = full.metrics()["episode_return"][-1]
    assert np.ptp(behind) > 200
    assert full.metrics()["solved"][-1].sum() < own.num_seeds / 2
    said = seeds.in_words(own, full)
    when = seeds.solved_after(own)["solved after"]
    for number in (f"{when.min():.0f} to {when.max():.0f}", f"{behind.min():.0f} to 500"):
        assert number in said
    assert len(seeds.numbers({"reinforce": own, "full-return": full})) == 16

    found = update_step.measured(own, update_step.START, 0)
    sentences = {
        "run": [run_step.in_words(own, 1), run_step.in_words(own, 16)],
        "watch": [
            watch.in_words(own, 60, own.num_updates, 0, 0),
            watch.in_words(own, 12, 12, 0, 0),
        ],
        "episode": [episode.in_words(episode.pushes(own, episode.START, 0, 0))],
        "update": [update_step.in_words(found["squares"], found["pulls"])],
        "loss": [loss.in_words(own)],
        "seeds": [said],
    }
    page = page_of("reinforce")
    for slug, spoken in sentences.items():
        step = page.step(slug)
        known = glossary.introduced_before(page, step) | {*step.introduces}
        assert set(glossary.mentioned(" ".join(spoken))) <= known, slug


def test_titles_of_runs_claim_only_what_the_curves_show():
    rising, level = (pd.DataFrame({"episode_return": y}) for y in ([20, 90], [20, 25]))
    assert "longer" in run_step.title(rising)
    assert "longer" not in run_step.title(level)
    both = pd.DataFrame(
        {"update": [*range(20)] * 2, "method": ["reinforce"] * 20 + ["full-return"] * 20}
    )
    late = both.assign(episode_return=[100] * 20 + [50] * 20)
    assert "learns later" in seeds.title(late)
    assert "learns later" not in seeds.title(late.assign(episode_return=100))
    assert "learns later" not in seeds.title(late[:20])
    assert "learns later" not in seeds.title(late[:0])


def test_what_counts_as_solved_in_words_is_what_training_counts():
    assert learning.SOLVED_EPISODES == loop.SOLVED_EPISODES
    assert loop.Learners(LEARN, [0]).solved_at == learning.SOLVED_RETURN
    assert learning.MAX_RETURN == MAX_EPISODE_STEPS
    assert run_step.Agent.of(LEARN).num_parameters == 193


def test_old_episodes_agree_with_the_slope_at_one_policy_alone():
    """What the title says, for every position of the slider."""
    steps = np.linspace(0.01, 0.99, 99) + 1e-4
    slopes = np.array([reuse.slope(p) for p in steps])
    for old in fresh.OLD.options:
        left, right = (reuse.slope_with_old_episodes(old, p) for p in (1e-9, 1 - 1e-9))
        gaps = (1 - steps) * left + steps * right - slopes
        assert np.count_nonzero(np.diff(np.sign(gaps))) == 1


def test_the_sentence_of_the_surrogate_can_be_computed_by_hand():
    assert "(6 · 1 · 0.6 − 4 · 0.8 · 0.4) / 10 = +0.232" in surrogate.in_words(6)


def test_a_run_in_words_for_one_seed_and_for_many():
    returns = [[20, 30, 20, 20], [300, 40, 20, 20], [250, 500, 400, 300]]
    told = Told(
        episode_return=returns, solved=[[0] * 4, [0] * 4, [0, 1, 1, 0]], env_steps=[[9e3] * 4] * 3
    )
    assert "20 to 250" in run_step.in_words(told, 1)
    assert "lost 50" in run_step.in_words(told, 1)
    assert "2 of 4" in run_step.in_words(told, 4)
    assert "36 k" in run_step.in_words(told, 4)
    calm = Told(episode_return=[[20], [30]], solved=[[0], [0]], env_steps=[[9], [9]])
    assert "lost" not in run_step.in_words(calm, 1)
    thin, middle = run_step.curves(told, 4)
    assert len(thin) == 12
    assert middle["episode_return"].tolist() == [20, 30, 350]
    names = run_step.ends(middle, middle, 4)
    assert names["episode_return"].max() - names["episode_return"].min() >= 30


def test_seeds_in_words_where_none_is_solved():
    none = Told(solved=[[0, 0]], episode_return=[[20, 40]])
    assert "no seed" in seeds.in_words(none, none)
    assert "20 to 40" in seeds.in_words(none, none)
    ends = seeds.ends(
        pd.DataFrame(
            {"method": ["a", "b"], "update": [3, 3], "episode_return": [400.0, 410.0]}
        ).replace({"a": "reinforce", "b": "full-return"})
    )
    assert np.diff(ends["episode_return"]) >= seeds.LABEL_GAP


def test_the_guess_about_the_loss_is_drawn_where_it_was_made():
    middle = pd.DataFrame(
        {"update": [0, 1], "episode_return": [9, 99], "pseudo_loss": [200.0, 4e4]}
    )
    for guess, did in loss.ANSWERS.items():
        line = loss.guessed(middle, guess)["pseudo_loss"].to_numpy()
        assert np.sign(line[1] - line[0]) == {"fell": -1, "rose": 1}.get(did, 0)
    assert loss.guessed(middle, "").empty


# ── Write and check ──────────────────────────────────────────────────────────────────────────


def test_the_exercise_is_the_function_that_is_tested_with_four_lines_left_out():
    source = write.solution()
    compile(source, "solution", "exec")
    gaps = gaps_of(source, write.HINTS)
    assert len(gaps) == len(write.HINTS) == 4
    skeleton = with_gaps(source, gaps)
    compile(skeleton, "skeleton", "exec")
    assert inspect.getsource(write.reinforce.reinforce) in source
    assert all(line not in skeleton for line in gaps)
    assert all(f"gap {k}" in skeleton for k in (1, 2, 3, 4))


@pytest.mark.parametrize("maker", check.QUESTIONS)
def test_every_question_has_a_reply_to_each_answer(maker):
    question = maker()
    assert len(question.answers) == len(question.replies) == 3
    assert len(set(question.answers)) == 3
    assert 0 <= question.right < 3


def test_the_answers_are_what_was_computed():
    weight, positive, says, sign, old = (maker() for maker in check.QUESTIONS)
    assert weight.answers[weight.right] == "2"
    assert "(+0.048, −0.048)" in positive.replies[1]
    assert "0.61 to 7.34" in says.replies[1]
    assert sign.answers == ("at 0.423", "at 0.400", "at 0.377")
    assert "−0.45" in old.replies[old.right]
