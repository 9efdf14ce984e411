"""The app's pages, run without a browser: controls, links, runs to their end, and faults.

PGVIZ_FUZZED_LINKS=10000 opens that many fuzzed links instead of a quick hundred.
"""

import ast
import csv
import functools
import inspect
import io
import json
import os
import random
import re
import shlex
import signal
import string
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
import streamlit as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from pgviz import estimators
from pgviz.__main__ import cli
from pgviz.runs import Busy, Run, Runs, worker
from pgviz.training import Config, command, gradient, loop, methods
from pgviz.ui import frame, live
from pgviz.ui.frame import PAGES

REPO = Path(__file__).parent.parent
NUM_FUZZED_LINKS = int(os.environ.get("PGVIZ_FUZZED_LINKS", "100"))
SMALL = {"num_seeds": "2", "num_updates": "20", "num_envs": "4"}
ENDLESS = {"num_seeds": "64", "num_updates": "300", "num_envs": "64", "stop_when_solved": "false"}

# What a link may say, typed here once more: parameter → the texts it takes.
CHOICES = {
    "method": ["reinforce", "full-return"],
    "num_envs": ["1", "2", "4", "8", "16", "32", "64"],
    "learning_rate": ["0.001", "0.002", "0.005", "0.01", "0.02", "0.03", "0.05", "0.1"],
    "gamma": ["0.9", "0.95", "0.97", "0.98", "0.99", "0.995", "1.0"],
    "normalize_advantages": ["true", "false"],
    "drop_gamma_t": ["true", "false"],
    "stop_when_solved": ["true", "false"],
    "num_updates": ["20", "40", "60", "100", "150", "200", "300"],
}
RANGES = {"num_seeds": (1, 64), "rng_seed": (0, 9999)}
DEFAULTS = {
    "method": "reinforce",
    "num_envs": "16",
    "learning_rate": "0.02",
    "gamma": "1.0",
    "normalize_advantages": "false",
    "drop_gamma_t": "true",
    "stop_when_solved": "true",
    "num_updates": "60",
    "num_seeds": "16",
    "rng_seed": "0",
}
PLACE = ("update", "seed", "episode")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder for recordings, so that a run that several tests show is trained once."""
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(autouse=True)
def servers(recordings, monkeypatch):
    """The registries a test makes. AppTest gives all tests the same session: nothing may leak."""
    made = []

    def make(*arguments, **options):
        made.append(Runs(*arguments, **options))
        return made[-1]

    class Warm(PagesManager):
        """AppTest forgets before every run that the app declares its own pages; this does not."""

    monkeypatch.setattr("streamlit.testing.v1.app_test.PagesManager", Warm)
    monkeypatch.setenv("PGVIZ_RUNS", str(recordings))
    monkeypatch.setattr(live, "Runs", make)
    yield made
    st.cache_resource.clear()
    st.cache_data.clear()
    for server in made:
        server.close()


def visit(slug, query=None):
    """A new browser session of a fresh server, straight to a page."""
    at = AppTest.from_file(REPO / "streamlit_app.py", default_timeout=120)
    at._bidi_component_manager = components()
    at.query_params.update(query or {})
    if slug != PAGES[0].slug:  # the first page has the empty address
        at.switch_page(page_of(slug).file)
    return at.run()


@functools.cache
def components():
    """The player and its like, found once: AppTest searches every installed package for them."""
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


def page_of(slug):
    return next(page for page in PAGES if page.slug == slug)


def check(at):
    """Nothing raised, neither through Streamlit nor into the frame's sentence."""
    assert [element.message for element in at.exception] == []
    assert [element.value for element in at.error] == []
    return at


def button(at, label):
    return next(button for button in at.button if button.label == label)


def control(at, name):
    """The widget of a control, whatever its kind."""
    for kind in (at.radio, at.number_input, at.select_slider, at.toggle, at.slider):
        for widget in kind:
            if widget.key == name:
                return widget
    raise LookupError(name)


def values(at, names=tuple(DEFAULTS)):
    """What the controls say, as a link would."""
    texts = {name: str(control(at, name).value) for name in names}
    return {
        name: text.lower() if text in ("True", "False") else text for name, text in texts.items()
    }


