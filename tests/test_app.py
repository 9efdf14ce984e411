"""The app without a browser: the frame, links, runs from their button to their end, and faults."""

import ast
import functools
import inspect
import os
import re
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pandas as pd
import psutil
import pytest
import streamlit as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from pgviz.lessons import PAGES, page_of
from pgviz.runs import Busy, Runs
from pgviz.training import Config
from pgviz.ui import frame, live, screen
from tests.real import REPO

RUN = {"step": "run", "num_envs": "4"}  # of the page on REINFORCE


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
    live.close()
    yield made
    st.cache_resource.clear()
    live.close()
    for server in made:
        server.close()


@functools.cache
def components():
    """The player and its like, found once: AppTest searches every installed package for them."""
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


def visit(slug, query=None):
    """A new browser session of a fresh server, straight to a page."""
    at = AppTest.from_file(REPO / "streamlit_app.py", default_timeout=120)
    at._bidi_component_manager = components()
    at.query_params.update(query or {})
    if slug != PAGES[0].slug:  # the first page has the empty address
        at.switch_page(page_of(slug).file)
    return at.run()


def check(at):
    """Nothing raised, neither through Streamlit nor into the frame's sentence."""
    assert [element.message for element in at.exception] == []
    assert [element.value for element in at.error] == []
    return at


def captions(at, part=""):
    return [caption.value for caption in at.caption if part in caption.value]


def press(at, label):
    return next(button for button in at.button if button.label == label).click().run()


def watched(at):
    """The run that this session has started on the step."""
    return live.runs().watched_by(f"{at.session_state['viewer']}.reinforce-run")


def until(condition, patience=120):
    give_up = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < give_up, inspect.getsource(condition)
        time.sleep(0.02)


def worker_of(run):
    """The process that writes this recording."""
    until(lambda: run.path.exists())
    for process in psutil.Process().children(recursive=True):
        try:
            if str(run.path) in (file.path for file in process.open_files()):
                return process.pid
        except psutil.Error:
            continue
    raise LookupError(run.path)


# ── the frame ───────────────────────────────────────────────────────────────────────────────────


def test_every_page_of_the_table_has_its_file_and_every_file_its_page():
    files = {f"pages/{file.name}" for file in (REPO / "pages").glob("*.py")}
    assert files == {page.file for page in PAGES}
    assert len({page.slug for page in PAGES}) == len({page.title for page in PAGES}) == len(PAGES)
    assert PAGES[0].slug == "home"
    sections = [page.section for page in PAGES]
    assert sections == sorted(sections, key=sections.index), "a section is torn apart"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_page_file_walks_its_own_steps_and_does_nothing_else(page):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", page.slug)
    assert re.fullmatch(r":material/[a-z_0-9]+:", page.icon)
    assert page.question.endswith("?")
    body = ast.parse((REPO / page.file).read_text()).body
    assert [type(node) for node in body] == [ast.Expr, ast.ImportFrom, ast.Expr]
    assert ast.unparse(body[-1]) == f"walk('{page.slug}')"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_the_first_visitor_of_a_cold_server_gets_the_frame_too(page, monkeypatch):
    monkeypatch.setattr("streamlit.testing.v1.app_test.PagesManager", PagesManager)
    at = check(visit(page.slug))
    first = page.steps[0]
    assert [title.value for title in at.title] == [first.question or first.title]
    assert any("stMainBlockContainer" in html.proto.body for html in at.get("html")), "no frame"


def test_the_first_page_lets_the_server_open_many_files(monkeypatch):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 256), before[1]))
        frame.allow_many_files.cache_clear()
        check(visit("theorem"))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(before[1], 10_240)
        for refused in (ValueError, OSError):
            with monkeypatch.context() as patch:
                patch.setattr(resource, "setrlimit", Mock(side_effect=refused))
                frame.allow_many_files.__wrapped__()
        monkeypatch.setitem(sys.modules, "resource", None)
        frame.allow_many_files.__wrapped__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_step_that_fails_says_so_and_shows_no_traceback(monkeypatch):
    def fails(*_):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("pgviz.lessons.home.start.draw", fails)
    at = visit("home")
    assert [error.value for error in at.error] == [
        "Something on this page went wrong. Reload it; your settings are in the address."
    ]
    assert "secret" not in str(at.main)
    assert not frame._framed.__dict__.get("now", False)


