"""The theorem page, run without a browser: every world, every break, links, files, the quiz."""

import io
import json
import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import streamlit as st
from random_worlds import random_world
from streamlit.runtime.uploaded_file_manager import DeletedFile
from streamlit.testing.v1 import AppTest

from pgviz.exact.derivation import derivations
from pgviz.exact.receipts import read_out
from pgviz.measure import theorem
from pgviz.measure.theorem import DICE_SEED
from pgviz.ui import frame
from pgviz.ui.receipts import piped, plain
from pgviz.ui.theorem import bench
from pgviz.ui.theorem.bench import INTACT, TABLES, Setting, breaks_of
from pgviz.ui.theorem.climbers import in_frame, leaving
from pgviz.ui.theorem.log_trick import headings
from pgviz.worlds.files import world_document
from pgviz.worlds.named import named_worlds, short_corridor
from pgviz.worlds.stories import stories
from pgviz.worlds.tabular import WorldError
from pgviz.worlds.visitors import admitted

PAGE = "pages/theorem.py"
ROUNDS = max(len(breaks_of(name)) for name in TABLES.values())


@pytest.fixture(autouse=True)
def _fresh():
    yield
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """The page without its frame, whose first page would train."""
    record = next(page for page in frame.PAGES if page.slug == "theorem")
    monkeypatch.setattr(frame, "open_page", lambda slug: record)
    monkeypatch.setattr(
        theorem, "NUM_STEPS", 10
    )  # of the climbers: where they end is not asked here


