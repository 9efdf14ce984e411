"""A fault outside the frame's `try` is one sentence, and no widget is drawn outside its limits."""

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit import net_util
from streamlit.testing.v1 import AppTest
from streamlit.web.server.server_util import is_url_from_allowed_origins

from pgviz.ui import controls, frame, links
from pgviz.ui.controls import Choice, Number
from tests.test_app import check, recordings, servers, visit

__all__ = ["recordings", "servers"]  # fixtures

REPO = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for folder in ("pages", "pgviz/ui", "pgviz/lessons")
    for path in (REPO / folder).rglob("*.py")
)


def fails(*_, **__):
    raise ZeroDivisionError("secret detail")


def calls(name):
    """Where the pages call something of this name: (file, call)."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == name:
                yield path.name, node


def test_every_callback_of_a_widget_is_guarded():
    given = [
        (path.name, node.value)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword) and node.arg in ("on_click", "on_change")
    ]
    callbacks = [(name, value) for name, value in given if not isinstance(value, ast.Constant)]
    assert callbacks
    for name, value in callbacks:
        assert isinstance(value, ast.Call), (name, ast.unparse(value))
        assert ast.unparse(value.func).endswith("guarded"), (name, ast.unparse(value))


def test_every_fragment_is_guarded():
    used = [
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "st.fragment"
    ]
    assert used == ["guard.py"]


@pytest.mark.parametrize("widget", ["slider", "select_slider", "number_input"])
def test_every_number_in_an_address_is_drawn_by_the_one_function_that_keeps_it_within(widget):
    bound = [
        name for name, call in calls(widget) if any(k.arg in ("bind", None) for k in call.keywords)
    ]
    assert set(bound) == {"controls.py"}


def test_a_callback_that_fails_is_one_sentence_and_the_page_goes_on(monkeypatch):
    at = check(visit("theorem"))
    with monkeypatch.context() as patch:
        patch.setattr("pgviz.ui.progress.is_revealed", lambda *_: False)
        patch.setattr("pgviz.ui.walk._go", fails)
        at.button(key="walk-next").click().run()
    assert not at.exception
    assert len(at.error) == 1
    assert "secret" not in str(at.main)
    assert at.title
    check(at.run())


def test_a_fragment_that_fails_is_one_sentence_and_the_page_goes_on(monkeypatch):
    monkeypatch.setattr("pgviz.ui.training._draw", fails)
    at = visit("reinforce", {"step": "run"})
    assert not at.exception
    assert len(at.error) == 1
    assert "secret" not in str(at.main)
    assert at.get_by_key("walk-bar") is not None


def test_what_is_remembered_from_elsewhere_becomes_what_the_step_can_show():
    at = AppTest.from_file(REPO / "streamlit_app.py", default_timeout=120)
    at.session_state["theta"] = 17.0
    at.switch_page("pages/theorem.py")
    at.query_params["step"] = "policy"
    check(at.run())
    assert at.select_slider(key="theta").value == 3.0


@pytest.mark.parametrize(
    ("control", "remembered", "kept"),
    [
        (Number("x", "", 0, 10), 14, 10),
        (Number("x", "", 3, 10), 2, 3),
        (Number("x", "", 3, 10), 7, 7),
        (Number("x", "", 3, 10), "seven", None),
        (Number("x", "", 3, 10), float("nan"), None),
        (Choice("x", "", (0.5, 0.9, 1.0)), 0.97, 1.0),
        (Choice("x", "", (0.5, 0.9, 1.0)), 0.9, 0.9),
        (Choice("x", "", ("a", "b")), "yours", None),
        (Choice("x", "", (True, False)), True, True),
    ],
)
def test_a_remembered_value_becomes_the_nearest_that_the_control_holds(
    monkeypatch, control, remembered, kept
):
    state = {"x": remembered}
    monkeypatch.setattr(controls.st, "session_state", state)
    controls.keep_within(control)
    assert state.get("x") == kept


@pytest.mark.parametrize(
    ("seen", "link"),
    [
        ("http://localhost:8501/gae", "http://localhost:8501/gae"),
        ("http://localhost:8501/pg/gae?lam=0.5", "http://localhost:8501/pg/gae"),
        ("https://host/a/b/gae/", "https://host/a/b/gae"),
        ("https://host/a/b", "https://host/a/b/gae"),
        ("https://host/a/theorem", "https://host/a/gae"),
        (None, "/pg/gae"),
    ],
)
def test_a_link_keeps_what_stands_before_the_page_in_the_browsers_address(monkeypatch, seen, link):
    monkeypatch.setattr(st, "context", SimpleNamespace(url=seen))
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": "/pg/"}.get)
    assert links.base_url("gae") == link


def test_a_page_of_another_site_makes_this_server_ask_nobody(monkeypatch):
    monkeypatch.setattr(
        net_util, "get_external_ip", net_util.get_external_ip
    )  # put back afterwards
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda *_, **__: pytest.fail("asked"))
    frame.ask_nobody_for_our_address.__wrapped__()
    assert not is_url_from_allowed_origins("https://elsewhere.example")