def test_whoever_clears_the_caches_of_the_server_stops_nobodys_run(servers):
    """Any client may send `clear_cache`; Streamlit then empties its caches for everybody."""
    check(visit("reinforce", RUN))
    live.runs()
    (registry,) = servers
    st.cache_resource.clear()
    st.cache_data.clear()
    check(visit("reinforce", RUN))
    assert live.runs() is registry
    assert len(servers) == 1
    registry.watch(Config(num_seeds=1, num_updates=1), "anybody")


@pytest.mark.parametrize("name", ["/dev/null/runs", "\0"])
def test_a_folder_that_cannot_be_used_is_a_sentence_for_the_owner(monkeypatch, caplog, name):
    monkeypatch.setattr(live.os, "environ", {"PGVIZ_RUNS": name})
    assert live._folder() is None
    assert "cannot be used" in caplog.text


@pytest.mark.parametrize(("text", "seconds"), [("3", 3), ("abc", 60), ("nan", 60), ("-1", 60)])
def test_a_grace_that_is_no_number_is_a_sentence_for_the_owner(monkeypatch, caplog, text, seconds):
    monkeypatch.setenv("PGVIZ_GRACE_S", text)
    assert live._grace_s() == seconds
    assert ("is no number" in caplog.text) == (text != "3")


def look(followers, now, num_tabs, look_s, rounds=12):
    """So many tabs look once a second, and each look takes the server so long."""
    for _ in range(rounds):
        now[0] += 1.0
        for k in range(num_tabs):
            now[1] += look_s
            followers.seen(f"tab-{k}")


def test_all_looks_together_take_the_share_of_the_server_whatever_one_takes():
    for look_s in (0.01, 0.015):
        now = [0.0, 0.0]
        followers = live.Followers(lambda now=now: now[0], lambda now=now: now[1])
        assert followers.pace_s() == live.POLL_S
        look(followers, now, 100, look_s)
        assert followers.pace_s() == pytest.approx(100 * look_s / live.SHARE, rel=0.05)
    look(followers, now, 1000, look_s)
    assert followers.pace_s() == live.SLOWEST_POLL_S


def test_tabs_that_have_left_and_a_pause_do_not_count():
    now = [0.0, 0.0]
    followers = live.Followers(lambda: now[0], lambda: now[1])
    look(followers, now, 100, 0.01)
    now[0], now[1] = now[0] + 3600, now[1] + 3600  # the server did something else
    look(followers, now, 20, 0.01, rounds=1)
    assert followers.pace_s() == pytest.approx(20 * 0.01 / live.SHARE, rel=0.05)
    look(followers, now, 1, 0.01)
    assert followers.pace_s() == live.POLL_S


def test_what_is_worked_out_of_a_run_is_worked_out_once_until_it_goes_on(monkeypatch):
    run = SimpleNamespace(path=Path("a.run"), ending="", active=True)
    updates, made = [3], []
    monkeypatch.setattr(live, "begun", lambda _: True)
    monkeypatch.setattr(live, "seen_by_all", lambda *_: updates[0])

    @live.once_for_all
    def curve(runs, field):
        made.append(field)
        return len(made)

    assert [curve([run], "return"), curve([run], "return"), curve([run], "KL")] == [1, 1, 2]
    updates[0] = 4
    assert curve([run], "return") == 3
    run.ending = "finished"
    assert curve([run], "return") == 4
    assert made == ["return", "KL", "return", "return"]


def test_what_travels_to_a_browser_is_the_same_in_fewer_bytes():
    table = pd.DataFrame(
        {
            "seed": [0, 1, 15],
            "steps": [1e5, 2e5, np.nan],
            "name": ["a", "b", None],
            "big": [1, 2, 2**40],
        }
    )
    small = live.compact(table)
    assert [str(kind) for kind in small.dtypes][:2] == ["int8", "float32"]
    back = screen.arrow(small).to_pandas()
    for name in table:
        left, right = table[name], back[name]
        assert [a for a in left if a == a and a is not None] == [
            b for b in right if b == b and b is not None
        ]


# ── links: every control of every step, well and badly said ─────────────────────────────────────


SET = [
    pytest.param(page, step, control, id=f"{page.slug}-{step.slug}-{control.name}")
    for page in PAGES
    for step in page.steps
    for control in page.controls(step)
]