def opened(**query):
    app = AppTest.from_file(f"../{PAGE}", default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def is_well(app):
    return not app.exception and not app.error


def tables(app):
    """The receipts as they stand on the page, one list of rows per derivation."""
    found = [m.value for m in app.markdown if m.value.startswith("| line |")]
    return dict(zip(TABLES, (t.split("\n")[2:] for t in found), strict=True))


def words(app):
    return "\n".join(c.value for c in app.caption) + "\n".join(m.value for m in app.markdown)


def rest_of(name):
    story = stories[name]
    world = named_worlds[name]()
    return Setting(name, bench.theorem.at_rest(world, story.turned), world.gamma)


# --- the frame ---


def test_the_page_stands_with_everything_on_it():
    app = opened()
    assert is_well(app)
    assert "differentiate a reward" in app.title[0].value
    assert len(app.get("vega_lite_chart")) == 12
    assert all(chart.proto.alt for chart in app.get("vega_lite_chart"))
    assert {h.value for h in app.header} >= {
        "The code that ran",
        "What you should have seen",
        "Check yourself",
        "Share and reproduce",
    }
    assert app.metric[0].value == "−12"
    assert app.metric[1].value == "8"
    assert [m.value for m in app.metric[-2:]] == ["3918", "1466"]


def test_where_the_good_climbers_are_stopped_the_chart_does_not_ask_who_wins(monkeypatch):
    monkeypatch.setattr(theorem, "NUM_STEPS", 80)
    said = words(opened(world="survival", p="95", broken="keep past rewards"))
    assert "A line ends at the cap" in said
    assert "Who gets to the top?" not in said
    assert said.count("A run stops at the cap: its J there is no result.") == 2
    assert "Who gets to the top?" in words(opened())


def test_every_symbol_is_told_before_the_first_proof_uses_it():
    said = [m.value for m in opened().markdown]
    meaning = next(i for i, text in enumerate(said) if text.startswith("| symbol"))
    assert meaning < next(i for i, text in enumerate(said) if text.startswith("| line"))
    for symbol in ("tau", "pi(a", "P(", "J(", "G_t", "V(s)", "Q(s,a)", "A = Q - V", "d_t", "eta"):
        assert symbol in said[meaning]
    for word in ("softmax", "objective", "reward-to-go", "advantage", "episode"):
        assert word in said[meaning]
    rows = next(text for text in said if "nabla V(s) = " in text)
    assert "φ(s) = Σₐ ∇π(a" in rows.replace("&#124;", "|")


def test_with_a_horizon_every_v_and_q_of_the_theorem_carries_its_step():
    test = opened(world="ladder")
    said = [m.value for m in test.markdown if m.value.startswith("| ")]  # symbols and receipts
    code = [x.value for x in test.latex]
    for symbol in ("Q", "V", r"\varphi", "φ"):
        assert not any(f"{symbol}(s" in text for text in said + code)
    assert sum("V_t(s) =" in text for text in said) == 2
    assert sum("Q_t(s,a)" in text for text in said + code) == 3  # also over the code


@pytest.mark.parametrize("name", named_worlds)
@pytest.mark.parametrize("turn", range(ROUNDS + 1))
def test_every_world_with_every_break_shows_the_right_lines_in_red(name, turn):
    broken = {
        key: (INTACT, *breaks_of(derivation))[turn % (len(breaks_of(derivation)) + 1)]
        for key, derivation in TABLES.items()
    }
    app = opened(world=name, **broken)
    assert is_well(app)
    assert "Not everything in this link" not in words(app)
    world = rest_of(name).at
    for key, rows in tables(app).items():
        lines = derivations[TABLES[key]]
        readings = read_out(world, TABLES[key], broken[key], rng_seed=DICE_SEED)
        for row, line, reading in zip(rows, lines, readings, strict=True):
            is_red = 'aria-label="broken"' in row
            assert is_red == (reading.mark == "fails"), (name, broken[key], line.title)
            if is_red:
                assert broken[key] in line.breaks
            else:
                assert 'aria-label="holds"' in row


@pytest.mark.parametrize(
    ("name", "key", "broken", "red"),
    [
        ("two-arms", "log", "drop the log", [0, 5]),
        ("two-arms", "log", "differentiate R", [4]),
        ("short-corridor", "log", "sample from the wrong policy", [3, 5]),
        ("short-corridor", "path", "keep past rewards", [4]),
        ("short-corridor", "path", "drop future rewards too", [2]),
        ("short-corridor", "path", "drop the log", [1]),
        ("shared-logit-chain", "path", "forget γᵗ", [3]),
        ("shared-logit-chain", "unroll", "forget γᵗ", [1, 2, 3]),
        ("ladder", "unroll", "differentiate only π", [0]),
        ("bandit-a", "unroll", "drop the log", [3]),
    ],
)
def test_exactly_these_lines_turn_red(name, key, broken, red):
    app = opened(world=name, **{key: broken})
    for other, rows in tables(app).items():
        found = [i for i, row in enumerate(rows) if 'aria-label="broken"' in row]
        assert found == (red if other == key else [])
    assert "is off" in words(app)


def test_a_break_that_shows_nothing_says_so():
    app = opened(world="short-corridor", unroll="forget γᵗ")
    assert "“forget γᵗ” changes nothing in this world" in words(app)
    assert not any('aria-label="broken"' in row for row in tables(app)["unroll"])


# --- what is said of a curve ---


@pytest.mark.parametrize(
    ("gamma", "fall"), [("1.0", "it falls without end"), ("0.9", "it falls to −1/(1−γ) = −10 as")]
)
def test_the_corridor_falls_without_end_only_without_a_discount(gamma, fall):
    app = AppTest.from_file(f"../{PAGE}", default_timeout=60)
    app.query_params["gamma"] = gamma
    app.session_state["theorem-best-short-corridor.committed"] = "always"
    assert fall in words(app.run())


def test_always_right_costs_one_over_one_minus_gamma():
    world = replace(short_corridor(1 - 1e-7), gamma=0.9)
    assert theorem.place(world, 0).objective == pytest.approx(-10, abs=1e-4)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"world": "survival"}, "for good: episodes end."),
        ({"world": "survival", "gamma": "0.5"}, "for good: episodes end, and γᵏ fades."),
    ],
)
def test_a_discount_is_named_as_a_reason_only_where_there_is_one(query, why):
    app = opened(**query)
    assert captions(app, why)
    assert "Term by term the sum arrives at ∇J" in words(app)


def test_where_no_episode_ends_only_the_discount_is_a_reason():
    assert captions(with_world(replace(endless_world(), gamma=0.5)), "for good: γᵏ fades.")


def test_a_sum_that_has_not_arrived_is_not_said_to_arrive():
    app = opened()
    assert captions(app, "Long episodes need many terms")
    assert "arrives at ∇J" not in words(app)
    assert "the sum is not yet at ∇J" in words(app)


