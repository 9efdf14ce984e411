"""The page on baselines: its numbers, its links, and what a browser makes of it."""

import io
import time

import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pgviz.measure import noise
from pgviz.measure.bench import world_bench
from pgviz.runs.recording import Recorder
from pgviz.training import METRICS, presets, train
from pgviz.worlds.named import named_worlds

APP = "streamlit_app.py"
PAGE = "pages/baselines.py"


@pytest.fixture
def opened():
    """`opened(name=value, …)` is the page after a link with these parameters."""

    def opening(**parameters):
        test = AppTest.from_file(f"../{APP}", default_timeout=60)
        test.run()
        test.switch_page(PAGE)
        for name, value in parameters.items():
            test.query_params[name] = value
        test.run()
        assert not test.exception
        return test

    return opening


@pytest.fixture(scope="module", autouse=True)
def registry():
    """One registry of runs for all tests of this file: what one has trained the next finds."""
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def charts(test):
    return test.get("vega_lite_chart")


def table(chart, name):
    """A named table of a chart as a data frame."""
    for dataset in chart.proto.datasets:
        if dataset.name == name:
            return pa.ipc.open_stream(io.BytesIO(dataset.data.data)).read_pandas()
    raise KeyError(name)


def metrics(test):
    return {metric.label: metric.value for metric in test.metric}


def settled(test):
    """Run until the demonstration has ended and the bench of CartPole stands there."""
    patience = time.monotonic() + 300  # workers give way to whatever else the machine does
    while time.monotonic() < patience:
        if any("CartPole has no exact gradient" in c.value for c in test.caption):
            return test
        time.sleep(0.5)
        test.run()
    raise AssertionError("the demonstration did not end")


@pytest.mark.parametrize(
    ("link", "spread", "episodes"),
    [
        ({"world": "bandit-a"}, "3.849", "62"),
        ({"world": "survival"}, "11", "24"),
        ({"world": "short-corridor"}, "1,466", "782"),
        (
            {
                "world": "short-corridor",
                "corridor_b0": "-12.0",
                "corridor_b1": "-10.0",
                "corridor_b2": "-6.0",
            },
            "590",
            "315",
        ),
        (
            {"world": "short-corridor"} | {f"corridor_b{s}": "-12.0" for s in range(3)},
            "554",
            "296",
        ),
        ({"world": "short-corridor"} | {f"corridor_b{s}": "-12" for s in range(3)}, "554", "296"),
        ({"world": "survival", "survival_b0": "3.0"}, "2", "5"),
        ({"world": "survival", "survival_b0": "3"}, "2", "5"),
    ],
)
def test_the_three_numbers_are_those_of_the_book_of_truth(opened, link, spread, episodes):
    test = opened(**link)
    assert metrics(test)["Spread, tr Cov ĝ"] == spread
    assert metrics(test)["Episodes that suffice for cosine .9"] == episodes
    assert metrics(test)["Bias² of ĝ"] == "0"
    assert not any("Not everything in this link" in c.value for c in test.caption)


def test_nothing_is_revealed_before_the_prediction(opened):
    test = opened(world="short-corridor")
    shown = " ".join(x.value for x in [*test.markdown, *test.caption])
    assert "1000 in every state the bias" not in shown
    assert "V is not the best baseline" not in shown
    assert "least-squares" not in shown
    assert "b(s) is V(s), the value at step 0: −8.087" in shown
    test.radio(key="thousand.guess").set_value("The centre moves").run()
    test.button(key="thousand.commit").click().run()
    assert not test.exception
    shown = " ".join(x.value for x in [*test.markdown, *test.caption])
    assert "6,149,466" in shown
    assert "590, more than the best constant does: 553.3" in shown
    assert "919.3 of the spread 1,466" in shown


def test_dragging_b_moves_the_dots_and_not_their_number(opened):
    test = opened(world="ladder")
    before = table(charts(test)[0], "dots")
    test.select_slider(key="ladder_b0").set_value(1).run()
    after = table(charts(test)[0], "dots")
    assert len(before) == len(after) == noise.NUM_DOTS
    assert (before["along"] != after["along"]).mean() > 0.9
    assert after["along"].mean() == pytest.approx(before["along"].mean(), abs=0.15)


