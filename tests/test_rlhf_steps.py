"""What the RLHF page claims, held to brute force, derivatives and whole runs in the toy language."""

import re
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pgviz.exact import language, length
from pgviz.lessons import page_of
from pgviz.lessons.rlhf import (
    baselines,
    check,
    kl,
    optimum,
    proxy,
    reading,
    run,
    shared,
    spread,
    write,
)
from pgviz.lessons.rlhf import length as length_step
from pgviz.measure import wording
from pgviz.ui.exercise import gaps_of, with_gaps
from tests.walks import revealed, words

REF = language.reference()
LOG_REF = language.log_probs(REF)
P_REF = np.exp(LOG_REF)


def other(seed, positions=False, size=0.6):
    draw = np.random.default_rng(seed)
    shape = (language.LENGTH, *REF.shape) if positions else REF.shape
    return REF + size * draw.normal(size=shape)


# ── The language ─────────────────────────────────────────────────────────────────────────────


def test_all_sentences_are_listed_once_and_their_probabilities_sum_to_one():
    assert len({tuple(y) for y in language.sentences()}) == 8**4
    for theta in (REF, other(0), other(1, positions=True)):
        assert np.exp(language.log_probs(theta)).sum() == pytest.approx(1, abs=1e-12)


def test_a_sentence_is_as_likely_as_its_tokens_one_after_the_other():
    theta = other(2)
    y = (3, 3, 0, 7)
    chance, before = 1.0, language.START
    for token in y:
        row = np.exp(theta[before]) / np.exp(theta[before]).sum()
        chance, before = chance * row[token], token
    index = int(np.flatnonzero((language.sentences() == y).all(axis=1))[0])
    assert np.exp(language.log_probs(theta)[index]) == pytest.approx(chance, rel=1e-12)


def test_the_published_numbers_of_the_reference_model():
    assert P_REF @ language.counting() == pytest.approx(0.1158240516, abs=1e-9)
    assert pytest.approx(7.7604702375, abs=1e-9) == -(P_REF @ LOG_REF)


@pytest.mark.parametrize("positions", [False, True])
def test_scores_are_slopes_of_log_probabilities(positions):
    theta = other(3, positions)
    score = language.scores(theta)
    assert np.abs(np.exp(language.log_probs(theta)) @ score).max() < 1e-12
    for flat in np.random.default_rng(0).choice(theta.size, 12, replace=False):
        nudge = np.zeros(theta.size)
        nudge[flat] = 1e-5
        up, down = (language.log_probs(theta + s * nudge.reshape(theta.shape)) for s in (1, -1))
        np.testing.assert_allclose(score[:, flat], (up - down) / 2e-5, atol=1e-8)


# ── The optimum ──────────────────────────────────────────────────────────────────────────────


def test_the_optimum_at_beta_one():
    log_best, top = language.best_policy(language.counting(), 1.0, LOG_REF)
    best = np.exp(log_best)
    assert top == pytest.approx(0.1345363748, abs=1e-9)
    assert best @ language.counting() == pytest.approx(0.1548470838, abs=1e-9)
    assert language.kl(log_best, LOG_REF) == pytest.approx(0.0203107091, abs=1e-9)
    assert language.objective(log_best, language.counting(), 1.0, LOG_REF) == pytest.approx(top)


@given(st.integers(0, 50), st.sampled_from(shared.BETA.options))
def test_no_policy_has_a_larger_j_and_every_one_lies_below_by_beta_kl(seed, beta):
    """J* − J(π) = β KL(π ‖ π*), for any π."""
    log_p = language.log_probs(other(seed))
    log_best, top = language.best_policy(language.counting(), beta, LOG_REF)
    gap = top - language.objective(log_p, language.counting(), beta, LOG_REF)
    assert gap == pytest.approx(beta * language.kl(log_p, log_best), rel=1e-8, abs=1e-10)


def test_the_gradient_of_j_is_its_slope_in_every_direction():
    theta, rewards, beta = other(4), language.divisible(), 0.4
    found = language.gradient(theta, rewards, beta, LOG_REF)
    for flat in range(0, theta.size, 7):
        nudge = np.zeros(theta.size)
        nudge[flat] = 1e-6
        up, down = (
            language.objective(
                language.log_probs(theta + s * nudge.reshape(theta.shape)), rewards, beta, LOG_REF
            )
            for s in (1, -1)
        )
        assert found[flat] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-8)