@pytest.mark.parametrize(
    ("world", "percent", "expected"),
    [
        ("two-arms", 40, ("Without the log, arm 1 loses", "… and J with it")),
        ("two-arms", 60, ("From here both find arm 1", "J along both paths")),
        ("bandit-a", 50, ("Without the log, arm 3 loses", "… and J rises all the same")),
    ],
)
def test_each_heading_of_the_forgotten_log_speaks_of_its_own_curve(
    world, percent, expected, monkeypatch
):
    monkeypatch.setattr(theorem, "NUM_STEPS", 80)
    story = stories[world]
    at = Setting(world, percent, 1.0).at
    paths = theorem.log_paths(at, story.actions, story.learning_rate).paths
    winner = story.actions[2 if world == "bandit-a" else 0]
    assert headings(paths, winner) == expected
    first, last = (paths[paths["update"] == theorem.DROPPED].iloc[i] for i in (0, -1))
    assert (last["probability"] < first["probability"]) == ("loses" in expected[0])
    assert (last["objective"] < first["objective"]) == ("with it" in expected[1])


def walked(**objective):
    return pd.concat(
        pd.DataFrame({"update": name, "step": range(len(values)), "objective": values})
        for name, values in objective.items()
    ).reset_index(drop=True)


def test_a_climber_that_leaves_the_picture_ends_at_its_edge():
    steps = walked(exact=[0, 1, 2], sampled=[0, 1, 1.5], broken=[0, -1, -50, -60, -70, -1])
    shown = in_frame(steps, "objective")
    low, high = shown["frame"]["drawn"]
    broken = shown["steps"].query("update == 'broken'")["drawn"].to_numpy()
    np.testing.assert_allclose(broken, [0, -1, low, np.nan, np.nan, -1])
    drawn = shown["steps"]["drawn"].dropna()
    assert drawn.between(low, high).all()
    assert leaving(shown, "objective") == " · broken leaves the picture"


def test_where_every_climber_stays_in_the_picture_every_number_is_drawn_as_it_is():
    steps = walked(exact=[0, 1, 2], sampled=[0, 1, 1.5], broken=[0, -0.5, -1])
    shown = in_frame(steps, "objective")
    assert (shown["steps"]["drawn"] == steps["objective"]).all()
    assert leaving(shown, "objective") == ""


# --- samples of a world that is cut ---


def captions(app, start):
    return [c.value for c in app.caption if start in c.value]


def test_samples_of_long_episodes_are_held_to_the_cut_world_and_the_page_says_so():
    app = opened(p="5")
    said = captions(app, "held to the world cut after 100 steps")
    assert len(said) == 2  # under the table and under the chart
    assert all("∇J is 30.47; without the cut it is 75.89." in text for text in said)
    assert "30.47" in row_of_samples(app)
    assert "Samples close in on ∇J of the cut world" in words(app)


@pytest.mark.parametrize("name", ["bandit-a", "ladder", "survival"])
def test_where_no_episode_is_cut_nothing_is_said_of_a_cut(name):
    assert "held to the world cut" not in words(opened(world=name))


def test_where_the_last_line_cannot_be_computed_no_interval_is_told():
    app = opened(p="5", samples="10000")
    assert 'aria-label="not computed"' in row_of_samples(app)
    assert captions(app, "10,000 episodes are too long to sample here: choose fewer")
    assert not captions(app, "the interval shrinks")
    assert captions(opened(p="5", samples="1000"), "the interval shrinks")


# --- the knob and the worlds ---


def test_the_knob_moves_every_number():
    app = opened()
    app.slider(key="p").set_value(60).run()
    assert is_well(app)
    assert app.metric[0].value == "−11.67"
    assert "p = 0.600" in words(app)


def test_another_world_comes_with_its_own_theta_and_discount():
    app = opened()
    app.slider(key="p").set_value(80).run()
    app.selectbox(key="world").set_value("shared-logit-chain").run()
    assert is_well(app)
    assert app.slider(key="p").value == 50
    assert app.select_slider(key="gamma").value == 0.5
    assert app.metric[0].value == "0.125"
    assert app.selectbox(key="broken").value == "forget γᵗ"
    assert "0.25 q and −0.25 q" in words(app)
    app.selectbox(key="world").set_value("bandit-a").run()
    assert is_well(app)
    assert app.metric[0].value == "1.605"
    assert not [s for s in app.select_slider if s.key == "gamma"]
    assert "cosine of the two updates is −0.8853" in words(app)


def test_at_a_uniform_policy_the_page_says_that_the_mistake_is_hidden():
    app = opened(world="two-arms", p="50")
    assert "that hides the mistake" in words(app)


def test_reset_brings_everything_back():
    app = opened(world="ladder", p="20", path="keep past rewards", samples="100", rng_seed="7")
    app.button[[b.label for b in app.button].index("Reset")].click().run()
    assert is_well(app)
    assert app.selectbox(key="world").value == "short-corridor"
    assert app.slider(key="p").value == 50
    assert app.selectbox(key="path").value == INTACT
    assert app.number_input(key="rng_seed").value == 0