@pytest.mark.parametrize(
    "garbage",
    [
        {"world": "<script>", "dots": "1e9", "episodes": "NaN"},
        {"ladder_b0": "inf", "update": "-3", "seed": "x" * 500},
        {"where": "moon", "break": "everything", "credit": ""},
        {"nonsense": "1", "corridor_b1": "7"},
    ],
)
def test_a_garbled_link_gives_the_default_and_one_line(opened, garbage):
    test = opened(**garbage)
    told = [c.value for c in test.caption if "Not everything in this link" in c.value]
    assert len(told) == 1
    assert "<script>" not in told[0]
    assert metrics(test)["Spread, tr Cov ĝ"] == "7.08"


def test_every_world_of_every_section_opens(opened):
    test = opened()
    for key, worlds in (
        ("world", ("bandit-a", "survival", "short-corridor")),
        ("not_free", noise.SUBTRACTION_WORLDS),
        ("credit", noise.CREDIT_WORLDS),
        ("where", ("short-corridor", "bandit-a")),
    ):
        for world in worlds:
            test.radio(key=key).set_value(world).run()
            assert not test.exception
    assert any("∇J is exact" in c.value for c in test.caption)


@pytest.mark.parametrize("where", ["survival", "bandit-a", "ladder", "short-corridor"])
def test_where_the_bias_is_known_it_is_not_left_open(where):
    from pgviz.ui import noise_panels

    said = noise_panels._bench_words(noise_panels.tabular_bench(where, 200))
    assert "All six are exactly unbiased, bias² is 0" in said
    assert "told apart" not in said.lower()
    wrong = world_bench(named_worlds[where](), 200, critic_scale=0.5)
    called = noise_panels._bench_words(wrong)
    assert ("Biased, exactly: TD error" in called) == (where != "bandit-a")


def test_a_broken_step_turns_its_lines_red_and_no_others(opened):
    def marks(test):
        lines = next(m.value for m in test.markdown if m.value.startswith("| line")).splitlines()
        return ["broken" in line for line in lines[2:]]

    test = opened(world="survival")
    assert marks(test) == [False] * 7
    test.selectbox(key="break").set_value("let b know the action").run()
    assert marks(test) == [False, False, True, True, False, False, False]


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ("short-corridor", "this world is cut after 11 steps: J is −8.087 there, not −12."),
        ("survival", "this world is cut after 50 steps: J is 1 all the same."),
        ("ladder", None),
        ("bandit-a", None),
    ],
)
def test_the_derivation_says_in_which_world_its_episodes_are_listed(opened, world, said):
    told = " ".join(c.value for c in opened(world=world).caption)
    assert ("this world is cut after" in told) == (said is not None)
    assert said is None or said in told


def test_the_step_from_reinforce_to_a_baseline_is_shown_as_a_diff(opened):
    test = opened()
    assert any(m.value.startswith("From `reinforce` to `baseline`: ") for m in test.markdown)
    diff = next(c for c in test.code if c.language == "diff").value.splitlines()
    assert any(line.startswith("+") and "rollout.values" in line for line in diff)
    assert any(line.startswith("-") and "reward_to_go(rollout.rewards" in line for line in diff)


def test_the_quiz_explains_right_and_wrong_answers(opened):
    test = opened()
    answers = test.radio(key="quiz.baselines-0").options
    test.radio(key="quiz.baselines-0").set_value(answers[0]).run()
    assert any(m.value.startswith("✗ ") for m in test.markdown)
    test.radio(key="quiz.baselines-0").set_value(answers[2]).run()
    assert any(m.value.startswith("✓ The number of steps") for m in test.markdown)


def test_the_bench_and_the_pair_stand_there_when_the_runs_have_ended(opened):
    test = settled(opened())
    shown = " ".join(c.value for c in test.caption)
    assert "256 episodes, the same for all six" in shown
    assert "1,024 other episodes" in shown
    assert "Along this training" in shown
    assert all(chart.proto.alt for chart in charts(test))


def test_the_bench_takes_the_recording_the_link_names(opened):
    first = bench_table(settled(opened()))
    other = settled(opened(recording="with a baseline"))
    assert other.radio(key="recording").value == "with a baseline"
    assert bench_table(other)["covariance trace"].tolist() != first["covariance trace"].tolist()
    assert {"bias along ∇J", "bias across ∇J"} <= set(first)


def bench_table(test):
    return next(d.value for d in test.dataframe if "signal to noise" in d.value)


def test_an_update_behind_the_end_and_a_seed_that_is_none_are_named(opened):
    test = settled(opened(update="250", seed="40"))
    told = [c.value for c in test.caption if "Not everything in this link" in c.value]
    assert len(told) == 1
    assert "“250” is no value for “Update”" in told[0]
    assert "“40” is no value for “Seed”" in told[0]
    assert "update" not in test.query_params or test.query_params["update"] != ["250"]


