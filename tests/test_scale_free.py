"""Rewards in another unit: every reward times c > 0 changes numbers by c or c², and no word."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_worlds import random_world

from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.landscape import knob
from pgviz.figures import number
from pgviz.lessons.theorem import average, causality, climb, discount, proof, unrolled
from pgviz.measure import ledger
from pgviz.measure.noise import in_figures
from pgviz.measure.report import moments_report, table
from pgviz.proofs.derivation import derivations
from pgviz.proofs.receipts import read_out
from pgviz.ui.proof import both
from pgviz.worlds.named import short_corridor
from pgviz.worlds.tabular import TabularMDP

NUMBER = r"[−-]?\d+(,\d{3})*(\.\d+)?(e[+−-]\d+)?"
UNITS = st.floats(-9, 9).map(lambda x: 10**x)


def words(text):
    """A text without its numbers, its lines and the width of its columns."""
    return " ".join(re.sub(NUMBER, "#", text).split())


def small(world):
    """The world with rewards so small that 1e9 times them are still allowed."""
    return replace(world, rewards=1e-4 * np.asarray(world.rewards))


def times(world, c):
    return replace(world, rewards=c * np.asarray(world.rewards))


def bandit(*rewards):
    return TabularMDP(
        "arms",
        [[[0, 1]] * len(rewards)],
        [list(rewards)],
        [1],
        1.0,
        None,
        None,
        np.zeros((1, len(rewards))),
    )


# Where something is zero: gradient, spread, advantage, bias; and where it is only small.
EDGES = [
    bandit(1e-4, 0.0),
    bandit(3e-5, 3e-5, 3e-5),
    bandit(1e-4, 1.001e-4),
    small(replace(random_world(7, 2, 2), rewards=np.zeros((2, 2, 3)))),
    small(short_corridor(2 - 2**0.5)),
    small(random_world(1, 3, 3, gamma=0.9)),
    small(random_world(2, 2, 2, 1, horizon=3)),
]


def described(world, kind, c):
    values = true_values(world)
    return {
        "full-return": GradientEstimator("full-return"),
        "reward-to-go": GradientEstimator("reward-to-go", 3e-5 * c),
        "td": GradientEstimator("td", values=values),
        "gae": GradientEstimator("gae", values=0.5 * values, gae_lambda=0.5),
    }[kind]


@given(
    st.sampled_from(EDGES)
    | st.builds(lambda seed: small(random_world(seed, 2, 3)), st.integers(0, 99)),
    st.sampled_from(["full-return", "reward-to-go", "td", "gae"]),
    UNITS,
    st.just(9),
)
@settings(max_examples=20, deadline=None)
@example(EDGES[5], "reward-to-go", 1e-9, 40)
@example(EDGES[6], "gae", 1e9, 40)
def test_the_moments_command_says_the_same_in_every_unit(world, kind, c, num_episodes):
    one, other = (
        moments_report(w, described(w, kind, k), num_episodes=num_episodes)
        for w, k in ((world, 1.0), (times(world, c), c))
    )
    assert words(table(other)) == words(table(one))
    powers = {"objective": 1, "bias_squared": 2, "covariance_trace": 2, "best_constant_baseline": 1}
    powers |= {"cosine": 0, "signal_to_noise": 0, "wrong_sign": 0, "gradient": 1, "mean": 1}
    for report, twin in ((one, other), (one["measured"], other["measured"])):
        for key, power in powers.items():
            if report.get(key) is None:
                assert twin.get(key) is None
                continue
            expected = np.array(report[key]) * c**power
            size = report["covariance_trace"] * c**2 if key == "bias_squared" else expected
            np.testing.assert_allclose(
                twin[key], expected, rtol=1e-5, atol=1e-9 * np.abs(size).max(), err_msg=key
            )
            assert np.any(twin[key]) == np.any(report[key]), key


def test_a_millionth_is_a_reward_like_any_other():
    """It was told that its gradient is zero and, beside it, that five episodes suffice."""
    report = moments_report(bandit(1e-6, 0.0), GradientEstimator("reward-to-go"))
    assert report["notes"] == []
    assert report["cosine"] == pytest.approx(1)
    assert report["episodes_for_cosine"] is not None


@given(st.sampled_from(EDGES[:1] + EDGES[3:]), UNITS)
@settings(max_examples=6, deadline=None)
def test_receipts_hold_or_fail_in_every_unit(world, c):
    for name, lines in derivations.items():
        breaks = sorted({b for line in lines for b in line.breaks})
        for broken in (None, breaks[0]):
            one, other = (
                read_out(w, name, broken, num_episodes=20) for w in (world, times(world, c))
            )
            for left, right in zip(one, other, strict=True):
                told = [(r.title, words(r.reason), r.where, r.mark, r.note) for r in (left, right)]
                assert told[0] == told[1]
                zeros = [(r.left == "0", r.right == "0") for r in (left, right)]
                assert zeros[0] == zeros[1]


# The steps of the theorem, where a visitor's world may pay in any unit.
UNSIGNED = rf"[+−-]?({NUMBER})(·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"


def plain(text):
    """A sentence of a step without its numbers."""
    return re.sub(UNSIGNED, "#", text)


@given(st.sampled_from(EDGES), UNITS)
@settings(max_examples=8, deadline=None)
@example(EDGES[5], 1e-9)
@example(EDGES[6], 1e9)
def test_the_steps_of_the_theorem_say_the_same_in_every_unit(world, c):
    actions = [f"action {a}" for a in range(world.num_actions)]

    def said(w, unit):
        broken = [
            (line.title, name)
            for line in proof.PROOF
            for name in (None, *line.line.breaks)
            if name is None or name in proof.BREAKS
        ]
        found = [proof.evaluate(w, title, name, tuple(actions)) for title, name in broken]
        told = [[(x.reading.mark, x.sides["same"].tolist()) for x in found]]
        told += [plain(both(x.reading)) for x in found]
        for show in ("mean", "spread"):
            table = causality.pairs(w, show)
            told.append((table["value"] == 0).tolist())
        told.append(plain(causality.sentence(*causality.noise(w), keep=True)))
        for name in (None, *unrolled.BREAKS):
            told.append(plain(unrolled.sentence(unrolled.sums(w, name), name)))
        run = climb.race(w, 0, "drop the log", 0.3 / unit, 2, 0)
        drawn, _ = climb.in_frame(run.steps)
        told += [climb.headline(run), plain(climb.sentence(run)), drawn["drawn"].isna().tolist()]
        told.append(plain(average.sentence(average.means(w, 0), 100)))
        told.append(plain(discount.curl_sentence(discount.field_of(w, 0.5))))
        if knob(w, 0) is not None:
            paths = discount.along(w, 0)
            told += [plain(discount.sentence(paths, 0.5)), len(discount.labels(paths))]
        return told

    assert said(times(world, c), c) == said(world, 1.0)


@given(UNITS)
@settings(max_examples=6, deadline=None)
def test_a_ledger_says_the_same_in_every_unit(c):
    c = min(c, 1e6)  # the editor takes numbers up to 1e9
    for name in ("a fall", "two episodes", "a time limit"):
        typed = ledger.LEDGERS[name]()
        scaled = typed.assign(**{k: typed[k] * c for k in ("reward", "value", "final_value")})
        for bug in (ledger.LIMIT, ledger.LEAK):
            one, other = (ledger.Ledger.of(x, 0.99, 0.95) for x in (typed, scaled))
            np.testing.assert_allclose(other.with_bug(bug), c * one.with_bug(bug), rtol=1e-6)


def test_a_small_number_is_shown_as_it_is():
    assert number(-2.5e-14) == "−2.5·10⁻¹⁴"
    assert number(-0.0) == number(0.0) == "0"
    assert in_figures(2.5e-10) == "2.5e-10"
    assert in_figures(4.0000000001) == "4"
    assert isinstance(ledger.LEDGERS["a fall"](), pd.DataFrame)