def test_the_run_button_takes_another_seed():
    app = opened()
    before = words(app)
    app.button[[b.label for b in app.button].index("Run with another seed")].click().run()
    assert is_well(app)
    assert app.number_input(key="rng_seed").value == 1
    assert words(app) != before


# --- prediction and quiz ---


EQUAL = replace(random_world(2, 1, 3, horizon=1), rewards=np.full((1, 3, 2), 0.3))
WORTHLESS = replace(random_world(7, 2, 2), rewards=np.zeros((2, 2, 3)))


@pytest.mark.parametrize("guess", ["never", "sometimes", "always"])
@pytest.mark.parametrize("world", [EQUAL, WORTHLESS], ids=["equal", "worthless"])
def test_where_the_knob_makes_no_difference_every_guess_is_right(world, guess):
    app = with_world(world, guess)
    assert is_well(app)
    assert "Every answer is right: the knob makes no difference here" in words(app)
    assert "J is highest" not in words(app)
    assert "tosses a coin" not in words(app)
    assert points_of(app, "marks") == 0


def points_of(app, name, chart=0):
    """How many rows a named table of a chart holds."""
    datasets = app.get("vega_lite_chart")[chart].proto.datasets
    data = next(d.data.data for d in datasets if d.name == name)
    return pa.ipc.open_stream(data).read_all().num_rows


def test_nothing_of_the_answer_is_shown_before_the_prediction_is_locked_in():
    app = opened()
    assert "0.5858" not in words(app)
    assert "rest of it waits" in words(app)
    assert points_of(app, "curve") < 40
    assert points_of(app, "marks") == 0
    app.radio(key="theorem-best-short-corridor.guess").set_value("always").run()
    assert "0.5858" not in words(app)
    app.button(key="theorem-best-short-corridor.commit").click().run()
    assert is_well(app)
    assert "You said: **always**" in words(app)
    assert "p = 0.5858 has J = −11.6569" in words(app)
    assert points_of(app, "curve") == 181
    assert points_of(app, "marks") == 2
    assert not [r for r in app.radio if r.key == "theorem-best-short-corridor.guess"]
    app.selectbox(key="world").set_value("survival").run()
    assert [r for r in app.radio if r.key == "theorem-best-survival.guess"]


def answer(app, key, index):
    app.radio(key=key).set_value(app.radio(key=key).options[index]).run()


def test_the_quiz_answers_back():
    app = opened()
    keys = [r.key for r in app.radio if r.key.startswith("quiz.")]
    assert len(keys) == 3
    answer(app, "quiz.order", 0)
    assert "✗ Averaging before" in words(app)
    for key, right in (("quiz.order", 1), ("quiz.false-line", 2), ("quiz.proportional", 1)):
        answer(app, key, right)
    assert is_well(app)
    assert "3 of 3 answered rightly" in words(app)


# --- links ---


@pytest.mark.parametrize(
    "query",
    [
        {"world": "atlantis"},
        {"world": "yours"},
        {"p": "0"},
        {"p": "nan"},
        {"p": "-3"},
        {"gamma": "2"},
        {"log": "drop everything"},
        {"unroll": "<script>alert(1)</script>"},
        {"samples": "1e9"},
        {"rate": "0.2"},
        {"rng_seed": "99999999999999999999"},
        {"surprise": "1"},
        {"world": "bandit-a", "p": "abc", "gamma": "x", "broken": "", "episodes": "0"},
    ],
)
def test_a_link_with_nonsense_in_it_opens_the_page_and_says_so(query):
    app = opened(**query)
    assert is_well(app)
    assert "Not everything in this link could be used" in words(app)


def test_the_link_at_the_foot_of_the_page_leads_back_to_it():
    app = opened(world="ladder", p="30", gamma="0.8", path="keep past rewards", broken="forget γᵗ")
    link = next(c.value for c in app.code if "/theorem?" in c.value)
    from urllib.parse import parse_qsl

    again = opened(**dict(parse_qsl(link.split("?", 1)[1])))
    assert is_well(again)
    assert "Not everything" not in words(again)
    assert words(again) == words(app)


def row_of_samples(app):
    return tables(app)["log"][-1]