def progress(at):
    return at.get("progress")[0].proto.text


def captions(at, part):
    return [caption.value for caption in at.caption if part in caption.value]


def markdown(at):
    return "\n".join(element.value for element in at.markdown)


def charts(at):
    return [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]


def shows_the_metric(at, metric):
    return any(f'"{metric}"' in json.dumps(chart) for chart in charts(at))


def watched(at):
    """The run that this session watches."""
    return live.runs().watched_by(at.session_state["viewer"])


def until(condition, patience=120):
    give_up = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < give_up, inspect.getsource(condition)
        time.sleep(0.02)


def to_the_end(at):
    """The page once all of its runs have ended."""
    reader = at.session_state["viewer"]
    begun = [run for run in live.runs()._runs.values() if any(reader in v for v in run.viewers)]
    until(lambda: not any(run.active for run in begun))
    return check(at.run())


def worker_of(run):
    """The process that writes this recording."""
    until(lambda: run.path.exists())
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if fd.readlink() == run.path:
                return int(fd.parts[2])
        except OSError:
            continue
    raise LookupError(run.path)


def test_a_server_that_forgets_its_caches_closes_its_registry_and_opens_no_other(servers):
    visit("reinforce", SMALL)
    (registry,) = servers
    st.cache_resource.clear()
    assert len(servers) == 1
    with pytest.raises(Busy, match="shutting down"):
        registry.watch(Config(num_seeds=1, num_updates=1), "anybody")


# ── pages and their table ───────────────────────────────────────────────────────────────────────


def test_every_page_of_the_table_has_its_file_and_every_file_its_page():
    files = {f"pages/{file.name}" for file in (REPO / "pages").glob("*.py")}
    assert files == {page.file for page in PAGES}
    assert len({page.slug for page in PAGES}) == len({page.title for page in PAGES}) == len(PAGES)
    assert PAGES[0].slug == "home"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_page_opens_itself_and_asks_one_question(page):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", page.slug)
    assert Path(page.file).stem == page.slug
    assert re.fullmatch(r":material/[a-z_0-9]+:", page.icon)
    assert page.question.endswith("?")
    assert page.answer.endswith(".")
    source = ast.parse((REPO / page.file).read_text())
    opened = [
        call.args[0].value
        for call in ast.walk(source)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "open_page"
    ]
    assert opened == [page.slug]


def test_sections_are_not_torn_apart():
    sections = [page.section for page in PAGES]
    runs_of_sections = [
        section for i, section in enumerate(sections) if i == 0 or sections[i - 1] != section
    ]
    assert len(runs_of_sections) == len(set(sections))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
@pytest.mark.parametrize("server", ["from home", "straight, cold server"])
def test_a_page_runs_inside_the_frame(page, server, monkeypatch):
    if server == "from home":
        at = check(AppTest.from_file(REPO / "streamlit_app.py", default_timeout=120).run())
        assert [title.value for title in at.title] == [PAGES[0].question]
        at.switch_page(page.file).run()
    else:
        monkeypatch.setattr("streamlit.testing.v1.app_test.PagesManager", PagesManager)
        at = visit(page.slug)
    assert [title.value for title in check(at).title] == [page.question]
    assert page.answer in markdown(at)
    assert any("stMainBlockContainer" in html.proto.body for html in at.get("html")), "no frame"
    if at.get("progress"):
        assert re.match(r"Finished after|(\d+) of \1 methods have ended", progress(to_the_end(at)))


def test_the_first_page_lets_the_server_open_many_files(monkeypatch):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 256), before[1]))
        check(visit("theorem"))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(before[1], 10_240)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 256), before[1]))
        for refused in (ValueError, OSError):
            with monkeypatch.context() as patch:
                patch.setattr(resource, "setrlimit", Mock(side_effect=refused))
                frame.allow_many_files()
        monkeypatch.setitem(sys.modules, "resource", None)
        frame.allow_many_files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_home_links_to_every_other_page():
    at = check(visit("home"))
    links = [link.proto.page for link in at.get("page_link")]
    assert links == [page.slug for page in PAGES[1:]]


