"""The blind cases: what they show, what they ask, what they count, and who may load a wrong line."""

import ast
import json
import time

import numpy as np
import pandas as pd
import pytest

from pgviz import sheets
from pgviz.lessons import page_of
from pgviz.lessons.pitfalls import CASES as PLACES
from pgviz.lessons.pitfalls import blind, reading, score, still
from pgviz.measure import symptoms
from pgviz.runs import Runs
from pgviz.training import zoo
from pgviz.training.zoo import CASES
from pgviz.worlds.world import find
from tests.real import REPO
from tests.walks import opened, words

PAGE = page_of("pitfalls")
each_case = pytest.mark.parametrize("slug", PLACES)


def case(slug):
    """The case of a step."""
    return PAGE.module(PAGE.step(slug)).CASE


def test_every_wrong_line_has_a_step_of_its_own():
    assert sorted(name for name, *_ in PLACES.values()) == sorted(CASES)
    for slug in PLACES:
        assert case(slug).step == slug


@each_case
def test_a_case_offers_four_faults_one_of_them_its_own(slug):
    asked = case(slug)
    assert len(set(asked.names)) == 4
    assert asked.title in asked.names
    assert asked.telling in asked.reading.choice.options
    assert asked.title.split(":")[0] not in PAGE.step(slug).question


@each_case
def test_the_listing_holds_the_line_and_differs_from_the_right_one_there_alone(slug):
    asked = case(slug)
    wrong, at = asked.listing("wrong")
    right, same = asked.listing("right")
    lines, others = wrong.split("\n"), right.split("\n")
    assert len(lines) <= blind.MOST_LINES
    assert at == same
    assert lines[at - 1].strip() == asked.case.wrong
    if not asked.case.replaces:
        assert others[at - 1].strip() == asked.case.right
    assert [k for k, (a, b) in enumerate(zip(lines, others, strict=True)) if a != b] == [at - 1]


def chosen(app, label):
    """Tick this answer."""
    next(r for r in app.radio if label in r.options).set_value(label)
    return app.run()


def test_a_learner_looks_names_it_finds_the_line_and_the_score_counts_all_of_it():
    step = PAGE.step("case-4")
    app = opened("pitfalls", "case-4")
    assert app.title[0].value == "Case 4: The critic learns, the return falls"
    app.radio(key="instrument").set_value("entropy").run()
    chosen(app, "The log is missing")
    app.button(key="do-name-pitfalls-case-4").click().run()
    assert "not that" in " ".join(words(app, "gate", PAGE, step))
    chosen(app, "The advantage has the wrong sign")
    app.button(key="do-name-pitfalls-case-4").click().run()
    assert app.title[0].value.startswith("Case 4")
    listing, at = case("case-4").listing("wrong")
    assert app.code[0].value == listing
    pills = app.button_group(key="line-pitfalls-case-4")
    pills.set_value(at + 1).run()
    app.button(key="do-line-pitfalls-case-4").click().run()
    assert "the engine's own" in " ".join(words(app, "gate", PAGE, step))
    app.button_group(key="line-pitfalls-case-4").set_value(at).run()
    app.button(key="do-line-pitfalls-case-4").click().run()
    assert app.title[0].value == "The advantage has the wrong sign"
    assert app.session_state["instrument"] == "return"
    assert words(app, "gate", PAGE, step) == ["✓ Found. 2 instruments, 2 wrong answers."]
    app.query_params["step"] = "score"
    app.run()
    assert "1 of 17" in words(app, "says", PAGE, PAGE.step("score"))[0]
    app.query_params["step"] = "case-4"
    app.run()
    app.button(key="again-pitfalls-case-4").click().run()
    assert app.title[0].value.startswith("Case 4")


def test_reset_asks_a_blind_case_from_the_beginning():
    app = opened("pitfalls", "case-4")
    app.radio(key="instrument").set_value("entropy").run()
    chosen(app, "The advantage has the wrong sign")
    app.button(key="do-name-pitfalls-case-4").click().run()
    assert app.session_state["progress"]["pitfalls/case-4"]["answered"] == [True, False]
    app.button(key="walk-reset").click().run()
    assert app.title[0].value.startswith("Case 4")
    assert app.session_state["progress"]["pitfalls/case-4"] == {"looked": ["return"]}
    assert any("The log is missing" in radio.options for radio in app.radio)


def test_a_quiz_keeps_its_score_when_its_step_is_reset():
    app = opened("ppo", "check")
    app.session_state["progress"]["ppo/check"]["answered"] = [True, False, False, False]
    app.button(key="walk-reset").click().run()
    assert app.session_state["progress"]["ppo/check"]["answered"][0]