def test_the_optimum_in_words():
    assert "J = 0.155 − 1 · 0.020 = 0.135" in optimum.sentence(1.0)
    bars = optimum.table(shared.best(0.3)[0])
    assert bars.groupby("policy")["probability"].sum().to_numpy() == pytest.approx(1)


# ── Groups ───────────────────────────────────────────────────────────────────────────────────


def small_group_moments(chances, rewards, score, group, baseline):
    """Mean and covariance trace of ĝ by listing every group of K."""
    mean, square = 0.0, 0.0
    for members in product(range(len(chances)), repeat=group):
        chosen = np.array(members)
        r = rewards[chosen]
        weight = r - baseline(r)
        estimate = (weight[:, None] * score[chosen]).mean(axis=0)
        chance = chances[chosen].prod()
        mean = mean + chance * estimate
        square += chance * float(estimate @ estimate)
    return mean, square - float(mean @ mean)


BASELINES = {
    "no baseline": lambda r: np.zeros_like(r),
    "leave one out": lambda r: (r.sum() - r) / (len(r) - 1),
    "group mean": lambda r: np.full_like(r, r.mean()),
}


@pytest.mark.parametrize("group", [2, 3, 4])
def test_the_moments_of_a_group_are_those_of_all_groups_listed(group, monkeypatch):
    """In a language of five sentences."""
    draw = np.random.default_rng(0)
    theta = draw.normal(size=5)
    p = np.exp(theta) / np.exp(theta).sum()
    score, rewards = np.eye(5) - p, draw.normal(size=5)
    monkeypatch.setattr(language, "log_probs", lambda theta: np.log(p))
    monkeypatch.setattr(language, "scores", lambda theta: score)
    found = language.group_moments(theta, rewards, group)
    true = (p * rewards) @ score
    for name, baseline in BASELINES.items():
        mean, trace = small_group_moments(p, rewards, score, group, baseline)
        np.testing.assert_allclose(mean, found[name][0] * true, atol=1e-12)
        assert trace == pytest.approx(found[name][1], rel=1e-9)


def test_leave_one_out_does_not_always_beat_no_baseline():
    at = {k: language.group_moments(REF, language.counting(), k) for k in (2, 4, 8)}
    assert at[2]["leave one out"][1] > at[2]["no baseline"][1]
    assert at[4]["leave one out"][1] < at[4]["no baseline"][1]
    assert "more than" in baselines.sentence(2)
    assert "less than" in baselines.sentence(8)
    assert "88 % of ∇J" in baselines.sentence(8)