def test_a_page_that_fails_says_so_and_shows_no_traceback(monkeypatch):
    def fails(*_):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("pgviz.ui.page.question", fails)
    at = visit("home")
    assert [error.value for error in at.error] == [
        "Something on this page went wrong. Reload it; your settings are in the address."
    ]
    assert "secret" not in str(at.main)
    assert not frame._framed.__dict__.get("now", False)


# ── links ───────────────────────────────────────────────────────────────────────────────────────


class OneRun:
    """A registry in which every configuration is the same small finished run."""

    def __init__(self, run):
        self.run = run

    def find(self, config):
        return self.run

    def watch(self, config, viewer):
        return self.run

    def watched_by(self, viewer):
        return self.run

    def stay(self, viewer): ...
    def leave(self, viewer): ...
    def close(self): ...


@pytest.fixture
def one_run(recordings, monkeypatch):
    config = Config(num_seeds=2, num_updates=3, num_envs=2)
    path = recordings / "the-one.run"
    if not path.exists():
        worker.record(asdict(config), path)
    run = Run("the-one", config, path, ending="finished")
    fake = OneRun(run)
    monkeypatch.setattr(live, "runs", lambda: fake)
    return run


def test_the_controls_open_at_the_presets_values(one_run):
    at = check(visit("reinforce"))
    assert values(at) == DEFAULTS
    assert captions(at, "link") == []
    for name, texts in CHOICES.items():
        if texts != ["true", "false"]:
            assert [str(option) for option in control(at, name).options] == texts
    for name, limits in RANGES.items():
        assert (control(at, name).min, control(at, name).max) == limits


def test_a_link_sets_every_control():
    other = {
        "method": "full-return",
        "num_envs": "2",
        "learning_rate": "0.005",
        "gamma": "0.99",
        "normalize_advantages": "true",
        "drop_gamma_t": "false",
        "stop_when_solved": "false",
        "num_updates": "20",
        "num_seeds": "3",
        "rng_seed": "77",
    }
    place = {"update": "7", "seed": "2", "episode": "1"}
    assert all(other[name] != DEFAULTS[name] for name in DEFAULTS)
    at = to_the_end(visit("reinforce", other | place))
    assert values(at) == other
    assert values(at, PLACE) == place
    assert captions(at, "link") == []
    settings = {name: getattr(watched(at).config, name) for name in other}
    assert {name: str(value).lower() for name, value in settings.items()} == other


def meant(query):
    """What the controls must show for a link, and whether a sentence must say that it is faulty."""
    shown, faulty = dict(DEFAULTS), False
    for name, texts in query.items():
        text = texts[0] if len(texts) == 1 else None
        if name in CHOICES:
            if re.fullmatch(r"-?([0-9]{1,9}\.?[0-9]{0,9}|\.[0-9]{1,9})", text or ""):
                same = [x for x in CHOICES[name] if x[0].isdigit() and float(x) == float(text)]
                text = same[0] if same else text
            valid = text in CHOICES[name]
        elif name in RANGES:
            low, high = RANGES[name]
            valid = bool(re.fullmatch("-?[0-9]{1,9}", text or "")) and low <= int(text) <= high
            text = str(int(text)) if valid else text
        elif name in PLACE:
            # One run of three updates, two seeds and two episodes is what stands on the page.
            limit = 3 if name == "update" else 1
            valid = bool(re.fullmatch("-?[0-9]{1,9}", text or "")) and 0 <= int(text) <= limit
        else:
            valid = name.lower() in ("embed", "embed_options")
        if valid and name in shown:
            shown[name] = text
        faulty |= not valid
    return shown, faulty


def open_link(query):
    """Open a link on the page, and compare with what it means."""
    shown, faulty = meant(query)
    at = check(visit("reinforce", query))
    assert values(at) == shown, query
    assert len(captions(at, "Not everything in this link")) == faulty, query
    for sentence in captions(at, "Not everything in this link"):
        assert len(sentence) < 320
        assert not set(sentence) & set("<>[]$`*\\\n"), query
    assert "<script" not in "".join(captions(at, "link"))
    return at