def test_as_many_episodes_as_the_link_asks_for_are_taken_from_the_first_run_on(monkeypatch):
    files = {}  # made when they are asked for, outside of any run
    monkeypatch.setattr(
        st, "download_button", lambda label, data, *_, **__: files.update({label: data})
    )
    app = opened(samples="10000")
    first, sheet = row_of_samples(app), files["Receipts as CSV"]()
    assert row_of_samples(app.run()) == first != row_of_samples(opened())
    assert row_of_samples(opened(samples="1e9")) == row_of_samples(opened())
    kept = pd.read_csv(io.StringIO(sheet)).query("line == 'a mean of samples'")["right"].item()
    assert kept.replace("-", "−") in first
    app.select_slider(key="samples").set_value(100).run()
    assert row_of_samples(app) == row_of_samples(opened(samples="100")) != first


# --- bring your own world ---


def with_world(world, guess=None):
    """The page after a visitor's file was received, as the uploader's callback leaves it.

    With a guess, the prediction is locked in.
    """
    app = AppTest.from_file(f"../{PAGE}", default_timeout=60)
    app.session_state["theorem.document"] = world_document(admitted(world_document(world).encode()))
    app.session_state["world"] = "yours"
    if guess is not None:
        app.session_state["theorem-best-yours.committed"] = guess
    return app.run()


def test_a_good_file_becomes_a_world_of_its_own():
    world = replace(random_world(3, 3, 3, gamma=0.9), name="mine")
    app = with_world(world)
    assert is_well(app)
    assert app.selectbox(key="world").value == "yours"
    assert "3 states, 3 actions, no horizon" in words(app)
    assert not any('aria-label="broken"' in row for rows in tables(app).values() for row in rows)
    app.selectbox(key="world").set_value("two-arms").run()
    assert is_well(app)
    assert app.selectbox(key="world").options[-1] == "yours"


def with_theta(world, *rows):
    """The world with logits of its own in every state."""
    return replace(world, features=np.eye(world.num_states), theta=np.array(rows, float))


SATURATED = ([20, -20], [0, 0])


@pytest.mark.parametrize("guess", [None, "always"], ids=["hidden", "revealed"])
@pytest.mark.parametrize(
    "world",
    [
        random_world(1, 40, 3, gamma=0.99),
        random_world(2, 12, 10),
        random_world(4, 2, 2, horizon=50),
        random_world(5, 3, 2, 1, gamma=0.0),
        replace(random_world(6, 2, 2), features=np.zeros((2, 1)), theta=np.zeros((1, 2))),
        replace(short_corridor(1 - 1e-7), name="commits"),
        replace(random_world(7, 2, 2), rewards=np.zeros((2, 2, 3))),
        replace(random_world(8, 2, 2, gamma=0.999), rewards=1e4 * np.ones((2, 2, 3))),
        with_theta(random_world(3, 2, 2, gamma=0.9), *SATURATED),
        with_theta(random_world(3, 2, 2, gamma=1.0), *SATURATED),
        with_theta(random_world(3, 2, 2, gamma=0.9), [40, -40], [40, -40]),
    ],
    ids=[
        *("large", "crowded", "long", "myopic", "stiff", "committed", "worthless", "rich"),
        *("saturated", "saturated-undiscounted", "nothing-to-chance"),
    ],
)
def test_worlds_at_the_limits_are_drawn_or_explained(world, guess):
    app = with_world(world, guess)
    assert is_well(app)
    assert "nan" not in words(app)


def test_where_nothing_can_be_turned_the_page_says_what_is_in_the_way():
    saturated = with_world(with_theta(random_world(3, 2, 2, gamma=0.9), *SATURATED), "never")
    stiff = replace(random_world(6, 2, 2), features=np.zeros((2, 1)), theta=np.zeros((1, 2)))
    said = [note.value for note in saturated.info]
    assert len(said) == 2  # in place of J along the knob, and of the slopes along it
    assert all("this θ makes the action certain or impossible" in text.lower() for text in said)
    assert saturated.metric[1].value == "—"
    assert "features of this world leave no policy" in with_world(stiff, "never").info[0].value


def endless_world():
    transitions = np.zeros((2, 2, 3))
    transitions[:, 0, 0] = transitions[:, 1, 1] = 1
    return replace(random_world(9, 2, 2, gamma=0.9), transitions=transitions)


def test_a_world_that_never_ends_is_drawn_with_its_discount():
    app = with_world(endless_world())
    assert is_well(app)
    assert "may never end" in words(app).replace("&#32;", " ")
    assert "without γᵗ the sum over them has no value" in words(app)
    assert "the factor changes nothing" not in words(app)