def test_an_update_the_other_recording_does_not_have_becomes_its_last(opened):
    test = settled(opened())
    last = {}
    for name in ("REINFORCE", "with a baseline"):
        test.radio(key="recording").set_value(name).run()
        last[name] = settled(test).slider(key="update").max
    longer, shorter = sorted(last, key=last.get, reverse=True)
    test.radio(key="recording").set_value(longer).run()
    test.slider(key="update").set_value(last[longer]).run()
    test.radio(key="recording").set_value(shorter).run()
    assert not test.exception
    assert test.slider(key="update").value == last[shorter]


# --- in a browser ---


@pytest.fixture(scope="module")
def server(serve):
    with serve(APP) as url:
        yield url


def visit(chromium, ready, url, width=1280, scheme="light", query=""):
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(f"{url}/baselines{query}")
    ready(page)
    page.locator("[data-settled]").first.wait_for(timeout=120_000, state="attached")
    ready(page)
    return page


# Streamlit's own: see the list of the other browser tests.
THEIRS = {"svg-img-alt", "list", "listitem", "aria-dialog-name"}
ST_CODE = '<pre class="st-emotion-cache'  # its listings scroll and take no focus


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_of_ours(chromium, ready, server, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(chromium, ready, server, scheme=scheme)
    found = Axe().run(page).response["violations"]
    ours = {v["id"]: [n["html"][:200] for n in v["nodes"]] for v in found if v["id"] not in THEIRS}
    if all(node.startswith(ST_CODE) for node in ours.get("scrollable-region-focusable", [""])):
        del ours["scrollable-region-focusable"]
    page.close()
    assert ours == {}


@pytest.mark.browser
def test_on_a_phone_nothing_is_wider_than_the_screen(chromium, ready, server):
    page = visit(chromium, ready, server, width=390)
    wide = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *')]"
        ".filter(e => e.getBoundingClientRect().right > 391 && e.closest('pre, table,"
        " [data-testid=stDataFrame], [role=tablist], .katex') === null && e.offsetWidth > 0"
        " && getComputedStyle(e).position !== 'absolute').map(e => e.outerHTML.slice(0, 120))"
    )
    scroll = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    page.close()
    assert scroll <= 390, wide[:3]


@pytest.mark.browser
def test_a_key_on_a_slider_moves_the_dots_in_place(chromium, ready, server):
    page = visit(chromium, ready, server, query="?world=bandit-a")
    chart = page.locator("[data-testid=stVegaLiteChart] svg").first
    chart.evaluate("svg => (svg.dataset.mine = 'yes')")
    slider = page.get_by_role("slider", name="Subtract b").first
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text("3.271", exact=True).wait_for(timeout=60_000)
    assert chart.get_attribute("data-mine") == "yes"
    assert "bandit-a_b0=0.25" in page.url
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("world", ["short-corridor", "survival"])
def test_a_cloud_on_a_line_is_drawn_too(chromium, ready, server, world):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{server}/baselines?world={world}")
    ready(page)
    dots = page.locator("[data-testid=stVegaLiteChart]").first.locator("svg .mark-symbol path")
    dots.nth(noise.NUM_DOTS - 1).wait_for(state="attached", timeout=60_000)
    page.close()


def test_the_noise_of_a_run_that_was_stopped_is_not_shown_for_the_finished_one(tmp_path):
    config = presets["reinforce"].replace(num_seeds=1, num_updates=4, num_envs=2)
    updates = list(train(config))
    recorder = Recorder(tmp_path / "a.run", config, METRICS, birth=updates[0].played)

    def draw(path):
        from types import SimpleNamespace

        from pgviz.runs import Recording
        from pgviz.ui import noise_panels

        recording = Recording(path)
        run = SimpleNamespace(key="the same", path=path, config=recording.config)
        noise_panels.along_training(run, recording, 0)

    def frozen_at():
        at = AppTest.from_function(draw, args=(tmp_path / "a.run",), default_timeout=60).run()
        assert not at.exception
        return next(m.value for m in at.markdown if "frozen at" in m.value)

    for update in updates[:2]:
        recorder.append(update.theta, update.metrics, 0.0)
    assert "frozen at 3 of its updates" in frozen_at()
    for update in updates[2:]:
        recorder.append(update.theta, update.metrics, 0.0)
    recorder.close()
    assert "frozen at 5 of its updates" in frozen_at()