JUNK = [
    "", " ", "NaN", "nan", "inf", "-inf", "Infinity", "-1", "-0", "0", "1", "1.0", "3.7", "1e1",
    "1e999", "999999999999999999999999999", "007", "000000000005999", "0x10", "5_0", "+5", " 5",
    "5 ", "５", "٣", "½", "²", "true", "True", "TRUE", "yes", "None", "null", "undefined", "[]",
    "{}", "<script>alert(1)</script>", "'; DROP TABLE runs; --", "../../etc/passwd", "%", "%zz",
    "%00", "\x00", "\n", "a\nb", "\u202e", "é", "名前", "🎯", "$x^2$", "**bold**", "`x`", "[a](b)",
    ":material/home:", ":red[x]", "0.9,1.0", "0.02;0.1", "REINFORCE", "reinforce ", "gae", "x" * 5000,
    "9" * 5000, "-" + "9" * 5000, "\ud800".encode("utf-8", "replace").decode(),
]  # fmt: skip
STRANGE_NAMES = ["", "x", "Method", "num-seeds", "embed", "__class__", "utm_source", "名", "a" * 300,
                 "<b>", "viewer", "reinforce.config", "pseudo-loss.guess", "update ", "$x$"]  # fmt: skip


def fuzzed_link(rng):
    """A link that is mostly wrong: wild values, known and unknown names, several of a kind."""
    query = {}
    names = [*CHOICES, *RANGES, *PLACE]
    for _ in range(rng.randint(0, 5)):
        name = rng.choice(names) if rng.random() < 0.85 else rng.choice(STRANGE_NAMES)
        wild = "".join(rng.choices(string.printable + "äπ∞₂٤", k=rng.randint(0, 12)))
        valid = rng.choice(CHOICES.get(name, [str(rng.randint(-2, 70))]))
        texts = [rng.choice([rng.choice(JUNK), wild, valid, valid])]
        if rng.random() < 0.1:
            texts.append(rng.choice([*JUNK, valid]))
        query[name] = texts
    raw = urlencode(query, doseq=True)
    if rng.random() < 0.2:  # percent junk, torn escapes, stray separators
        i = rng.randrange(len(raw) + 1)
        raw = raw[:i] + rng.choice(["%", "%e2%28", "&&", "=", "&=", ";", "%ff", "+", "?"]) + raw[i:]
    return parse_qs(raw, keep_blank_values=True, errors="replace")


@pytest.mark.parametrize("name", [*CHOICES, *RANGES, *PLACE])
def test_a_strange_value_of_a_control_falls_back_and_is_named_in_one_line(one_run, name):
    rng = random.Random(name)
    always = ["inf", "nan", "", "<script>alert(1)</script>", "3.7", "9" * 5000]
    for text in always + rng.sample(JUNK, 1):
        open_link({name: [text]})
    open_link({name: ["1", "2"]})


def test_ten_thousand_fuzzed_links_leave_no_traceback(one_run):
    rng = random.Random(1)
    for _ in range(NUM_FUZZED_LINKS):
        open_link(fuzzed_link(rng))


def test_the_line_about_the_link_goes_with_a_reset(one_run):
    at = open_link({"gamma": ["7"], "num_seeds": ["3"]})
    assert "“7” is no value for “Discount γ”" in captions(at, "link")[0]
    assert captions(check(at.run()), "link") != []
    check(button(at, "Reset").click().run())
    assert captions(at, "link") == []
    assert values(at) == DEFAULTS


@pytest.mark.parametrize(("name", "text"), [("update", "21"), ("seed", "2"), ("episode", "4")])
def test_a_place_that_this_run_does_not_have_is_named_too(name, text):
    at = to_the_end(visit("reinforce", SMALL | {"stop_when_solved": "false", name: text}))
    assert len(captions(at, "Not everything in this link")) == 1
    assert values(at, PLACE) == {"update": "20", "seed": "0", "episode": "0"}


# ── a run, from its button to its end ───────────────────────────────────────────────────────────


def test_a_run_solves_cartpole_and_the_page_says_what_to_see():
    at = to_the_end(visit("reinforce", {"num_seeds": "2"}))
    assert at.metric[0].label == "Seeds solved"
    assert at.metric[0].value == "2 of 2"
    metrics = watched(at).recording().metrics()
    assert metrics["solved"][-1].all()
    assert progress(at) == f"Finished after {len(metrics['solved'])} updates"
    assert "What you should have seen" in [heading.value for heading in at.header]
    first, last = sorted(1 + metrics["solved"].argmax(axis=0))
    assert f"the first after {first} updates, the last after {last}." in markdown(at)