def test_the_takeaway_names_the_mistake_that_was_run():
    app = with_world(endless_world())
    app.selectbox(key="broken").set_value("forget γᵗ").run()
    assert is_well(app)
    assert any("“forget γᵗ” has no update here" in note.value for note in app.info)
    said = next(m.value for m in app.markdown if m.value.startswith("- One episode"))
    assert "“differentiate R” ends at" in said
    assert "forget γᵗ" not in said


def test_an_uploaded_file_is_received_or_refused_in_one_sentence(monkeypatch):
    state = {"world": "short-corridor"}
    monkeypatch.setattr(bench.st, "session_state", state)
    bench.receive(b'{"name": "<b>x</b>"}')
    assert state["theorem.refused"].startswith("The world file lacks")
    assert "theorem.document" not in state
    bench.receive(world_document(random_world(0)).encode())
    assert state["world"] == "yours"
    assert "theorem.refused" not in state
    bench.receive(b"no")
    assert state["world"] == "short-corridor"
    assert "theorem.document" not in state
    bench.receive(None)
    assert "theorem.refused" not in state


def test_a_browser_that_asks_for_a_visitors_world_that_is_gone_gets_the_usual_one(monkeypatch):
    """It sends “yours” while the old file is being taken away and the next is under way."""
    state = {"world": "yours"}
    monkeypatch.setattr(bench.st, "session_state", state)
    bench._back_to_rest()
    assert state["world"] == "short-corridor"
    assert state["gamma"] == short_corridor().gamma


def test_a_file_that_the_server_does_not_know_is_one_sentence_and_takes_nothing_away(monkeypatch):
    state = {"theorem.file": DeletedFile("gone"), "theorem.document": "x", "world": "yours"}
    monkeypatch.setattr(bench.st, "session_state", state)
    bench._uploaded()
    assert state.pop("theorem.refused")
    assert state == {
        "theorem.file": DeletedFile("gone"),
        "theorem.document": "x",
        "world": "yours",
    }


def test_a_prediction_about_one_visitors_world_is_not_one_about_the_next(monkeypatch):
    state = {"theorem-best-yours.committed": "never", "theorem-best-bandit-a.committed": "always"}
    monkeypatch.setattr(bench.st, "session_state", state)
    bench.receive(world_document(random_world(0)).encode())
    assert "theorem-best-yours.committed" not in state
    assert state["theorem-best-bandit-a.committed"] == "always"


def mutated(document, rng):
    """A world file with one to three things done to it."""
    fields = json.loads(document)
    for _ in range(rng.randint(1, 3)):
        key = rng.choice(list(fields))
        value = rng.choice(
            [None, [], {}, "x", -1, 0, 2, 1e308, True, [[1]], "$\\alpha$|<b>", 10**30, 0.3]
        )
        kind = rng.randrange(4)
        if kind == 0:
            fields[key] = value
        elif kind == 1 and len(fields) > 1:
            del fields[key]
        elif kind == 2:
            fields[f"{key}{rng.randrange(9)}"] = value
        else:
            place = fields[key]
            while isinstance(place, list) and place:
                index = rng.randrange(len(place))
                if not isinstance(place[index], list) or rng.random() < 0.2:
                    place[index] = value
                    break
                place = place[index]
    text = json.dumps(fields)
    if rng.random() < 0.2:
        cut = rng.randrange(len(text))
        text = text[:cut] + rng.choice(["", "NaN", "\x00", "}", "[" * 2000]) + text[cut + 1 :]
    return text.encode()


def test_four_hundred_files_are_read_or_refused_with_a_sentence():
    rng = random.Random(0)
    documents = [world_document(make()) for make in named_worlds.values()]
    refusals = []
    for _ in range(400):
        try:
            world = admitted(mutated(rng.choice(documents), rng))
        except WorldError as fault:
            refusals.append(str(fault))
            continue
        for derivation in TABLES.values():
            read_out(world, derivation)
    assert all("\n" not in words and len(words) < 400 for words in refusals)
    assert 200 < len(refusals) < 400


def test_what_a_visitor_wrote_is_words_and_nothing_else():
    assert plain("<b>|$x$") == "&#60;b&#62;&#124;&#36;x&#36;"
    assert "|" not in piped(r"\pi(a|s) \|g\|")
    assert bench.controls_text("[a](b)`") == r"\[a\](b)\`"