def test_the_sentence_reads_the_runs_on_the_screen(tmp_path):
    """Not those that were measured beforehand: a visitor's own run has another random seed."""
    asked = reading.Reading("no-log")
    runs = Runs(tmp_path, num_workers=1, records_ahead=False)
    try:
        mine = [c.replace(rng_seed=7, num_seeds=4, num_updates=30) for c in asked.runs]
        shown = runs.watch_all(mine, "me")
        give_up = time.monotonic() + 60
        while any(run.active for run in shown) and time.monotonic() < give_up:
            time.sleep(0.02)
        for run, config in zip(shown, asked.runs, strict=True):
            run.config = config  # as the page finds them, by what differs from the recorded ones
        low, high = (symptoms.last_tenth(r.recording().metrics(), "episode_return") for r in shown)
        said = asked.sentence("return", shown)
        assert f"is {reading._plain(low, 3)} (" in said
        assert f"right code {reading._plain(high, 3)} (" in said
        assert said != asked.sentence("return")
    finally:
        runs.close()


def test_what_was_shown_is_not_found():
    app = opened("pitfalls", "case-2")
    app.button(key="pass-pitfalls-case-2").click().run()
    assert app.title[0].value == "The baseline is the episode's own mean"
    app.query_params["step"] = "score"
    app.run()
    assert "none of the 17" in words(app, "says", PAGE, PAGE.step("score"))[0]
    table = next(x.value for x in app.dataframe if len(x.value) == len(CASES))
    assert table.loc[1].tolist() == ["2. The baseline is the episode's own mean", "shown", "", ""]
    assert table.loc[0, "case"] == "1. It settles on the worse arm"


def test_progress_keeps_what_was_looked_at_and_refuses_anything_else():
    kept = {"answered": [True, True], "looked": ["return", "entropy"], "tries": 2, "passed": True}
    text = json.dumps({"pgviz": sheets.VERSION, "steps": {"pitfalls/case-1": kept}})
    assert sheets.parsed(text)[0] == {"pitfalls/case-1": kept}
    for name, bad in ("looked", [["x"]]), ("looked", ["x" * 99]), ("tries", True), ("tries", "2"):
        text = json.dumps({"pgviz": sheets.VERSION, "steps": {"pitfalls/case-1": {name: bad}}})
        assert sheets.parsed(text)[0] == {"pitfalls/case-1": {}}


QUICK = ("no-log", "own-mean", "softmax-twice", "entropy")
IN_THE_GATE = ("sign", "gamma-twice", "time-limit", "stale")


def _by_length(name):
    return [pytest.mark.browser, *([] if name in IN_THE_GATE else [pytest.mark.long])]


@pytest.mark.parametrize(
    "name",
    [
        # For their length alone: some with the tests in a browser, most with --long.
        pytest.param(name, marks=() if name in QUICK else _by_length(name))
        for name in CASES
    ],
)
def test_what_was_shipped_is_what_is_measured(name):
    """Training is the same to the last bit wherever it runs, but for the libraries' own rounding."""
    found = json.loads(json.dumps(symptoms._rounded(symptoms.measure(name))))
    for which in symptoms.LINES:
        for metric in ("start", "worst", "solved", *symptoms.METRICS):
            ours, shipped = found[which][metric], symptoms.measured()[name][which][metric]
            assert ours == (
                shipped if shipped is None else pytest.approx(shipped, rel=0.02, abs=0.02)
            )
        if "update" in symptoms.measured()[name][which]:
            ours, shipped = (x["update"] for x in (found[which], symptoms.measured()[name][which]))
            for part in ("mean", "standard_error", "exact"):
                np.testing.assert_allclose(ours[part], shipped[part], rtol=0.02, atol=1e-3)
            assert (ours["cosine"] is None) == (shipped["cosine"] is None)
            if shipped["cosine"]:
                assert ours["cosine"][0] == pytest.approx(shipped["cosine"][0], abs=0.01)


def test_the_share_of_the_improvement_and_who_still_learns():
    """(wrong − start)/(right − start); the numbers of this table are those of the page."""
    found = symptoms.measured()["sign"]
    start, wrong, right = (
        found["right"]["start"],
        found["wrong"]["episode_return"],
        found["right"]["episode_return"],
    )
    assert symptoms.share("sign") == pytest.approx((wrong - start) / (right - start))
    assert set(symptoms.still_learn()) == {"broadcast-values", "time-limit", "leak"}
    assert still.verdict(3)[0]
    assert not still.verdict(9)[0]