def value_of(at, name):
    """What the widget of a control says."""
    for kind in (at.radio, at.selectbox, at.number_input, at.select_slider, at.toggle, at.slider):
        for widget in kind:
            if widget.key == name:
                return widget.value
    return None


@pytest.mark.parametrize(("page", "step", "control"), SET[:: max(1, len(SET) // 20)])
def test_a_link_sets_a_control_and_nonsense_is_named_in_one_line(page, step, control):
    options = getattr(control, "options", None) or [control.low, control.high]
    wanted = options[-1]
    text = str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
    at = check(visit(page.slug, {"step": step.slug, control.name: text}))
    assert value_of(at, control.name) in (wanted, None)  # None: behind the question
    assert captions(at, "Not everything in this link") == []
    at = check(visit(page.slug, {"step": step.slug, control.name: "<b>7"}))
    (sentence,) = captions(at, "Not everything in this link")
    assert "<" not in sentence


# ── a run, from its button to its end ───────────────────────────────────────────────────────────


def test_a_run_begins_at_its_button_goes_on_elsewhere_and_is_told_when_it_has_ended():
    at = check(visit("reinforce", RUN))
    check(press(at, "Run"))
    run = watched(at)
    assert run.config.num_envs == 4
    check(at.button(key="walk-next").click().run())
    assert watched(at) is run
    until(lambda: not run.active)
    check(at.button(key="walk-back").click().run())
    assert run.ending == "finished"
    assert captions(at, "Your run") != []
    check(press(at, "Recorded run"))
    assert captions(at, "Your run") == []


def test_stop_ends_the_run_and_leaves_the_step_usable():
    at = check(visit("reinforce", {"step": "run", "num_envs": "64", "learning_rate": "0.002"}))
    check(press(at, "Run"))
    run = watched(at)
    until(lambda: run.recording() is not None)
    check(at.run())
    check(press(at, "Stop"))
    until(lambda: not run.active)
    assert run.ending == "stopped"
    check(at.run())


def test_a_killed_worker_is_a_sentence_and_the_run_can_be_tried_again():
    at = check(visit("reinforce", {"step": "run", "num_envs": "64", "learning_rate": "0.005"}))
    check(press(at, "Run"))
    run = watched(at)
    os.kill(worker_of(run), signal.SIGKILL)
    until(lambda: not run.active)
    at.run()
    assert not at.exception
    assert "died" in at.error[0].value
    check(press(at, "Try again"))
    again = watched(at)
    assert again is not run
    assert again.active


def test_a_full_server_says_so_and_keeps_the_controls(monkeypatch):
    at = check(visit("reinforce", RUN))

    def full(*_):
        raise Busy("Too many runs are waiting.")

    monkeypatch.setattr(Runs, "watch_all", full)
    check(press(at, "Run"))
    assert [warning.value for warning in at.warning] == ["Too many runs are waiting."]
    assert value_of(at, "num_envs") == 4


def test_a_second_reader_of_a_live_run_shares_it():
    asked = {"step": "run", "num_envs": "64", "learning_rate": "0.01"}
    first, second = check(visit("reinforce", asked)), check(visit("reinforce", asked))
    check(press(first, "Run"))
    check(press(second, "Run"))
    assert watched(first) is watched(second)
    check(press(first, "Stop"))
    assert watched(second).active


def test_the_server_records_what_the_steps_show_while_nobody_needs_its_workers(tmp_path):
    shown, asked = Config(num_seeds=1, num_updates=3), Config(num_seeds=1, num_updates=4)
    registry = Runs(tmp_path, num_workers=1)
    try:
        registry.prepare([shown])
        until(lambda: (run := registry.find(shown)) is not None and run.ending == "finished")
        slow = shown.replace(num_seeds=64, num_envs=64, num_updates=300)
        registry.prepare([slow])
        until(lambda: (run := registry.find(slow)) is not None and run.status == "running")
        visitor = registry.watch(asked, "ann")
        until(lambda: visitor.ending == "finished")  # the other one has given way …
        until(lambda: (run := registry.find(slow)) is not None and run.active)  # … and begins anew
    finally:
        registry.close()


def test_the_folder_of_recordings_is_left_as_it_was_found(recordings):
    assert not [path for path in Path(recordings).iterdir() if path.suffix == ".new"]