def test_no_takeaway_is_told_while_a_run_is_going_on():
    at = check(visit("reinforce", ENDLESS))
    assert "What you should have seen" not in [heading.value for heading in at.header]
    run = watched(at)
    until(lambda: run.recording() is not None)
    check(at.run())
    assert "What you should have seen" not in [heading.value for heading in at.header]
    assert progress(at).startswith("Update ")


def test_a_changed_setting_waits_for_run():
    at = to_the_end(visit("reinforce", SMALL))
    before = watched(at)
    control(at, "num_seeds").set_value(3)
    check(at.run())
    assert len(captions(at, "Press Run")) == 1
    assert watched(at) is before
    check(button(at, "Run").click().run())
    assert captions(at, "Press Run") == []
    assert watched(at).config == before.config.replace(num_seeds=3)
    to_the_end(at)
    assert at.metric[0].value.endswith("of 3")


def test_stop_says_so_and_leaves_the_page_usable():
    at = check(visit("reinforce", ENDLESS))
    run = watched(at)
    until(lambda: run.recording() is not None and run.recording().num_updates > 0)
    check(button(at, "Stop").click().run())
    assert progress(at).startswith("Stopped after ")
    assert run.status == "stopped"
    until(lambda: not run.path.with_suffix(".stop").exists())  # the worker has obeyed
    check(at.run())
    control(at, "update").set_value(1)
    control(at, "seed").set_value(5)
    check(at.run())
    assert title_of_the_player(at) == "Seed 5 at update 1, episode 0"
    control(at, "num_seeds").set_value(2)
    control(at, "num_updates").set_value(20)
    control(at, "num_envs").set_value(4)
    check(at.run())
    check(button(at, "Run").click().run())
    assert progress(to_the_end(at)) == "Finished after 20 updates"


def test_a_stopped_run_begins_again_at_run():
    at = check(visit("reinforce", ENDLESS))
    first = watched(at)
    check(button(at, "Stop").click().run())
    assert progress(check(at.run())).startswith("Stopped after ")
    check(button(at, "Run").click().run())
    assert watched(at) is not first
    assert watched(at).active


def test_reset_restores_every_control_and_the_first_run():
    default = visit("reinforce")
    to_the_end(default)
    place = values(default, PLACE)
    at = to_the_end(
        visit("reinforce", SMALL | {"method": "full-return", "gamma": "0.9", "seed": "1"})
    )
    control(at, "episode").set_value(2)
    control(at, "update").set_value(3)
    control(at, "learning_rate").set_value(0.1)
    check(at.run())
    check(button(at, "Reset").click().run())
    assert values(to_the_end(at)) == DEFAULTS
    assert values(at, PLACE) == place
    assert watched(at).config == watched(default).config
    assert captions(at, "Press Run") == []


def test_a_second_reader_of_a_live_run_watches_it_too():
    first = check(visit("reinforce", ENDLESS))
    run = watched(first)
    until(lambda: run.recording() is not None)
    second = check(visit("reinforce", ENDLESS))
    assert watched(second) is run
    assert progress(second).startswith("Update ")
    check(button(first, "Stop").click().run())
    assert progress(first) == "You stopped watching; the run goes on for others."
    assert progress(check(second.run())).startswith("Update ")
    assert progress(check(first.run())) == "You stopped watching; the run goes on for others."


def test_a_reader_does_not_find_a_run_that_someone_else_has_stopped():
    first = check(visit("reinforce", ENDLESS))
    check(button(first, "Stop").click().run())
    second = check(visit("reinforce", ENDLESS))
    assert watched(second).active


@pytest.mark.parametrize("name", ["/dev/null/runs", "\0"])
def test_a_folder_that_cannot_be_used_is_a_sentence_for_the_owner(monkeypatch, caplog, name):
    monkeypatch.setattr(live.os, "environ", {"PGVIZ_RUNS": name})
    assert live._folder() is None
    assert "cannot be used" in caplog.text


