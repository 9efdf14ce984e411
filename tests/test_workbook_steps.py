"""The workbook: its answers held to exact worlds, its replies to known slips, and the sheet."""

import json
from itertools import product

import numpy as np
import pytest

from pgviz.exact import subtracted
from pgviz.exact.values import gradient
from pgviz.lessons import page_of
from pgviz.lessons.workbook import best, mean, share, sheet, tune, words
from pgviz.lessons.workbook import drawn as numbers_drawn
from pgviz.measure import drills
from pgviz.measure.best_lambda import of_world
from pgviz.worlds.drawn import drawn
from pgviz.worlds.tabular import TabularMDP
from tests.walks import opened
from tests.walks import words as said

PAGE = page_of("workbook")
QUESTIONS = {"mean": mean.question, "best": best.question, "share": share.question}
DRAWN = range(1, 60)


def as_world(arms):
    """The two arms as a finite world."""
    return TabularMDP(
        name="arms",
        transitions=np.array([[[0, 1.0], [0, 1.0]]]),
        rewards=np.array([[arms.first, arms.second]]),
        horizon=1,
        theta=np.log([[arms.p, 1 - arms.p]]),
    )


@pytest.mark.parametrize("number", DRAWN)
def test_the_mean_is_the_gradient_and_no_b_has_less_variance_than_the_best(number):
    arms = drills.arms(number)
    assert arms.mean == pytest.approx(gradient(as_world(arms))[0, 0])
    for b in arms.best + np.linspace(-3, 3, 25):
        assert arms.variance(b) >= arms.variance(arms.best) - 1e-9
    draw = np.random.default_rng(number).random(200_000) < arms.p
    update = np.where(draw, (1 - arms.p) * (arms.first - arms.b), -arms.p * (arms.second - arms.b))
    assert update.mean() == pytest.approx(arms.mean, abs=5 * update.std() / 447 + 1e-9)
    assert update.var() == pytest.approx(arms.variance(arms.b), rel=0.05, abs=0.05)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_a_group_with_the_own_return_leaves_all_but_a_kth(size):
    """Summed over all groups: E[(R₁ − mean) ∂log π(a₁)] against ∇J."""
    arms = drills.arms(4)
    total = 0.0
    for pulls in product((True, False), repeat=size):
        chance = np.prod([arms.p if first else 1 - arms.p for first in pulls])
        paid = [arms.first if first else arms.second for first in pulls]
        score = 1 - arms.p if pulls[0] else -arms.p
        total += chance * (paid[0] - np.mean(paid)) * score
    assert total / arms.mean == pytest.approx(drills.kept_by_group(size))


def test_the_running_mean_leaves_what_the_page_on_baselines_says():
    how = next(s for s in subtracted.SUBTRACTIONS if "running mean" in s.title)
    world = as_world(drills.arms(7))
    kept = subtracted.effect(world, how).kept
    assert kept == pytest.approx(drills.kept_by_running_mean(subtracted.RATE))


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("number", DRAWN)
def test_the_answer_is_right_also_when_rounded_and_no_slip_is(name, number):
    drill = QUESTIONS[name](number)
    assert drill.reply(round(drill.answer, 2))[0]
    for value, why in drill.slips:
        right, reply = drill.reply(value)
        near = abs(value - drill.answer) <= 0.022
        assert right or reply == why or near or reply in [w for _, w in drill.slips]
        assert not right or abs(value - drill.answer) <= 0.011
    assert not drill.reply(drill.answer + 50)[0]


def test_a_learner_answers_with_numbers_drawn_anew():
    app = opened("workbook", "mean", drawn=3)
    field = lambda: next(x for x in app.number_input if x.label == "The mean of ĝ")  # noqa: E731
    drill = mean.question(3)
    field().set_value(drill.answer + 7).run()
    app.button(key="drill.workbook-mean.check").click().run()
    assert said(app, "gate", PAGE, PAGE.step("mean"))[0].startswith("✗")
    field().set_value(round(drill.answer, 3)).run()
    for _ in range(2):  # the same numbers count once
        app.button(key="drill.workbook-mean.check").click().run()
    assert said(app, "gate", PAGE, PAGE.step("mean"))[0].startswith("✓")
    assert "1 of 3" in said(app, "says", PAGE, PAGE.step("mean"))[0]
    app.button(key="draw-workbook-mean").click().run()
    assert app.session_state[numbers_drawn.NUMBER.name] in range(1, 1000)
    assert field().value is None
    assert not app.exception


def test_own_words_come_first_and_stay():
    step = PAGE.step("words")
    app = opened("workbook", "words")
    model = words.MODELS[words.QUESTION.options[0]][0]
    app.text_area(key="words.0").set_value("too short").run()
    assert not any(model in text for text in said(app, "picture", PAGE, step))
    mine = "Scores average to zero in every state, so a number " * 2 + "<b>drops</b> | out"
    app.text_area(key="words.0").set_value(mine).run()
    assert any(model in text for text in said(app, "picture", PAGE, step))
    app.checkbox(key="words.0.0").check().run()
    assert "1 of 3 points" in said(app, "says", PAGE, step)[0]
    app.query_params["step"] = "sheet"
    app.run()
    table = said(app, "picture", PAGE, PAGE.step("sheet"))[0]
    assert "Scores average to zero" in table
    assert "<b>" not in table
    app.query_params["step"] = "words"
    app.run()
    assert app.text_area(key="words.0").value == mine


def test_only_the_first_choice_of_lambda_counts():
    app = opened("workbook", "tune", drawn=5)
    shape, error, num_episodes = tune.task(5)
    found = of_world("ladder", shape)
    best_one = found.best_lambda(error, num_episodes)
    assert tune.times(found, error, num_episodes, best_one) == pytest.approx(1)
    far = max(tune.LAMBDA.options, key=lambda lam: tune.times(found, error, num_episodes, lam))
    nearest = min(tune.LAMBDA.options, key=lambda lam: abs(lam - best_one))
    for chosen in (far, nearest):
        app.select_slider(key="tuned").set_value(chosen).run()
        app.button(key="workbook.tune.score").click().run()
    assert app.session_state["progress"]["workbook/tune"]["answered"] == [False]
    assert "1" in said(app, "says", PAGE, PAGE.step("tune"))[0]


def test_the_sheet_names_what_was_done_and_nothing_in_it_is_live():
    steps = {
        "theorem/guess": {"guess": 59},
        "theorem/no-log": {"guess": "<script>alert(1)</script> | `x`"},
        "theorem/policy": {},
        "pitfalls/case-1": {"answered": [True, True], "looked": ["return"], "passed": True},
        "workbook/exercise-gae": {"checked": "gae passed"},
        "no/such-step": {"words": "[a](javascript:alert(1))"},
    }
    rows = dict(sheet.rows(steps))
    assert len(rows) == 5
    assert any("✓" in what for what in rows.values())
    page = sheet.printable(steps)
    assert "<script" not in page
    assert "<script" not in str(rows)
    assert "](" not in str(rows)
    assert "1 wrong line found" in sheet.sentence(steps)
    assert "2 predictions" in sheet.sentence(steps)


def test_drawn_worlds_are_proper_and_each_has_its_own_numbers():
    seen = set()
    for number in range(1, 1000, 7):
        world = drawn(number)
        assert world.horizon == 3
        assert (world.policy > 0).all()
        seen.add(json.dumps([world.transitions.tolist(), world.rewards.tolist()]))
    assert len(seen) == len(range(1, 1000, 7))