def test_the_numbers_in_the_reasons_and_the_symptoms_are_those_measured():
    """What a sentence of a case states as a number, recomputed."""

    def length(name):
        update = symptoms.measured()[name]["wrong"]["update"]
        return np.linalg.norm(update["mean"]) / np.linalg.norm(update["exact"])

    measured = symptoms.measured()
    arms = find("two-arms").table
    (pi,), (paid,) = arms.policy, (arms.transitions * arms.rewards).sum(axis=-1)
    assert sorted(pi * paid) == pytest.approx([0.4 * 1, 0.6 * 0.8])
    assert (pi * paid).argmax() != paid.argmax()  # case 1
    gamma = CASES["gamma-twice"].config.gamma
    assert gamma**100 == pytest.approx(1 / 8, abs=0.01)  # case 6
    explained = [measured["no-detach"][w]["explained_variance"] for w in symptoms.LINES]
    assert explained[0] == pytest.approx(0.99, abs=0.005)  # case 7
    assert explained[0] > explained[1]
    assert measured["broadcast-loss"]["wrong"]["explained_variance"] == pytest.approx(0, abs=5e-3)
    assert length("broadcast-returns") == pytest.approx(1 / 16, rel=0.1)  # case 9
    most = np.e / (1 + np.e)
    assert most == pytest.approx(0.73, abs=0.005)  # case 15
    assert -most * np.log(most) - (1 - most) * np.log(1 - most) == pytest.approx(0.58, abs=0.005)
    assert length("softmax-in-the-loss") == pytest.approx(1 / 25, rel=0.1)  # case 16
    forwards = measured["forwards"]["wrong"]  # case 13
    assert forwards["advantage_std"] > 100 * forwards["episode_return"]


def test_a_curve_is_the_middle_of_the_seeds_in_few_points():
    draw = np.random.default_rng(0)
    metrics = {
        "entropy": draw.normal(size=(1000, 8)),
        "num_episodes": np.arange(1000.0)[:, None] * np.ones(8),
    }
    metrics["entropy"][:10] = np.nan
    middle, seeds = symptoms.curves(metrics, "entropy", "num_episodes")
    assert len(middle) == symptoms.MOST_POINTS - 1
    first = np.sort(metrics["entropy"][10:20].mean(axis=0))
    assert middle["value"].iloc[0] == pytest.approx(first[2:6].mean())
    assert middle["x"].iloc[-1] == 999
    assert (middle["low"] == middle["high"]).all()
    assert len(seeds) == 8 * len(middle)


def test_names_at_the_ends_keep_apart_within_the_axis():
    ends = pd.DataFrame({"kind": ["wrong", "right"], "value": [1.0, 1.0]})
    for top in (1.0, 2.0, 20.0):
        placed = reading.apart(ends, (0.0, top), ends)["value"].tolist()
        assert placed[1] - placed[0] >= 0.079 * top


def test_nobody_but_the_page_loads_a_wrong_line():
    allowed = {"pgviz/measure/symptoms.py", "pgviz/training/zoo.py"}
    for path in [*(REPO / "pgviz").rglob("*.py"), *(REPO / "pages").glob("*.py")]:
        name = path.relative_to(REPO).as_posix()
        if name in allowed or name.startswith("pgviz/lessons/pitfalls/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            loaded = []
            if isinstance(node, ast.Import):
                loaded = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                loaded = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
            assert not any(x and "zoo" in x.split(".") for x in loaded), name
            assert not any(x and x.startswith("pgviz.measure.symptoms") for x in loaded), name


def test_a_worker_trains_with_the_wrong_line(tmp_path):
    config = zoo.run_of("sign").replace(num_seeds=2, num_updates=2, num_envs=2)
    runs = Runs(tmp_path, num_workers=1, records_ahead=False)
    try:
        run = runs.watch(config, "me")
        assert run.key != runs.watch(CASES["sign"].config, "you").key
        runs.detach("you")
        give_up = time.monotonic() + 60
        while run.active and time.monotonic() < give_up:
            time.sleep(0.02)
        assert (run.ending, run.message) == ("finished", "")
        recording = run.recording()
        assert recording.config == config
        *_, last = zoo.Engine(CASES["sign"], "wrong").train(config)
        np.testing.assert_array_equal(recording.theta(2), last.theta)
    finally:
        runs.close()
    again = Runs(tmp_path, num_workers=1, records_ahead=False)
    try:
        found = again.find(config)
        assert found is not None
        assert found.ending == "finished"
    finally:
        again.close()


@pytest.mark.parametrize("record", [{}, {"answered": [True, False]}, {"passed": True}])
def test_the_score_counts_only_what_was_found(record):
    assert not score.found(record)