@pytest.mark.parametrize(("text", "seconds"), [("3", 3), ("abc", 20), ("nan", 20), ("-1", 20)])
def test_a_grace_that_is_no_number_is_a_sentence_for_the_owner(monkeypatch, caplog, text, seconds):
    monkeypatch.setenv("PGVIZ_GRACE_S", text)
    assert live._grace_s() == seconds
    assert ("is no number" in caplog.text) == (text != "3")


@pytest.mark.parametrize("again", ["Run", "Try again"])
def test_a_killed_worker_is_a_sentence_and_run_works_again(again):
    at = check(visit("reinforce", ENDLESS))
    run = watched(at)
    os.kill(worker_of(run), signal.SIGKILL)
    until(lambda: not run.active)
    at.run()
    assert not at.exception
    assert progress(at).startswith("Failed after ")
    assert "died" in at.error[0].value
    check(button(at, again).click().run())
    another = watched(at)
    assert another is not run
    until(lambda: another.recording() is not None)
    assert progress(check(at.run())).startswith("Update ")


def test_a_full_server_says_so_and_keeps_the_controls(monkeypatch):
    at = to_the_end(visit("reinforce", SMALL))

    def full(*_):
        raise Busy("Too many runs are waiting.")

    monkeypatch.setattr(Runs, "watch", full)
    control(at, "rng_seed").set_value(5)
    check(button(at, "Run").click().run())
    assert [warning.value for warning in at.warning] == ["Too many runs are waiting."]
    assert values(at) == DEFAULTS | SMALL | {"rng_seed": "5"}
    monkeypatch.undo()
    check(button(at, "Run").click().run())
    assert not at.warning
    assert watched(at).config.rng_seed == 5


# ── prediction ──────────────────────────────────────────────────────────────────────────────────


def test_a_prediction_is_locked_and_the_answer_hidden_until_then():
    at = to_the_end(visit("reinforce", SMALL))
    assert not shows_the_metric(at, "pseudo_loss")
    assert "pseudo-loss" not in markdown(at)
    assert button(at, "Lock it in").disabled
    control(at, "pseudo-loss.guess").set_value("falls")
    check(at.run())
    assert not shows_the_metric(at, "pseudo_loss")
    assert not button(at, "Lock it in").disabled
    check(button(at, "Lock it in").click().run())
    for _ in range(2):
        assert shows_the_metric(at, "pseudo_loss")
        assert "the pseudo-loss" in markdown(at)
        assert "You said: **falls**." in markdown(at)
        assert "pseudo-loss.guess" not in [radio.key for radio in at.radio]
        check(button(at, "Reset").click().run())
        to_the_end(at)


# ── the time machine ────────────────────────────────────────────────────────────────────────────


def title_of_the_player(at):
    return json.loads(at.get("bidi_component")[0].proto.json)["title"]


def test_the_time_machine_plays_the_recorded_episodes_again():
    at = to_the_end(visit("reinforce", SMALL))
    assert title_of_the_player(at) == "Seed 0 at update 20, episode 0"
    control(at, "update").set_value(4)
    control(at, "seed").set_value(1)
    returns = []
    for episode in range(4):
        control(at, "episode").set_value(episode)
        check(at.run())
        assert title_of_the_player(at) == f"Seed 1 at update 4, episode {episode}"
        sent = json.loads(at.get("bidi_component")[0].proto.json)["episode"]
        returns.append(sum(sent["rewards"]))
    recorded = watched(at).recording().metrics()["episode_return"][4, 1]
    assert np.mean(returns) == recorded
    assert captions(at, "the recording says")[0].count(f"{recorded:.2f}") == 2


def test_a_smaller_run_takes_the_time_machine_with_it():
    at = to_the_end(visit("reinforce", {**SMALL, "num_seeds": "4", "seed": "3", "episode": "3"}))
    control(at, "num_seeds").set_value(2)
    control(at, "num_envs").set_value(2)
    check(at.run())
    check(button(at, "Run").click().run())
    to_the_end(at)
    assert int(values(at, PLACE)["seed"]) < 2
    assert int(values(at, PLACE)["episode"]) < 2


# ── the code that ran, and how to run it again ──────────────────────────────────────────────────


def shown_code(at):
    return [code.value for code in at.code]