@pytest.mark.parametrize("success", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("group", [2, 3, 5])
def test_the_factor_of_a_prompt_is_that_of_all_groups_listed(success, group):
    """Two answers, right and wrong; θ is the log-odds of the right one: ∇p = p (1 − p)."""
    chances, rewards = np.array([1 - success, success]), np.array([0.0, 1.0])
    score = np.array([[-success], [1 - success]])

    def estimate(members):
        r = rewards[list(members)]
        if r.std() == 0:
            return 0.0
        return float((((r - r.mean()) / r.std())[:, None] * score[list(members)]).mean())

    mean = sum(chances[list(m)].prod() * estimate(m) for m in product(range(2), repeat=group))
    factor = language.divided_by_spread(success, group)
    assert mean == pytest.approx(factor * success * (1 - success), rel=1e-9)
    assert group > 2 or factor == pytest.approx(1)


def test_hard_prompts_count_more():
    assert language.divided_by_spread(0.05, 16) > 1.4 * language.divided_by_spread(0.5, 16)
    assert spread.table()["factor"].notna().all()


# ── The KL ───────────────────────────────────────────────────────────────────────────────────


def test_what_each_loss_does_on_average():
    """k₁ nothing; k₂ ∇KL(π‖ref); k₃ ∇KL(ref‖π): held to slopes of both divergences."""
    theta = other(5)
    found = language.kl_losses(theta, LOG_REF)
    assert np.abs(found["k1 as a loss"]).max() < 1e-12
    np.testing.assert_array_equal(found["k2 as a loss"], found["k1 in the reward"])
    for flat in range(0, theta.size, 11):
        nudge = np.zeros(theta.size)
        nudge[flat] = 1e-6
        up, down = (language.log_probs(theta + s * nudge.reshape(theta.shape)) for s in (1, -1))
        forward = (language.kl(up, LOG_REF) - language.kl(down, LOG_REF)) / 2e-6
        backward = (language.kl(LOG_REF, up) - language.kl(LOG_REF, down)) / 2e-6
        assert found["k2 as a loss"][flat] == pytest.approx(forward, rel=1e-4, abs=1e-7)
        assert found["k3 as a loss"][flat] == pytest.approx(backward, rel=1e-4, abs=1e-7)


def test_k1_and_k3_have_the_kl_as_their_mean_and_the_inverted_ones_have_not():
    theta = other(6)
    true = language.kl(language.log_probs(theta), LOG_REF)
    found = {name: mean for name, (mean, _) in language.kl_estimates(theta, LOG_REF).items()}
    first, second, third, *turned = found.values()
    assert (first, third) == (pytest.approx(true), pytest.approx(true))
    assert second != pytest.approx(true, rel=0.01)
    assert turned[0] == pytest.approx(-true)
    assert turned[1] != pytest.approx(true, rel=0.1)


def test_the_prediction_about_k1():
    assert kl.verdict("Nothing")[0]
    assert not kl.verdict("It lowers the KL")[0]
    table = kl.losses_table(1.4).set_index("name")
    assert table.loc["k1 as a loss", "length"] == 0
    assert table.loc["k2 as a loss", "cosine"] == pytest.approx(1)
    assert table.loc["k3 as a loss", "cosine"] < 0.999
    same = kl.losses_table(0.0)
    assert np.isfinite(same["length"]).all()


# ── Length, proxy, training ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_slope_of_a_length_reward_and_nothing_of_it_once_divided(p):
    assert length.chances(p).sum() == pytest.approx(1)
    rewards = length.REWARDS["its length"]()

    def mean(theta):
        q = 1 / (1 + np.exp(-theta))
        return float(length.chances(q) @ rewards)

    theta = np.log(p / (1 - p))
    slope = (mean(theta + 1e-6) - mean(theta - 1e-6)) / 2e-6
    assert length.slope(p, rewards) == pytest.approx(slope, rel=1e-6)
    assert length.slope(p, rewards, divided=True) == pytest.approx(0, abs=1e-14)
    assert "0 exactly" in length_step.sentence("its length")


def test_the_proxy_goes_up_and_what_was_meant_comes_down():
    table = proxy.along_beta().pivot(index="beta", columns="kind", values="mean")
    table = table.sort_index(ascending=False)
    assert (np.diff(table["proxy"]) > 0).all()
    gold = table["what is meant"].to_numpy()
    assert 0 < gold.argmax() < len(gold) - 1
    assert gold[-1] < gold[0]
    assert "less than the reference model" in proxy.sentence(0.02, float(gold.max()))


def test_drawn_sentences_have_their_probabilities():
    draw = np.random.default_rng(0)
    table = language.log_softmax(np.broadcast_to(REF, (1, 4, *REF.shape)))
    tokens = wording.drawn(table, draw.gumbel(size=(1, 40_000, 4, 8)))[0]
    counts = np.bincount(tokens @ wording.BASE, minlength=8**4)
    first = counts.reshape(8, -1).sum(axis=1) / len(tokens)
    expected = P_REF.reshape(8, -1).sum(axis=1)
    assert np.abs(first - expected).max() < 5 * np.sqrt(0.25 / len(tokens))
    mean = (counts / len(tokens)) @ language.counting()
    error = np.sqrt(P_REF @ (language.counting() - 0.1158) ** 2 / len(tokens))
    assert abs(mean - P_REF @ language.counting()) < 5 * error


def test_the_rows_of_drawn_sentences_are_those_of_the_list():
    rows = language.sentences() @ wording.BASE
    np.testing.assert_array_equal(rows, np.arange(8**4))


@pytest.mark.parametrize("name", wording.METHODS)
def test_advantages_of_a_group_are_rewards_minus_their_baseline(name):
    rewards = np.random.default_rng(1).normal(size=(2, 12))
    found = wording.advantages(rewards, name, 4)
    for mine, theirs in zip(found.reshape(-1, 4), rewards.reshape(-1, 4), strict=True):
        np.testing.assert_allclose(mine, theirs - BASELINES[name](theirs), atol=1e-12)


def test_with_a_baseline_training_ends_at_the_best_policy():
    """There r − β log π/π_ref is one number for all sentences, and the others' mean leaves nothing."""
    found = {name: wording.train(name, 4, 0.3) for name in wording.METHODS}
    last = {name: float(x.distance[-1].mean()) for name, x in found.items()}
    assert last["leave one out"] < 1e-3
    assert last["leave one out"] < last["group mean"] < last["no baseline"]
    for each in found.values():
        assert (each.objective <= each.best + 1e-12).all()
        gap = each.best - each.objective
        np.testing.assert_allclose(gap, 0.3 * each.distance, rtol=1e-6, atol=1e-9)
    table = wording.curves(wording.METHODS, 4, 0.3)
    assert run.arrives(table)
    assert "the best possible is 0.1914" in run.sentence(table, 0.3)


def test_every_answer_called_right_is_right():
    for make in check.QUESTIONS:
        question = make()
        assert len(question.answers) == len(question.replies)
        assert 0 <= question.right < len(question.answers)
    assert "0.1345" in check.where_constant().replies[2]


# ── Write, and read on ───────────────────────────────────────────────────────────────────────


def test_the_file_to_write_has_three_gaps():
    source = write.solution()
    gaps = gaps_of(source, write.HINTS)
    skeleton = with_gaps(source, gaps)
    assert len(gaps) == skeleton.count("# gap") == 3
    assert not any(line in skeleton for line in gaps)
    compile(skeleton, "skeleton", "exec")


def objectives(old="", new=""):
    """J of the file to write after every 20 updates, with one part of it changed."""
    assert write.solution().count(old) == 1 or not old
    names = {"__name__": "written"}
    exec(write.solution().replace(old, new) if old else write.solution(), names)
    torch.manual_seed(0)
    ref_logits = names["reference"]()
    logits, told = ref_logits.clone().requires_grad_(), []
    for _ in islice(names["rloo"](logits, ref_logits, write.BETA), 0, 200, 20):
        told.append(names["exactly"](logits, ref_logits, write.BETA)[0])
    return [language.objective(LOG_REF, language.counting(), write.BETA, LOG_REF), *told]


def test_what_the_words_say_of_j_is_what_the_file_does():
    best = shared.best(write.BETA)[1]
    right = objectives()
    assert right[-1] == pytest.approx(best, abs=1e-3)
    assert (np.diff(right) > 0).all()
    assert (np.diff(objectives("loss = -(", "loss = (")) < 0).all()
    for wrong in ("reward(y)", "reward(y) + beta * log_ratios"):
        found = objectives("reward(y) - beta * log_ratios", wrong)
        assert max(found[:3]) > found[0] > found[-1]


def test_every_chapter_has_a_title_and_an_address_of_its_own():
    for number, (title, name) in reading.CHAPTERS.items():
        assert re.fullmatch(r"\d\d-[a-z-]+", name)
        assert int(name[:2]) == number
        assert reading.link(number) == f"[{number}. {title}](https://rlhfbook.com/c/{name})"
    assert {n for chapters in reading.READ.values() for n, _ in chapters} == {*reading.CHAPTERS}
    assert {*reading.READ} <= {step.slug for step in page_of("rlhf").steps}


def test_no_other_file_of_the_page_has_an_address():
    for path in Path(reading.__file__).parent.glob("*.py"):
        assert ("http" in path.read_text()) == (path.name == "reading.py"), path.name


@pytest.mark.parametrize("slug", reading.READ)
def test_a_step_shows_its_chapters_and_no_other_links(slug):
    page = page_of("rlhf")
    step = page.step(slug)
    shown = " ".join(words(revealed(page, step), "folds", page, step))
    links = re.findall(r"\]\(([^)]*)\)", shown)
    known = {f"{reading.ADDRESS}/c/{name}" for _, name in reading.CHAPTERS.values()}
    assert set(links) <= known | {reading.ADDRESS}
    assert all(link.startswith("https://") for link in links)
    for number, why in reading.READ[slug]:
        assert f"{reading.link(number)}. {why}" in shown