@pytest.mark.parametrize(
    ("method", "weight"),
    [("reinforce", "reward_to_go"), ("full-return", "full_return")],
)
def test_the_code_on_the_page_is_the_code_that_ran(monkeypatch, method, weight):
    at = to_the_end(visit("reinforce", SMALL | {"method": method}))
    shown = {
        "weight": getattr(estimators, weight),
        "what else is done to it": methods.weighted,
        "gradient": gradient.policy_gradient,
        "loop": loop.train,
    }
    assert shown_code(at)[:4] == [
        inspect.getsource(function).strip() for function in shown.values()
    ]

    called = []
    spied = [(estimators, estimators.reward_to_go), (estimators, estimators.full_return)]
    for home, function in [*spied, (loop, shown["gradient"])]:

        def spy(*arguments, function=function):
            called.append(function.__name__)
            return function(*arguments)

        monkeypatch.setattr(home, function.__name__, spy)
    next(loop.train(watched(at).config))
    assert (called[0], called[-1]) == (weight, "policy_gradient")
    assert worker.train is shown["loop"]


CONFIGURATIONS = [
    SMALL,
    SMALL | {"method": "full-return", "stop_when_solved": "false"},
    SMALL
    | {
        "learning_rate": "0.001",
        "gamma": "0.995",
        "normalize_advantages": "true",
        "drop_gamma_t": "false",
        "rng_seed": "9999",
        "num_envs": "1",
    },
]


@pytest.mark.parametrize("query", CONFIGURATIONS)
def test_the_command_and_the_link_on_the_page_are_the_same_configuration(monkeypatch, query):
    at = to_the_end(visit("reinforce", query))
    config = watched(at).config
    line = next(code for code in shown_code(at) if code.startswith("python -m pgviz train"))
    parsed = []
    monkeypatch.setattr(command, "run", lambda config, as_json: parsed.append(config))
    cli.main(shlex.split(line)[3:], standalone_mode=False)
    assert parsed == [config]

    link = urlsplit(next(code for code in shown_code(at) if "/reinforce?" in code))
    assert link.path == "/reinforce"
    again = check(visit("reinforce", parse_qs(link.query)))
    assert watched(again) is watched(at)
    assert captions(again, "link") == []


def test_downloads_hold_the_numbers_of_the_recording(monkeypatch):
    files = {}

    def keep(label, data, file_name, mime, **_):
        files[Path(file_name).suffix] = SimpleNamespace(data=data, name=file_name, mime=mime)

    monkeypatch.setattr(st, "download_button", keep)
    at = to_the_end(visit("reinforce", SMALL))
    recording = watched(at).recording()
    metrics = recording.metrics()

    def no_constants(name):
        raise AssertionError(f"{name} is not JSON")

    numbers = json.loads(files[".json"].data(), parse_constant=no_constants)
    assert Config(**numbers["config"]) == watched(at).config
    np.testing.assert_array_equal(numbers["theta"], recording.theta(20))
    assert set(numbers["metrics"]) == set(metrics)
    rows = list(csv.DictReader(io.StringIO(files[".csv"].data())))
    assert len(rows) == 20 * 2
    for name, expected in metrics.items():
        np.testing.assert_array_equal(np.array(numbers["metrics"][name], float), expected)
        column = np.array([float(row[name] or "nan") for row in rows]).reshape(20, 2)
        np.testing.assert_array_equal(column, expected)
    assert [int(row["update"]) for row in rows[:3]] == [0, 0, 1]
    assert [int(row["seed"]) for row in rows[:3]] == [0, 1, 0]
    facts = next(text.value for text in at.markdown if "**Clipping.**" in text.value)
    assert "In this run 40 of 40 were longer (100 %)." in facts
    assert files[".py"].name == "reinforce.py"
    assert files[".py"].data == (REPO / "pgviz/from_scratch/reinforce.py").read_text()


def test_a_run_that_ends_while_the_page_is_drawn_swallows_no_click(servers, monkeypatch):
    """The opening run turns just before the buttons further down are read."""
    heard, real = [], live.follow

    def follow(draw, alive, until, *every):
        real(draw, True, lambda: True, *every)

    monkeypatch.setattr(live, "follow", follow)
    monkeypatch.setattr(live, "start_group", lambda name, _: heard.append(name))
    at = visit("home")
    button(at, "Start the race").click().run()
    assert heard == ["race"]
